# Everything is run from here, and each target sets up what it needs: `make demo`, `make test`.
# Each environment keeps a stamp that is newer than what it was made from, so a second call is instant.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SECONDARY:
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(if $(shell \
	$(name) -c 'import sys; sys.version_info >= (3, 11) and print(1)' 2>/dev/null),$(name))))
WORKERS ?= auto
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
E2E := .venv-e2e
CLIENTS := .venv-client-0.24 .venv-client-1.0
SPARK := .spark
NODE := tests/e2e/javascript/node_modules
TORCH := 2.13.0

# Every package comes from a lock that is complete and carries hashes, so nothing is resolved here.
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-input
LOCKED := $(PIP_INSTALL) --require-hashes --no-deps

##@ Use
.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/.stamp-runtime ## Make .venv with hubkeep and all its extras

.PHONY: demo
demo: setup ## Start a hub with a demo user, a token and a few small repositories
	$(BIN)/hubkeep demo $(ARGS)

##@ Check
.PHONY: test
test: $(VENV)/.stamp-test ## Run the tests (ARGS="tests/git -k merge" for some of them)
	$(BIN)/python -m pytest --numprocesses $(WORKERS) $(ARGS)

.PHONY: lint
lint: $(VENV)/.stamp-test $(VENV)/.stamp-lint ## Check style, format, imports and the rules of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --quiet tests/lint

.PHONY: types
types: setup $(VENV)/.stamp-lint ## Check the types
	$(BIN)/ty check src

.PHONY: e2e
e2e: setup $(E2E)/.stamp $(CLIENTS:%=%/.stamp) $(NODE)/.stamp ## Drive a live hub with the stock libraries, Python's and Node's
	$(E2E)/bin/python -m pytest tests/e2e --confcutdir=tests/e2e -W default $(ARGS)

.PHONY: spark
spark: $(VENV)/.stamp-test $(SPARK)/.stamp ## Run the figures on Spark too, and compare (needs Java 17)
	PYTHONPATH=$(SPARK) $(BIN)/python -m pytest tests/observatory/test_spark.py $(ARGS)

.PHONY: conformance
conformance: $(VENV)/.stamp-test ## Run the stock client's own tests against a live hub
	$(BIN)/python -m tests.conformance $(ARGS)

.PHONY: kill
kill: $(VENV)/.stamp-test ## Kill a hub 200 times under load and look for what is lost (ARGS=--postgres)
	$(BIN)/python -m tests.reliability $(ARGS)

.PHONY: mixed
mixed: $(VENV)/.stamp-test ## Mix 500 random operations of git and the API (ARGS=--postgres)
	$(BIN)/python -m tests.transfer.smart $(ARGS)

.PHONY: bench
bench: $(VENV)/.stamp-test ## Measure, each figure as a ratio within one run
	$(BIN)/python -m bench $(ARGS)

##@ Maintain
.PHONY: format
format: $(VENV)/.stamp-lint ## Rewrite the source in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: docs
docs: $(VENV)/.stamp-runtime ## Write the pages that follow from the source: docs/api.md, docs/cli.md
	$(BIN)/python -m tools.docs

.PHONY: screenshots
screenshots: $(VENV)/.stamp-test ## Take the pictures of the pages again (needs chromium)
	$(BIN)/python -m tools.screenshots $(ARGS)

LOCK := uv pip compile --quiet --no-header --generate-hashes --no-emit-index-url \
	--universal --python-version 3.11
.PHONY: lock
lock: ## Compile requirements/*.txt (needs uv; ARGS=--upgrade for newer versions)
	@command -v uv >/dev/null || { echo "make lock needs uv: pip install uv" >&2; exit 1; }
	$(LOCK) $(ARGS) pyproject.toml --extra all requirements/runtime.in -o requirements/runtime.txt
	for name in test lint spark client-0.24 client-1.0; do \
		$(LOCK) $(ARGS) requirements/$$name.in -o requirements/$$name.txt; done
	$(LOCK) $(ARGS) --no-emit-package torch requirements/e2e.in -o requirements/e2e.txt

.PHONY: clean
clean: ## Remove environments, caches and builds
	rm -rf $(VENV) $(E2E) $(CLIENTS) $(NODE) $(SPARK) build dist
	rm -rf .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- Environments. The rules below are about files; nobody calls them by name. ---

define python_missing
Hubkeep needs Python 3.11 or newer, and none of python3, python3.11 to python3.14 on the PATH is.
Say where it is: make PYTHON=/path/to/python3.11 ...
endef

# A virtual environment cannot be made without ensurepip, which Debian ships apart.
%/bin/python:
	$(if $(PYTHON),,$(error $(python_missing)))
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
		|| { echo "$(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $*

$(VENV)/.stamp-runtime: requirements/runtime.txt pyproject.toml | $(BIN)/python
	$(BIN)/python $(LOCKED) -r requirements/runtime.txt
	$(BIN)/python $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.stamp-test: requirements/test.txt $(VENV)/.stamp-runtime
	$(BIN)/python $(LOCKED) -r requirements/test.txt
	@touch $@

$(VENV)/.stamp-lint: requirements/lint.txt $(VENV)/.stamp-runtime
	$(BIN)/python $(LOCKED) -r requirements/lint.txt
	@touch $@

# pip alone, and torch alone and first: everything else finds it there.
$(E2E)/.stamp: requirements/e2e.txt | $(E2E)/bin/python
	$(E2E)/bin/python $(PIP_INSTALL) torch==$(TORCH)
	$(E2E)/bin/python $(LOCKED) -r requirements/e2e.txt
	@touch $@

# Beside .venv: what it brings is on the path of `make spark` alone.
$(SPARK)/.stamp: requirements/spark.txt | $(BIN)/python
	$(BIN)/python $(LOCKED) --target $(SPARK) --upgrade -r $<
	@touch $@

.venv-client-%/.stamp: requirements/client-%.txt | .venv-client-%/bin/python
	.venv-client-$*/bin/python $(LOCKED) -r $<
	@touch $@

$(NODE)/.stamp: tests/e2e/javascript/package-lock.json
	@command -v npm >/dev/null \
		|| { echo "the end-to-end tests need Node with npm; on Debian: apt-get install nodejs npm" >&2; exit 1; }
	npm ci --prefix $(<D) --ignore-scripts --no-audit --no-fund --no-update-notifier --silent
	@touch $@
