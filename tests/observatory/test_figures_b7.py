# SPDX-License-Identifier: Apache-2.0
"""B7: ages, and half-lives over several snapshots, of a few models."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.running import Result
from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.tiny import Row, model, tiny, when

LAST = when("2024-07-11")
STAMP = when("2022-03-02T23:29:04")


def part(result: Result, name: str) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in result.table.to_pylist() if row["part"] == name}


def test_ages_begin_where_the_one_before_ends(tmp_path: Path) -> None:
    starts = {
        "under 1 month": (0, 29),
        "1-3 months": (30, 90),
        "3-6 months": (91, 181),
        "6-12 months": (182, 364),
        "1-2 years": (365, 729),
        "2-3 years": (730, 1094),
        "3-4 years": (1095, 1460),
        "4-5 years": (1461, 1825),
        "over 5 years": (1826, 2500),
    }
    rows: list[Row] = [
        model(f"a/{days}", downloads_30d=10, created_at=LAST - timedelta(days=days))
        for ages in starts.values()
        for days in ages
    ]
    rows += [
        model("a/old", downloads_30d=30, created_at=STAMP),
        model("a/undated", downloads_30d=20),
        model("a/silent", created_at=LAST + timedelta(hours=5)),
    ]
    result = tiny(tmp_path, models=rows).figure("B7")
    ages = part(result, "age")
    found = {name: (row["n"], row["dl"]) for name, row in ages.items()}
    first = {"under 1 month": (3, 20)}
    expected = dict.fromkeys(starts, (2, 20)) | first
    assert found == {**expected, "before March 2022": (1, 30), "no date": (1, 20)}
    assert next(iter(ages)) == "under 1 month"
    assert ages["before March 2022"]["dl_share_all"] == pytest.approx(30 / 230)
    assert ages["before March 2022"]["dl_share_declared"] == pytest.approx(30 / 210)
    # Models whose true date is before March 2022 are old, too.
    assert result.scalars["dl_share_before_march_2022"] == pytest.approx((30 + 7 * 10) / 230)
    assert result.missing == {"created_at": 1, "downloads_30d": 1}
    assert part(result, "half-life") == {}
    assert any("3 snapshots" in note for note in result.notes)


def counts(name: str, made: str, *downloads: int | None) -> list[Row | None]:
    """A model in each snapshot; None is: not there."""
    return [
        None if one is None else model(name, downloads_30d=one, created_at=when(made))
        for one in downloads
    ]


@pytest.fixture
def months(tmp_path: Path) -> list[Snapshot]:
    models = [
        counts("a/one", "2024-01-05", 1000, 499, 600, 700, 100),
        counts("a/two", "2024-01-05", 200, 1000, 900, 501, 500),
        counts("a/three", "2024-01-05", 300, 300, 200, 151, 200),
        counts("a/four", "2024-03-10", None, None, 1000, 700, 400),
        counts("a/small", "2024-01-05", 99, 0, 0, 0, 0),
        counts("a/gone", "2024-01-05", 900, 10, None, None, None),
        counts("a/rising", "2023-05-05", None, None, 200, 300, 400),
    ]
    shots = zip(*models, strict=True)
    return [
        tiny(tmp_path, f"2024-0{month}-20T00:00:00.000Z", models=[row for row in rows if row])
        for month, rows in enumerate(shots, 1)
    ]


def test_half_lives_are_from_the_peak_to_half_of_it(months: list[Snapshot]) -> None:
    result = months[-1].figure("B7", others=months[:-1])
    found = part(result, "half-life")
    told = ("n", "n_ended", "half_life_days", "half_life_hi")
    # Three fell, after 31, 61 and 90 days; one is above half of its peak after 121, and the one
    # that rises still had its peak just now.
    assert {name: [row[one] for one in told] for name, row in found.items()} == {
        "all": [5, 3, 61, None],
        "2023-04-01": [1, 0, None, None],
        "2024-01-01": [4, 3, 61, None],
    }
    assert found["all"]["half_life_lo"] == 31
    assert result.scalars["half_life_days"] == 61
    assert result.points["curves"]["cohort"].to_pylist().count("all") == 6


def test_small_peaks_count_where_asked_for(months: list[Snapshot]) -> None:
    result = months[-1].figure("B7", others=months[:-1], min_peak=50)
    assert part(result, "half-life")["all"]["n"] == 6


def test_two_snapshots_are_too_few(months: list[Snapshot]) -> None:
    result = months[-1].figure("B7", others=months[-2:-1])
    assert part(result, "half-life") == {}
    assert part(result, "age")
    assert any("3 snapshots" in note for note in result.notes)
