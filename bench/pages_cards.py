# SPDX-License-Identifier: Apache-2.0
"""Repositories whose pages are looked at: cards as people write them, put in as clients do."""

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from bench.hubs import USER, commit, commit_body, make_repo, serving
from bench.hubs import fill as make_user
from bench.load import Caller
from hubkeep.config import Config
from hubkeep.db import Database

COUNT = 40

_WORDS = """
    the model was trained on a corpus of texts that we collected over two years and filtered by
    language length and quality it reaches what larger ones reach with a tenth of the memory please
    read the limits below before you use it in earnest
"""
_FRONT = """---
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
language: [en, de, fr]
datasets: [bench/corpus, somebody/texts]
base_model: {base}
co2_eq_emissions:
  emissions: 123000
  source: codecarbon
  training_type: fine-tuning
  hardware_used: 8 A100
model-index:
- name: model
  results:
{results}---
"""
_RESULT = """  - task: {{type: text-generation}}
    dataset: {{name: set {number}, type: set-{number}}}
    metrics:
    - {{type: accuracy, value: {value}}}
    - {{type: f1, value: {value}}}
"""
_CODE = """```python
from transformers import pipeline

pipe = pipeline("text-generation", model="bench/model")
for one in pipe(["Once upon a time", "In a hole in the ground"], max_new_tokens=64):
    print(one[0]["generated_text"])
```
"""


def fill(data: Path, database_url: str) -> Sequence[str]:
    """Put repositories with cards into a hub, which may be large; return their paths."""
    with closing(Database(Config(data=data, database_url=database_url).database)) as db:
        _leave_numbers(db)
    make_user(data, database_url)
    with serving(data, database_url, "--no-job-worker") as hub, hub.caller() as caller:
        return list(_repositories(caller))


def _repositories(caller: Caller) -> Iterator[str]:
    chance = random.Random("cards")
    for number in range(COUNT):
        name = f"model-{number}"
        api = make_repo(caller, name)
        base = f"{USER}/model-{number - 1}" if number % 8 else "hub/llama-1"
        files = [("README.md", card(chance, base).encode()), ("config.json", b"{}")]
        commit(caller, api, commit_body("First files", files))
        yield f"{USER}/{name}"


def card(chance: random.Random, base: str) -> str:
    """Return a card of about 10 kB: text, lists, tables, code, formulas."""
    results = "".join(
        _RESULT.format(number=number, value=round(chance.random(), 4)) for number in range(6)
    )
    parts = [_FRONT.format(base=base, results=results), "# A model\n"]
    for section in range(8):
        parts.append(f"## Section {section}\n")
        parts += [_text(chance, 60) for _ in range(2)]
        parts.append("\n".join(f"- {_text(chance, 8)} `x_{i}`" for i in range(5)))
        parts.append(
            "| set | accuracy | f1 |\n|---|---|---|\n"
            + "".join(
                f"| set {i} | {chance.random():.3f} | {chance.random():.3f} |\n" for i in range(6)
            )
        )
        parts.append(_CODE if section % 2 else r"The loss is $L = -\sum_i p_i \log q_i$.")
    return "\n\n".join(parts)


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(_WORDS.split(), k=words)).capitalize() + "."


def _leave_numbers(db: Database) -> None:
    """Let rows that come next have numbers of their own, behind those that were written with
    numbers.
    """
    if not db.is_sqlite:
        for table in ("accounts", "repos", "facts"):
            after = text(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), "
                f"(SELECT coalesce(max(id), 1) FROM {table}))"
            )
            db.write_now(lambda conn, after=after: conn.execute(after))
