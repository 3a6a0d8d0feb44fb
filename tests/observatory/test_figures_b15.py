# SPDX-License-Identifier: Apache-2.0
"""B15, languages, datasets and papers: by hand of a few models, and by plain counting."""

from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

import numpy as np
import pyarrow.parquet as pq

from hubkeep.observatory.filters import Filters
from hubkeep.observatory.running import Result
from hubkeep.observatory.statistics import set_intervals, share_intervals
from tests.observatory.real import MODELS, data, imported
from tests.observatory.tiny import Row, model, tiny

Found = dict[tuple[object, object], dict[str, object]]


def label(name: str, kind: str, value: str, repo_type: str = "model") -> Row:
    return {"repo_type": repo_type, "id": name, "kind": kind, "value": value}


def rows(result: Result) -> Found:
    return {(row["kind"], row["value"]): row for row in result.table.to_pylist()}


SHELF = [
    model("google/a", downloads_30d=50),
    model("b/b", downloads_30d=30),
    model("c/c", downloads_30d=20),
    model("d/silent", downloads_30d=100),
]
LABELS = [
    label("google/a", "language", "en"),
    label("google/a", "language", "fr"),
    label("b/b", "language", "en"),
    label("c/c", "language", "de"),
    label("c/c", "dataset", "squad"),
    label("c/c", "dataset", "en", "dataset"),
    label("gone/x", "language", "en"),
]


def test_models_may_name_several(tmp_path: Path) -> None:
    result = tiny(tmp_path, models=SHELF, labels=LABELS).figure("B15")
    found = rows(result)
    english = found["language", "en"]
    assert (english["rank"], english["n"], english["dl"]) == (1, 2, 80)
    assert (english["share_all"], english["share_declared"]) == (2 / 4, 2 / 3)
    assert (english["dl_share_all"], english["dl_share_declared"]) == (80 / 200, 80 / 100)
    assert english["loo"] == pytest.approx(30 / 150)
    assert found["language", "de"]["dl_rank"] == 3
    assert list(found) == [
        ("language", "en"), ("language", "de"), ("language", "fr"), ("dataset", "squad")
    ]  # fmt: skip
    assert result.n == 4
    assert result.missing == {"language": 1, "dataset": 3}
    assert result.scalars["share_naming_language"] == 3 / 4
    assert result.scalars["dl_share_naming_dataset"] == 20 / 200
    assert result.scalars["n_languages"] == 3
    for row in found.values():
        assert row["ci_lo"] < row["share_all"] < row["ci_hi"]  # ty: ignore[unsupported-operator]
        assert row["dl_ci_lo"] <= row["dl_share_all"] <= row["dl_ci_hi"]  # ty: ignore[unsupported-operator]


def test_what_nobody_names_is_not_known_and_not_zero(tmp_path: Path) -> None:
    result = tiny(tmp_path, models=SHELF, labels=LABELS).figure("B15")
    assert result.scalars["share_naming_paper"] is result.scalars["n_papers"] is None
    assert any("names a paper" in note for note in result.notes)
    lacking = tiny(tmp_path / "lacking", models=SHELF).figure("B15")
    assert (lacking.n, len(lacking.table)) == (0, 0)
    assert "labels.value" in lacking.missing_columns


def test_flagged_counters_stand_beside(tmp_path: Path) -> None:
    crowd = [model(f"o{at}/m", downloads_30d=900) for at in range(60)]
    shelf = [*crowd, model("big/base", downloads_30d=50_000)]
    told = [label("big/base", "language", "en"), label("o1/m", "language", "en")]
    snapshot = tiny(tmp_path, models=shelf, labels=told)
    row = rows(snapshot.figure("B15"))["language", "en"]
    assert (row["n"], row["dl"], row["dl_flagged"]) == (2, 900, 50_000)
    assert row["dl_share_all"] == pytest.approx(1 / 60)
    assert row["dl_share_with_flagged"] == pytest.approx(50_900 / 104_000)
    kept = snapshot.figure("B15", filters=Filters(flagged="keep"))
    assert rows(kept)["language", "en"]["dl"] == 50_900


def test_the_table_has_the_first_by_models_and_the_first_by_downloads(tmp_path: Path) -> None:
    told = [*LABELS, label("d/silent", "language", "sw")]
    result = tiny(tmp_path, models=SHELF, labels=told).figure("B15", top=1)
    assert [value for kind, value in rows(result) if kind == "language"] == ["en", "sw"]


def test_readers_filters_hold_for_who_names(tmp_path: Path) -> None:
    snapshot = tiny(tmp_path, models=SHELF, labels=LABELS)
    result = snapshot.figure("B15", filters=Filters(org_type="company"))
    assert {value: row["share_all"] for (_, value), row in rows(result).items()} == {
        "en": 1,
        "fr": 1,
    }


def test_without_downloads_there_are_no_shares_of_them(tmp_path: Path) -> None:
    shelf = [model(str(row["id"]), likes=1) for row in SHELF]
    row = rows(tiny(tmp_path, models=shelf, labels=LABELS).figure("B15"))["language", "en"]
    assert (row["share_all"], row["dl"], row["dl_share_all"], row["dl_ci_lo"]) == (
        1 / 2, None, None, None,
    )  # fmt: skip


def test_intervals_of_sets_that_do_not_overlap_are_those_of_groups() -> None:
    groups = np.array([0, 1, 2] * 300)
    weights = np.arange(900, dtype=np.float64)
    plain = share_intervals(groups, weights, 3)
    found = set_intervals(groups, np.arange(900), weights, 3)
    for at, one in plain.items():
        assert found[at].low == pytest.approx(one.low, abs=0.004)
        assert found[at].high == pytest.approx(one.high, abs=0.004)
    assert found == set_intervals(groups, np.arange(900), weights, 3)
    assert set_intervals(groups, np.arange(900), np.zeros(900), 3) == {}


def test_of_the_census(tmp_path_factory: pytest.TempPathFactory) -> None:
    result = imported(tmp_path_factory, "2024-07-11T00:00:00.000Z", MODELS).figure("B15")
    source = pq.read_table(data(MODELS), columns=["id", "downloads", "datasets", "arxiv", "tags"])
    flagged = {flag.id for flag in result.flagged}
    found, loads, naming = Counter(), Counter(), Counter()
    total = 0
    for row in source.to_pylist():
        downloads = 0 if row["id"] in flagged else row["downloads"]
        total += downloads
        english = {"en"} & set(row["tags"] or ())
        for kind, values in (
            ("dataset", set(row["datasets"] or ())),
            ("paper", set(row["arxiv"] or ())),
            ("language", english),
        ):
            naming[kind] += bool(values)
            for value in values:
                found[kind, value] += 1
                loads[kind, value] += downloads
    shown = rows(result)
    for kind in ("dataset", "paper"):
        ranked = sorted(
            (key for key in found if key[0] == kind), key=lambda key: (-found[key], key[1])
        )
        first = [key for key, row in shown.items() if key[0] == kind and row["rank"] <= 50]  # ty: ignore[unsupported-operator]
        assert first == ranked[:50]
        assert result.scalars[f"n_naming_{kind}"] == naming[kind]
    for key, row in shown.items():
        if key[0] != "language" or key[1] == "en":
            assert (row["n"], row["dl"]) == (found[key], loads[key]), key
            assert row["dl_share_all"] == pytest.approx(loads[key] / total)
    assert shown["language", "en"]["n"] == 62_809
    assert next(key[1] for key in shown) == "en"
    assert round(float(result.scalars["share_naming_language"] or 0), 3) == 0.113
