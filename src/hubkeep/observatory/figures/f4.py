# SPDX-License-Identifier: Apache-2.0
"""F4: how many parameters language models have."""

from typing import TYPE_CHECKING

from hubkeep.observatory.charts import TABLE, VERMILION, logarithmic, month
from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished
from hubkeep.observatory.figures.shared import (
    CENSORED_MEANS,
    ORG_TYPES_MEAN,
    SURVIVORS,
    as_table,
    counted,
    part,
)

if TYPE_CHECKING:
    import pyarrow as pa

_SOURCES = ("safetensors", "gguf", "declared", "name")
_LLM = "task = 'text-generation'"
_PER_DECADE = 10
_UNPACKED = (
    "NOT (parameters_from = 'safetensors' AND (id IN (SELECT child FROM lineage WHERE "
    "relation = 'quantized') "
    + "".join(
        f"OR lower(id) LIKE '%{word}%' "
        for word in ("gptq", "awq", "bnb", "4bit", "4-bit", "8bit", "8-bit")
    )
    + "))"
)
_SHOWN = (
    f"{_LLM} AND quarter IS NOT NULL AND parameters > 0 AND "
    f"(parameters_from IS NULL OR {_UNPACKED})"
)


def _finish(table: "pa.Table", context: Context) -> Finished:
    rows = table.to_pylist()
    for row in rows:
        told = [(name, row[f"n_{name}"]) for name in _SOURCES if row[f"n_{name}"]]
        row["source_mix"] = ", ".join(f"{name} {n / row['n']:.0%}" for name, n in told)
    counts = counted(
        context,
        "models",
        {
            "all": _LLM,
            "no date": f"{_LLM} AND created_at IS NULL AND parameters > 0",
            "parameters": f"{_LLM} AND (parameters IS NULL OR parameters = 0)",
        },
    )
    n = sum(row["n"] for row in rows)
    whole, unknown, undated = counts["all"], counts["parameters"], counts["no date"]
    return Finished(
        as_table(table, rows),
        {"n_text_generation": whole, "share_known": part(whole - unknown, whole)},
        n=n,
        excluded={
            "no date": undated,
            "packed tensors, which count too few": whole - n - unknown - undated,
        },
        missing={"parameters": unknown},
        notes=(SURVIVORS,),
        points={"density": _density(context), "steps": _steps(context)},
    )


def _density(context: Context) -> "pa.Table":
    """Models by quarter and tenths of decades, for dots."""
    return context.query(
        f"SELECT quarter, floor(log10(parameters) * {_PER_DECADE}) / {_PER_DECADE} AS decades, "
        f"count(*) AS n FROM models WHERE {_SHOWN} "
        f"GROUP BY quarter, floor(log10(parameters) * {_PER_DECADE}) "
        "ORDER BY quarter, decades"
    )


def _steps(context: Context) -> "pa.Table":
    """The median of each quarter, over all types of organisations."""
    return context.query(
        "SELECT quarter, quantile_cont(parameters, 0.5) / 1000000000 AS median FROM models "
        f"WHERE {_SHOWN} AND NOT is_censored "
        "GROUP BY quarter ORDER BY quarter"
    )


def _chart(_table: "pa.Table", _scalars: object) -> Chart:
    title = "Parameters, billions"
    dots = {
        "data": {"name": "density"},
        "transform": [
            {"calculate": f"pow(10, datum.decades + 0.5 / {_PER_DECADE}) / 1e9", "as": "billions"}
        ],
        "mark": {"type": "circle", "opacity": 0.6},
        "encoding": {
            "x": month("quarter", "Quarter in which it was made"),
            "y": logarithmic("billions", title),
            "size": {"field": "n", "type": "quantitative", "title": "models"},
        },
    }
    median = {
        "data": {"name": "steps"},
        "mark": {"type": "line", "interpolate": "step-after", "color": VERMILION},
        "encoding": {"x": month("quarter"), "y": logarithmic("median", title)},
    }
    by_type = {
        "data": TABLE,
        "width": 560,
        "height": 160,
        "mark": {"type": "boxplot", "extent": "min-max"},
        "encoding": {
            "x": logarithmic("p50_b", "Median parameters of a quarter, billions"),
            "y": {"field": "org_type", "type": "nominal", "title": None},
        },
    }
    return {
        "data": TABLE,
        "vconcat": [{"width": 560, "height": 280, "layer": [dots, median]}, by_type],
    }


FIGURE = Figure(
    id="F4",
    title="Parameters of language models",
    question="How large have language models become, and whose are the large ones?",
    definitions=(
        (
            "Models whose task is text-generation, by the quarter in which they were made and the "
            "type of organisation."
        ),
        (
            "Parameters are those that the headers of safetensors or GGUF files add up to, else "
            "those that the author declares, else those that the name tells (7B, 8x7B); all "
            "experts of a mixture count, active or not. source_mix says how much of which."
        ),
        (
            "Quantised repositories pack several weights into one tensor element: where their "
            "headers are all that is known, they are left out."
        ),
        ORG_TYPES_MEAN,
        CENSORED_MEANS,
    ),
    columns=(
        Answer("quarter", "day", "first day of the quarter"),
        Answer("org_type", "text", "the type of organisation"),
        Answer("n", "whole", "models whose parameters are known", "models"),
        Answer("p50_b", "real", "median of their parameters", "billions"),
        Answer("p90_b", "real", "90% have at most", "billions"),
        Answer("max_b", "real", "the largest has", "billions"),
        Answer("source_mix", "text", "how the parameters are known"),
        Answer("is_censored", "flag", "whether all that is known is: before March 2022"),
        Answer("n_safetensors", "whole", "known from safetensors", "models"),
        Answer("n_gguf", "whole", "known from GGUF", "models"),
        Answer("n_declared", "whole", "declared by the author", "models"),
        Answer("n_name", "whole", "read from the name", "models"),
    ),
    needs={"models": ("created_at", "task", "parameters")},
    wants={"models": ("parameters_from",), "lineage": ("relation",)},
    chart=_chart,
    finish=_finish,
)
