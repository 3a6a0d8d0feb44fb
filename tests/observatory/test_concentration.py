# SPDX-License-Identifier: Apache-2.0
"""Measures of concentration agree with plain ways of computing them, and so do their intervals."""

import random
from statistics import mean

import pytest

pytest.importorskip("numpy")

import numpy as np

from hubkeep.observatory import concentration
from hubkeep.observatory.concentration import Holdings, Measured, curve, measured

SEEDS = range(5)
TOPS = {"first": 1, "five": 5, "all": 40}


def values(seed: int, count: int = 40) -> list[int]:
    draw = random.Random(seed)
    return [int(draw.paretovariate(0.8)) - 1 for _ in range(count)]


def of(held: list[int], tops: dict[str, int] | None = None) -> dict[str, Measured]:
    return measured(Holdings.of(np.array(held)), tops or {})


def plain(held: list[int]) -> dict[str, float]:
    """The same by their definitions, pair by pair."""
    total = sum(held)
    difference = mean(abs(a - b) for a in held for b in held)
    first = sorted(held, reverse=True)
    return {
        "gini": difference / (2 * mean(held)),
        "hhi": sum((x / total) ** 2 for x in held),
        **{name: sum(first[:top]) / total for name, top in TOPS.items()},
    }


def ends(one: Measured) -> tuple[float, float]:
    assert one.alone is not None
    return one.alone.low, one.alone.high


@pytest.mark.parametrize("seed", SEEDS)
def test_measures_are_what_their_definitions_say(seed: int) -> None:
    held = values(seed)
    found = {name: one.value for name, one in of(held, TOPS).items()}
    assert found == pytest.approx(plain(held))


@pytest.mark.parametrize("seed", SEEDS)
def test_it_does_not_matter_whether_equal_holdings_are_told_one_by_one(seed: int) -> None:
    held = values(seed)
    different = sorted(set(held))
    times = np.array([held.count(one) for one in different])
    together = measured(Holdings.of(np.array(different), times), TOPS)
    for name, one in of(held, TOPS).items():
        assert together[name].value == pytest.approx(one.value)
        assert ends(together[name]) == pytest.approx(ends(one))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_range_is_that_of_leaving_each_out_in_turn(seed: int) -> None:
    held = values(seed)
    ways = [plain(held[:at] + held[at + 1 :]) for at in range(len(held))]
    for name, one in of(held, TOPS).items():
        found = [way[name] for way in ways]
        assert ends(one) == pytest.approx((min(found), max(found)))


def test_odd_holdings() -> None:
    nothing = Measured()
    assert of([], TOPS) == of([0, 0], TOPS) == dict.fromkeys(("gini", "hhi", *TOPS), nothing)
    alone = of([5], {"ten": 10})
    assert {name: one.value for name, one in alone.items()} == {"gini": 0, "hhi": 1, "ten": 1}
    assert {one.alone for one in alone.values()} == {None}
    assert of([3, 3, 3])["gini"].value == pytest.approx(0)
    assert of([0, 0, 0, 1])["gini"].value == pytest.approx(0.75)
    assert of([0, 0, 0, 1])["gini"].alone is not None


def test_draws_are_the_same_every_time() -> None:
    assert of(values(1), TOPS) == of(values(1), TOPS)


def test_the_delta_method_agrees_with_the_bootstrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """On holdings without a tail that outweighs the rest, where both are right."""
    draw = random.Random(2)
    held = [int(100 * draw.expovariate(1)) for _ in range(3000)]
    tops = {"top": 300}
    drawn = of(held, tops)
    monkeypatch.setattr(concentration, "BOOTSTRAP_ROWS", 0)
    for name, one in of(held, tops).items():
        interval, other = one.interval, drawn[name].interval
        assert interval is not None
        assert other is not None
        assert (interval.method, other.method) == ("delta method", "bootstrap")
        width = other.high - other.low
        assert interval.low == pytest.approx(other.low, abs=0.12 * width)
        assert interval.high == pytest.approx(other.high, abs=0.12 * width)


def test_the_curve_goes_from_the_first_to_all() -> None:
    points = curve(Holdings.of(np.array([1, 4, 3, 2])), 50)
    assert points == [(1, 0.4), (2, 0.7), (3, pytest.approx(0.9)), (4, 1)]
    assert curve(Holdings.of(np.array([0])), 50) == []
