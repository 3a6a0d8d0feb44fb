# SPDX-License-Identifier: Apache-2.0
"""What is committed speaks of the project alone, and its dependencies are written down."""

import re
import subprocess
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# In pieces, so that this file does not name what it forbids.
HOSTS = (
    "py" + "pi.org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "debian" + ".org",
)
MACHINE = ("/wo" + "rk/", "/ro" + "ot/", "/tm" + "p/hk/", "/opt" + "/wheels")
FORBIDDEN = re.compile(
    "|".join([re.escape(host) for host in HOSTS] + [rf"(?<![\w./]){path}" for path in MACHINE])
)


def tracked() -> list[Path]:
    """The files that git knows and that are still there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_no_file_names_a_registry_or_a_machine() -> None:
    found = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", "replace")
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in FORBIDDEN.finditer(text)]
    assert not found


@pytest.mark.parametrize("line", ["see https://" + HOSTS[0], "cd " + MACHINE[0] + "main"])
def test_the_pattern_finds_what_it_is_for(line: str) -> None:
    assert FORBIDDEN.search(line)


def test_every_python_file_says_its_licence() -> None:
    spdx = b"# SPDX-License-Identifier: Apache-2.0"
    silent = [p for p in tracked() if p.suffix == ".py" and spdx not in p.read_bytes()[:200]]
    assert not silent


def direct_dependencies() -> set[str]:
    """The packages that pyproject.toml and requirements/*.in name, hubkeep's own extras apart."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    for listing in (ROOT / "requirements").glob("*.in"):
        lines = (line.strip() for line in listing.read_text().splitlines())
        wanted += [line for line in lines if line and not line.startswith(("#", "-"))]
    names = {re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0] for line in wanted}
    return names - {"hubkeep"}


def test_every_dependency_is_explained() -> None:
    explained = (ROOT / "docs" / "dependencies.md").read_text()
    assert {name for name in direct_dependencies() if f"| {name} |" not in explained} == set()


def test_nothing_unused_is_explained() -> None:
    explained = (ROOT / "docs" / "dependencies.md").read_text()
    rows = set(re.findall(r"^\| (?!package )([a-z0-9][a-z0-9.-]*) \|", explained, re.MULTILINE))
    assert rows - direct_dependencies() == set()


@pytest.mark.parametrize(
    "lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda p: p.stem
)
def test_locks_are_exact_and_hashed(lock: Path) -> None:
    text = lock.read_text()
    requirements = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL)
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9._-]+==\S+", requirement), requirement.split("\n")[0]
        assert "--hash=sha256:" in requirement, requirement.split("\n")[0]
    assert not re.search(r"://|--index|--find-links|--extra-index", text)
