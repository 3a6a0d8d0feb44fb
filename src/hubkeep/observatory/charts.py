# SPDX-License-Identifier: Apache-2.0
"""Charts as Vega-Lite: the marks that figures need, in one look, readable in light and dark.

Colours are those of Okabe and Ito, which people of every kind of sight tell apart. Axes of counts
that span decades are log10; what is zero has no place on them and stands in a strip of its own.
"""

from collections.abc import Mapping
from typing import Final

from hubkeep.observatory.figure import Chart

BLUE: Final = "#0072B2"
ORANGE: Final = "#E69F00"
VERMILION: Final = "#D55E00"
GREY: Final = "#7F7F7F"
PALETTE: Final = (
    BLUE,
    ORANGE,
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    VERMILION,
    "#B0A000",
    GREY,
)
SHOWN: Final = 25
"""Bars of a chart; the table has all."""

STRIP: Final = 26
SHARED_Y: Final[Mapping[str, object]] = {"scale": {"y": "shared"}}
WIDTH: Final = 520
STEP: Final = 20
TALL: Final = 260

CONFIG: Final[Mapping[str, object]] = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "range": {"category": list(PALETTE)},
    "mark": {"color": BLUE, "tooltip": True},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titlePadding": 8,
        "labelLimit": 260,
        "labelSeparation": 6,
        "gridColor": "#E2E2E2",
        "domainColor": "#8A8A8A",
        "tickColor": "#8A8A8A",
    },
    "legend": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "labelLimit": 220,
        "symbolOpacity": 1,
        "symbolStrokeWidth": 2,
    },
    "header": {"labelFontSize": 12, "titleFontSize": 12, "labelLimit": 300},
    "title": {
        "fontSize": 13,
        "subtitleFontSize": 12,
        "subtitleLineHeight": 17,
        "subtitlePadding": 6,
    },
    "view": {"stroke": None},
    "point": {"filled": True},
    "rule": {"color": GREY},
    "text": {"color": GREY, "fontSize": 12, "limit": 320},
    "boxplot": {"rule": {"color": GREY}, "median": {"color": "#FFFFFF", "strokeWidth": 2}},
    "concat": {"spacing": 16},
}

# Lines of a grid at powers of ten, and others to be seen only by who looks for them.
DECADES: Final[Mapping[str, object]] = {
    "condition": {
        "test": "abs(log(datum.value) / LN10 - round(log(datum.value) / LN10)) < 1e-6",
        "value": 1,
    },
    "value": 0.35,
}
# The month, or the day within it, and the year below it: whichever labels there is room for, each
# says its year.
_DAYS: Final = (
    "[utcFormat(datum.value, utcdate(datum.value) > 1 ? '%-d %b' : '%b'), "
    "utcFormat(datum.value, '%Y')]"
)

Encoding = dict[str, object]
View = dict[str, object]
TABLE: Final[Mapping[str, object]] = {"name": "table"}


def number(field: str, title: str | None, *, form: str = "~s") -> Encoding:
    """Return a linear axis from zero; `form` is how d3 writes its numbers (`~s`: 400, 1.2k, 3M)."""
    return {"field": field, "type": "quantitative", "title": title, "axis": ticks(form)}


def ticks(form: str = "~s") -> Encoding:
    """Return how the numbers of an axis are written: a half as 0.5, which `~s` has as 500m."""
    written = f"format(datum.value, '{form}')"
    if form == "~s":
        written = f"abs(datum.value) < 1 ? format(datum.value, '~g') : {written}"
    return {"labelExpr": written, "tickCount": 6}


def share(field: str, title: str | None) -> Encoding:
    """Return a linear axis of shares, told in per cent."""
    return number(field, title, form="~%")


def logarithmic(field: str, title: str, *, form: str = "~g", offset: int = 0) -> Encoding:
    """Return a log10 axis; rows whose value is zero must be filtered out and drawn in a strip.

    `form` is how d3 writes its numbers (`~s` for counts: 20k), `offset` leaves room for the strip.
    """
    return {
        "field": field,
        "type": "quantitative",
        "title": f"{title} (log scale)",
        "scale": {"type": "log", "base": 10, "nice": False},
        "axis": {"format": form, "tickCount": 6, "offset": offset, "gridOpacity": DECADES},
    }


def month(field: str, title: str | None = None) -> Encoding:
    """Return an axis of days; values are at the beginning of a month or a quarter."""
    return {
        "field": field,
        "type": "temporal",
        "title": title,
        "scale": {"type": "utc"},
        "axis": {"labelExpr": _DAYS, "labelOverlap": True},
    }


def bars(
    category: str,
    value: str,
    title: str,
    *,
    ci: bool = False,
    low: str = "ci_lo",
    high: str = "ci_hi",
) -> Chart:
    """Return horizontal bars of shares, the largest SHOWN of them; `ci` draws the interval too."""
    y: Encoding = {"field": category, "type": "nominal", "sort": "-x", "title": None}
    layers: list[View] = [{"mark": {"type": "bar"}, "encoding": {"x": share(value, title), "y": y}}]
    if ci:
        layers.append(
            {
                "mark": {"type": "rule", "color": GREY, "strokeWidth": 2},
                "encoding": {
                    "x": {"field": low, "type": "quantitative"},
                    "x2": {"field": high},
                    "y": y,
                },
            }
        )
    return {
        "data": TABLE,
        "transform": largest(value),
        "width": WIDTH,
        "height": {"step": STEP},
        "layer": layers,
    }


def largest(value: str, count: int = SHOWN) -> list[View]:
    """Return the transforms that leave the rows with the largest values."""
    return [
        {
            "window": [{"op": "row_number", "as": "at"}],
            "sort": [{"field": value, "order": "descending"}],
        },
        {"filter": f"datum.at <= {count}"},
    ]


def boxes(category: str, low: str, middle: str, high: str, title: str) -> Chart:
    """Return quartiles on a log10 axis, a tick at the median; zeros stand in a strip."""
    y: Encoding = {"field": category, "type": "nominal", "sort": None, "title": None}
    bare = {**y, "axis": None}
    span: View = {
        "transform": [
            {"filter": f"datum.{high} > 0"},
            {"calculate": f"max(datum.{low}, 1)", "as": "from"},
        ],
        "mark": {"type": "bar", "height": 8, "opacity": 0.45},
        "encoding": {"x": logarithmic("from", title, form="~s"), "x2": {"field": high}, "y": bare},
    }
    tick: View = {
        "transform": [{"filter": f"datum.{middle} > 0"}],
        "mark": {"type": "tick", "thickness": 3, "color": VERMILION, "height": 12},
        "encoding": {"x": logarithmic(middle, title, form="~s"), "y": bare},
    }
    zero: View = {
        "transform": [
            {"fold": [low, middle, high], "as": ["which", "value"]},
            {"filter": "isValid(datum.value) && datum.value == 0"},
        ],
        "width": STRIP,
        "height": {"step": STEP},
        "mark": {"type": "point", "color": VERMILION},
        "encoding": {"x": zero_strip(), "y": y},
    }
    panel: View = {"width": WIDTH, "height": {"step": STEP}, "layer": [span, tick]}
    return {"data": TABLE, "hconcat": [zero, panel], "spacing": 2, "resolve": SHARED_Y}


def strip(points: str, category: str, value: str, title: str, colour: str | None = None) -> Chart:
    """Return each point of `points` on a log10 axis by category; zeros stand in a strip."""
    y: Encoding = {"field": category, "type": "nominal", "title": None}
    shown: Encoding = {"opacity": {"value": 0.5}}
    if colour:
        shown["color"] = {"field": colour, "type": "nominal", "title": colour.replace("_", " ")}
    zero: View = {
        "transform": [{"filter": f"datum.{value} == 0"}],
        "width": STRIP,
        "height": {"step": STEP},
        "mark": {"type": "tick", "thickness": 2},
        "encoding": {"x": zero_strip(), "y": y, **shown},
    }
    panel: View = {
        "transform": [{"filter": f"datum.{value} > 0"}],
        "width": WIDTH,
        "height": {"step": STEP},
        "mark": {"type": "tick", "thickness": 2},
        "encoding": {"x": logarithmic(value, title), "y": {**y, "axis": None}, **shown},
    }
    return {"data": {"name": points}, "hconcat": [zero, panel], "spacing": 2, "resolve": SHARED_Y}


def zero_strip() -> Encoding:
    return {"datum": "0", "type": "nominal", "title": None, "axis": {"labelAngle": 0}}
