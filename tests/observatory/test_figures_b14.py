# SPDX-License-Identifier: Apache-2.0
"""B14: what is liked and what is downloaded, of a few models."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.filters import Filters
from hubkeep.observatory.running import Result
from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.tiny import model, tiny

MODELS = {
    # likes, downloads
    "a/loved": (900, 0),
    "a/liked": (500, 40),
    "b/both": (400, 300),
    "b/next": (300, 250),
    "c/tied": (300, 500),
    "c/used": (2, 450),
    "c/unloved": (0, 400),
    "d/unknown": (None, 350),
    "d/silent": (100, None),
    "d/absurd": (5, 90_000),
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    rows = [
        model(name, likes=likes, downloads_30d=downloads)
        for name, (likes, downloads) in MODELS.items()
    ]
    return tiny(tmp_path_factory.mktemp("shelf"), models=rows)


def by_model(result: Result) -> dict[str, dict[str, Any]]:
    return {row["model"]: row for row in result.table.to_pylist()}


def test_two_lists_and_what_they_share(shelf: Snapshot) -> None:
    result = shelf.figure("B14", top=4)
    found = {name: row["list"] for name, row in by_model(result).items()}
    # The fourth by likes is b/next, which ties with c/tied and comes before it.
    assert found == {
        "a/loved": "likes",
        "a/liked": "likes",
        "b/both": "likes",
        "b/next": "likes",
        "c/tied": "downloads",
        "c/used": "downloads",
        "c/unloved": "downloads",
        "d/unknown": "downloads",
        "d/absurd": "flagged",
    }
    assert (result.scalars["overlap"], result.scalars["k"]) == (0, 4)
    assert shelf.figure("B14", top=5).scalars["overlap"] == 2
    assert result.n == 9
    assert result.excluded == {"flagged": 1}
    assert result.missing == {"likes": 1, "downloads_30d": 1}


def test_models_with_the_same_number_share_a_rank(shelf: Snapshot) -> None:
    rows = by_model(shelf.figure("B14", top=5))
    assert rows["b/next"]["rank_likes"] == rows["c/tied"]["rank_likes"] == 4
    assert rows["d/unknown"]["rank_likes"] is None
    assert rows["c/unloved"]["rank_likes"] == 9
    assert (rows["c/tied"]["rank_downloads"], rows["a/loved"]["rank_downloads"]) == (1, 8)
    assert rows["d/absurd"]["rank_downloads"] is None


def test_downloads_for_a_like(shelf: Snapshot) -> None:
    result = shelf.figure("B14", top=4)
    rows = by_model(result)
    assert rows["c/used"]["downloads_per_like"] == 225
    assert rows["a/loved"]["downloads_per_like"] == 0
    assert rows["c/unloved"]["downloads_per_like"] is None
    assert rows["d/unknown"]["downloads_per_like"] is None
    assert result.scalars["downloads_per_like_all"] == pytest.approx(1940 / 2402)
    assert result.scalars["downloads_per_like_most_liked"] == pytest.approx(590 / 2100)
    assert result.scalars["downloads_per_like_most_downloaded"] == pytest.approx(1350 / 302)


def test_what_one_model_does_to_the_overlap(shelf: Snapshot) -> None:
    scalars = shelf.figure("B14", top=4).scalars
    # Without a/loved c/tied moves up among the liked, and without c/used b/both among the used.
    assert (scalars["overlap_loo_min"], scalars["overlap_loo_max"]) == (0, 1)
    assert scalars["overlap_with_flagged"] == 0


def test_flagged_counters_take_no_place_but_are_told(tmp_path: Path) -> None:
    rows = [model(f"a/{at:02}", likes=at, downloads_30d=100 - at) for at in range(20)]
    absurd = model("a/absurd", likes=99, downloads_30d=90_000)
    result = tiny(tmp_path, models=[*rows, absurd]).figure("B14", top=2)
    assert by_model(result)["a/absurd"]["list"] == "flagged"
    assert (result.scalars["overlap"], result.scalars["overlap_with_flagged"]) == (0, 1)


def test_fewer_models_than_asked_for(shelf: Snapshot) -> None:
    result = shelf.figure("B14")
    assert result.scalars["k"] == 8
    assert any("lists have 8" in note for note in result.notes)
    shares = result.points["overlaps"].to_pylist()
    assert [row["k"] for row in shares] == list(range(1, 9))
    assert shares[4]["overlap"] == 2


def test_no_models_to_rank_are_no_lists(shelf: Snapshot) -> None:
    result = shelf.figure("B14", filters=Filters(since="2024-01-01"))
    assert result.table.num_rows == 0
    assert (result.n, result.scalars["k"], result.scalars["overlap_share"]) == (0, 0, None)
