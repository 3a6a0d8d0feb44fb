# SPDX-License-Identifier: Apache-2.0
"""What is said beside counters over time: how many snapshots, what is missing, what to know."""

import textwrap
from collections.abc import Sequence
from typing import Final

from hubkeep.web.insights_history import Told
from hubkeep.web.insights_history_chart import Measure, breaks, value_of

_LINE: Final = 88
_BEWARE: Final = {
    "downloads_30d": "Each point is a sum over the 30 days before its snapshot: two points that "
    "are less than 30 days apart share days, and must not be added.",
    "downloads_all": "Counters of all time can fall: a hub that counts anew, or leaves out "
    "robots, takes back what it has said before.",
    "rank": "Rank 1 has the most downloads in 30 days. The rank is among all that the snapshot "
    "has, counters that stand out included.",
    "likes": "Likes can be taken back.",
}


def caption(told: Told, measure: Measure) -> str:
    """Return what stands under the chart: n, the days, and the snapshot."""
    n = sum(
        any(value_of(one.points[at], measure) is not None for one in told.courses)
        for at in range(len(told.history))
    )
    first, last = told.history[0], told.history[-1]
    days = f"{first.taken_at[:10]} to {last.taken_at[:10]}" if len(told.history) > 1 else ""
    parts = [f"n = {n:,} of {_snapshots(len(told.history))}", days or last.taken_at[:10]]
    return " · ".join([*parts, f"last snapshot {last.id}"])


def notes(told: Told, measure: Measure, scale: str) -> Sequence[str]:
    """Return what has to be known before believing the chart, in sentences."""
    said = [_BEWARE[measure]]
    without = [one for one in told.courses if any(point is None for point in one.points)]
    for one in without:
        gaps = sum(point is None for point in one.points)
        said.append(
            f"{_snapshots(gaps, 'has', 'have')} nothing of {one.name}: the line is broken there."
        )
    silent = [one for one in told.courses if _silent(one.points, measure)]
    for one in silent:
        count = _silent(one.points, measure)
        said.append(f"{_snapshots(count, 'has', 'have')} {one.name}, but not this counter.")
    if breaks(told):
        said.append(
            "No line connects snapshots that are more than three times further apart than usual."
        )
    if told.there > len(told.history):
        said.append(f"{_snapshots(len(told.history))} of {told.there:,}, evenly spread in order.")
    zeros = sum(value_of(point, measure) == 0 for one in told.courses for point in one.points)
    if scale == "log" and zeros:
        said.append(
            "What is zero has no place on a logarithmic axis: circles at the foot stand for it."
        )
    return said


def heading(name: str, measure: str, under: str) -> dict[str, object]:
    """Return the title of the chart where it is passed on as a picture."""
    lines = [measure, under]
    return {
        "text": name,
        "subtitle": [part for line in lines for part in textwrap.wrap(line, _LINE)],
        "anchor": "start",
        "frame": "bounds",
        "offset": 12,
    }


def _silent(points: Sequence[object], measure: Measure) -> int:
    return sum(point is not None and getattr(point, measure) is None for point in points)


def _snapshots(count: int, one: str = "", more: str = "") -> str:
    text = "1 snapshot" if count == 1 else f"{count:,} snapshots"
    verb = one if count == 1 else more
    return f"{text} {verb}" if verb else text
