# SPDX-License-Identifier: Apache-2.0
"""B12, churn and survival: what comes and goes, from events and from pairs of snapshots."""

from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

import pyarrow.parquet as pq

from hubkeep.observatory.running import Result
from tests.observatory.real import data, imported
from tests.observatory.tiny import Row, model, tiny

WEEKS = [date(2025, 3, 5), date(2025, 3, 12), date(2025, 3, 19), date(2025, 4, 2)]
WEEKLY = "hub_weekly_added_deleted_2025-03_2025-07.parquet"


def event(name: str, what: str, week: int) -> Row:
    return {"id": name, "event": what, "day": WEEKS[week]}


EVENTS = [
    *(event(f"google/a{at}", "added", 0) for at in range(4)),
    *(event(f"me/b{at}", "added", 1) for at in range(4)),
    *(event(f"me/c{at}", "added", 2) for at in range(4)),
    event("me/last", "added", 3),
    event("google/a0", "deleted", 1),
    event("google/a1", "deleted", 3),
    event("me/b0", "deleted", 3),
    # Was there before anybody looked, went, and came again.
    event("me/c0", "deleted", 1),
    event("old/model", "deleted", 2),
    # Went, came back and went again: its first life is what lasted.
    event("google/a0", "added", 2),
    event("google/a0", "deleted", 3),
]


def looks(result: Result) -> list[Row]:
    return [row for row in result.table.to_pylist() if row["part"] == "look"]


def curve(result: Result, part: str, name: str) -> dict[int, float]:
    rows = result.table.to_pylist()
    return {
        row["age_days"]: round(row["survival"], 6)
        for row in rows
        if (row["part"], row["name"]) == (part, name)
    }


def test_each_look_counts_what_it_found(tmp_path: Path) -> None:
    result = tiny(tmp_path, "2025-04-03T00:00:00.000Z", events=EVENTS).figure("B12")
    found = [(row["day"], row["n_added"], row["n_deleted"], row["n_net"]) for row in looks(result)]
    assert found == [
        (WEEKS[0], 4, 0, 4), (WEEKS[1], 4, 2, 2), (WEEKS[2], 5, 1, 4), (WEEKS[3], 1, 3, -2),
    ]  # fmt: skip
    assert [row["is_incomplete"] for row in looks(result)] == [False, False, False, True]
    assert any("2025-04-02 seem incomplete" in note for note in result.notes)
    assert result.scalars["n_incomplete"] == 1
    kept = tiny(tmp_path / "k", "2025-04-03T00:00:00.000Z", events=EVENTS)
    strict = kept.figure("B12", incomplete_below=0.0)
    assert strict.scalars["n_incomplete"] == 0


def test_growth_with_what_has_gone_put_back(tmp_path: Path) -> None:
    result = tiny(tmp_path, "2025-04-03T00:00:00.000Z", events=EVENTS).figure("B12")
    assert [row["cum_new"] for row in looks(result)] == [4, 8, 12, 13]
    assert [row["cum_surviving"] for row in looks(result)] == [2, 5, 9, 10]
    assert result.scalars["n_new_deleted"] == 3
    assert result.scalars["growth_missed"] == 3 / 10


def test_survival_by_cohort_and_type(tmp_path: Path) -> None:
    result = tiny(tmp_path, "2025-04-03T00:00:00.000Z", events=EVENTS).figure("B12")
    # Of 13, one went after 7 days; 4 of them were last seen at 14, 1 at 0 days; and so on.
    assert curve(result, "all", "all") == {
        0: 1, 7: round(11 / 12, 6), 14: round(11 / 12, 6),
        21: round(11 / 12 * 6 / 7, 6), 28: round(11 / 12 * 6 / 7 * 2 / 3, 6),
    }  # fmt: skip
    assert curve(result, "cohort", "2025-04") == {0: 1}
    assert curve(result, "org_type", "company") == {0: 1, 7: 0.75, 28: 0.5}
    assert result.excluded == {"there before the first look, from survival alone": 2}
    assert result.n == 13 + 2
    assert result.scalars["survival_28d"] == pytest.approx(11 / 12 * 6 / 7 * 2 / 3)
    assert result.scalars["survival_91d"] is None


def at(day: str, *names: str) -> dict[str, object]:
    return {
        "taken_at": f"{day}T00:00:00.000Z",
        "models": [model(name, downloads_30d=1) for name in names],
    }


def test_snapshots_stand_in_for_events(tmp_path: Path) -> None:
    first, second, third, last = (
        tiny(tmp_path, **one)  # ty: ignore[invalid-argument-type]
        for one in (
            at("2025-01-01", "a/stays", "bert-base-uncased", "a/goes"),
            at("2025-01-02", "a/stays", "google-bert/bert-base-uncased", "b/new", "b/missed"),
            at("2025-01-05", "a/stays", "google-bert/bert-base-uncased", "b/new", "c/late"),
            at("2025-01-06", "a/stays", "google-bert/bert-base-uncased", "b/missed", "c/late"),
        )
    )
    result = last.figure("B12", others=[first, second, third])
    assert result.missing_columns == []
    found = [(str(row["day"]), row["n_added"], row["n_deleted"]) for row in looks(result)]
    assert found == [("2025-01-02", 2, 1), ("2025-01-05", 1, 0), ("2025-01-06", 0, 1)]
    assert curve(result, "all", "all") == {0: 1, 1: 1, 4: 0.5}
    assert result.excluded == {"there before the first look, from survival alone": 3}
    assert result.n == 6


def test_a_snapshot_of_a_part_is_no_mass_extinction(tmp_path: Path) -> None:
    whole = at("2025-01-01", *(f"a/m{number}" for number in range(10)))
    part = at("2025-01-02", "a/m0", "a/m1", "a/new")
    first, second = (tiny(tmp_path, **one) for one in (whole, part))  # ty: ignore[invalid-argument-type]
    result = second.figure("B12", others=[first])
    assert [row["is_incomplete"] for row in looks(result)] == [True]


def test_without_events_and_with_one_snapshot_there_is_no_answer(tmp_path: Path) -> None:
    alone = tiny(tmp_path, models=[model("a/x")]).figure("B12")
    assert alone.n == 0
    assert len(alone.table) == 0
    assert alone.missing_columns == ["events.day, or 2 snapshots of models; there is 1"]


def test_the_weeks_of_2025_by_hand(tmp_path_factory: pytest.TempPathFactory) -> None:
    rows = pq.read_table(data(WEEKLY)).to_pylist()
    counts = Counter((row["week_end"], row["event"]) for row in rows)
    result = imported(tmp_path_factory, "2025-07-03T00:00:00.000Z", WEEKLY).figure("B12")
    for row in looks(result):
        assert row["n_added"] == counts[row["day"], "added"]
        assert row["n_deleted"] == counts[row["day"], "deleted"]
    assert (result.scalars["n_added"], result.scalars["n_deleted"]) == (436_427, 99_042)
    assert [str(row["day"]) for row in looks(result) if row["is_incomplete"]] == ["2025-06-25"]
    born, gone = {}, defaultdict(list)
    for row in rows:
        if row["event"] == "added":
            born[row["id"]] = min(born.get(row["id"], row["week_end"]), row["week_end"])
        else:
            gone[row["id"]].append(row["week_end"])
    last, lives = date(2025, 7, 2), Counter()
    for name, day in born.items():
        end = min((one for one in gone[name] if one >= day), default=None)
        lives[((end or last) - day).days, end is not None] += 1
    survival, left = 1.0, len(born)
    for age in sorted({age for age, _ in lives}):
        survival *= 1 - lives[age, True] / left
        left -= lives[age, True] + lives[age, False]
        assert curve(result, "all", "all")[age] == pytest.approx(survival, abs=1e-6)
        if age == 28:
            assert round(survival, 3) == 0.917
    assert result.scalars["n_new"] == len(born) == 435_785
    assert result.scalars["n_new_deleted"] == sum(n for (_, end), n in lives.items() if end)
    before = sum(any(one < born.get(name, last) or name not in born for one in days)
                 for name, days in gone.items())  # fmt: skip
    assert result.excluded == {"there before the first look, from survival alone": before}
    assert round(float(str(result.scalars["growth_missed"])), 3) == 0.112
