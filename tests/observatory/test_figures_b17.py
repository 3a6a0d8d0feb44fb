# SPDX-License-Identifier: Apache-2.0
"""B17, this hub and another one: what a private hub depends on, and how both differ."""

from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

import pyarrow.parquet as pq

from hubkeep.observatory.dimensions import Dimensions
from hubkeep.observatory.running import NO_REFERENCE, Result
from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.real import MODELS, imported
from tests.observatory.tiny import OWN, TAKEN, Row, model, tiny, when

BERT = "google-bert/bert-base-uncased"
PICKLE = {"has_safetensors": False, "has_pickle": True, "has_gguf": False}
SAFE = {"has_safetensors": True, "has_pickle": False, "has_gguf": False}
RANKS = ("permissive", "copyleft", "rail", "model-custom", "noncommercial")


def own_hub(folder: Path) -> Snapshot:
    """Seven models that name bases elsewhere, one that names none, and one that is a copy."""
    models = [
        model("team/kept", downloads_30d=10, license="apache-2.0", task="fill-mask", **SAFE),
        model("team/dropped", downloads_30d=20, license=None, **PICKLE),
        model("team/conflict", downloads_30d=30, license="mit", **SAFE),
        model("team/tight", downloads_30d=40, license="cc-by-nc-4.0", **SAFE),
        model("team/orphan", downloads_30d=50, license="mit", **SAFE),
        model("team/closed", downloads_30d=5, license="mit", **SAFE),
        model("team/second", downloads_30d=60, license="mit", **SAFE),
        model("team/third", downloads_30d=None, license="mit", **SAFE),
        model("team/alone", downloads_30d=70, license="mit", **SAFE),
        model("big/model", downloads_30d=15, license="mit", parameters=7_000_000_000, **SAFE),
    ]
    edges = {
        "team/kept": ["bert-base-uncased"],
        "team/dropped": [BERT],
        "team/conflict": ["big/model-nc", "big/quiet"],
        "team/tight": ["bert-base-uncased"],
        "team/orphan": ["gone/model"],
        "team/closed": ["big/closed"],
        "team/second": ["team/kept"],
        "team/third": ["team/second", "team/third"],
        "team/alone": ["team/alone"],
    }
    lineage = [{"child": child, "parent": one} for child, some in edges.items() for one in some]
    return tiny(folder, TAKEN, OWN, models=models, lineage=lineage)


def public_hub(folder: Path) -> Snapshot:
    def there(name: str, licence: str | None, day: str, **columns: object) -> Row:
        return model(name, license=licence, last_modified=when(day), **{**SAFE, **columns})

    models = [
        there(BERT, "apache-2.0", "2024-02-19", downloads_30d=600, disabled=False),
        there("big/model-nc", "cc-by-nc-4.0", "2023-07-01", downloads_30d=300, **PICKLE),
        there("big/model", "apache-2.0", "2024-07-01", downloads_30d=100),
        there("big/quiet", None, "2024-07-01", downloads_30d=0),
        there("big/closed", "mit", "2024-07-01", downloads_30d=0, disabled=True),
    ]
    return tiny(folder, "2024-07-09T00:00:00.000Z", models=models)


@pytest.fixture
def compared(tmp_path: Path) -> Result:
    return own_hub(tmp_path).figure("B17", others=[public_hub(tmp_path)])


def part(result: Result, name: str) -> dict[object, Row]:
    return {row["name"]: row for row in result.table.to_pylist() if row["part"] == name}


def test_models_upstream_by_how_many_depend_on_them(compared: Result) -> None:
    found = part(compared, "upstream")
    assert list(found) == [BERT, "gone/model", "big/model-nc", "big/quiet", "big/closed"]
    bert = found[BERT]
    # Two name it by its former name, one by its own; two more are made from the first of them.
    assert (bert["n"], bert["n_direct"], bert["n_former_name"]) == (5, 3, 4)
    assert (bert["dl"], bert["share_n"]) == (10 + 20 + 40 + 60, 5 / 10)
    assert bert["share_dl"] == pytest.approx(130 / 300)
    assert (bert["licence"], bert["class"], bert["dl_public"]) == ("apache-2.0", "permissive", 600)
    assert "team/kept" not in found
    assert compared.scalars["n_dependent"] == 8
    assert compared.scalars["n_upstream"] == 5
    assert compared.n == 10


def test_bases_that_are_abandoned(compared: Result) -> None:
    found = part(compared, "upstream")
    assert {name: row["status"] for name, row in found.items()} == {
        BERT: "there", "gone/model": "missing", "big/model-nc": "stale", "big/quiet": "there",
        "big/closed": "disabled",
    }  # fmt: skip
    assert [name for name, row in found.items() if row["is_abandoned"]] == [
        "gone/model", "big/model-nc", "big/closed",
    ]  # fmt: skip
    assert found["big/model-nc"]["months_unchanged"] == pytest.approx(374 / 30.436875)
    assert found["gone/model"]["licence"] is found["gone/model"]["is_pickle_only"] is None
    names = ("n_on_missing", "n_on_disabled", "n_on_stale", "n_on_former_name")
    assert [compared.scalars[name] for name in names] == [1, 1, 1, 4]


def test_months_are_what_the_reader_says(tmp_path: Path) -> None:
    own, public = own_hub(tmp_path), public_hub(tmp_path)
    assert own.figure("B17", others=[public], months=13).scalars["n_on_stale"] == 0
    assert own.figure("B17", others=[public], months=4).scalars["n_on_stale"] == 6


def test_terms_that_are_kept_or_not(compared: Result) -> None:
    found = {name: row["n"] for name, row in part(compared, "terms").items()}
    assert found == {
        "kept": 2, "same class": 2, "tightened": 1, "conflict": 1, "dropped": 1,
        "upstream names none": 1,
    }  # fmt: skip
    assert part(compared, "upstream")["big/model-nc"]["n_conflict"] == 1
    assert part(compared, "upstream")[BERT]["n_dropped"] == 1
    assert compared.scalars["n_copies"] == compared.scalars["n_copies_other_licence"] == 1


def test_pickles_of_ours_and_of_others(compared: Result) -> None:
    assert part(compared, "files")["upstream is pickle alone"]["n"] == 1
    assert part(compared, "upstream")["big/model-nc"]["is_pickle_only"] is True
    formats = part(compared, "format")
    assert (formats["pickle only"]["n"], formats["pickle only"]["n_public"]) == (1, 1)
    assert formats["pickle only"]["share_n"] == 1 / 10
    assert formats["pickle only"]["share_n_public"] == 1 / 5
    assert formats["pickle only"]["share_dl_public"] == 300 / 1000


def test_shares_stand_side_by_side(compared: Result) -> None:
    classes = part(compared, "licence class")
    assert (classes["permissive"]["n"], classes["permissive"]["n_public"]) == (8, 3)
    assert (classes["none"]["n"], classes["none"]["n_public"]) == (1, 1)
    assert classes["noncommercial"]["ci_lo"] < 0.1 < classes["noncommercial"]["ci_hi"]
    for aspect in ("licence class", "format"):
        for column in ("share_n", "share_dl", "share_n_public", "share_dl_public"):
            total = sum(row[column] for row in part(compared, aspect).values())
            assert total == pytest.approx(1), (aspect, column)
    # The other hub has no tasks and no sizes: nothing is said of it, and nothing is zero.
    assert {row["n_public"] for row in part(compared, "modality").values()} == {None}
    assert part(compared, "size")["7-9 B"]["n_public"] is None
    assert any("other hub does not have models.task" in note for note in compared.notes)


def test_without_another_hub_bases_are_listed_and_nothing_is_said_of_them(tmp_path: Path) -> None:
    result = own_hub(tmp_path).figure("B17")
    found = part(result, "upstream")
    assert NO_REFERENCE in result.notes
    assert set(found) == {
        BERT, "gone/model", "big/model-nc", "big/quiet", "big/closed",
    }  # fmt: skip
    assert found[BERT]["n"] == 5
    for row in found.values():
        empty = ("status", "is_abandoned", "licence", "n_dropped", "is_pickle_only", "dl_public")
        assert [row[name] for name in empty] == [None] * len(empty)
    assert not part(result, "terms")
    assert not part(result, "status")
    assert result.scalars["n_on_missing"] is result.scalars["n_conflict"] is None
    assert part(result, "format")["pickle only"]["n"] == 1


def test_what_the_other_source_lacks_is_not_said(tmp_path: Path) -> None:
    public = tiny(tmp_path, "2024-07-09T00:00:00.000Z", models=[model(BERT, downloads_30d=5)])
    result = own_hub(tmp_path).figure("B17", others=[public])
    bert = part(result, "upstream")[BERT]
    assert (bert["status"], bert["months_unchanged"], bert["licence"]) == ("there", None, None)
    assert bert["n_dropped"] is bert["is_pickle_only"] is None
    assert not part(result, "terms")
    assert result.scalars["n_on_stale"] is result.scalars["n_on_disabled"] is None
    assert result.scalars["n_on_missing"] == 3


def test_a_circle_of_models_ends(tmp_path: Path) -> None:
    models = [model("a/x", downloads_30d=1), model("a/y", downloads_30d=1)]
    edges = [("a/x", "a/y"), ("a/y", "a/x"), ("a/x", "far/away")]
    lineage = [{"child": child, "parent": parent} for child, parent in edges]
    result = tiny(tmp_path, TAKEN, OWN, models=models, lineage=lineage).figure("B17")
    assert {name: row["n"] for name, row in part(result, "upstream").items()} == {"far/away": 2}


def test_a_private_hub_against_the_census_by_hand(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Models of the census itself play those of a private hub, under other names."""
    census = imported(tmp_path_factory, TAKEN, MODELS)
    known = Dimensions()
    table = pq.read_table(census.folder / "models.parquet", columns=["id", "license"])
    licences = dict(zip(*(table[name].to_pylist() for name in ("id", "license")), strict=True))
    edges = pq.read_table(census.folder / "lineage.parquet").to_pylist()
    mine = [
        edge
        for edge in edges
        if edge["child"].startswith(("a", "Z")) and edge["child"] != edge["parent"]
    ]
    children = {name: at for at, name in enumerate(sorted({edge["child"] for edge in mine}))}
    own = tiny(
        tmp_path,
        TAKEN,
        OWN,
        models=[model(f"own/{at}", license=licences[name]) for name, at in children.items()],
        lineage=[
            {"child": f"own/{children[edge['child']]}", "parent": edge["parent"]} for edge in mine
        ],
    )
    result = own.figure("B17", others=[census], top=100_000)
    on: dict[str, set[str]] = {}
    terms: dict[str, set[str]] = {}
    for edge in mine:
        base = known.aliases.get(edge["parent"], edge["parent"])
        on.setdefault(base, set()).add(edge["child"])
        if base not in licences:
            terms.setdefault("missing", set()).add(edge["child"])
            continue
        outcome = judged(known, licences[edge["child"]], licences[base])
        terms.setdefault(outcome, set()).add(edge["child"])
    found = part(result, "upstream")
    assert {name: row["n"] for name, row in found.items()} == {
        name: len(some) for name, some in on.items()
    }
    assert Counter(row["status"] for row in found.values()) == Counter(
        "there" if name in licences else "missing" for name in on
    )
    assert result.scalars["n_on_missing"] == len(terms.pop("missing"))
    assert {name: row["n"] for name, row in part(result, "terms").items()} == {
        name: len(some) for name, some in terms.items()
    }
    assert len(children) > 2000


def judged(known: Dimensions, mine: str | None, theirs: str | None) -> str:
    if theirs is None or mine is None:
        return "upstream names none" if theirs is None else "dropped"
    if mine == theirs:
        return "kept"
    one, other = known.license_class(mine), known.license_class(theirs)
    if one not in RANKS or other not in RANKS:
        return "not comparable"
    if one == other:
        return "same class"
    return "tightened" if RANKS.index(one) > RANKS.index(other) else "conflict"
