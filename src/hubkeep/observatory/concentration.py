# SPDX-License-Identifier: Apache-2.0
"""How much of a whole a few hold: Gini, HHI and the shares of the first, each with its interval.

Pure functions over what is held and by how many: millions of models have few different counters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from hubkeep.observatory.statistics import BOOTSTRAP, BOOTSTRAP_ROWS, DELTA, DRAWS, SEED, Interval

if TYPE_CHECKING:
    import numpy as np

_Z95: Final = 1.959963984540054
_AT_ONCE: Final = 200_000
"""Owners that are drawn in one go: what a bootstrap holds in memory."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What owners hold, the largest first: `times[i]` of them hold `values[i]` each."""

    values: "np.ndarray"
    times: "np.ndarray"

    @classmethod
    def of(cls, values: "np.ndarray", times: "np.ndarray | None" = None) -> Self:
        """Sort what is held, by one owner each unless `times` says by how many."""
        import numpy as np

        held = np.asarray(values, dtype=np.float64)
        owners = np.ones(len(held), np.int64) if times is None else np.asarray(times, np.int64)
        order = np.argsort(-held, kind="stable")
        return cls(held[order], owners[order])

    @property
    def n(self) -> int:
        """How many owners there are."""
        return int(self.times.sum())

    @property
    def total(self) -> float:
        """What all of them hold."""
        return float((self.values * self.times).sum())


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure of some holdings; None where nobody holds anything."""

    value: float | None = None
    interval: Interval | None = None
    alone: Interval | None = None
    """The least and the most that it is as one owner after the other is left out."""


def measured(held: Holdings, tops: Mapping[str, int]) -> dict[str, Measured]:
    """Return `gini`, `hhi` and, by its name in `tops`, the share of so many of the largest.

    Up to BOOTSTRAP_ROWS owners the 95% intervals are percentiles of DRAWS bootstrap draws of the
    owners with SEED, above those of the delta method: for the Gini by Langel and Tillé (2013), for
    the shares by Beach and Davidson (1983).
    """
    names = ("gini", "hhi", *tops)
    if not held.n or held.total <= 0:
        return dict.fromkeys(names, Measured())
    cuts = list(tops.values())
    values = _measures(held.values, held.times, cuts)
    spans = _drawn(held, cuts) if held.n <= BOOTSTRAP_ROWS else _delta(held, cuts, values)
    without = _left_out(held, cuts) or [None] * len(names)
    return {
        name: Measured(float(value), span, alone)
        for name, value, span, alone in zip(names, values, spans, without, strict=True)
    }


def curve(held: Holdings, points: int) -> list[tuple[int, float]]:
    """Return about so many points of the share that the first r owners hold, r evenly spaced on a
    log scale from 1 to all.
    """
    import numpy as np

    if not held.n or held.total <= 0:
        return []
    ranks = np.unique(np.rint(np.geomspace(1, held.n, points)).astype(np.int64))
    last, sums = held.times.cumsum(), (held.values * held.times).cumsum()
    at = np.searchsorted(last, ranks)
    shares = (sums[at] - (last[at] - ranks) * held.values[at]) / held.total
    return list(zip(ranks.tolist(), shares.tolist(), strict=True))


def _measures(values: "np.ndarray", times: "np.ndarray", tops: Sequence[int]) -> "np.ndarray":
    """Gini, HHI and the shares of the `tops` largest, of values in descending order; for each row
    of `times` one column.

    G = (n + 1) / n - 2 * sum(j * x_j) / (n * sum(x)) over descending x_j, j from 1.
    """
    import numpy as np

    held, last = values * times, times.cumsum(axis=-1)
    n, total = last[..., -1], held.sum(axis=-1)
    ranked = ((last - (times - 1) / 2) * held).sum(axis=-1)
    firsts = []
    for top in tops:
        # No row needs cells beyond the one with which it has so many owners.
        few = slice(int((last < top).sum(axis=-1).max()) + 1)
        some = times[..., few]
        inside = np.clip(top - (last[..., few] - some), 0, some)
        firsts.append((inside * values[few]).sum(axis=-1) / total)
    gini = (n + 1) / n - 2 * ranked / (n * total)
    return np.stack((gini, (held * values).sum(axis=-1) / total**2, *firsts))


def _drawn(held: Holdings, tops: Sequence[int]) -> list[Interval]:
    import numpy as np

    draw = np.random.Generator(np.random.PCG64(SEED))
    n, cells = held.n, len(held.values)
    owners, found, left = np.repeat(np.arange(cells), held.times), [], DRAWS
    while left:
        now = min(left, max(1, _AT_ONCE // n))
        places = owners[draw.integers(0, n, (now, n))] + cells * np.arange(now)[:, None]
        times = np.bincount(places.ravel(), minlength=now * cells).reshape(now, cells)
        some = (times * held.values).any(axis=1)
        found.append(_measures(held.values, times[some], tops))
        left -= now
    ends = np.percentile(np.concatenate(found, axis=1), (2.5, 97.5), axis=1)
    return [Interval(float(low), float(high), BOOTSTRAP) for low, high in ends.T]


def _delta(held: Holdings, tops: Sequence[int], values: "np.ndarray") -> list[Interval]:
    """Intervals by what one owner more of each kind would do, in the first order."""
    import numpy as np

    x, times, n, total = held.values, held.times, held.n, held.total
    last, sums = times.cumsum(), (x * times).cumsum()
    gini, hhi, *shares = values.tolist()
    # Owners that hold less than this one are n - last; together they hold total - sums.
    poorer = 2 * ((n - last) * x - (total - sums))
    effects = [
        (poorer + total - n * x - gini * (total + n * x)) / (n * total),
        (x / total) ** 2 - 2 * hhi * x / total,
    ]
    for top, share in zip(tops, shares, strict=True):
        edge = x[min(int(np.searchsorted(last, top)), len(x) - 1)]
        effects.append((np.maximum(x - edge, 0) + top / n * edge - share * x) / total)
    found = []
    for effect, value in zip(effects, values.tolist(), strict=True):
        mean = float((effect * times).sum()) / n
        error = _Z95 * (float((times * (effect - mean) ** 2).sum()) * n / (n - 1)) ** 0.5
        found.append(Interval(max(value - error, 0.0), min(value + error, 1.0), DELTA))
    return found


def _left_out(held: Holdings, tops: Sequence[int]) -> list[Interval]:
    """The range of each measure as each owner in turn is left out; nothing of a single one."""
    import numpy as np

    x, times, n, total = held.values, held.times, held.n - 1, held.total
    rest = total - x
    stays = rest > 0
    if n < 1 or not stays.any():
        return []
    last, sums = times.cumsum(), (x * times).cumsum()
    ranked = float(((last - (times - 1) / 2) * times * x).sum())
    # Those that come after the one that is left out move up by one rank.
    moved = ranked - last * x - (total - sums)
    rest = np.where(stays, rest, 1)
    found = [
        (n + 1) / n - 2 * moved / (n * rest),
        ((times * x**2).sum() - x**2) / rest**2,
    ]
    for top in tops:
        at = min(int(np.searchsorted(last, top)), len(x) - 1)
        first = sums[at] - max(int(last[at]) - top, 0) * x[at]
        following = x[int(np.searchsorted(last, top + 1))] if top <= n else 0.0
        found.append(np.where(last - times < top, first - x + following, first) / rest)
    return [
        Interval(
            max(float(values[stays].min()), 0.0),
            min(float(values[stays].max()), 1.0),
            "leave one out",
        )
        for values in found
    ]
