# SPDX-License-Identifier: Apache-2.0
"""B6: what models are about, of a few models and with what sources leave out."""

from pathlib import Path

import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.running import Result
from tests.observatory.tiny import Row, model, tiny, when

STAMP = when("2022-03-02T23:29:04")


def of(name: str, task: str | None, downloads: int | None, made: str | None) -> Row:
    return model(
        name,
        task=task,
        downloads_30d=downloads,
        created_at=STAMP if made == "stamp" else made and when(made),
    )


MODELS = [
    of("a/old", "fill-mask", 400, "stamp"),
    of("a/march", "fill-mask", 100, "2022-03-03"),
    of("a/one", "text-generation", 300, "2023-01-01"),
    of("a/two", "image-classification", 50, "2023-03-31T23:59:59"),
    of("a/three", "reinforcement-learning", 0, "2023-02-02"),
    of("a/four", None, 150, "2023-02-02"),
    of("a/five", "a-task-of-tomorrow", None, "2023-04-01"),
    of("a/undated", None, 7, None),
]


@pytest.fixture
def result(tmp_path: Path) -> Result:
    return tiny(tmp_path, models=MODELS).figure("B6")


def test_models_stand_by_the_quarter_in_which_they_were_made(result: Result) -> None:
    found = {
        (row["whole"], row["modality"]): (row["n"], row["dl"], row["is_censored"])
        for row in result.table.to_pylist()
        if row["whole"] != "all"
    }
    assert found == {
        ("before March 2022", "text"): (1, 400, True),
        ("2022-01-01", "text"): (1, 100, False),
        ("2023-01-01", "(none)"): (1, 150, False),
        ("2023-01-01", "reinforcement learning"): (1, 0, False),
        ("2023-01-01", "text"): (1, 300, False),
        ("2023-01-01", "vision"): (1, 50, False),
        ("2023-04-01", "other"): (1, None, False),
        ("no date", "(none)"): (1, 7, False),
    }


def test_shares_are_of_all_and_of_those_with_a_task(result: Result) -> None:
    rows = result.table.to_pylist()
    whole = {row["modality"]: row for row in rows if row["whole"] == "all"}
    assert (whole["text"]["share_all"], whole["text"]["share_declared"]) == (3 / 8, 3 / 6)
    assert whole["text"]["dl_share_all"] == pytest.approx(800 / 1007)
    assert whole["text"]["dl_share_declared"] == pytest.approx(800 / 850)
    assert whole["text"]["loo_min"] == pytest.approx(400 / 607)
    assert whole["(none)"]["share_declared"] is whole["(none)"]["dl_share_declared"] is None
    assert whole["text"]["ci_lo"] < 3 / 8 < whole["text"]["ci_hi"]
    quarter = {row["modality"]: row for row in rows if row["whole"] == "2023-01-01"}
    assert (quarter["vision"]["share_all"], quarter["vision"]["share_declared"]) == (1 / 4, 1 / 3)
    assert quarter["vision"]["dl_share_all"] == pytest.approx(50 / 500)


def test_what_is_not_known_is_no_zero(result: Result) -> None:
    other = next(row for row in result.table.to_pylist() if row["modality"] == "other")
    assert other["dl"] is other["dl_share_all"] is other["dl_ci_lo"] is other["loo_min"] is None
    assert result.n == 8
    assert result.missing == {"task": 2, "created_at": 1, "downloads_30d": 1}
    assert result.scalars["share_untagged"] == 2 / 8


def test_a_source_without_downloads_still_tells_counts(tmp_path: Path) -> None:
    rows = [{**row} for row in MODELS]
    for row in rows:
        del row["downloads_30d"]
    result = tiny(tmp_path, models=rows).figure("B6")
    whole = [row for row in result.table.to_pylist() if row["whole"] == "all"]
    assert sum(row["n"] for row in whole) == 8
    assert {row["dl"] for row in whole} == {row["dl_share_all"] for row in whole} == {None}
    assert any("models.downloads_30d" in note for note in result.notes)


def test_a_part_of_flagged_counters_alone_has_no_downloads_that_count(tmp_path: Path) -> None:
    rows = [of(f"a/{at}", "fill-mask", 10, "2023-01-01") for at in range(20)]
    absurd = of("a/absurd", "image-classification", 9_000, "2023-01-01")
    result = tiny(tmp_path, models=[*rows, absurd]).figure("B6")
    vision = next(row for row in result.table.to_pylist() if row["modality"] == "vision")
    assert (vision["dl"], vision["dl_flagged"], vision["dl_share_all"]) == (0, 9_000, 0)
    assert vision["dl_share_with_flagged"] == pytest.approx(9_000 / 9_200)
    assert result.excluded == {"flagged, from downloads alone": 1}
