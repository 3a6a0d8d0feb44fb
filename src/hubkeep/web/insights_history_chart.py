# SPDX-License-Identifier: Apache-2.0
"""Counters over time as a chart: a line for each subject, broken where nothing is known."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Final, Literal

import msgspec

from hubkeep.observatory.charts import CONFIG, logarithmic, number
from hubkeep.observatory.document import Cell, Spec, TableOf
from hubkeep.observatory.reader.wire import PointOf
from hubkeep.web.insights_history import Told

Measure = Literal["downloads_30d", "downloads_all", "likes", "rank"]

MEASURES: Final[Mapping[str, str]] = {
    "downloads_30d": "Downloads in the 30 days before",
    "downloads_all": "Downloads of all time",
    "likes": "Likes",
    "rank": "Rank by downloads in 30 days",
}
"""What can be drawn, each on an axis of its own; what is shown of repositories and of accounts."""

_APART: Final = 3
"""No line connects snapshots that are so many times further apart than usual."""
_SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
# In the settings, where what draws for narrow screens has the last word.
_LEGEND: Final = {"orient": "top", "columns": 5, "labelFontSize": 12, "labelLimit": 200}
_WIDTH: Final = 1120
_TALL: Final = 320
_COLUMNS: Final = ("name", "day", "value", "snapshot")


class Drawn(msgspec.Struct, rename="camel", kw_only=True):
    """A chart in Vega-Lite, and its data, as figures have theirs."""

    id: str
    chart: Spec
    table: TableOf
    points: Mapping[str, TableOf] = {}


def value_of(point: PointOf | None, measure: Measure) -> int | None:
    """Return what a snapshot says; None where it says nothing."""
    return None if point is None else getattr(point, measure)


def drawn(told: Told, measure: Measure, scale: str, name: str) -> Drawn:
    """Return the chart of a measure; `name` is that of its files."""
    rows = [
        row for course in told.courses for row in _rows(told, course.points, course.name, measure)
    ]
    return Drawn(
        id=name,
        chart=_chart(measure, scale, [course.name for course in told.courses]),
        table=TableOf(columns=_COLUMNS, rows=rows),
    )


def breaks(told: Told) -> Sequence[int]:
    """Return the places of snapshots that are much longer after the one before than others are:
    what happened in between nobody knows, and no line says it.
    """
    times = [datetime.fromisoformat(one.taken_at).timestamp() for one in told.history]
    steps = [after - before for before, after in pairwise(times)]
    if not steps:
        return []
    usual = median(steps)
    return [at + 1 for at, step in enumerate(steps) if step > _APART * usual]


def _rows(
    told: Told, points: Sequence[PointOf | None], name: str, measure: Measure
) -> Iterator[Sequence[Cell]]:
    broken = set(breaks(told))
    for at, (snapshot, point) in enumerate(zip(told.history, points, strict=True)):
        if at in broken:
            yield name, _between(told.history[at - 1].taken_at, snapshot.taken_at), None, None
        yield name, snapshot.taken_at, value_of(point, measure), snapshot.id


def _between(before: str, after: str) -> str:
    first, last = (datetime.fromisoformat(one) for one in (before, after))
    return (first + (last - first) / 2).isoformat(timespec="seconds")


def _chart(measure: Measure, scale: str, names: Sequence[str]) -> Spec:
    title, is_log = MEASURES[measure], scale == "log"
    y = logarithmic("value", title, form="~s") if is_log else number("value", title)
    if measure == "rank":
        told = {"reverse": True, "zero": False}
        y |= {"scale": {**y["scale"], **told} if is_log else told}  # ty: ignore[invalid-argument-type]
    encoding = {
        "x": {
            "field": "day",
            "type": "temporal",
            "title": None,
            "scale": {"type": "utc"},
            "axis": {"labelOverlap": True, "tickCount": 8, "format": "%-d %b %Y"},
        },
        "tooltip": [
            {"field": "name", "title": "name"},
            {
                "field": "day",
                "type": "temporal",
                "scale": {"type": "utc"},
                "timeUnit": "utcyearmonthdate",
                "format": "%-d %B %Y",
                "title": "day",
            },
            {"field": "value", "type": "quantitative", "format": ",", "title": title.lower()},
            {"field": "snapshot", "title": "snapshot"},
        ],
    }
    if len(names) > 1:
        encoding["color"] = {"field": "name", "type": "nominal", "sort": names, "title": None}
    mark: Spec = {"type": "line", "invalid": "break-paths-filter-domains", "strokeWidth": 1.75}
    known: Spec = {"filter": "isValid(datum.value)"}
    dots: Spec = {"type": "point", "size": 26}
    above: list[Spec] = [{"filter": "!isValid(datum.value) || datum.value > 0"}] if is_log else []
    layers: list[Spec] = [
        {"transform": above, "mark": mark, "encoding": {"y": y}},
        {"transform": [known, *above], "mark": dots, "encoding": {"y": y}},
    ]
    if is_log:
        bottom: Spec = {"y": {"value": _TALL}}
        none = {"type": "point", "size": 40, "filled": False, "tooltip": True}
        zeros = [{"filter": "datum.value === 0"}]
        layers.append({"transform": zeros, "mark": none, "encoding": bottom})
    return {
        "$schema": _SCHEMA,
        "config": {**CONFIG, "legend": _LEGEND},
        "data": {"name": "table"},
        "width": _WIDTH,
        "height": _TALL,
        "encoding": encoding,
        "layer": layers,
    }
