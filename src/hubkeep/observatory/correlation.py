# SPDX-License-Identifier: Apache-2.0
"""How two counts go together: R2 as they are and on log scales, ranks, each with its interval.

Pure functions over pairs and how often each occurs: millions of models have few different pairs.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.statistics import BOOTSTRAP, BOOTSTRAP_ROWS, DRAWS, SEED

if TYPE_CHECKING:
    import numpy as np

_Z95: Final = 1.959963984540054
_AT_ONCE: Final = 400_000
"""Pairs that are drawn in one go: what a bootstrap holds in memory."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a line through pairs fits; None where it cannot be said.

    `low` and `high` are the 95% interval of `r2`.
    """

    n: int
    r: float | None = None
    r2: float | None = None
    slope: float | None = None
    intercept: float | None = None
    low: float | None = None
    high: float | None = None
    method: str = "none"


def linear(x: "np.ndarray", y: "np.ndarray", counts: "np.ndarray") -> Fit:
    """Return the fit of y = intercept + slope x, each pair counted `counts` times.

    The interval is the percentiles of DRAWS bootstrap draws with SEED up to BOOTSTRAP_ROWS pairs,
    and Fisher's above.
    """
    n = int(counts.sum())
    line = _line(x, y, counts)
    if line is None:
        return Fit(n)
    r, slope, intercept = line
    if n <= BOOTSTRAP_ROWS:
        low, high = _drawn(x, y, counts)
        method = BOOTSTRAP if low is not None else "none"
    else:
        low, high = _fisher(r, 1 / (n - 3))
        method = "Fisher"
    return Fit(n, r, r * r, slope, intercept, low, high, method)


def spearman(x: "np.ndarray", y: "np.ndarray", counts: "np.ndarray") -> Fit:
    """Return the correlation of ranks, ties at their mean rank, with Bonett and Wright's interval.

    `slope` and `intercept` are None: ranks have no units.
    """
    n = int(counts.sum())
    line = _line(mean_ranks(x, counts), mean_ranks(y, counts), counts)
    if line is None:
        return Fit(n)
    r = line[0]
    low, high = _fisher(r, (1 + r * r / 2) / (n - 3)) if n > 3 else (None, None)
    return Fit(n, r, r * r, low=low, high=high, method="none" if low is None else "Bonett-Wright")


def mean_ranks(values: "np.ndarray", counts: "np.ndarray") -> "np.ndarray":
    """Return the rank of each value among all, from 1, equal ones sharing the mean of theirs."""
    import numpy as np

    different, inverse = np.unique(values, return_inverse=True)
    sizes = np.bincount(inverse, counts, len(different))
    last = np.cumsum(sizes)
    return (last - (sizes - 1) / 2)[inverse]


def kendall(x: "np.ndarray", y: "np.ndarray") -> float | None:
    """Return Kendall's tau-b of two rankings of the same things; None where one of them is flat."""
    import numpy as np

    n = len(x)
    dx, dy = np.sign(np.subtract.outer(x, x)), np.sign(np.subtract.outer(y, y))
    untied = float(np.abs(dx).sum()) * float(np.abs(dy).sum())
    return float((dx * dy).sum()) / math.sqrt(untied) if n > 1 and untied else None


def _line(
    x: "np.ndarray", y: "np.ndarray", counts: "np.ndarray"
) -> tuple[float, float, float] | None:
    """r, slope and intercept; None where all x or all y are equal."""
    n = float(counts.sum())
    if n < 2:
        return None
    mean_x, mean_y = float((counts * x).sum()) / n, float((counts * y).sum()) / n
    dx, dy = x - mean_x, y - mean_y
    xx, yy = float((counts * dx * dx).sum()), float((counts * dy * dy).sum())
    xy = float((counts * dx * dy).sum())
    if len(set(x.tolist())) < 2 or len(set(y.tolist())) < 2 or xx <= 0 or yy <= 0:
        return None
    r = max(-1.0, min(1.0, xy / math.sqrt(xx * yy)))
    slope = xy / xx
    return r, slope, mean_y - slope * mean_x


def _drawn(
    x: "np.ndarray", y: "np.ndarray", counts: "np.ndarray"
) -> tuple[float, float] | tuple[None, None]:
    import numpy as np

    x, y = np.repeat(x - x.mean(), counts), np.repeat(y - y.mean(), counts)
    n = len(x)
    draw = np.random.Generator(np.random.PCG64(SEED))
    found = []
    left = DRAWS
    while left:
        now = min(left, max(1, _AT_ONCE // n))
        drawn = draw.integers(0, n, (now, n))
        xs, ys = x[drawn], y[drawn]
        xs -= xs.mean(axis=1, keepdims=True)
        ys -= ys.mean(axis=1, keepdims=True)
        spread = (xs**2).sum(axis=1) * (ys**2).sum(axis=1)
        together = (xs * ys).sum(axis=1)
        found.append(together[spread > 0] / np.sqrt(spread[spread > 0]))
        left -= now
    drawn_r = np.clip(np.concatenate(found), -1, 1)
    if not len(drawn_r):
        return None, None
    low, high = np.percentile(drawn_r, (2.5, 97.5))
    return _squared(float(low), float(high))


def _fisher(r: float, variance: float) -> tuple[float, float]:
    if abs(r) >= 1:
        return 1.0, 1.0
    error = _Z95 * math.sqrt(variance)
    return _squared(math.tanh(math.atanh(r) - error), math.tanh(math.atanh(r) + error))


def _squared(low: float, high: float) -> tuple[float, float]:
    """The interval of r2 from that of r; it begins at 0 where r may be of either sign."""
    squares = sorted((low * low, high * high))
    return (0.0 if low <= 0 <= high else squares[0]), squares[1]
