# SPDX-License-Identifier: Apache-2.0
"""B6: what models are about."""

from typing import TYPE_CHECKING

from hubkeep.observatory.dimensions import NONE
from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished
from hubkeep.observatory.figures.parts import (
    INTERVALS_MEAN,
    MADE,
    MADE_COLUMNS,
    Parts,
    method,
    share_columns,
    summed,
    with_shares,
)
from hubkeep.observatory.figures.shared import (
    CENSORED_MEANS,
    DOWNLOADS_MEAN,
    FLAGGED_MEANS,
    LEFT_OUT_MEANS,
    SURVIVORS,
    as_table,
    part,
)
from hubkeep.observatory.shapes import by_quarter, dumbbells

if TYPE_CHECKING:
    import pyarrow as pa

_ORDER = (
    "text",
    "vision",
    "audio",
    "multimodal",
    "reinforcement learning",
    "tabular",
    "other",
    NONE,
)


def _finish(table: "pa.Table", context: Context) -> Finished:
    given = table.to_pylist()
    inside = Parts(by="modality", by_name="modality", whole=MADE, undeclared=NONE)
    rows = [
        *with_shares([row for row in given if row["whole"] == "all"], context, inside.together()),
        *with_shares([row for row in given if row["whole"] != "all"], context, inside),
    ]
    whole = [row for row in rows if row["whole"] == "all"]
    n = summed(whole, "n")
    untagged = summed([row for row in whole if row["modality"] == NONE], "n")
    undated = summed([row for row in rows if row["whole"] == "no date"], "n")
    return Finished(
        as_table(table, rows),
        {
            "n_tagged": n - untagged,
            "share_untagged": part(untagged, n),
            "dl_total": summed(whole, "dl"),
            "interval_method": method(whole),
        },
        n=n,
        excluded={"flagged, from downloads alone": summed(whole, "n_flagged")},
        missing={
            "task": untagged,
            "created_at": undated,
            "downloads_30d": summed(whole, "n_missing_downloads"),
        },
        notes=(SURVIVORS,),
    )


def _chart(_table: "pa.Table", _scalars: object) -> Chart:
    together = dumbbells(
        "modality",
        {
            "models": ("share_all", "ci_lo", "ci_hi"),
            "downloads in 30 days": ("dl_share_all", "dl_ci_lo", "dl_ci_hi"),
        },
        "Share of all models, and of their downloads",
        _ORDER,
        where="datum.whole == 'all'",
    )
    made = by_quarter(
        "modality", "share_all", "Share of new models", _ORDER, "datum.whole != 'all'"
    )
    return {"vconcat": [together, made], "resolve": {"scale": {"color": "independent"}}}


FIGURE = Figure(
    id="B6",
    title="What models are about",
    question="Which kinds of data do models work on, and how does that change?",
    definitions=(
        (
            "The modality of a model is that of its task (its pipeline tag), by the table of "
            "tasks: image-text-to-text is multimodal, robotics counts to reinforcement learning; "
            "(none) has no task, `other` is a task that the table does not know."
        ),
        (
            "By the quarter in which a model was made: all that are there, with the downloads that "
            "they have now. share_declared is of models with a task."
        ),
        CENSORED_MEANS,
        SURVIVORS,
        DOWNLOADS_MEAN,
        FLAGGED_MEANS,
        LEFT_OUT_MEANS,
        INTERVALS_MEAN,
    ),
    columns=(
        *MADE_COLUMNS,
        Answer("modality", "text", "what it is about: text, vision, audio, ..."),
        *share_columns("of the row's `whole`", "with a task"),
    ),
    needs={"models": ("task",)},
    wants={"models": ("created_at", "downloads_30d")},
    chart=_chart,
    finish=_finish,
)
