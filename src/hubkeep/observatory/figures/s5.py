# SPDX-License-Identifier: Apache-2.0
"""S5: tasks by downloads."""

from dataclasses import replace
from typing import TYPE_CHECKING

from hubkeep.observatory.charts import bars
from hubkeep.observatory.figure import Answer, Context, Figure, Finished
from hubkeep.observatory.figures.shared import (
    DOWNLOADS_MEAN,
    FLAGGED_MEANS,
    LEFT_OUT_MEANS,
    RULE,
    UNIVERSE_MEANS,
    K,
    as_table,
    shares_of_downloads,
)

if TYPE_CHECKING:
    import pyarrow as pa


def _finish(table: "pa.Table", context: Context) -> Finished:
    done = shares_of_downloads(table, context, "task_or_none", "task", "(none)", "task")
    rows = done.table.to_pylist()
    for row in rows:
        row |= {
            "share": row["dl_share_all"],
            "share_declared": row["dl_share_declared"],
            "share_with_flagged": row["dl_share_with_flagged"],
        }
    return replace(done, table=as_table(table, rows))


FIGURE = Figure(
    id="S5",
    title="Tasks by downloads",
    question="What are the models for that people download most?",
    definitions=(
        UNIVERSE_MEANS,
        (
            "The task is the pipeline tag of a model; (none) has none. share is of all downloads "
            "of the universe, share_declared of those of models with a task."
        ),
        DOWNLOADS_MEAN,
        LEFT_OUT_MEANS,
        FLAGGED_MEANS,
    ),
    columns=(
        Answer("task", "text", "the task"),
        Answer("modality", "text", "what it is about: text, vision, audio, ..."),
        Answer("n", "whole", "models, flagged ones too", "models"),
        Answer("dl", "whole", "downloads in 30 days, without flagged counters", "downloads"),
        Answer("share", "real", "of all downloads", "share"),
        Answer("share_declared", "real", "of downloads of models with a task", "share"),
        Answer("loo_min", "real", "the share without its largest model", "share"),
        Answer("loo_max", "real", "the share without the largest other model", "share"),
        Answer("ci_lo", "real", "lower end of the 95% interval of share", "share"),
        Answer("ci_hi", "real", "upper end of it", "share"),
        Answer("dl_flagged", "whole", "downloads that flagged counters claim", "downloads"),
        Answer("share_with_flagged", "real", "the share if they are counted", "share"),
    ),
    needs={"models": ("downloads_30d", "task")},
    parameters=(K, RULE),
    chart=lambda _table, _scalars: bars("task", "share", "Share of downloads", ci=True),
    finish=_finish,
)
