# SPDX-License-Identifier: Apache-2.0
"""B4, lineage integrity: every fault by hand, and counted plainly in the census."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

import pyarrow.parquet as pq

from hubkeep.observatory.dimensions import Dimensions
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.running import Result
from tests.observatory.real import MODELS, data, imported
from tests.observatory.tiny import Row, model, tiny


def edge(child: str, parent: str, relation: str | None = "finetune") -> Row:
    return {"child": child, "parent": parent, "relation": relation}


def findings(result: Result, check: str) -> list[tuple[object, ...]]:
    return [
        (row["subject"], row["related"], row["n"])
        for row in result.table.to_pylist()
        if row["check"] == check
    ]


SHELF = [
    model(name)
    for name in ("a/x", "a/y", "a/z", "a/w", "a/free", "google-bert/bert-base-uncased", "google/m")
]
FAULTS = [
    edge("a/x", "a/y"),
    edge("a/y", "a/z"),
    edge("a/z", "a/x"),
    edge("a/w", "a/x"),
    edge("a/w", "a/y", "merge"),
    edge("a/free", "a/free"),
    edge("a/free", "gone/base"),
    edge("a/w", "gone/base", None),
    edge("google/m", "bert-base-uncased", "adapter"),
    edge("google/m", "google-bert/bert-base-uncased", "quantized"),
]


def test_every_fault_is_found(tmp_path: Path) -> None:
    result = tiny(tmp_path, models=SHELF, lineage=FAULTS).figure("B4")
    assert result.n == 10
    assert findings(result, "missing") == [("gone/base", "a/free", 2)]
    assert findings(result, "self") == [("a/free", "a/free", 1)]
    old, new = "bert-base-uncased", "google-bert/bert-base-uncased"
    assert findings(result, "renamed") == [(old, new, 1)]
    assert findings(result, "contradictory") == [("google/m", new, 1)]
    assert findings(result, "mixed") == [("a/w", "a/x", 2)]
    assert findings(result, "cycle") == [("a/x", "a/y", 3)]
    [ring] = [row for row in result.table.to_pylist() if row["check"] == "cycle"]
    assert (ring["size"], ring["members"]) == (3, "a/x a/y a/z")
    assert result.scalars["share_missing"] == 2 / 10
    assert (result.scalars["n_missing"], result.scalars["pairs_missing"]) == (1, 2)
    assert result.scalars["largest_cycle"] == 3
    assert result.missing == {"relation": 1}


def test_a_sound_lineage_has_no_findings(tmp_path: Path) -> None:
    result = tiny(tmp_path, models=SHELF, lineage=[edge("a/x", "a/y")]).figure("B4")
    assert (result.n, len(result.table)) == (1, 0)
    assert result.scalars["share_cycle"] == 0


def test_what_is_asked_about_is_the_model_that_names(tmp_path: Path) -> None:
    snapshot = tiny(tmp_path, models=SHELF, lineage=FAULTS)
    result = snapshot.figure("B4", filters=Filters(org_type="company"))
    assert result.n == 2
    assert result.excluded["of models that are not in the snapshot, or not asked about"] == 8
    assert findings(result, "missing") == []


def test_the_table_says_what_it_leaves_out(tmp_path: Path) -> None:
    lost = [edge("a/x", f"gone/{at}") for at in range(3)]
    result = tiny(tmp_path, models=SHELF, lineage=lost).figure("B4", top=2)
    assert [name for name, _, _ in findings(result, "missing")] == ["gone/0", "gone/1"]
    assert result.notes == ["The table has the first 2 of: missing."]
    assert result.scalars["n_missing"] == 3


def test_without_models_nobody_knows_what_is_missing(tmp_path: Path) -> None:
    result = tiny(tmp_path, lineage=FAULTS).figure("B4")
    assert result.n == 10
    assert findings(result, "missing") == []
    assert result.scalars["share_missing"] is None
    assert findings(result, "cycle") == [("a/x", "a/y", 3)]


def test_of_the_census(tmp_path_factory: pytest.TempPathFactory) -> None:
    snapshot = imported(tmp_path_factory, "2024-07-11T00:00:00.000Z", MODELS)
    result = snapshot.figure("B4", top=100_000)
    source = pq.read_table(data(MODELS), columns=["id", "base_models"])
    ids, present = source["id"].to_pylist(), Dimensions().aliases
    there, lost, selves, moved = set(ids), Counter[str](), 0, Counter[str]()
    bases: dict[str, set[str]] = {}
    for child, said in zip(ids, source["base_models"].to_pylist(), strict=True):
        for base in said or ():
            name = present.get(base, base)
            moved[base] += base in present
            if name == child:
                selves += 1
                continue
            bases.setdefault(child, set()).add(name)
            lost[name] += name not in there
    unusable = {name for name in lost if not all(one.isalnum() or one in "-_./" for one in name)}
    expected = {name: n for name, n in lost.items() if n and name not in unusable}
    assert {name: n for name, _, n in findings(result, "missing")} == expected
    assert {name: n for name, _, n in findings(result, "renamed")} == {
        name: n for name, n in moved.items() if n
    }
    assert result.scalars["n_self"] == selves == 665
    members = {name for name in bases if name in reached(bases, name)}
    assert result.scalars["models_in_cycles"] == len(members) == 17
    assert (result.scalars["n_cycle"], result.scalars["largest_cycle"]) == (7, 4)


def reached(bases: Mapping[str, set[str]], start: str) -> set[str]:
    """All that a model descends from, by walking through all of its bases."""
    found: set[str] = set()
    ahead = list(bases[start])
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += bases.get(name, ())
    return found
