# SPDX-License-Identifier: Apache-2.0
"""Charts that several figures share, made of what `charts` has.

Long, since a chart is data: each function here is one specification, and reads by itself.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from hubkeep.observatory.charts import (
    BLUE,
    GREY,
    ORANGE,
    PALETTE,
    SHARED_Y,
    STEP,
    STRIP,
    TABLE,
    TALL,
    VERMILION,
    WIDTH,
    Encoding,
    View,
    largest,
    logarithmic,
    month,
    number,
    share,
    zero_strip,
)
from hubkeep.observatory.figure import Chart

_NAMED: Final = 6
_DIAMOND: Final[Mapping[str, object]] = {"type": "point", "shape": "diamond", "size": 60}
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
    across = logarithmic(x, x_title, form="~s", offset=STRIP)
    up = logarithmic(y, y_title, form="~s", offset=STRIP)
    # Pixels: in the strips between the panel and its axes, where no logarithm reaches.
    left, below = {"value": -STRIP / 2}, {"value": size + STRIP / 2}

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
        "transform": [{"filter": named}, *largest(y, _NAMED)],
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
        "width": WIDTH,
        "height": size,
        "layer": [
            dots(f"datum.{x} > 0 && datum.{y} > 0", {"x": across, "y": up}),
            dots(f"datum.{x} == 0 && datum.{y} > 0", {"x": left, "y": up}),
            dots(f"datum.{x} > 0 && datum.{y} == 0", {"x": across, "y": below}),
            dots(f"datum.{x} == 0 && datum.{y} == 0", {"x": left, "y": below}),
            zero_at({"x": left, "y": {"value": size + STRIP + 13}}),
            zero_at({"x": {"value": -STRIP - 12}, "y": below}),
            names,
            *([fit] if line else []),
        ],
    }


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
        "width": WIDTH,
        "height": {"step": STEP + 4},
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
        "width": STRIP,
        "height": TALL,
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
        "width": WIDTH,
        "height": TALL,
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
        "resolve": SHARED_Y,
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
    across = logarithmic(range_of[1], title, form="~s")
    panels: list[View] = []
    for at, (name, heading) in enumerate(parts.items()):
        y: Encoding = {"field": category, "type": "nominal", "sort": None, "title": heading}
        x = across if at == len(parts) - 1 else {**across, "title": None}
        hover = [{"field": one} for one in (category, *range_of, told)]
        zero: View = {
            "transform": [{"filter": f"isValid(datum.{told}) && datum.{told} == 0"}],
            "width": STRIP,
            "height": {"step": STEP},
            "mark": _DIAMOND,
            "encoding": {"x": zero_strip(), "y": y, "color": _coloured("reported")},
        }
        layers = _estimated(range_of, told, x, {"y": {**y, "axis": None}, "tooltip": hover})
        panel: View = {"width": WIDTH, "height": {"step": STEP}, "layer": layers}
        panels.append(
            {
                "transform": [{"filter": f"datum.part == '{name}'"}],
                "hconcat": [zero, panel],
                "spacing": 2,
                "resolve": SHARED_Y,
            }
        )
    return {"data": TABLE, "vconcat": panels, "resolve": {"scale": {"x": "independent"}}}


def _estimated(
    range_of: tuple[str, str, str], told: str, x: Encoding, shown: Encoding
) -> list[View]:
    """The range, its middle, and what is told beside them."""
    low, middle, high = range_of
    known = [{"filter": f"isValid(datum.{middle})"}]
    ours = {**shown, "color": _coloured("estimated")}
    return [
        {
            "transform": known,
            "mark": {"type": "rule", "strokeWidth": 5, "opacity": 0.35},
            "encoding": {"x": {**x, "field": low}, "x2": {"field": high}, **ours},
        },
        {"transform": known, "mark": {"type": "point", "size": 60}, "encoding": {"x": x, **ours}},
        {
            "transform": [{"filter": f"datum.{told} > 0"}],
            "mark": _DIAMOND,
            "encoding": {"x": {**x, "field": told}, **shown, "color": _coloured("reported")},
        },
    ]


def _coloured(name: str) -> Encoding:
    scale: Encoding = {"domain": ["estimated", "reported"], "range": [BLUE, VERMILION]}
    return {"datum": name, "type": "nominal", "title": None, "scale": scale}


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
        "width": {"step": 74},
        "height": {"step": 30},
        "transform": [
            {
                # No more letters than a cell has room for on a phone.
                "calculate": f"format(datum.{field}, datum.{field} < 0.0995 ? '.1%' : '.0%')",
                "as": "said",
            },
            {"calculate": f"isValid(datum.{field}) ? datum.said : ''", "as": "said"},
        ],
        "encoding": {"x": {**x, "axis": {"labelAngle": -40}}, "y": y},
        "layer": [
            {
                "mark": "rect",
                "encoding": {
                    "color": {
                        "field": field,
                        "type": "quantitative",
                        "title": title,
                        "scale": {"scheme": "blues", "domain": [0, 1]},
                        "legend": None,
                    },
                    "tooltip": [{"field": name} for name in (down[0], across[0], count, field)],
                },
            },
            {
                "mark": {"type": "text", "fontSize": 11},
                "encoding": {
                    "text": {"field": "said", "type": "nominal"},
                    "color": {
                        "condition": {"test": f"datum.{field} > 0.55", "value": "white"},
                        "value": "#222222",
                    },
                },
            },
        ],
    }


def churn(source: str, groups: Mapping[str, str]) -> Chart:
    """Return what came and went at each look of a source, growth with and without what has gone,
    and a panel of survival for each kind of group, which has its title.
    """
    looks: list[View] = [
        {"filter": {"field": "part", "equal": "look"}},
        {"filter": {"field": "name", "equal": source}},
    ]
    return {
        "data": TABLE,
        "vconcat": [
            _flows(looks),
            _growth(looks),
            *(_lasting(kind, title) for kind, title in groups.items()),
        ],
        "resolve": {"scale": {"color": "independent"}},
    }


def _flows(looks: list[View]) -> View:
    """What came, above the line, and what went, below it."""
    came, gone = "came", "went"
    return {
        "transform": [
            *looks,
            {"calculate": "-datum.n_deleted", "as": "minus"},
            {"calculate": "utcFormat(toDate(datum.day), '%d %b %Y')", "as": "named"},
            {"fold": ["n_added", "minus"], "as": ["flow", "models"]},
            {"calculate": f"datum.flow == 'minus' ? '{gone}' : '{came}'", "as": "way"},
        ],
        "width": WIDTH,
        "height": 160,
        "mark": {"type": "bar"},
        "encoding": {
            "x": {
                "field": "named",
                "type": "ordinal",
                "title": "Look (pale: seems incomplete)",
                "sort": {"field": "day"},
                "axis": {"labelAngle": -45, "labelOverlap": True},
            },
            "y": {**number("models", "Models at a look"), "stack": None},
            "color": {
                "field": "way",
                "type": "nominal",
                "title": None,
                "scale": {"domain": [came, gone], "range": [BLUE, VERMILION]},
            },
            "opacity": {"condition": {"test": "datum.is_incomplete", "value": 0.35}, "value": 1},
            "tooltip": [{"field": one} for one in ("day", "n_added", "n_deleted", "is_incomplete")],
        },
    }


def _growth(looks: list[View]) -> View:
    """How many came in all, with what has gone and without."""
    as_was, as_seen = "as it was", "as the last look shows it"
    return {
        "transform": [
            *looks,
            {"fold": ["cum_new", "cum_surviving"], "as": ["which", "models"]},
            {"filter": "isValid(datum.models)"},
            {
                "calculate": f"datum.which == 'cum_new' ? '{as_was}' : '{as_seen}'",
                "as": "curve",
            },
        ],
        "width": WIDTH,
        "height": 160,
        "mark": {"type": "line", "point": True},
        "encoding": {
            "x": month("day", "Look"),
            "y": number("models", "New models so far"),
            "color": {
                "field": "curve",
                "type": "nominal",
                "title": "growth",
                "scale": {"domain": [as_was, as_seen], "range": [BLUE, ORANGE]},
            },
        },
    }


def _lasting(kind: str, title: str) -> View:
    """How many of each group are still there, with the interval."""
    return {
        "transform": [{"filter": f"datum.part == '{kind}'"}],
        "width": WIDTH,
        "height": 180,
        "layer": [
            {
                "mark": {"type": "area", "interpolate": "step-after", "opacity": 0.15},
                "encoding": {
                    "x": number("age_days", "Days since it was found first"),
                    "y": {**share("ci_lo", "Still there"), "scale": {"zero": False}},
                    "y2": {"field": "ci_hi"},
                    "color": {"field": "name", "type": "nominal", "title": title},
                },
            },
            {
                "mark": {"type": "line", "interpolate": "step-after"},
                "encoding": {
                    "x": number("age_days", "Days since it was found first"),
                    "y": {**share("survival", "Still there"), "scale": {"zero": False}},
                    "color": {"field": "name", "type": "nominal", "title": title},
                    "tooltip": [
                        {"field": one} for one in ("name", "age_days", "survival", "at_risk")
                    ],
                },
            },
        ],
    }
