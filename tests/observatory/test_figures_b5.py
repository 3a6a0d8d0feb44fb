# SPDX-License-Identifier: Apache-2.0
"""B5: regions, of one snapshot and of downloads between several."""

import importlib.util
from datetime import date
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.dialects import spark
from hubkeep.observatory.figures.b5 import EARLIER, WINDOW
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.running import Result
from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.tiny import Row, model, tiny, when

JANUARY, MARCH, MAY = (f"2024-{month}-20T00:00:00.000Z" for month in ("01", "03", "05"))


def of(name: str, downloads: int | None, ever: int | None, made: str = "2023-01-01") -> Row:
    return model(name, downloads_30d=downloads, downloads_all=ever, created_at=when(made))


@pytest.fixture
def three(tmp_path: Path) -> list[Snapshot]:
    """In whose second one a model is new, a count goes down and another is not known."""
    first = [
        of("google/a", 100, 1000),
        of("Qwen/a", 50, 500),
        of("nobody/a", 10, 900),
        of("nobody/gone", 10, 900),
    ]
    second = [
        of("google/a", 200, 1700),
        of("google/new", 80, 90, "2024-02-01"),
        of("google/old", 80, 5000, "2023-02-01"),
        of("Qwen/a", 60, 600),
        of("nobody/a", 20, 300),
    ]
    third = [
        of("google/a", 300, 2000),
        of("google/new", 90, None, "2024-02-01"),
        of("google/old", 80, 5010, "2023-02-01"),
        of("Qwen/a", 70, 1000),
        of("nobody/a", 30, 340),
    ]
    return [
        tiny(tmp_path, taken, models=models)
        for taken, models in ((JANUARY, first), (MARCH, second), (MAY, third))
    ]


def found(result: Result, quarter: date) -> dict[str, dict[str, Any]]:
    return {row["region"]: row for row in result.table.to_pylist() if row["quarter"] == quarter}


def test_regions_of_one_snapshot(three: list[Snapshot]) -> None:
    result = three[-1].figure("B5")
    rows = found(result, date(2024, 4, 1))
    assert {name: (row["n"], row["dl"]) for name, row in rows.items()} == {
        "us": (3, 470),
        "china": (1, 70),
        "unknown": (1, 30),
    }
    assert (rows["us"]["share_all"], rows["us"]["share_declared"]) == (3 / 5, 3 / 4)
    assert rows["us"]["dl_share_declared"] == pytest.approx(470 / 540)
    assert rows["us"]["ci_lo"] < 3 / 5 < rows["us"]["ci_hi"]
    assert rows["unknown"]["share_declared"] is None
    assert {row["dl_window"] for row in rows.values()} == {None}
    assert result.missing == {"region": 1}
    assert any("two snapshots" in note for note in result.notes)


def test_downloads_between_snapshots_by_quarter(three: list[Snapshot]) -> None:
    result = three[-1].figure("B5", others=three[:-1])
    winter, spring = (found(result, date(2024, month, 1)) for month in (1, 4))
    told = ("dl_window", "n_window", "n_negative")
    # What is older than the window and was not seen before it may have any count at its beginning.
    assert [winter["us"][one] for one in told] == [700 + 90, 2, 0]
    assert [winter["china"][one] for one in told] == [100, 1, 0]
    assert [winter["unknown"][one] for one in told] == [None, 0, 1]
    assert [spring["us"][one] for one in told] == [300 + 10, 2, 0]
    assert [spring["unknown"][one] for one in told] == [40, 1, 0]
    assert winter["us"]["window_share_all"] == pytest.approx(790 / 890)
    assert spring["us"]["window_share_declared"] == pytest.approx(310 / 710)
    assert spring["us"]["window_ci_lo"] <= 310 / 750 <= spring["us"]["window_ci_hi"]
    assert spring["us"]["window_from"] == when("2024-03-20")
    assert spring["us"]["window_to"] == when("2024-05-20")
    assert result.excluded == {"counts that went down between two snapshots": 1}


def test_earlier_quarters_are_of_their_last_snapshot(three: list[Snapshot]) -> None:
    winter = found(three[-1].figure("B5", others=three[:-1]), date(2024, 1, 1))
    counts = {name: (row["n"], row["dl"]) for name, row in winter.items()}
    assert counts == {"us": (3, 360), "china": (1, 60), "unknown": (1, 20)}


def test_several_windows_of_a_quarter_add_up(tmp_path: Path) -> None:
    days = (("2024-04-01", 10), ("2024-04-02", 30), ("2024-04-03", 25), ("2024-04-04", 65))
    shots = [
        tiny(tmp_path, f"{day}T00:00:00.000Z", models=[of("google/a", 5, ever)])
        for day, ever in days
    ]
    row = found(shots[-1].figure("B5", others=shots[:-1]), date(2024, 4, 1))["us"]
    assert (row["dl_window"], row["n_negative"], row["n"]) == (20 + 40, 1, 1)


def test_filters_hold_for_all_quarters(three: list[Snapshot]) -> None:
    result = three[-1].figure("B5", others=three[:-1], filters=Filters(since="2024-01-01"))
    assert found(result, date(2024, 1, 1))["us"]["n"] == 1
    assert set(found(result, date(2024, 4, 1))) == {"us"}


def test_without_counts_of_all_time_there_is_no_window(tmp_path: Path) -> None:
    shots = [
        tiny(tmp_path, taken, models=[model("google/a", downloads_30d=4)])
        for taken in (JANUARY, MAY)
    ]
    result = shots[-1].figure("B5", others=shots[:-1])
    assert found(result, date(2024, 4, 1))["us"]["dl_window"] is None
    assert found(result, date(2024, 1, 1))["us"]["dl"] == 4
    assert any("downloads of all time" in note for note in result.notes)


@pytest.mark.skipif(importlib.util.find_spec("sqlglot") is None, reason="sqlglot is not installed")
def test_what_is_asked_of_history_is_sql_for_spark() -> None:
    window = WINDOW.format(number=2, numbers="1, 2", begins="2024-01-01 00:00:00")
    for sql in (EARLIER.format(numbers="0, 2"), window):
        assert spark(sql).startswith("WITH kept AS")
