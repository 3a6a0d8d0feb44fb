# SPDX-License-Identifier: Apache-2.0
"""How sure a figure can be: intervals, ranges and quantiles.

Everything here is a pure function of its arguments: what is drawn is drawn with a fixed seed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np

SEED: Final = 20230707
DRAWS: Final = 2000
BOOTSTRAP_ROWS: Final = 10_000
"""The largest universe that is drawn from; above, the interval is computed by the delta method."""

BOOTSTRAP: Final = "bootstrap"
DELTA: Final = "delta method"

_CELLS: Final = 4
"""Models to a cell, above which drawing cells is quicker than drawing models."""

_TOGETHER: Final = 20
"""Draws that are made in one go."""

_Z95: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95% interval, or a range, and how it was come by."""

    low: float
    high: float
    method: str


def share_intervals(
    groups: "np.ndarray", weights: "np.ndarray", count: int
) -> Mapping[int, Interval]:
    """Return the 95% interval of each group's share of all weights, as models are drawn again.

    `groups` has a number from 0 to `count` - 1 for each model, `weights` what it counts for (1, or
    its downloads). Up to BOOTSTRAP_ROWS models: percentiles of DRAWS bootstrap draws with SEED.
    Above: `delta_intervals`. Nothing where there is no weight at all.
    """
    import numpy as np

    total = float(weights.sum())
    if total <= 0 or not len(weights):
        return {}
    weights = weights.astype(np.float64)
    if len(weights) > BOOTSTRAP_ROWS:
        sums = np.bincount(groups, weights, count)
        return delta_intervals(sums, np.bincount(groups, weights**2, count))
    shares = _drawn_shares(groups, weights, count)
    low, high = np.percentile(shares, (2.5, 97.5), axis=0)
    return {
        group: Interval(float(low[group]), float(high[group]), BOOTSTRAP) for group in range(count)
    }


def _drawn_shares(groups: "np.ndarray", weights: "np.ndarray", count: int) -> "np.ndarray":
    """Shares of groups (columns) in DRAWS samples of all models, with replacement.

    Models of the same group and weight are drawn as one cell of a multinomial where there are few
    of them: the same distribution, at a fraction of the work.
    """
    import numpy as np

    n = len(weights)
    draw = np.random.Generator(np.random.PCG64(SEED))
    cells, sizes = np.unique(np.stack((groups, weights)), axis=1, return_counts=True)
    of, sums = cells[0].astype(np.int64), np.empty((DRAWS, count))
    if _CELLS * len(sizes) <= n:
        for at in range(DRAWS):
            drawn = draw.multinomial(n, sizes / n) * cells[1]
            sums[at] = np.bincount(of, drawn, count)
    else:
        for at in range(DRAWS):
            times = np.bincount(draw.integers(0, n, n, dtype=np.int32), minlength=n)
            sums[at] = np.bincount(groups, times * weights, count)
    return sums / np.maximum(sums.sum(axis=1, keepdims=True), 1e-300)


def overlapping_intervals(
    groups: "np.ndarray", weights: "np.ndarray", parts: "np.ndarray", wholes: "np.ndarray"
) -> list[Interval | None]:
    """Return the 95% interval of each part's share of its whole, as models are drawn again.

    As in `share_intervals`, `groups` has the number of a group for each model, and `weights` what
    it counts for. `parts` and `wholes` have a row of flags for each share, saying for each group
    whether it is in the part, and in the whole; the same groups may be in several. None where there
    is no weight. All shares are of the same DRAWS draws: for up to BOOTSTRAP_ROWS models.
    """
    import numpy as np

    if weights.sum() <= 0:
        return [None] * len(parts)
    drawn = _drawn_shares(groups, weights.astype(np.float64), parts.shape[1])
    inside, whole = drawn @ parts.T.astype(np.float64), drawn @ wholes.T.astype(np.float64)
    shares = inside / np.maximum(whole, 1e-300)
    found = np.percentile(shares, (2.5, 97.5), axis=0)
    there = (np.bincount(groups, weights, parts.shape[1]) @ wholes.T) > 0
    return [
        Interval(float(low), min(float(high), 1.0), BOOTSTRAP) if known else None
        for low, high, known in zip(*found, there, strict=True)
    ]


def set_intervals(
    sets: "np.ndarray", models: "np.ndarray", weights: "np.ndarray", count: int
) -> Mapping[int, Interval]:
    """Return the 95% interval of each set's share of all weights, where a model may be in several
    sets, or in none.

    `sets` and `models` are pairs of a set, from 0 to `count` - 1, and a model in it; `weights` is
    what each model counts for. Percentiles of DRAWS bootstrap draws of the models with SEED.
    """
    import numpy as np

    n, total = len(weights), float(weights.sum())
    if total <= 0:
        return {}
    inside = np.zeros((n, count))
    inside[models, sets] = 1
    draw, shares = np.random.Generator(np.random.PCG64(SEED)), []
    for _ in range(DRAWS // _TOGETHER):
        places = draw.integers(0, n, (_TOGETHER, n)) + n * np.arange(_TOGETHER)[:, None]
        times = np.bincount(places.ravel(), minlength=n * _TOGETHER).reshape(_TOGETHER, n)
        drawn = times * weights
        shares.append((drawn @ inside) / np.maximum(drawn.sum(axis=1, keepdims=True), 1e-300))
    low, high = np.percentile(np.concatenate(shares), (2.5, 97.5), axis=0)
    return {at: Interval(float(low[at]), float(high[at]), BOOTSTRAP) for at in range(count)}


def delta_intervals(
    sums: "Sequence[float] | np.ndarray", squares: "Sequence[float] | np.ndarray"
) -> Mapping[int, Interval]:
    """Return the 95% interval of each group's share from its sum of weights and of their squares.

    The groups are all there are. The delta method for a ratio of sums, p = S_g / S:
    var(p) = sum((y_i - p x_i)^2) / S^2, with x_i the weight of a model and y_i the same inside of
    the group, else 0 (Cochran, Sampling Techniques, 2.11).
    """
    import numpy as np

    part, square = np.asarray(sums, dtype=np.float64), np.asarray(squares, dtype=np.float64)
    total = float(part.sum())
    if total <= 0:
        return {}
    shares = part / total
    spread = square * (1 - 2 * shares) + shares**2 * float(square.sum())
    error = np.sqrt(np.maximum(spread, 0)) / total * _Z95
    low, high = np.maximum(shares - error, 0), np.minimum(shares + error, 1)
    return {
        group: Interval(float(low[group]), float(high[group]), DELTA) for group in range(len(part))
    }


def rate_interval(part: int, whole: int) -> Interval | None:
    """Return the 95% Wilson score interval of a rate; None of nothing."""
    if not whole:
        return None
    rate, square = part / whole, _Z95**2
    middle = (rate + square / (2 * whole)) / (1 + square / whole)
    spread = (rate * (1 - rate) + square / (4 * whole)) / whole
    error = _Z95 * spread**0.5 / (1 + square / whole)
    low = max(0.0, middle - error) if part else 0.0
    high = min(1.0, middle + error) if part < whole else 1.0
    return Interval(low, high, "Wilson score")


def leave_one_out(total: float, part: float, largest_in: float, largest_out: float) -> Interval:
    """Return how a share moves if a single model is left out: the largest of it, or of the rest."""
    low = (part - largest_in) / (total - largest_in) if total > largest_in else 0.0
    high = part / (total - largest_out) if total > largest_out else 1.0
    return Interval(low, high, "leave one out")


def quantiles(values: "Sequence[float] | np.ndarray", at: Sequence[float]) -> list[float | None]:
    """Return quantiles, with straight lines between the values; None of nothing."""
    import numpy as np

    ordered = np.asarray(values, dtype=np.float64)
    if not len(ordered):
        return [None] * len(at)
    return [float(one) for one in np.quantile(ordered, at)]
