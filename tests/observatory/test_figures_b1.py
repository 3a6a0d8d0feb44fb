# SPDX-License-Identifier: Apache-2.0
"""B1, concentration: by hand of a few models, and by plain numpy of the census."""

import csv
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

import numpy as np
import pyarrow.parquet as pq

from hubkeep.observatory.dimensions import FOLDER
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.running import Result
from tests.observatory.real import MODELS, data, imported
from tests.observatory.shelf import ecosystem
from tests.observatory.tiny import model, tiny

FLAGGED = ("MIT/ast-finetuned-audioset-10-10-0.4593", "sai17/")
"""The absurd counter, and four of one namespace that have the same."""


def rows(result: Result) -> dict[tuple[object, ...], dict[str, object]]:
    return {(row["level"], row["measure"], row["top"]): row for row in result.table.to_pylist()}


def test_measures_of_models_authors_and_entities(tmp_path: Path) -> None:
    shelf = [
        model("google/a", downloads_30d=60),
        model("google-bert/b", downloads_30d=20),
        model("me/c", downloads_30d=20),
        model("old", downloads_30d=0),
        model("older", downloads_30d=0),
        model("me/unknown", downloads_30d=None),
    ]
    result = tiny(tmp_path, models=shelf).figure("B1")
    found = rows(result)
    assert result.scalars["hhi_model"] == pytest.approx(0.36 + 0.04 + 0.04)
    assert result.scalars["hhi_author"] == pytest.approx(0.36 + 0.04 + 0.04)
    assert result.scalars["hhi_entity"] == pytest.approx(0.64 + 0.04)
    assert result.scalars["gini"] == pytest.approx(6 / 5 - 2 * (60 + 40 + 60) / 500)
    assert [found[level, "gini", None]["n"] for level in ("model", "author", "entity")] == [5, 5, 4]
    assert found["model", "top share", "10%"]["n_top"] == 1
    assert found["model", "top share", "10%"]["value"] == pytest.approx(0.6)
    assert found["model", "top share", "10%"]["loo_min"] == pytest.approx(0.5)
    assert found["model", "top share", "10%"]["loo_max"] == pytest.approx(0.75)
    assert found["entity", "top share", "1%"]["value"] == pytest.approx(0.8)
    assert (found["model", "top share", "10"]["n_top"], result.scalars["top_10_model"]) == (5, 1)
    assert found["region", "hhi", None]["value"] == 1
    assert found["region or unknown", "hhi", None]["value"] == pytest.approx(0.64 + 0.04)
    assert result.scalars["share_of_known_regions"] == pytest.approx(0.8)
    assert result.scalars["share_without_downloads"] == 2 / 5
    assert result.missing == {"downloads_30d": 1}


def test_flagged_counters_are_left_out_and_told_beside(tmp_path: Path) -> None:
    snapshot = ecosystem(tmp_path)
    marked, kept = snapshot.figure("B1"), snapshot.figure("B1", filters=Filters(flagged="keep"))
    for name in ("gini", "hhi_model", "hhi_author", "hhi_region_or_unknown", "top_10_model"):
        assert marked.scalars[f"{name}_with_flagged"] == pytest.approx(kept.scalars[name]), name
        assert marked.scalars[name] != pytest.approx(kept.scalars[name]), name
    assert marked.excluded == {"flagged": 1}
    assert (marked.n, kept.n) == (19, 20)
    hhi = rows(marked)["model", "hhi", None]
    assert hhi["ci_lo"] < hhi["value"] < hhi["ci_hi"]  # ty: ignore[unsupported-operator]
    assert hhi["ci_method"] == "bootstrap"


def test_downloads_of_all_time_are_asked_for_by_name(tmp_path: Path) -> None:
    shelf = [model("a/x", downloads_30d=1, downloads_all=3), model("b/x", downloads_all=1)]
    snapshot = tiny(tmp_path, models=shelf)
    assert snapshot.figure("B1", rule="downloads_all").scalars["hhi_model"] == 10 / 16
    lacking = tiny(tmp_path / "lacking", models=[model("a/x", downloads_30d=1)])
    result = lacking.figure("B1", rule="downloads_all")
    assert (result.n, result.missing_columns) == (0, ["models.downloads_all"])


def test_nobody_downloads_anything(tmp_path: Path) -> None:
    result = tiny(tmp_path, models=[model("a/x", downloads_30d=0)]).figure("B1")
    assert result.n == 1
    assert {row["value"] for row in result.table.to_pylist()} == {None}
    assert result.points["curve"].num_rows == 0


@pytest.fixture(scope="module")
def census(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return imported(tmp_path_factory, "2024-07-11T00:00:00.000Z", MODELS).figure("B1")


def test_of_the_census(census: Result) -> None:
    """One counter is a third of all downloads: HHI 0.143 with it, and 0.0155 without."""
    source = pq.read_table(data(MODELS), columns=["id", "downloads"])
    ids, downloads = source["id"].to_pylist(), source["downloads"].to_numpy().astype(float)
    flagged = [flag.id for flag in census.flagged]
    assert all(name.startswith(FLAGGED) for name in flagged)
    assert len(flagged) == 5
    kept = downloads[~np.isin(np.array(ids, object), flagged)]
    scalars = census.scalars
    for name, held in (("", kept), ("_with_flagged", downloads)):
        ordered = np.sort(held)
        n, total = len(held), held.sum()
        lorenz = np.concatenate(([0], ordered.cumsum() / total))
        area = ((lorenz[1:] + lorenz[:-1]) / 2).sum() / n
        assert scalars[f"gini{name}"] == pytest.approx(1 - 2 * area, abs=1e-9)
        assert scalars[f"hhi_model{name}"] == pytest.approx(((held / total) ** 2).sum())
        for top, k in (("top_10", 10), ("top_0.01_percent", 76), ("top_1_percent", 7600)):
            expected = ordered[-k:].sum() / total
            assert scalars[f"{top}_model{name}"] == pytest.approx(expected)
    rounded = {name: round(float(value or 0), 4) for name, value in scalars.items()}
    assert (rounded["hhi_model"], rounded["hhi_model_with_flagged"]) == (0.0155, 0.1432)
    assert (rounded["gini"], rounded["gini_with_flagged"]) == (0.9981, 0.9988)
    assert (rounded["top_0.01_percent_model"], rounded["top_1_percent_model"]) == (0.6154, 0.9828)
    assert rounded["share_without_downloads"] == 0.4951


def test_authors_of_the_census(census: Result) -> None:
    source = pq.read_table(data(MODELS), columns=["id", "downloads"])
    flagged = {flag.id for flag in census.flagged}
    with (FOLDER / "aliases.csv").open(newline="") as file:
        present = {row["old"]: row["new"] for row in csv.DictReader(file)}
    sums: dict[str, int] = {}
    for name, downloads in zip(
        source["id"].to_pylist(), source["downloads"].to_pylist(), strict=True
    ):
        whose = name.partition("/")[0]
        now = present.get(whose, whose)
        author = now.partition("/")[0] if "/" in name or "/" in now else f"/{name}"
        if name not in flagged:
            sums[author] = sums.get(author, 0) + downloads
    total, held = sum(sums.values()), sorted(sums.values(), reverse=True)
    scalars = census.scalars
    expected = sum((one / total) ** 2 for one in held)
    assert scalars["hhi_author"] == pytest.approx(expected, rel=1e-6)
    assert scalars["top_50_author"] == pytest.approx(sum(held[:50]) / total, rel=1e-6)
