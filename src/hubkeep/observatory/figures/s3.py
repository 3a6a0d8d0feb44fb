# SPDX-License-Identifier: Apache-2.0
"""S3: creators by count."""

from dataclasses import replace
from typing import TYPE_CHECKING

from hubkeep.observatory.charts import bars
from hubkeep.observatory.figure import Answer, Context, Figure, Finished
from hubkeep.observatory.figures.shared import (
    CREATORS_MEAN,
    RULE,
    UNIVERSE_MEANS,
    K,
    as_table,
    part,
    shares_of_models,
)

if TYPE_CHECKING:
    import pyarrow as pa


def _finish(table: "pa.Table", context: Context) -> Finished:
    done = shares_of_models(table, context, "namespace", "author")
    rows = done.table.to_pylist()
    total = sum(row["n"] for row in rows)
    for row in rows:
        row |= {"share": row["share_all"], "entity_share": part(row["entity_n"], total)}
    scalars = {
        "n_total": total,
        "n_authors": len(rows),
        "n_entities": len({row["entity"] for row in rows}),
        "interval_method": done.scalars["interval_method"],
    }
    return replace(done, table=as_table(table, rows), scalars=scalars)


FIGURE = Figure(
    id="S3",
    title="Creators by count",
    question="Who made the models that people use most?",
    definitions=(UNIVERSE_MEANS, CREATORS_MEAN, "share is of all models of the universe."),
    columns=(
        Answer("author", "text", "the namespace"),
        Answer("entity", "text", "who it belongs to"),
        Answer("n", "whole", "models", "models"),
        Answer("share", "real", "of all models", "share"),
        Answer("ci_lo", "real", "lower end of the 95% interval of share", "share"),
        Answer("ci_hi", "real", "upper end of it", "share"),
        Answer("entity_n", "whole", "models of all namespaces of the entity", "models"),
        Answer("entity_share", "real", "the entity's share of all models", "share"),
    ),
    needs={"models": ("id",)},
    parameters=(K, RULE),
    chart=lambda _table, _scalars: bars("author", "share", "Share of models", ci=True),
    finish=_finish,
)
