# SPDX-License-Identifier: Apache-2.0
"""Charts drawn on other scales than they come with: logarithmic axes as linear ones and the other
way round, as changes of the Vega-Lite that the server passes on.

A logarithm has no place for zero. Charts that come with log axes draw zeros in a strip of their
own. Where a reader asks for a log axis they stand at its edge, and the title of the axis says so.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from hubkeep.observatory.document import Spec, TableOf

Scale = Literal["", "linear", "log"]
"""How axes of numbers are drawn; empty is as the figure comes."""

_LOG: Final = " (log scale)"
_EDGE: Final = " (log scale, zeros at its edge)"
_PARTS: Final = ("layer", "hconcat", "vconcat", "concat")
_STACKED: Final = ("area", "arc")

Tables = Mapping[str, TableOf]
_Node = dict[str, Any]


def scales_of(chart: Spec, tables: Tables) -> Sequence[Scale]:
    """Return the scales on which a chart can be drawn, besides the one that it comes with."""
    both: tuple[Scale, ...] = ("linear", "log")
    return [scale for scale in both if with_scale(chart, scale, tables) != chart]


def with_scale(chart: Spec, scale: Scale, tables: Tables) -> Spec:
    """Return a chart with its axes of numbers on a scale, as far as they can be.

    `tables` are its data, by name: where an axis begins follows from them. Axes of what the chart
    computes itself and of parts that add up to a whole stay as they are.
    """
    if not scale:
        return chart
    return _redrawn(chart, scale, tables, "table")


def _redrawn(node: _Node, scale: Scale, tables: Tables, data: str) -> _Node:
    data = _data_of(node, data)
    if "encoding" in node or "layer" in node:
        return _panel(node, scale, tables, data)
    made = dict(node)
    for part in _PARTS:
        if part in made:
            made[part] = [_redrawn(one, scale, tables, data) for one in made[part]]
    if isinstance(made.get("spec"), dict):
        made["spec"] = _redrawn(made["spec"], scale, tables, data)
    return made


def _panel(node: _Node, scale: Scale, tables: Tables, data: str) -> _Node:
    """A panel: its layers share their axes, so an axis changes in all of them or in none."""
    units = list(_units(node, data))
    for axis in ("x", "y"):
        if scale == "linear":
            node = _changed(node, axis, _to_linear)
            continue
        least = [
            _least(unit, axis, tables, where)
            for unit, where in units
            if _is_number(unit.get("encoding", {}).get(axis))
        ]
        known = [one for one in least if one is not None]
        if known and len(known) == len(least):
            start = 10.0 ** math.floor(math.log10(min(known)))
            node = _changed(node, axis, lambda one, start=start: _to_log(one, start))
    return node


def _units(node: _Node, data: str) -> Iterator[tuple[_Node, str]]:
    """What a panel draws, each with the name of its data."""
    where = _data_of(node, data)
    for layer in node.get("layer", ()):
        yield from _units(layer, where)
    if "encoding" in node:
        yield node, where


def _least(unit: _Node, axis: str, tables: Tables, data: str) -> float | None:
    """The least number above zero on an axis; None where the axis cannot be logarithmic."""
    told = unit["encoding"][axis]
    table = tables.get(data)
    kind = unit.get("mark")
    kind = kind.get("type") if isinstance(kind, dict) else kind
    adds_up = kind in _STACKED or (kind == "bar" and "color" in unit["encoding"])
    field = told.get("field")
    if adds_up or "aggregate" in told or "bin" in told or table is None:
        return None
    if field not in table.columns:
        return None
    at = table.columns.index(field)
    values = [row[at] for row in table.rows]
    above = [one for one in values if isinstance(one, int | float) and one > 0]
    below = any(isinstance(one, int | float) and one < 0 for one in values)
    return float(min(above)) if above and not below else None


def _changed(node: _Node, axis: str, change: Callable[[_Node], _Node]) -> _Node:
    made = dict(node)
    if "layer" in made:
        made["layer"] = [_changed(one, axis, change) for one in made["layer"]]
    encoding = made.get("encoding")
    if isinstance(encoding, dict) and _is_number(encoding.get(axis)):
        made["encoding"] = {**encoding, axis: change(encoding[axis])}
    return made


def _to_linear(told: _Node) -> _Node:
    if not _is_log(told):
        return told
    rest = {name: value for name, value in told["scale"].items() if name not in ("type", "base")}
    return {**told, "scale": rest, **_titled(told, "")}


def _to_log(told: _Node, start: float) -> _Node:
    if _is_log(told):
        return told
    scale = {"type": "log", "base": 10, "domainMin": start, "clamp": True, "nice": False}
    axis = told.get("axis")
    shown = {} if axis is None and "axis" in told else {"axis": {**(axis or {}), "tickCount": 6}}
    return {**told, "scale": {**told.get("scale", {}), **scale}, **shown, **_titled(told, _EDGE)}


def _titled(told: _Node, ending: str) -> _Node:
    title = told.get("title")
    return {"title": title.removesuffix(_LOG) + ending} if isinstance(title, str) else {}


def _is_log(told: _Node) -> bool:
    scale = told.get("scale")
    return isinstance(scale, dict) and scale.get("type") == "log"


def _is_number(told: object) -> bool:
    return isinstance(told, dict) and told.get("type") == "quantitative" and "field" in told


def _data_of(node: _Node, inherited: str) -> str:
    data = node.get("data")
    if isinstance(data, dict):
        return str(data.get("name", ""))
    return inherited
