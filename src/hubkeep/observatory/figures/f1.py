# SPDX-License-Identifier: Apache-2.0
"""F1: how many models there are, and how large."""

from typing import TYPE_CHECKING

from hubkeep.observatory.charts import GREY, VERMILION, logarithmic, month, number
from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Parameter
from hubkeep.observatory.figures.shared import (
    CENSORED_MEANS,
    SIZE_MEANS,
    SURVIVORS,
    counted,
)

if TYPE_CHECKING:
    import pyarrow as pa

_MIN_BYTES = Parameter(
    "min_bytes", 10_000_000, "models of so many bytes or fewer are left out", least=0, most=1 << 50
)
_PER_DECADE = 5


def _finish(table: "pa.Table", context: Context) -> Finished:
    counts = counted(
        context,
        "models",
        {
            "used": "created_at IS NOT NULL AND size > $min_bytes",
            "small": "created_at IS NOT NULL AND size <= $min_bytes",
            "no date": "created_at IS NULL",
            "size": "size IS NULL",
            "censored": "is_censored AND size > $min_bytes",
        },
    )
    density = context.query(
        f"SELECT month, is_censored, floor(log10(size) * {_PER_DECADE}) / {_PER_DECADE} AS decades,"
        " count(*) AS n FROM models WHERE month IS NOT NULL AND size > $min_bytes "
        "GROUP BY month, is_censored, floor(log10(size) * 5) / 5 "
        "ORDER BY month, is_censored, decades"
    )
    bytes_ = context.parameters["min_bytes"]
    return Finished(
        table,
        {"n_models": counts["used"], "n_before_march_2022": counts["censored"]},
        n=counts["used"],
        excluded={
            f"no larger than {bytes_:,} bytes": counts["small"],
            "no date": counts["no date"],
        },
        missing={"size": counts["size"]},
        notes=(SURVIVORS,),
        points={"density": density},
    )


def _chart(_table: "pa.Table", _scalars: object) -> Chart:
    cells = {
        "data": {"name": "density"},
        "transform": [
            {"calculate": "pow(10, datum.decades) / 1e9", "as": "from"},
            {"calculate": f"pow(10, datum.decades + 1 / {_PER_DECADE}) / 1e9", "as": "to"},
        ],
        "mark": {"type": "rect", "clip": True},
        "encoding": {
            "x": {**month("month", "Made in"), "timeUnit": "utcyearmonth"},
            "y": logarithmic("from", "Size, GB"),
            "y2": {"field": "to"},
            "color": {
                "field": "n",
                "type": "quantitative",
                "title": "models",
                "scale": {"type": "log", "scheme": "viridis", "reverse": True},
            },
        },
    }
    median = {
        "transform": [
            {"filter": "!datum.is_censored && isValid(datum.q50)"},
            {"calculate": "datum.q50 / 1e9", "as": "median"},
        ],
        "mark": {"type": "line", "color": VERMILION, "strokeWidth": 2},
        "encoding": {"x": month("month"), "y": logarithmic("median", "Size, GB")},
    }
    before = {
        "transform": [{"filter": "datum.is_censored"}],
        "mark": {"type": "text", "align": "left", "dx": 6, "dy": -8, "color": GREY},
        "encoding": {
            "x": month("month"),
            "y": number("n_cum", "Models so far"),
            "text": {"value": "before Mar 2022"},
        },
    }
    so_far = {
        "mark": {"type": "line", "interpolate": "step-after"},
        "encoding": {"x": month("month", "Made in"), "y": number("n_cum", "Models so far")},
    }
    return {
        "data": {"name": "table"},
        "vconcat": [
            {"width": 560, "height": 260, "layer": [cells, median]},
            {"width": 560, "height": 140, "layer": [so_far, before]},
        ],
        "resolve": {"scale": {"x": "shared"}},
    }


FIGURE = Figure(
    id="F1",
    title="Growth and size",
    question="How many models were made when, and how large are they?",
    definitions=(
        (
            "Models larger than 10 MB (10,000,000 bytes, unless said otherwise), by the month in "
            "which they were made."
        ),
        SIZE_MEANS,
        CENSORED_MEANS,
        (
            "q05 to q95 are quantiles of the sizes of that month's models; n_cum counts all models "
            "up to the end of the month."
        ),
    ),
    columns=(
        Answer("month", "day", "first day of the month"),
        Answer("n_new", "whole", "models made in it", "models"),
        Answer("n_cum", "whole", "models made until its end", "models"),
        Answer("q05", "real", "5% of the sizes are at most", "bytes"),
        Answer("q25", "real", "25% are at most", "bytes"),
        Answer("q50", "real", "half are at most", "bytes"),
        Answer("q75", "real", "75% are at most", "bytes"),
        Answer("q95", "real", "95% are at most", "bytes"),
        Answer("n_missing_size", "whole", "models made in it whose size is not known", "models"),
        Answer("is_censored", "flag", "whether all that is known is: before March 2022"),
        Answer("n_small", "whole", "models made in it that are too small", "models"),
    ),
    needs={"models": ("created_at", "size")},
    parameters=(_MIN_BYTES,),
    chart=_chart,
    finish=_finish,
)
