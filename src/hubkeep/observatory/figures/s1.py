# SPDX-License-Identifier: Apache-2.0
"""S1: licences by count."""

from dataclasses import replace
from typing import TYPE_CHECKING

from hubkeep.observatory.charts import bars
from hubkeep.observatory.figure import Answer, Context, Figure, Finished
from hubkeep.observatory.figures.shared import (
    LICENCE_MEANS,
    RULE,
    UNIVERSE_MEANS,
    Groups,
    K,
    shares_of_models,
    together,
)

if TYPE_CHECKING:
    import pyarrow as pa

_APACHE_MIT = "license_or_none IN ('apache-2.0', 'mit')"


def _finish(table: "pa.Table", context: Context) -> Finished:
    done = shares_of_models(table, context, "license_or_none", "licence", "(none)", "license")
    two = together(context, "apache_mit_share", _APACHE_MIT, Groups("license_or_none"))
    return replace(done, scalars={**done.scalars, **two})


FIGURE = Figure(
    id="S1",
    title="Licences by count",
    question="Under which licences are the models that people use most?",
    definitions=(
        UNIVERSE_MEANS,
        LICENCE_MEANS,
        "share_all is of all models of the universe, share_declared of those that name a licence.",
    ),
    columns=(
        Answer("licence", "text", "the licence"),
        Answer("class", "text", "its class"),
        Answer("n", "whole", "models", "models"),
        Answer("share_all", "real", "of all models", "share"),
        Answer("share_declared", "real", "of models that name a licence", "share"),
        Answer("ci_lo", "real", "lower end of the 95% interval of share_all", "share"),
        Answer("ci_hi", "real", "upper end of it", "share"),
    ),
    needs={"models": ("license",)},
    parameters=(K, RULE),
    chart=lambda _table, _scalars: bars("licence", "share_all", "Share of models", ci=True),
    finish=_finish,
)
