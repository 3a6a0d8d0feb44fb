# SPDX-License-Identifier: Apache-2.0
"""F5: reported emissions."""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from hubkeep.observatory.charts import ORANGE, TABLE, share, strip
from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Scalar
from hubkeep.observatory.figures.shared import MERGED, ORG_TYPES_MEAN, Row, as_table, part
from hubkeep.observatory.statistics import quantiles, rate_interval

if TYPE_CHECKING:
    import pyarrow as pa

_GRAMS = 1000.0
_DRAWN = 2000


def _finish(table: "pa.Table", _context: Context) -> Finished:
    told = table.to_pylist()
    rows = [
        _row(org_type, list(reports))
        for org_type, reports in groupby(told, key=lambda row: row["org_type"])
    ]
    everything = _row("all", told) if told else None
    reports = [row for row in told if row["id"] is not None]
    inherited = sum(row["is_inherited"] for row in reports)
    n = sum(int(row["n"] or 0) for row in rows)
    return Finished(
        as_table(table, rows),
        _scalars(everything, n),
        n=len(reports) - inherited,
        excluded={"copied from the base model": inherited},
        missing={"co2_grams": n - len(reports)},
        notes=(
            "Reports are what authors write into cards; nobody has checked them.",
            "What is written with a unit is converted, what has none counts as grams.",
        ),
        points={"reports": _points(reports)},
    )


def _row(org_type: str, told: Sequence[Row]) -> Row:
    n = sum({row["org_type"]: int(row["n_models"] or 0) for row in told}.values())
    reports = [row for row in told if row["id"] is not None]
    own = [row for row in reports if not row["is_inherited"]]
    grams = [_grams(row) for row in own]
    kg = [one / _GRAMS for one in grams]
    quarter, median, three = quantiles(kg, (0.25, 0.5, 0.75))
    total = math.fsum(grams) / _GRAMS
    largest = max(own, key=lambda row: (_grams(row), str(row["id"])), default=None)
    top = _grams(largest) / _GRAMS if largest else 0.0
    rate = rate_interval(len(reports), n)
    return {
        "org_type": org_type,
        "n_reporting": len(reports),
        "rate": part(len(reports), n),
        "kg_sum": total if own else None,
        "kg_median": median,
        "kg_p25": quarter,
        "kg_p75": three,
        "top1_share": part(top, total),
        "n": n,
        "rate_ci_lo": rate.low if rate else None,
        "rate_ci_hi": rate.high if rate else None,
        "top_model": str(largest["id"]) if largest and top else None,
        "kg_without_top1": math.fsum(sorted(grams)[:-1]) / _GRAMS if own else None,
        "n_zero": sum(one == 0 for one in grams),
        "n_inherited": len(reports) - len(own),
        "kg_sum_with_inherited": (
            math.fsum(_grams(row) for row in reports) / _GRAMS if reports else None
        ),
    }


def _grams(row: Row) -> float:
    return float(row["co2_grams"] or 0)


def _scalars(everything: Row | None, n: int) -> dict[str, Scalar]:
    if everything is None:
        return {}
    names = ("n_reporting", "n_inherited", "n_zero", "kg_sum", "kg_median", "top1_share")
    return {
        "n_models": n,
        "reporting_rate": everything["rate"],
        "reporting_rate_ci_lo": everything["rate_ci_lo"],
        "reporting_rate_ci_hi": everything["rate_ci_hi"],
        **{name: everything[name] for name in names},
        "top_model": everything["top_model"],
        "kg_without_top1": everything["kg_without_top1"],
    }


def _points(reports: Sequence[Row]) -> "pa.Table":
    import pyarrow as pa

    ordered = sorted(reports, key=lambda row: (-_grams(row), str(row["id"])))
    # Evenly from the largest to the smallest: so many marks look like all of them.
    drawn = ordered[:: max(1, math.ceil(len(ordered) / _DRAWN))]
    return pa.table(
        {
            "id": pa.array([row["id"] for row in drawn], pa.string()),
            "org_type": pa.array([row["org_type"] for row in drawn], pa.string()),
            "kg": pa.array([_grams(row) / _GRAMS for row in drawn], pa.float64()),
            "inherited": pa.array([bool(row["is_inherited"]) for row in drawn], pa.bool_()),
        }
    )


def _chart(_table: "pa.Table", _scalars: object) -> Chart:
    rate = {
        "data": TABLE,
        "width": 520,
        "height": {"step": 18},
        "layer": [
            {
                "mark": {"type": "bar", "color": ORANGE},
                "encoding": {
                    "x": share("rate", "Models that report"),
                    "y": {"field": "org_type", "type": "nominal", "title": None},
                },
            },
            {
                "mark": {"type": "rule"},
                "encoding": {
                    "x": {"field": "rate_ci_lo", "type": "quantitative"},
                    "x2": {"field": "rate_ci_hi"},
                    "y": {"field": "org_type", "type": "nominal", "title": None},
                },
            },
        ],
    }
    kilograms = strip("reports", "org_type", "kg", "Reported emissions, kg CO2e", "inherited")
    return {"data": TABLE, "vconcat": [kilograms, rate]}


FIGURE = Figure(
    id="F5",
    title="Reported emissions",
    question="Who reports what training emitted, and how much is it?",
    definitions=(
        (
            "Emissions are the co2_eq_emissions of a model's card, grams of CO2 equivalent by the "
            "convention of huggingface.co, shown in kilograms."
        ),
        (
            "n_reporting counts all cards with a number; rate is that of all models, with Wilson's "
            "95% interval. A reported zero is a report; what cannot be (below zero) is not."
        ),
        (
            "A model whose base model reports the same number has copied its card: it is flagged "
            "and left out of sums and quartiles; kg_sum_with_inherited has it."
        ),
        "top1_share is the part of the one model that reports most.",
        ORG_TYPES_MEAN,
    ),
    columns=(
        Answer("org_type", "text", "the type of organisation"),
        Answer("n_reporting", "whole", "models that report", "models"),
        Answer("rate", "real", "of all its models", "share"),
        Answer("kg_sum", "real", "sum, without copied reports", "kg"),
        Answer("kg_median", "real", "median of a report", "kg"),
        Answer("kg_p25", "real", "a quarter of the reports are at most", "kg"),
        Answer("kg_p75", "real", "three quarters of the reports are at most", "kg"),
        Answer("top1_share", "real", "the largest report's part of the sum", "share"),
        Answer("n", "whole", "models", "models"),
        Answer("rate_ci_lo", "real", "lower end of the 95% interval of rate", "share"),
        Answer("rate_ci_hi", "real", "upper end of it", "share"),
        Answer("top_model", "text", "the model that reports most"),
        Answer("kg_without_top1", "real", "the sum without it", "kg"),
        Answer("n_zero", "whole", "reports of zero", "models"),
        Answer("n_inherited", "whole", "reports copied from the base model", "models"),
        Answer("kg_sum_with_inherited", "real", "the sum with copied reports", "kg"),
    ),
    needs={"models": ("co2_grams",)},
    wants={"lineage": ("parent",)},
    parameters=(MERGED,),
    chart=_chart,
    finish=_finish,
)
