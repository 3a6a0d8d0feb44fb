# SPDX-License-Identifier: Apache-2.0
"""S2: licences by downloads."""

from dataclasses import replace
from typing import TYPE_CHECKING

from hubkeep.observatory.charts import bars
from hubkeep.observatory.figure import Answer, Context, Figure, Finished
from hubkeep.observatory.figures.shared import (
    COUNTED,
    DOWNLOADS_MEAN,
    FLAGGED_MEANS,
    LEFT_OUT_MEANS,
    LICENCE_MEANS,
    RULE,
    UNIVERSE_MEANS,
    Groups,
    K,
    part,
    shares_of_downloads,
    together,
)

if TYPE_CHECKING:
    import pyarrow as pa

_TWO = ("apache-2.0", "mit")


def _finish(table: "pa.Table", context: Context) -> Finished:
    done = shares_of_downloads(table, context, "license_or_none", "licence", "(none)", "license")
    groups = Groups("license_or_none", "downloads_30d", COUNTED)
    two = together(context, "apache_mit_share", f"license_or_none IN {_TWO}", groups)
    rows = [row for row in done.table.to_pylist() if row["licence"] in _TWO]
    claimed = sum(row["dl"] + row["dl_flagged"] for row in done.table.to_pylist())
    two["apache_mit_share_with_flagged"] = part(
        sum(row["dl"] + row["dl_flagged"] for row in rows), claimed
    )
    two["apache_mit_share_declared"] = part(
        sum(row["dl"] for row in rows),
        sum(row["dl"] for row in done.table.to_pylist() if row["licence"] != "(none)"),
    )
    return replace(done, scalars={**done.scalars, **two})


FIGURE = Figure(
    id="S2",
    title="Licences by downloads",
    question="Under which licences are the models that people download most?",
    definitions=(
        UNIVERSE_MEANS,
        LICENCE_MEANS,
        DOWNLOADS_MEAN,
        (
            "dl_share_all is of all downloads of the universe, dl_share_declared of those of "
            "models that name a licence."
        ),
        FLAGGED_MEANS,
        LEFT_OUT_MEANS,
    ),
    columns=(
        Answer("licence", "text", "the licence"),
        Answer("class", "text", "its class"),
        Answer("n", "whole", "models", "models"),
        Answer("dl", "whole", "downloads in 30 days, without flagged counters", "downloads"),
        Answer("dl_share_all", "real", "of all downloads", "share"),
        Answer("dl_share_declared", "real", "of downloads of models with a licence", "share"),
        Answer("loo_min", "real", "the share without its largest model", "share"),
        Answer("loo_max", "real", "the share without the largest other model", "share"),
        Answer("ci_lo", "real", "lower end of the 95% interval of dl_share_all", "share"),
        Answer("ci_hi", "real", "upper end of it", "share"),
        Answer("dl_flagged", "whole", "downloads that flagged counters claim", "downloads"),
        Answer("dl_share_with_flagged", "real", "the share if they are counted", "share"),
    ),
    needs={"models": ("downloads_30d", "license")},
    parameters=(K, RULE),
    chart=lambda _table, _scalars: bars("licence", "dl_share_all", "Share of downloads", ci=True),
    finish=_finish,
)
