# SPDX-License-Identifier: Apache-2.0
"""Intervals, ranges and measures agree with plain ways of computing them."""

import math
import random
from statistics import NormalDist, mean

import pytest

pytest.importorskip("numpy")

import numpy as np

from hubkeep.observatory.correlation import kendall, linear, mean_ranks, spearman
from hubkeep.observatory.statistics import (
    BOOTSTRAP_ROWS,
    delta_intervals,
    leave_one_out,
    quantiles,
    rate_interval,
    share_intervals,
)

SEEDS = range(5)


def values(seed: int, count: int = 40) -> list[int]:
    draw = random.Random(seed)
    return [int(draw.paretovariate(0.8)) - 1 for _ in range(count)]


def array(numbers: list[int] | list[float]) -> "np.ndarray":
    return np.array(numbers, dtype=np.float64)


@pytest.mark.parametrize("seed", SEEDS)
def test_leave_one_out_is_the_range_of_all_ways_to_leave_one_out(seed: int) -> None:
    xs = values(seed)
    inside, total = xs[:9], sum(xs)
    shares = [(sum(inside) - x) / (total - x) for x in inside]
    shares += [sum(inside) / (total - x) for x in xs[9:]]
    alone = leave_one_out(total, sum(inside), max(inside), max(xs[9:]))
    assert (alone.low, alone.high) == pytest.approx((min(shares), max(shares)))


def test_leave_one_out_of_a_single_model_leaves_nothing() -> None:
    alone = leave_one_out(5, 5, 5, 0)
    assert (alone.low, alone.high) == (0, 1)


def test_shares_are_drawn_the_same_every_time_and_hold_the_share() -> None:
    groups = np.array([0, 1, 2] * 40)
    weights = np.array(values(1, 120)) + 1
    first, again = (share_intervals(groups, weights, 3) for _ in range(2))
    assert first == again
    for group in range(3):
        share = weights[groups == group].sum() / weights.sum()
        assert first[group].low < share < first[group].high
        assert first[group].method == "bootstrap"


def test_shares_of_counts_have_the_width_of_a_binomial() -> None:
    """1,000 models of which 300 are of a group: all of one weight, so that cells are drawn."""
    found = share_intervals(np.repeat([0, 1], [300, 700]), np.ones(1000), 2)[0]
    error = NormalDist().inv_cdf(0.975) * math.sqrt(0.3 * 0.7 / 1000)
    assert (found.low, found.high) == pytest.approx((0.3 - error, 0.3 + error), abs=0.004)


def test_cells_and_models_are_drawn_from_the_same_distribution() -> None:
    """Weights that differ by a hair have to be drawn one by one; the interval is the same."""
    groups, weights = np.repeat([0, 1], [60, 140]), np.repeat([5.0, 1.0], [100, 100])
    cells = share_intervals(groups, weights, 2)[0]
    models = share_intervals(groups, weights + np.arange(200) * 1e-9, 2)[0]
    assert (cells.low, cells.high) == pytest.approx((models.low, models.high), abs=0.01)


def test_above_ten_thousand_models_the_interval_is_computed() -> None:
    n = BOOTSTRAP_ROWS + 1
    groups, weights = np.arange(n) % 2, np.arange(n) % 7 + 1.0
    computed = share_intervals(groups, weights, 2)
    drawn = share_intervals(groups[:-1], weights[:-1], 2)
    assert (computed[0].method, drawn[0].method) == ("delta method", "bootstrap")
    for group in range(2):
        assert computed[group].low == pytest.approx(drawn[group].low, abs=1e-3)
        assert computed[group].high == pytest.approx(drawn[group].high, abs=1e-3)


def test_delta_is_the_standard_error_of_a_ratio() -> None:
    weights, groups = array([3, 1, 4, 1, 5, 9, 2, 6]), np.array([0, 1, 0, 1, 0, 1, 1, 1])
    sums, squares = np.bincount(groups, weights), np.bincount(groups, weights**2)
    p, total = sums[0] / weights.sum(), weights.sum()
    residuals = np.where(groups == 0, weights, 0) - p * weights
    error = 1.959963984540054 * math.sqrt((residuals**2).sum()) / total
    found = delta_intervals(sums, squares)[0]
    assert (found.low, found.high) == pytest.approx((max(0, p - error), min(1, p + error)))


def test_shares_of_nothing_have_no_interval() -> None:
    empty = np.array([], dtype=np.int64)
    assert not share_intervals(empty, empty, 0)
    assert not share_intervals(np.array([0, 0]), np.array([0, 0]), 1)
    assert not delta_intervals([0.0], [0.0])


def test_one_model_is_all_there_is() -> None:
    found = share_intervals(np.array([0]), np.array([9]), 1)[0]
    assert (found.low, found.high) == (1, 1)


def test_rates_have_wilsons_interval() -> None:
    found = rate_interval(10, 100)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.05523, 0.17437), abs=1e-5)
    assert rate_interval(0, 0) is None
    none = rate_interval(0, 50)
    assert none is not None
    assert none.low == 0 < none.high
    whole = rate_interval(50, 50)
    assert whole is not None
    assert whole.low < 1 == whole.high


def test_quantiles_of_nothing_are_none() -> None:
    assert quantiles([], (0.5,)) == [None]
    assert quantiles([1, 2, 4], (0.25, 0.5, 0.75)) == [1.5, 2, 3]


def pearson(xs: list[float], ys: list[float]) -> float:
    mx, my = mean(xs), mean(ys)
    top = sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True))
    return top / math.sqrt(sum((x - mx) ** 2 for x in xs) * sum((y - my) ** 2 for y in ys))


@pytest.mark.parametrize("seed", SEEDS)
def test_fits_of_counted_pairs_are_those_of_all_pairs(seed: int) -> None:
    draw = random.Random(seed)
    pairs = [(draw.randrange(6), draw.randrange(9)) for _ in range(60)]
    kinds = sorted(set(pairs))
    counts = np.array([pairs.count(kind) for kind in kinds])
    x, y = (array([kind[at] for kind in kinds]) for at in (0, 1))
    xs, ys = ([float(pair[at]) for pair in pairs] for at in (0, 1))
    fit = linear(x, y, counts)
    assert fit.r == pytest.approx(pearson(xs, ys))
    assert fit.slope == pytest.approx(np.polyfit(xs, ys, 1)[0])
    assert fit.n == 60
    assert fit.low is not None
    assert fit.high is not None
    assert fit.low <= fit.r2 <= fit.high
    ranks = [
        [mean(i + 1 for i, b in enumerate(sorted(zs)) if b == a) for a in zs] for zs in (xs, ys)
    ]
    assert spearman(x, y, counts).r == pytest.approx(pearson(*ranks))


def test_fishers_interval_of_many_pairs() -> None:
    draw = np.random.default_rng(1)
    x = draw.normal(size=BOOTSTRAP_ROWS + 1)
    fit = linear(x, x + draw.normal(size=len(x)), np.ones(len(x), dtype=np.int64))
    assert fit.method == "Fisher"
    assert fit.low is not None
    assert fit.high is not None
    assert fit.low < 0.5 < fit.high < fit.low + 0.04


def test_an_interval_that_may_be_of_either_sign_begins_at_zero() -> None:
    x = array([1, 2, 3, 4, 5, 6])
    assert spearman(x, array([3, 1, 6, 2, 5, 4]), np.ones(6, dtype=np.int64)).low == 0


@pytest.mark.parametrize(
    ("x", "y"), [([], []), ([1], [2]), ([3, 3, 3], [1, 2, 3]), ([1, 2], [5, 5])]
)
def test_there_is_no_line_through_nothing_one_or_equal_points(x: list[int], y: list[int]) -> None:
    counts = np.ones(len(x), dtype=np.int64)
    for fit in (linear(array(x), array(y), counts), spearman(array(x), array(y), counts)):
        assert fit.n == len(x)
        assert (fit.r2, fit.low, fit.high, fit.slope) == (None, None, None, None)


def test_a_perfect_line_is_certain() -> None:
    x, ones = array([1, 2, 3, 4]), np.ones(4, dtype=np.int64)
    fit = linear(x, 2 * x + 1, ones)
    assert (fit.r2, fit.slope, fit.intercept) == pytest.approx((1, 2, 1))
    assert spearman(x, -x, ones).low == spearman(x, -x, ones).high == 1


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert mean_ranks(array([7, 5, 5]), np.array([1, 1, 2])).tolist() == [4, 2, 2]


def test_kendalls_tau() -> None:
    assert kendall(array([1, 2, 3]), array([1, 2, 3])) == 1
    assert kendall(array([1, 2, 3]), array([3, 2, 1])) == -1
    assert kendall(array([1, 2, 3, 4]), array([1, 3, 2, 4])) == pytest.approx(4 / 6)
    assert kendall(array([1, 1]), array([1, 2])) is None
