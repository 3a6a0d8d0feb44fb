# SPDX-License-Identifier: Apache-2.0
"""How long things last, of which some last still: the Kaplan-Meier estimate of survival.

Everything here is a pure function of its arguments.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np

_Z95: Final = 1.959963984540054
# Half of what there was is half of it, whatever the last digit of a product says.
_ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Step:
    """What survival is from a time on, until the next step."""

    time: float
    at_risk: int
    """How many had lasted until then, and were watched."""
    ended: int
    """How many of them ended then."""
    lost: int
    """How many were watched no longer after that, which says nothing of their end."""
    survival: float
    """The part that lasts longer than `time`."""
    low: float | None
    """Lower end of its 95% interval; None where there is none, as nothing survives."""
    high: float | None


@dataclass(frozen=True, slots=True)
class Duration:
    """A time until which a part has ended, with its 95% interval; None is: not within the data."""

    time: float | None
    low: float | None
    high: float | None


def kaplan_meier(
    lasted: "Sequence[float] | np.ndarray",
    ended: "Sequence[bool] | np.ndarray",
    counts: "Sequence[int] | np.ndarray | None" = None,
    entered: "Sequence[float] | np.ndarray | None" = None,
) -> list[Step]:
    """Return the survival after each time at which something ended or was lost from sight.

    `lasted` says for each thing how long it is known to have lasted, `ended` whether that was its
    end: all others lasted longer, nobody knows how long (right censoring). `counts` has how many
    things a row stands for (1 where it is None). `entered` has the age from which on each was
    watched (0 where it is None): things of that age or younger would not have been seen ending, so
    that a thing counts as at risk after it alone (left truncation). All times have one unit, and
    rows may come in any order. Those that are lost at a time at which others ended were at risk.

    S(t) = product of 1 - d_i / n_i over all times up to t (Kaplan and Meier, JASA 53, 1958).
    The interval is Greenwood's, on the scale of log(-log S), so that it stays within 0 and 1:
    S ** exp(-+ z * s), s = sqrt(sum of d_i / (n_i * (n_i - d_i))) / |log S| (Kalbfleisch and
    Prentice, The Statistical Analysis of Failure Time Data, 1.4). Until something has ended it is
    1 to 1.

    Raises ValueError for lists of different lengths, times that are no numbers or negative, and
    things that ended before they were watched.
    """
    import numpy as np

    times, ends = np.asarray(lasted, dtype=np.float64), np.asarray(ended, dtype=bool)
    many = np.ones(len(times), np.int64) if counts is None else np.asarray(counts, dtype=np.int64)
    starts = np.zeros(len(times)) if entered is None else np.asarray(entered, dtype=np.float64)
    _check(times, ends, many, starts)
    found, at = np.unique(times, return_inverse=True)
    here, gone = (np.zeros(len(found), np.int64) for _ in range(2))
    np.add.at(here, at, many)
    np.add.at(gone, at[ends], many[ends])
    # Of age t were watched: who lasted until t or longer, without those who were not watched yet.
    later = np.cumsum(here[::-1])[::-1] - _unseen(found, starts, many)
    return _steps(found.tolist(), later.tolist(), gone.tolist(), here.tolist())


def duration(steps: Sequence[Step], part: float = 0.5) -> Duration:
    """Return the time until which a part has ended: the first at which survival is 1 - `part` or
    less, and the same of both ends of the interval (Brookmeyer and Crowley, Biometrics 38, 1982).

    `part` is between 0 and 1; 0.5 is the median, or a half-life.
    """
    if not 0 < part < 1:
        raise ValueError(f"a part is between 0 and 1, not {part}")
    level = 1 - part + _ROUNDING
    return Duration(
        time=next((one.time for one in steps if one.survival <= level), None),
        low=next((one.time for one in steps if one.low is None or one.low <= level), None),
        high=next((one.time for one in steps if one.high is not None and one.high <= level), None),
    )


def surviving(steps: Sequence[Step], time: float) -> float | None:
    """Return the part that lasts longer than a time; None where nothing was watched that long."""
    if not steps or time < 0 or time > steps[-1].time:
        return None
    return next((one.survival for one in reversed(steps) if one.time <= time), 1.0)


def _check(
    times: "np.ndarray", ends: "np.ndarray", many: "np.ndarray", starts: "np.ndarray"
) -> None:
    import numpy as np

    if len({len(times), len(ends), len(many), len(starts)}) > 1:
        raise ValueError(
            "every thing needs a time, whether it ended, a count and an entry: as many of each"
        )
    if not np.isfinite(times).all() or (times < 0).any():
        raise ValueError("times are numbers from 0 on; leave out what has none")
    if (many < 0).any():
        raise ValueError("counts are numbers from 0 on")
    if not ((starts == 0) | ((starts > 0) & (starts < times))).all():
        raise ValueError("leave out what had ended, or was lost, before it was watched")


def _unseen(found: "np.ndarray", starts: "np.ndarray", many: "np.ndarray") -> "np.ndarray":
    """For each time how many things were watched only from that time on, or later.

    All of them lasted longer than that, so that they are among those who lasted.
    """
    import numpy as np

    # Whoever was watched from the beginning was at risk at age 0, too.
    starts, many = starts[starts > 0], many[starts > 0]
    order = np.argsort(starts, kind="stable")
    after = np.concatenate((np.cumsum(many[order][::-1])[::-1], [0]))
    return after[np.searchsorted(starts[order], found, side="left")]


def _steps(
    times: Sequence[float], at_risk: Sequence[int], ended: Sequence[int], here: Sequence[int]
) -> list[Step]:
    survival, spread, steps = 1.0, 0.0, []
    for time, n, d, left in zip(times, at_risk, ended, here, strict=True):
        if not left:
            continue
        survival *= 1 - d / n
        spread += d / (n * (n - d)) if n > d else math.inf
        low, high = _band(survival, spread)
        steps.append(Step(time, n, d, left - d, survival, low, high))
    return steps


def _band(survival: float, spread: float) -> tuple[float | None, float | None]:
    if not spread:
        return 1.0, 1.0
    if survival <= 0 or math.isinf(spread):
        return None, None
    error = _Z95 * math.sqrt(spread) / abs(math.log(survival))
    return survival ** math.exp(error), survival ** math.exp(-error)
