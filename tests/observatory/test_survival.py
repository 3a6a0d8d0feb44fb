# SPDX-License-Identifier: Apache-2.0
"""Survival agrees with what is worked out by hand, and with counting where nothing is lost."""

import math
import random
from fractions import Fraction

import pytest

pytest.importorskip("numpy")

from hubkeep.observatory.survival import Duration, Step, duration, kaplan_meier, surviving

Z = 1.959963984540054

# Remission of leukaemia in weeks under 6-mercaptopurine, the example of half of all textbooks:
# Freireich and others, Blood 21 (1963). True where it ended.
WEEKS = (6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
RELAPSED = (True,) * 9 + (False,) * 12


def rounded(steps: list[Step], digits: int = 3) -> list[tuple[float, int, int, float]]:
    return [
        (one.time, one.at_risk, one.ended, round(one.survival, digits))
        for one in steps
        if one.ended
    ]


def test_the_example_of_the_textbooks() -> None:
    assert rounded(steps := kaplan_meier(WEEKS, RELAPSED)) == [
        (6, 21, 3, 0.857),
        (7, 17, 1, 0.807),
        (10, 15, 1, 0.753),
        (13, 12, 1, 0.690),
        (16, 11, 1, 0.627),
        (22, 7, 1, 0.538),
        (23, 6, 1, 0.448),
    ]
    assert duration(steps) == Duration(23, 13, None)
    assert [one.lost for one in steps if one.time == 6] == [1]


def test_the_interval_is_greenwoods_on_the_scale_of_log_minus_log() -> None:
    step = next(one for one in kaplan_meier(WEEKS, RELAPSED) if one.time == 10)
    survival = Fraction(18, 21) * Fraction(16, 17) * Fraction(14, 15)
    spread = 3 / (21 * 18) + 1 / (17 * 16) + 1 / (15 * 14)
    error = Z * math.sqrt(spread) / -math.log(survival)
    assert step.survival == pytest.approx(float(survival))
    assert step.low == pytest.approx(float(survival) ** math.exp(error))
    assert step.high == pytest.approx(float(survival) ** math.exp(-error))
    assert (round(step.low or 0, 3), round(step.high or 0, 3)) == (0.503, 0.889)


@pytest.mark.parametrize("seed", range(5))
def test_where_nothing_is_lost_it_is_the_part_that_lasts_longer(seed: int) -> None:
    draw = random.Random(seed)
    times = [draw.randrange(1, 12) for _ in range(60)]
    for step in kaplan_meier(times, [True] * 60):
        assert step.survival == pytest.approx(sum(one > step.time for one in times) / 60)
        assert step.at_risk == sum(one >= step.time for one in times)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_product_over_times_of_ends(seed: int) -> None:
    draw = random.Random(seed)
    rows = [(draw.randrange(9), draw.random() < 0.6, draw.randrange(-4, 6)) for _ in range(80)]
    rows = [(time, end, max(start, 0)) for time, end, start in rows if start < time or start <= 0]
    expected, found = 1.0, {}
    for time in sorted({time for time, _, _ in rows}):
        risk = sum(one >= time and (start < time or start == 0) for one, _, start in rows)
        expected *= 1 - sum(one == time and end for one, end, _ in rows) / risk
        found[time] = (risk, expected)
    draw.shuffle(rows)
    times, ends, starts = zip(*rows, strict=True)
    steps = kaplan_meier(times, ends, entered=starts)
    assert {one.time: one.at_risk for one in steps} == {t: risk for t, (risk, _) in found.items()}
    assert [one.survival for one in steps] == pytest.approx([part for _, part in found.values()])


@pytest.mark.parametrize("seed", range(5))
def test_what_holds_of_every_curve(seed: int) -> None:
    draw = random.Random(seed)
    times = [draw.randrange(1, 30) for _ in range(40)]
    ends = [draw.random() < 0.5 for _ in times]
    steps = kaplan_meier(times, ends)
    parts = [one.survival for one in steps]
    assert parts == sorted(parts, reverse=True)
    assert sum(one.ended + one.lost for one in steps) == len(times)
    for one in steps:
        assert one.low is None or one.high is None or one.low <= one.survival <= one.high
        assert (one.low is None) == (one.survival == 0)
    longer = kaplan_meier(times, [False] * 40)
    assert all(one.survival == one.low == one.high == 1 for one in longer)


def test_counts_stand_for_so_many_rows() -> None:
    assert kaplan_meier((3, 5, 5), (True, True, False), (2, 1, 3)) == kaplan_meier(
        (3, 3, 5, 5, 5, 5), (True, True, True, False, False, False)
    )
    assert kaplan_meier((3, 4), (True, True), (0, 1)) == kaplan_meier((4,), (True,))


def test_durations_are_none_where_the_data_end_before() -> None:
    nothing = Duration(None, None, None)
    assert duration([]) == nothing
    assert duration(kaplan_meier((1, 2, 3), (True, False, False))).time is None
    # 1 - 1/5 - 1/5 ... is no exact half in binary numbers, and is half all the same.
    tenths = kaplan_meier(range(1, 11), [True] * 10)
    assert duration(tenths).time == 5
    assert duration(tenths, 0.9).time == 9
    with pytest.raises(ValueError, match="between 0 and 1"):
        duration(tenths, 1)


def test_survival_at_a_time() -> None:
    steps = kaplan_meier((2, 4, 6), (True, True, False))
    assert surviving(steps, 1) == 1
    assert surviving(steps, 2) == surviving(steps, 3.9) == pytest.approx(2 / 3)
    assert surviving(steps, 6) == pytest.approx(1 / 3)
    assert surviving(steps, 6.1) is surviving([], 1) is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (((1, 2), (True,)), "as many of each"),
        (((float("nan"),), (True,)), "times are numbers"),
        (((-1,), (True,)), "times are numbers"),
        (((1,), (True,), (-1,)), "counts are numbers"),
        (((3,), (True,), None, (3,)), "before it was watched"),
        (((3,), (True,), None, (-1,)), "before it was watched"),
    ],
)
def test_what_cannot_be_is_refused(given: tuple[tuple[float, ...], ...], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        kaplan_meier(*given)
