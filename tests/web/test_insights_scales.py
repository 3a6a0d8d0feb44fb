# SPDX-License-Identifier: Apache-2.0
"""Charts on other scales than they come with: which axes change, and what their titles say then."""

from typing import Any

from hubkeep.observatory.charts import strip
from hubkeep.observatory.document import TableOf
from hubkeep.observatory.shapes import by_quarter
from hubkeep.web.insights_scales import scales_of, with_scale

TABLE = TableOf(columns=["name", "n", "part"], rows=[["a", 250, 0.5], ["b", 30, 0], ["c", 0, None]])
TABLES = {"table": TABLE}


def bars(field: str, **more: Any) -> dict[str, Any]:
    x = {"field": field, "type": "quantitative", "title": "Models", "axis": {"format": "~s"}}
    y = {"field": "name", "type": "nominal"}
    return {"data": {"name": "table"}, "mark": "bar", "encoding": {"x": x, "y": y, **more}}


def test_a_linear_axis_becomes_a_logarithm_that_says_where_zeros_are() -> None:
    assert scales_of(bars("n"), TABLES) == ["log"]
    x = with_scale(bars("n"), "log", TABLES)["encoding"]["x"]
    assert x["scale"] == {
        "type": "log",
        "base": 10,
        "domainMin": 10.0,
        "clamp": True,
        "nice": False,
    }
    assert x["title"] == "Models (log scale, zeros at its edge)"
    assert x["axis"] == {"format": "~s", "tickCount": 6}
    assert with_scale(bars("n"), "linear", TABLES) == bars("n")
    assert with_scale(bars("n"), "", TABLES) == bars("n")


def test_a_logarithm_becomes_a_linear_axis() -> None:
    chart = strip("table", "name", "n", "Models")
    assert scales_of(dict(chart), TABLES) == ["linear"]
    zeros, panel = with_scale(dict(chart), "linear", TABLES)["hconcat"]
    assert "scale" not in zeros["encoding"]["x"]
    assert "type" not in panel["encoding"]["x"]["scale"]
    assert panel["encoding"]["x"]["title"] == "Models"


def test_layers_of_a_panel_change_together_or_not_at_all() -> None:
    both = {"data": {"name": "table"}, "layer": [bars("n"), bars("part")]}
    made = with_scale(both, "log", TABLES)
    starts = [one["encoding"]["x"]["scale"]["domainMin"] for one in made["layer"]]
    assert starts == [0.1, 0.1]
    computed = {"data": {"name": "table"}, "layer": [bars("n"), bars("made_by_the_chart")]}
    assert with_scale(computed, "log", TABLES) == computed


def test_what_adds_up_and_what_is_below_zero_stays() -> None:
    stacked = bars("n", color={"field": "name", "type": "nominal"})
    assert scales_of(stacked, TABLES) == []
    debts = TableOf(columns=["name", "n"], rows=[["a", -1], ["b", 5]])
    assert scales_of(bars("n"), {"table": debts}) == []
    nothing = TableOf(columns=["name", "n"], rows=[["a", 0], ["b", None]])
    assert scales_of(bars("n"), {"table": nothing}) == []
    quarters = by_quarter("name", "part", "Share", ["a"], "true")
    assert scales_of(dict(quarters), TABLES) == []
