# SPDX-License-Identifier: Apache-2.0
"""Charts as Vega-Lite: the marks that figures need, in one look, readable in light and dark.

Colours are those of Okabe and Ito, which people of every kind of sight tell apart. Axes of counts
that span decades are log10; what is zero has no place on them and stands in a strip of its own.
"""

import json
from collections.abc import Mapping, Sequence
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

_STRIP: Final = 26
_SHARED_Y: Final[Mapping[str, object]] = {"scale": {"y": "shared"}}
_WIDTH: Final = 520
_STEP: Final = 20
_TALL: Final = 260

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
        "fontSize": 16,
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
_DECADES: Final[Mapping[str, object]] = {
    "condition": {
        "test": "abs(log(datum.value) / LN10 - round(log(datum.value) / LN10)) < 1e-6",
        "value": 1,
    },
    "value": 0.35,
}
# A year where it begins, a month within it, a day within that.
_DAYS: Final = (
    "utcdate(datum.value) > 1 ? utcFormat(datum.value, '%-d %b') : "
    "utcmonth(datum.value) > 0 ? utcFormat(datum.value, '%b') : utcFormat(datum.value, '%Y')"
)

Encoding = dict[str, object]
View = dict[str, object]
TABLE: Final[Mapping[str, object]] = {"name": "table"}


def number(field: str, title: str | None, *, form: str = "~s") -> Encoding:
    """Return a linear axis from zero; `form` is how d3 writes its numbers (`~s`: 400, 1.2k, 3M)."""
    axis = {"labelExpr": f"format(datum.value, '{form}')", "tickCount": 6}
    return {"field": field, "type": "quantitative", "title": title, "axis": axis}


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
        "axis": {"format": form, "tickCount": 6, "offset": offset, "gridOpacity": _DECADES},
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
        "width": _WIDTH,
        "height": {"step": _STEP},
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
        "width": _STRIP,
        "height": {"step": _STEP},
        "mark": {"type": "point", "color": VERMILION},
        "encoding": {"x": _zero(), "y": y},
    }
    panel: View = {"width": _WIDTH, "height": {"step": _STEP}, "layer": [span, tick]}
    return {"data": TABLE, "hconcat": [zero, panel], "spacing": 2, "resolve": _SHARED_Y}


def strip(points: str, category: str, value: str, title: str, colour: str | None = None) -> Chart:
    """Return each point of `points` on a log10 axis by category; zeros stand in a strip."""
    y: Encoding = {"field": category, "type": "nominal", "title": None}
    shown: Encoding = {"opacity": {"value": 0.5}}
    if colour:
        shown["color"] = {"field": colour, "type": "nominal", "title": colour.replace("_", " ")}
    zero: View = {
        "transform": [{"filter": f"datum.{value} == 0"}],
        "width": _STRIP,
        "height": {"step": _STEP},
        "mark": {"type": "tick", "thickness": 2},
        "encoding": {"x": _zero(), "y": y, **shown},
    }
    panel: View = {
        "transform": [{"filter": f"datum.{value} > 0"}],
        "width": _WIDTH,
        "height": {"step": _STEP},
        "mark": {"type": "tick", "thickness": 2},
        "encoding": {"x": logarithmic(value, title), "y": {**y, "axis": None}, **shown},
    }
    return {"data": {"name": points}, "hconcat": [zero, panel], "spacing": 2, "resolve": _SHARED_Y}


_STANDS_OUT: Final[Mapping[str, object]] = {
    "field": "is_flagged",
    "type": "nominal",
    "title": None,
    "scale": {"domain": [False, True], "range": [BLUE, VERMILION]},
    "legend": {"labelExpr": "datum.value ? 'stands out' : 'others'"},
}


def cloud(
    points: str,
    x: str,
    y: str,
    x_title: str,
    y_title: str,
    label: str,
    *,
    colour: Mapping[str, object] = _STANDS_OUT,
    named: str = "datum.is_flagged",
    line: str | None = "line",
) -> Chart:
    """Return points on two log10 axes, flagged ones marked and named; zeros stand in strips.

    `colour` is how else they are coloured, `named` holds, in Vega's expressions, for the points
    that have their name beside them, and `line` is the data of a line through them, if there is.
    """
    seen: Encoding = {
        "color": colour,
        "tooltip": [{"field": name} for name in (label, x, y)],
    }
    mark: View = {"type": "point", "size": 24, "opacity": 0.6}
    size = 380
    across = logarithmic(x, x_title, form="~s", offset=_STRIP)
    up = logarithmic(y, y_title, form="~s", offset=_STRIP)
    # Pixels: in the strips between the panel and its axes, where no logarithm reaches.
    left, below = {"value": -_STRIP / 2}, {"value": size + _STRIP / 2}

    def dots(where: str, place: Encoding) -> View:
        return {
            "transform": [{"filter": where}],
            "mark": mark,
            "encoding": {**place, **seen},
        }

    def zero_at(place: Encoding) -> View:
        """The number of a strip, in line with those of the axis."""
        return {
            "data": {"values": [{}]},
            "mark": {"type": "text", "text": "0", "tooltip": None},
            "encoding": place,
        }

    names: View = {
        "transform": [{"filter": named}],
        "mark": {"type": "text", "align": "right", "dx": -6, "color": VERMILION},
        "encoding": {"x": across, "y": up, "text": {"field": label}},
    }
    fit: View = {
        "data": {"name": line},
        "mark": {"type": "line", "color": GREY, "strokeDash": [5, 4]},
        "encoding": {"x": across, "y": up},
    }
    return {
        "data": {"name": points},
        "width": _WIDTH,
        "height": size,
        "layer": [
            dots(f"datum.{x} > 0 && datum.{y} > 0", {"x": across, "y": up}),
            dots(f"datum.{x} == 0 && datum.{y} > 0", {"x": left, "y": up}),
            dots(f"datum.{x} > 0 && datum.{y} == 0", {"x": across, "y": below}),
            dots(f"datum.{x} == 0 && datum.{y} == 0", {"x": left, "y": below}),
            zero_at({"x": left, "y": {"value": size + _STRIP + 13}}),
            zero_at({"x": {"value": -_STRIP - 12}, "y": below}),
            names,
            *([fit] if line else []),
        ],
    }


def _zero() -> Encoding:
    return {"datum": "0", "type": "nominal", "title": None, "axis": {"labelAngle": 0}}


def dumbbells(
    category: str,
    measures: Mapping[str, tuple[str, str, str]],
    title: str,
    order: Sequence[str],
    *,
    where: str = "true",
) -> Chart:
    """Return for each category of `order` a dot for each share, with its interval, on one axis.

    `measures` has the columns of value, low and high by what the legend calls them; `where` holds,
    in Vega's expressions, for the rows that are drawn. A line joins the dots of a category.
    """
    y: Encoding = {"field": category, "type": "nominal", "sort": list(order), "title": None}
    names = list(measures)
    columns = [value for value, _, _ in measures.values()]
    ends: View = {
        "transform": [{"filter": "datum.least <= datum.most"}],
        "mark": {"type": "rule", "color": GREY, "opacity": 0.4},
        "encoding": {"x": share("least", title), "x2": {"field": "most"}, "y": y},
    }
    layers = [ends]
    for at, (name, (value, low, high)) in enumerate(measures.items()):
        colour: Encoding = {
            "datum": name,
            "type": "nominal",
            "title": None,
            "scale": {"domain": names, "range": list(PALETTE[: len(names)])},
        }
        thick: View = {"type": "rule", "strokeWidth": 5, "opacity": 0.35}
        layers += [
            {
                "transform": [{"filter": f"isValid(datum.{low})"}],
                "mark": thick,
                "encoding": {"x": share(low, title), "x2": {"field": high}, "y": y}
                | {"color": colour},
            },
            {
                "transform": [{"filter": f"isValid(datum.{value})"}],
                "mark": {
                    "type": "point",
                    "size": 60,
                    "opacity": 1,
                    "shape": ("circle", "diamond")[at % 2],
                },
                "encoding": {"x": share(value, title), "y": y, "color": colour}
                | {"tooltip": [{"field": one} for one in (category, value, low, high)]},
            },
        ]
    known = [f"isValid(datum.{one}) ? datum.{one} : " for one in columns]
    return {
        "data": TABLE,
        "transform": [
            {"filter": where},
            {"calculate": f"min({', '.join(f'{one}1' for one in known)})", "as": "least"},
            {"calculate": f"max({', '.join(f'{one}0' for one in known)})", "as": "most"},
        ],
        "width": _WIDTH,
        "height": {"step": _STEP + 4},
        "layer": layers,
    }


def by_quarter(category: str, value: str, title: str, order: Sequence[str], where: str) -> Chart:
    """Return stacked bars of shares for each quarter, and one apart for what is censored.

    Rows have `quarter`, `is_censored` and `n`; `order` is that of the categories, from the
    ground up, and `where` holds, in Vega's expressions, for the rows that are drawn.
    """
    places = [f"datum.{category} == {json.dumps(name)} ? {at} : " for at, name in enumerate(order)]
    shown: Encoding = {
        "color": {
            "field": category,
            "type": "nominal",
            "title": None,
            "sort": list(order),
            "scale": {"domain": list(order), "range": [*PALETTE[: len(order) - 1], "#BFBFBF"]},
        },
        "order": {"field": "place", "type": "quantitative"},
        "tooltip": [{"field": one} for one in (category, "quarter", "n", value)],
    }
    before: View = {
        "transform": [{"filter": "datum.is_censored"}],
        "width": _STRIP,
        "height": _TALL,
        "mark": "bar",
        "encoding": {
            "x": {
                "datum": "before Mar 2022",
                "type": "nominal",
                "title": None,
                "axis": {"labelAngle": -45},
            },
            "y": share(value, title),
            **shown,
        },
    }
    quarters: View = {
        "transform": [
            {"filter": "!datum.is_censored && isValid(datum.quarter)"},
            {
                "calculate": "utcFormat(toDate(datum.quarter), '%Y Q') + "
                "utcquarter(toDate(datum.quarter))",
                "as": "named",
            },
        ],
        "width": _WIDTH,
        "height": _TALL,
        "mark": "bar",
        "encoding": {
            "x": {
                "field": "named",
                "type": "ordinal",
                "title": "Quarter in which it was made",
                "axis": {"labelAngle": -45, "labelOverlap": True},
            },
            "y": {**share(value, None), "axis": None},
            **shown,
        },
    }
    return {
        "data": TABLE,
        "transform": [
            {"filter": where},
            {"calculate": f"{''.join(places)}{len(order)}", "as": "place"},
        ],
        "hconcat": [before, quarters],
        "spacing": 8,
        "resolve": _SHARED_Y,
    }


def estimates(
    category: str,
    range_of: tuple[str, str, str],
    told: str,
    title: str,
    parts: Mapping[str, str],
) -> Chart:
    """Return estimates with their ranges on a log10 axis, and what is told beside them.

    `range_of` has the columns of low, middle and high, `told` that of a number from elsewhere,
    which is in a strip where it is zero; `parts` has the title of each panel by what rows of it
    have in the column `part`. Categories stand as their rows do.
    """
    low, middle, high = range_of
    names = ["estimated", "reported"]
    across = logarithmic(middle, title, form="~s")

    def coloured(name: str) -> Encoding:
        scale: Encoding = {"domain": names, "range": [BLUE, VERMILION]}
        return {"datum": name, "type": "nominal", "title": None, "scale": scale}

    panels: list[View] = []
    for at, (name, heading) in enumerate(parts.items()):
        y: Encoding = {"field": category, "type": "nominal", "sort": None, "title": heading}
        bare = {**y, "axis": None}
        x = across if at == len(parts) - 1 else {**across, "title": None}
        told_x: Encoding = {**x, "field": told}
        hover = [{"field": one} for one in (category, *range_of, told)]
        zero: View = {
            "transform": [{"filter": f"isValid(datum.{told}) && datum.{told} == 0"}],
            "width": _STRIP,
            "height": {"step": _STEP},
            "mark": {"type": "point", "shape": "diamond", "size": 60},
            "encoding": {"x": _zero(), "y": y, "color": coloured("reported")},
        }
        layers: list[View] = [
            {
                "transform": [{"filter": f"isValid(datum.{middle})"}],
                "mark": {"type": "rule", "strokeWidth": 5, "opacity": 0.35},
                "encoding": {
                    "x": {**x, "field": low},
                    "x2": {"field": high},
                    "y": bare,
                    "color": coloured("estimated"),
                },
            },
            {
                "transform": [{"filter": f"isValid(datum.{middle})"}],
                "mark": {"type": "point", "size": 60},
                "encoding": {"x": x, "y": bare, "color": coloured("estimated"), "tooltip": hover},
            },
            {
                "transform": [{"filter": f"datum.{told} > 0"}],
                "mark": {"type": "point", "shape": "diamond", "size": 60},
                "encoding": {
                    "x": told_x,
                    "y": bare,
                    "color": coloured("reported"),
                    "tooltip": hover,
                },
            },
        ]
        panel: View = {"width": _WIDTH, "height": {"step": _STEP}, "layer": layers}
        panels.append(
            {
                "transform": [{"filter": f"datum.part == '{name}'"}],
                "hconcat": [zero, panel],
                "spacing": 2,
                "resolve": _SHARED_Y,
            }
        )
    return {"data": TABLE, "vconcat": panels, "resolve": {"scale": {"x": "independent"}}}


def matrix(
    across: tuple[str, str],
    down: tuple[str, str],
    value: tuple[str, str],
    order: Sequence[str],
    count: str,
) -> Chart:
    """Return shares as a heat map, with the per cents written in the cells.

    `across`, `down` and `value` are columns and their titles, `order` is that of both axes, and
    `count` a column that is told beside the share.
    """
    x, y = (
        {
            "field": field,
            "type": "nominal",
            "title": title,
            "scale": {"domain": list(order)},
            "sort": list(order),
        }
        for field, title in (across, down)
    )
    field, title = value
    return {
        "data": TABLE,
        "width": {"step": 90},
        "height": {"step": 30},
        "encoding": {"x": {**x, "axis": {"labelAngle": 0}}, "y": y},
        "layer": [
            {
                "mark": "rect",
                "encoding": {
                    "color": {
                        "field": field,
                        "type": "quantitative",
                        "title": title,
                        "scale": {"scheme": "blues", "domain": [0, 1]},
                        "legend": {"format": "~%"},
                    },
                    "tooltip": [{"field": name} for name in (down[0], across[0], count, field)],
                },
            },
            {
                "mark": {"type": "text", "fontSize": 11},
                "encoding": {
                    "text": {"field": field, "type": "quantitative", "format": ".1%"},
                    "color": {
                        "condition": {"test": f"datum.{field} > 0.55", "value": "white"},
                        "value": "#222222",
                    },
                },
            },
        ],
    }
