# SPDX-License-Identifier: Apache-2.0
"""How sure a figure can be: intervals, ranges, and measures of concentration and agreement.

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

_Z95: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95% interval and how it was come by: bootstrap or delta method."""

    low: float
    high: float
    method: str


def share_intervals(
    groups: "np.ndarray", weights: "np.ndarray", count: int
) -> Mapping[int, Interval]:
    """Return the 95% interval of each group's share of all weights, as models are drawn again.

    `groups` has a number from 0 to `count` - 1 for each model, `weights` what it counts for (1, or
    its downloads). Up to BOOTSTRAP_ROWS models: percentiles of DRAWS bootstrap draws with SEED.
    Above: the delta method for a ratio of sums, p = S_g / S, var(p) = sum((y_i - p x_i)^2) / S^2,
    with y_i the weight of a model of the group and else 0 (Cochran, Sampling Techniques, 2.11).
    """
    import numpy as np

    total = float(weights.sum())
    if total <= 0 or not len(weights):
        return {}
    if len(weights) > BOOTSTRAP_ROWS:
        return _by_delta(groups, weights.astype(np.float64), count, total)
    draw = np.random.Generator(np.random.PCG64(SEED))
    shares = np.empty((DRAWS, count))
    for at in range(DRAWS):
        drawn = draw.integers(0, len(weights), len(weights))
        sums = np.bincount(groups[drawn], weights[drawn], count)
        shares[at] = sums / max(sums.sum(), 1e-300)
    low, high = np.percentile(shares, (2.5, 97.5), axis=0)
    return {
        group: Interval(float(low[group]), float(high[group]), "bootstrap")
        for group in range(count)
    }


def _by_delta(
    groups: "np.ndarray", weights: "np.ndarray", count: int, total: float
) -> Mapping[int, Interval]:
    import numpy as np

    sums = np.bincount(groups, weights, count)
    squares = np.bincount(groups, weights**2, count)
    all_squares = float((weights**2).sum())
    shares = sums / total
    # sum over models of (y - p w)^2, with y = w inside the group and 0 outside of it.
    spread = squares * (1 - 2 * shares) + shares**2 * all_squares
    error = np.sqrt(np.maximum(spread, 0)) / total * _Z95
    return {
        group: Interval(
            float(max(0.0, shares[group] - error[group])),
            float(min(1.0, shares[group] + error[group])),
            "delta method",
        )
        for group in range(count)
    }


def leave_one_out(total: float, part: float, largest_in: float, largest_out: float) -> Interval:
    """Return how a share moves if a single model is left out: the largest of it, or of the rest."""
    low = (part - largest_in) / (total - largest_in) if total > largest_in else 0.0
    high = part / (total - largest_out) if total > largest_out else 1.0
    return Interval(low, high, "leave one out")


def gini(values: "Sequence[float] | np.ndarray") -> float | None:
    """Return the Gini coefficient, 0 to 1; None for nothing, or where all is zero.

    G = (2 * sum(i * x_i) / (n * sum(x))) - (n + 1) / n over ascending x_i, i from 1.
    """
    import numpy as np

    ordered = np.sort(np.asarray(values, dtype=np.float64))
    total = float(ordered.sum())
    n = len(ordered)
    if not n or total <= 0:
        return None
    ranks = np.arange(1, n + 1, dtype=np.float64)
    return float(2 * (ranks * ordered).sum() / (n * total) - (n + 1) / n)


def hhi(values: "Sequence[float] | np.ndarray") -> float | None:
    """Return the Herfindahl-Hirschman index, the sum of squared shares, 0 to 1; None for nothing."""
    import numpy as np

    weights = np.asarray(values, dtype=np.float64)
    total = float(weights.sum())
    return float(((weights / total) ** 2).sum()) if total > 0 else None
