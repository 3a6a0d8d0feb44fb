# SPDX-License-Identifier: Apache-2.0
"""S4: creators by downloads."""

from dataclasses import replace
from typing import TYPE_CHECKING

from hubkeep.observatory.charts import bars
from hubkeep.observatory.figure import Answer, Context, Figure, Finished
from hubkeep.observatory.figures.shared import (
    CREATORS_MEAN,
    DOWNLOADS_MEAN,
    FLAGGED_MEANS,
    LEFT_OUT_MEANS,
    RULE,
    UNIVERSE_MEANS,
    K,
    as_table,
    part,
    shares_of_downloads,
)

if TYPE_CHECKING:
    import pyarrow as pa


def _finish(table: "pa.Table", context: Context) -> Finished:
    done = shares_of_downloads(table, context, "namespace", "author")
    rows = done.table.to_pylist()
    total = sum(row["dl"] for row in rows)
    for row in rows:
        row |= {
            "share": row["dl_share_all"],
            "loo": row["loo_min"],
            "top_model_share": part(row["dl_largest"], row["dl"]),
            "entity_share": part(row["entity_dl"], total),
            "share_with_flagged": row["dl_share_with_flagged"],
        }
    kept = ("dl_total", "dl_flagged", "interval_method")
    scalars = {name: done.scalars[name] for name in kept}
    return replace(done, table=as_table(table, rows), scalars=scalars)


FIGURE = Figure(
    id="S4",
    title="Creators by downloads",
    question="Whose models do people download most?",
    definitions=(
        UNIVERSE_MEANS,
        CREATORS_MEAN,
        DOWNLOADS_MEAN,
        (
            "loo is the share of a creator without its own largest model, top_model, whose part of "
            "the creator's downloads is top_model_share."
        ),
        LEFT_OUT_MEANS,
        FLAGGED_MEANS,
    ),
    columns=(
        Answer("author", "text", "the namespace"),
        Answer("entity", "text", "who it belongs to"),
        Answer("dl", "whole", "downloads in 30 days, without flagged counters", "downloads"),
        Answer("share", "real", "of all downloads", "share"),
        Answer("loo", "real", "the share without its largest model", "share"),
        Answer("top_model", "text", "its largest model that is not flagged"),
        Answer("top_model_share", "real", "of the creator's downloads", "share"),
        Answer("n", "whole", "models, flagged ones too", "models"),
        Answer("loo_min", "real", "the share without its largest model", "share"),
        Answer("loo_max", "real", "the share without the largest other model", "share"),
        Answer("ci_lo", "real", "lower end of the 95% interval of share", "share"),
        Answer("ci_hi", "real", "upper end of it", "share"),
        Answer("dl_flagged", "whole", "downloads that flagged counters claim", "downloads"),
        Answer("share_with_flagged", "real", "the share if they are counted", "share"),
        Answer("entity_dl", "whole", "downloads of all namespaces of the entity", "downloads"),
        Answer("entity_share", "real", "the entity's share of all downloads", "share"),
    ),
    needs={"models": ("downloads_30d",)},
    parameters=(K, RULE),
    chart=lambda _table, _scalars: bars("author", "share", "Share of downloads", ci=True),
    finish=_finish,
)
