# SPDX-License-Identifier: Apache-2.0
"""B3, licence drift: by hand of a few models, and by plain counting in the census."""

from collections import Counter

import pytest

pytest.importorskip("duckdb")

import pyarrow.parquet as pq

from hubkeep.observatory.dimensions import Dimensions
from hubkeep.observatory.figures.b3 import change
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.running import Result
from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.real import MODELS, data, imported
from tests.observatory.tiny import Row, model, tiny

ORDER = ["none", "other", "permissive", "copyleft", "rail", "model-custom", "noncommercial"]


def edge(child: str, parent: str, relation: str | None = "finetune") -> Row:
    return {"child": child, "parent": parent, "relation": relation}


def cells(result: Result) -> dict[tuple[str, str], int]:
    return {(row["base_class"], row["child_class"]): row["n"] for row in result.table.to_pylist()}


@pytest.fixture(scope="module")
def drifting(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    shelf = [
        model("base/open", license="apache-2.0", downloads_30d=9),
        model("base/custom", license="llama3", downloads_30d=9),
        model("base/bare", license=None, downloads_30d=9),
        model("base/odd", license="other", downloads_30d=9),
        model("a/kept", license="apache-2.0", downloads_30d=1),
        model("a/moved", license="mit", downloads_30d=2),
        model("a/dropped", license=None, downloads_30d=3),
        model("a/looser", license="mit", downloads_30d=4),
        model("a/tighter", license="cc-by-nc-4.0", downloads_30d=5),
        model("google/gained", license="mit", downloads_30d=6),
        model("a/orphan", license="mit", downloads_30d=7),
        model("a/odd", license="other", downloads_30d=8),
    ]
    told = [
        edge("a/kept", "base/open"),
        edge("a/moved", "base/open", "adapter"),
        edge("a/dropped", "base/open"),
        edge("a/looser", "base/open", "merge"),
        edge("a/looser", "base/custom", "merge"),
        edge("a/tighter", "base/custom", None),
        edge("google/gained", "base/bare"),
        edge("a/orphan", "gone/base"),
        edge("a/odd", "base/odd"),
        edge("a/odd", "base/bare"),
    ]
    return tiny(tmp_path_factory.mktemp("drifting"), models=shelf, lineage=told)


def test_each_derived_model_is_in_one_cell(drifting: Snapshot) -> None:
    result = drifting.figure("B3")
    assert cells(result) == {
        ("permissive", "permissive"): 2,
        ("permissive", "none"): 1,
        ("model-custom", "permissive"): 1,
        ("model-custom", "noncommercial"): 1,
        ("other", "other"): 1,
        ("none", "permissive"): 1,
    }
    assert result.n == 7
    assert result.excluded == {"no base that is in the snapshot": 1}
    assert result.missing == {"license": 1, "license of the base": 1}
    rates = result.scalars
    assert (rates["dropped_rate"], rates["gained_rate"]) == (1 / 6, 1)
    assert (rates["loosening_rate"], rates["tightening_rate"]) == (1 / 4, 1 / 4)
    assert rates["kept_class_rate"] == 2 / 4
    assert rates["same_licence_rate"] == 2 / 5
    assert rates["dropped_rate_by_downloads"] == 3 / 23
    first = result.table.to_pylist()[0]
    assert (first["share"], first["n_same"], first["dl"]) == (2 / 3, 1, 3)
    assert first["ci_lo"] < first["share"] < first["ci_hi"]


def test_one_relation_at_a_time(drifting: Snapshot) -> None:
    assert cells(drifting.figure("B3", relation="merge")) == {("model-custom", "permissive"): 1}
    assert cells(drifting.figure("B3", relation="untold")) == {("model-custom", "noncommercial"): 1}


def test_bases_count_whoever_made_them(drifting: Snapshot) -> None:
    result = drifting.figure("B3", filters=Filters(org_type="company"))
    assert cells(result) == {("none", "permissive"): 1}
    assert result.excluded["models that are not in the snapshot, or not asked about"] == 7


@pytest.mark.parametrize(
    ("base", "child", "what"),
    [
        ("permissive", "permissive", "same"),
        ("permissive", "copyleft", "tighter"),
        ("noncommercial", "model-custom", "looser"),
        ("rail", "none", "dropped"),
        ("other", "none", "dropped"),
        ("none", "other", "gained"),
        ("none", "none", "unclear"),
        ("other", "permissive", "unclear"),
        ("copyleft", "other", "unclear"),
        ("other", "other", "same"),
    ],
)
def test_changes(base: str, child: str, what: str) -> None:
    assert change(base, child) == what


def test_of_the_census(tmp_path_factory: pytest.TempPathFactory) -> None:
    result = imported(tmp_path_factory, "2024-07-11T00:00:00.000Z", MODELS).figure("B3")
    source = pq.read_table(data(MODELS), columns=["id", "licenses", "base_models"])
    known = Dimensions()
    licences = {
        name: (said[0].lower() if said else None)
        for name, said in zip(source["id"].to_pylist(), source["licenses"].to_pylist(), strict=True)
    }
    classes = {one: known.license_class(one) for one in set(licences.values())}
    found: Counter[tuple[str, str]] = Counter()
    for name, said in zip(source["id"].to_pylist(), source["base_models"].to_pylist(), strict=True):
        bases = {known.aliases.get(base, base) for base in said or ()} - {name}
        there = [classes[licences[base]] for base in bases if base in licences]
        if there:
            found[max(there, key=ORDER.index), classes[licences[name]]] += 1
    assert cells(result) == found
    declared = {pair: n for pair, n in found.items() if pair[0] != "none"}
    dropped = sum(n for pair, n in declared.items() if pair[1] == "none")
    assert result.scalars["dropped_rate"] == pytest.approx(dropped / sum(declared.values()))
    assert round(dropped / sum(declared.values()), 2) == 0.17
    assert 0.05 < float(result.scalars["loosening_rate"] or 0) < 0.07
    assert float(result.scalars["tightening_rate"] or 0) < 0.01
