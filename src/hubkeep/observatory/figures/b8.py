# SPDX-License-Identifier: Apache-2.0
"""B8: which sizes of models people make, and which they use."""

from dataclasses import replace
from typing import TYPE_CHECKING

from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Scalar
from hubkeep.observatory.figures.parts import (
    INTERVALS_MEAN,
    UNKNOWN,
    Parts,
    method,
    share_columns,
    summed,
    with_shares,
)
from hubkeep.observatory.figures.shared import (
    DOWNLOADS_MEAN,
    FLAGGED_MEANS,
    LEFT_OUT_MEANS,
    Row,
    as_table,
    part,
)
from hubkeep.observatory.figures.sizes import SIZE, SIZES
from hubkeep.observatory.shapes import dumbbells

if TYPE_CHECKING:
    import pyarrow as pa

_PACKED = (
    "CASE WHEN parameters_from = 'safetensors' AND parameters > 0 THEN "
    "regexp_matches(lower(id), 'gptq|awq|bnb|4-?bit|8-?bit') "
    "OR id IN (SELECT child FROM lineage WHERE relation = 'quantized') ELSE false END"
)
_CLASS = f"CASE WHEN {_PACKED} THEN '{UNKNOWN}' ELSE {SIZE} END"
_LLM = "text-generation"


def _finish(table: "pa.Table", context: Context) -> Finished:
    given = table.to_pylist()
    rows: list[Row] = []
    for among, only in (("all", "true"), (_LLM, f"task = '{_LLM}'")):
        mine = [row for row in given if row["among"] == among]
        known = f"{only} AND {_CLASS} <> '{UNKNOWN}'"
        every = Parts(
            by=_CLASS,
            by_name="size_class",
            whole=f"'{among}, any'",
            where=known,
            undeclared=UNKNOWN,
            of_declared=True,
        )
        sourced = replace(every, whole=f"concat('{among}, ', coalesce(parameters_from, 'untold'))")
        rows += with_shares([row for row in mine if row["source"] == "any"], context, every)
        rows += with_shares([row for row in mine if row["source"] != "any"], context, sourced)
    whole = [row for row in rows if row["whole"] == "all, any"]
    packed = summed(whole, "n_packed")
    unknown = summed([row for row in whole if row["size_class"] == UNKNOWN], "n")
    return Finished(
        as_table(table, rows),
        _scalars(rows),
        n=summed(whole, "n"),
        excluded={"flagged, from downloads alone": summed(whole, "n_flagged")},
        missing={
            "parameters": unknown - packed,
            "parameters, as packed tensors count too few": packed,
            "downloads_30d": summed(whole, "n_missing_downloads"),
        },
    )


def _scalars(rows: list[Row]) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for among, name in (("all", "all"), (_LLM, "llm")):
        every = [row for row in rows if row["whole"] == f"{among}, any"]
        known = [row for row in every if row["size_class"] != UNKNOWN]
        small = [row for row in known if row["size_class"] in SIZES[:3]]
        found |= {
            f"share_known_{name}": part(summed(known, "n"), summed(every, "n")),
            f"dl_share_known_{name}": part(summed(known, "dl"), summed(every, "dl")),
            f"dl_share_below_1b_{name}": part(summed(small, "dl"), summed(known, "dl")),
        }
    named = [row for row in rows if row["whole"] == f"{_LLM}, name"]
    seven = [row for row in named if row["size_class"] == "7-9 B"]
    found["dl_share_7_9b_of_named_llm"] = part(summed(seven, "dl"), summed(named, "dl"))
    found["interval_method"] = method(rows)
    return found


def _chart(_table: "pa.Table", _scalars: object) -> Chart:
    both = {
        "models": ("share_declared", "ci_lo", "ci_hi"),
        "downloads in 30 days": ("dl_share_declared", "dl_ci_lo", "dl_ci_hi"),
    }
    shown = f"datum.source == 'any' && datum.size_class != '{UNKNOWN}' && datum.among == "
    return {
        "vconcat": [
            dumbbells("size_class", both, title, SIZES[:-1], where=f"{shown}'{among}'")
            for among, title in (
                ("all", "All models whose parameters are known: share"),
                (_LLM, "Models for text generation whose parameters are known: share"),
            )
        ]
    }


FIGURE = Figure(
    id="B8",
    title="Classes of size",
    question="How large are the models that people make, and those that they use?",
    definitions=(
        (
            "Classes by billions of parameters, each from its lower end up to the next class: "
            "below 0.1, 0.1 to 0.5, 0.5 to 1, 1 to 3, 3 to 7; 7-9 is 7 to less than 10, 10-15 is "
            "10 to less than 16, 16-40 is 16 to less than 41, 41-80 is 41 to 80, and >80 more than "
            "80. So no size falls between two classes."
        ),
        (
            "Parameters are those that the headers of safetensors or GGUF files add up to, else "
            "those that the author declares, else those that the name tells (7B, 125M; 8x7B is "
            "the product, 56); all experts of a mixture count. Rows for each source stand below "
            "those for any."
        ),
        (
            "unknown are models whose parameters nobody tells, and quantised ones of which the "
            "headers of safetensors are all that is known, since those count several weights as "
            "one. Intervals and ranges are about shares of known ones."
        ),
        "Two wholes: all models, and those whose task is text-generation.",
        DOWNLOADS_MEAN,
        FLAGGED_MEANS,
        LEFT_OUT_MEANS,
        INTERVALS_MEAN,
    ),
    columns=(
        Answer("size_class", "text", "the class, billions of parameters"),
        Answer("among", "text", "all, or text-generation: the models that are looked at"),
        Answer("source", "text", "how parameters are known; any is all of them"),
        *share_columns("of these", "whose parameters are known", of_declared=True),
        Answer("n_packed", "whole", "unknown as packed tensors count too few", "models"),
    ),
    needs={"models": ("parameters",)},
    wants={
        "models": ("parameters_from", "task", "downloads_30d"),
        "lineage": ("relation",),
    },
    chart=_chart,
    finish=_finish,
)
