# SPDX-License-Identifier: Apache-2.0
"""Charts as Vega-Lite: the marks that figures need, in one look, readable in light and dark."""

from hubkeep.observatory.figure import Chart


def bars(category: str, value: str, title: str, *, ci: bool = False) -> Chart:
    """Return horizontal bars of shares, the largest first; `ci` draws ci_lo to ci_hi on them."""
    y = {"field": category, "type": "nominal", "sort": "-x", "title": None}
    layers: list[dict[str, object]] = [
        {
            "mark": {"type": "bar"},
            "encoding": {
                "x": {"field": value, "type": "quantitative", "title": title},
                "y": y,
            },
        }
    ]
    if ci:
        layers.append(
            {
                "mark": {"type": "rule"},
                "encoding": {
                    "x": {"field": "ci_lo", "type": "quantitative"},
                    "x2": {"field": "ci_hi"},
                    "y": y,
                },
            }
        )
    return {"data": {"name": "table"}, "layer": layers}
