# SPDX-License-Identifier: Apache-2.0
"""Forecasts are certain of what is certain, and say how good they were."""

import math
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

import numpy as np

from hubkeep.observatory.forecast import (
    DAMPED,
    LAST_GROWTH,
    METHODS,
    PERSISTENCE,
    Panel,
    backtest,
    centre,
    forecast,
    skill,
)
from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.shelf import three
from tests.observatory.tiny import model, tiny


def panel(counts: list[list[float]], step: float = 30.0) -> Panel:
    rows = np.array(counts, dtype=np.float64)
    names = [f"a/m{at:03}" for at in range(len(rows))]
    return Panel(names, np.arange(rows.shape[1]) * step, rows)


def steady(models: int = 30, snapshots: int = 5) -> Panel:
    """Models that stay exactly as they are, each a hundred times the next."""
    return panel([[2.0 ** (at + 10)] * snapshots for at in range(models)])


def growing(models: int = 30, snapshots: int = 6) -> Panel:
    """Models whose growth never changes: the small ones overtake all others, one after another."""
    return panel(
        [
            [1e5 * math.exp(0.1 * at * month - 0.25 * at) for month in range(snapshots)]
            for at in range(models)
        ],
        30.4375,
    )


def test_what_never_changes_stays() -> None:
    said = forecast(steady(), PERSISTENCE, 90, 300)
    assert said.p_first.tolist() == [1.0] + [0.0] * 29
    assert said.p_top.tolist() == [1.0] * 10 + [0.0] * 20
    assert np.median(said.counts[0]) == pytest.approx(2.0**39, rel=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_probabilities_add_up_and_are_the_same_every_time(method: str) -> None:
    said, again = (forecast(growing(), method, 60, 300) for _ in range(2))
    assert said.p_first.sum() == pytest.approx(1)
    assert said.p_top.sum() == pytest.approx(10)
    assert (said.counts == again.counts).all()


def test_centres() -> None:
    logs, days = np.array([[1.0, 2.0, 4.0], [np.nan, np.nan, 3.0]]), np.array([0.0, 10.0, 20.0])
    assert centre(PERSISTENCE, logs, days, 10, 0).tolist() == [4, 3]
    assert centre(LAST_GROWTH, logs, days, 10, 0).tolist() == [6, 3]
    month = 30.4375
    damped = centre(DAMPED, logs, days, 2 * month, 0)
    assert damped.tolist() == pytest.approx([4 + 0.15 * month * (0.9 + 0.81), 3])
    assert centre("bootstrap of ranks", logs, days, 10, 0.5).tolist() == [9, 8]


def test_of_steady_growth_growth_is_the_better_forecast() -> None:
    scores = {method: backtest(growing(), method, 30.4375, 300) for method in METHODS}
    grown = skill(scores[LAST_GROWTH], scores[PERSISTENCE])
    assert grown is not None
    assert grown > 0
    assert scores[LAST_GROWTH] is not None
    assert scores[PERSISTENCE] is not None
    assert scores[LAST_GROWTH].hit_rate > scores[PERSISTENCE].hit_rate
    assert scores[LAST_GROWTH].origins == 4


def test_the_backtest_knows_nothing_of_what_comes_later() -> None:
    """What happens after a target changes no score of the origins before it."""
    known = growing(snapshots=4)
    changed = Panel(known.models, known.days, known.counts.copy())
    changed.counts[:, 3] = changed.counts[::-1, 3]
    first = [
        forecast(one.until(1), LAST_GROWTH, 30, 300).p_top.tolist() for one in (known, changed)
    ]
    assert first[0] == first[1]


def test_two_snapshots_are_no_backtest() -> None:
    assert backtest(growing(snapshots=2), PERSISTENCE, 30, 300) is None
    assert skill(None, None) is None


def test_new_models_and_zeros_are_borne() -> None:
    nan = math.nan
    odd = panel([[nan, nan, 50.0], [0.0, 0.0, 0.0], [10.0, nan, 20.0], [5.0, 5.0, nan]])
    for method in METHODS:
        said = forecast(odd, method, 1000, 300)
        assert sorted(said.models.tolist()) == [0, 1, 2]
        assert np.isfinite(said.counts).all()


def over_time(folder: Path) -> list[Snapshot]:
    days = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")
    return [
        tiny(
            folder,
            f"{day}T00:00:00.000Z",
            models=[
                model(f"a{at}/m", downloads_30d=1000 * (at + 1) + 97 * at * month, likes=month)
                for at in range(40)
            ],
        )
        for month, day in enumerate(days)
    ]


def test_s7_says_who_tops_the_chart(tmp_path: Path) -> None:
    *before, last = over_time(tmp_path)
    result = last.figure("S7", others=before, months=1.0)
    rows = result.table.to_pylist()
    assert result.n == len(rows) == 40
    assert rows[0]["model"] == "a39/m"
    assert rows[0]["dl_80_lo"] <= rows[0]["dl_median"] <= rows[0]["dl_80_hi"]
    assert sum(row["p_top1"] for row in rows) == pytest.approx(1)
    assert {row["backtest_skill"] for row in rows} == {result.scalars["skill_damped_trend"]}
    assert result.scalars["n_origins"] == 2
    assert result.points["ranks"].num_rows == 50
    assert any("persistence (skill" in note for note in result.notes)


def test_s7_says_so_when_it_is_no_better_than_persistence(tmp_path: Path) -> None:
    days = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")
    *before, last = [
        tiny(
            tmp_path,
            f"{day}T00:00:00.000Z",
            models=[
                model(f"a{at}/m", downloads_30d=1000 + 40 * at + 900 * ((at + month) % 2))
                for at in range(30)
            ],
        )
        for month, day in enumerate(days)
    ]
    result = last.figure("S7", others=before, months=1.0, method="last growth")
    assert result.scalars["beats_persistence"] is False
    assert result.scalars["skill_last_growth"] < 0
    assert "did not beat persistence" in result.notes[0]


def test_s7_leaves_out_what_is_flagged_and_what_is_gone(tmp_path: Path) -> None:
    *before, last = three(tmp_path)
    result = last.figure("S7", others=before)
    assert "mit/absurd" not in result.table["model"].to_pylist()
    assert "google-bert/bert-base-uncased" in result.table["model"].to_pylist()
    assert result.excluded == {"flagged": 1}


def test_snapshots_of_one_moment_are_one(tmp_path: Path) -> None:
    *before, last = over_time(tmp_path / "a")
    twin = tiny(tmp_path / "b", last.manifest.taken_at, models=[model("x/y", downloads_30d=3)])
    result = last.figure("S7", others=[before[0], twin])
    assert result.n == 0
    assert len(result.table) == 0
    assert "3 snapshots of different days" in result.notes[0]
