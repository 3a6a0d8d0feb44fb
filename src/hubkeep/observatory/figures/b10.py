# SPDX-License-Identifier: Apache-2.0
"""B10: what is gated."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hubkeep.observatory.charts import TABLE, share
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
    REGIONS_MEAN,
    Row,
    as_table,
    part,
)
from hubkeep.observatory.statistics import rate_interval

if TYPE_CHECKING:
    import pyarrow as pa

_DATASETS = """
(SELECT d.id, d.gated, d.downloads_30d, coalesce(n.region, 'unknown') AS region,
  coalesce(d.downloads_30d > 0.05 * t.dl AND d.downloads_30d * t.n > 3 * t.dl, false) AS is_flagged
FROM datasets AS d
CROSS JOIN (SELECT sum(downloads_30d) AS dl, count(*) FILTER (WHERE downloads_30d > 0) AS n
  FROM datasets) AS t
LEFT JOIN known_namespaces AS n ON n.author = d.author) AS found
"""
_TYPES = ("model", "dataset")
_VIEWS = {"model": "models", "dataset": _DATASETS}
_GATED = ("auto", "manual")


def _finish(table: "pa.Table", context: Context) -> Finished:
    given: list[Row] = table.to_pylist()
    rows: list[Row] = []
    scalars: dict[str, Scalar] = {}
    missing = {}
    flagged = 0
    for name in _TYPES:
        mine = [row for row in given if row["repo_type"] == name]
        every = [row for row in mine if row["region"] == "all"]
        known = [row for row in every if row["gated"] != UNKNOWN]
        missing[f"{name}s.gated"] = summed(every, "n") - summed(known, "n")
        if not known:
            continue
        flagged += summed(every, "n_flagged")
        missing[f"{name}s.downloads_30d"] = summed(every, "n_missing_downloads")
        rows += _shared(mine, context, _VIEWS[name])
        scalars |= _scalars(name, [row for row in rows if row["whole"] == f"{name} all"])
    known = [row for row in rows if row["region"] == "all" and row["gated"] != UNKNOWN]
    return Finished(
        as_table(table.slice(0, 0), rows),
        scalars,
        n=summed(known, "n"),
        excluded={"flagged, from downloads alone": flagged},
        missing=missing,
    )


def _shared(mine: Sequence[Row], context: Context, view: str) -> list[Row]:
    """Shares of what is gated how among those that tell, of all and inside of each region."""
    name = str(mine[0]["repo_type"])
    by_region = Parts(
        by=f"coalesce(gated, '{UNKNOWN}')",
        by_name="gated",
        whole=f"concat('{name} ', region)",
        view=view,
        where="gated IS NOT NULL",
        undeclared=UNKNOWN,
        of_declared=True,
    )
    every = [row for row in mine if row["region"] == "all"]
    others = [row for row in mine if row["region"] != "all"]
    return [
        *with_shares(every, context, by_region.together(f"{name} all")),
        *with_shares(others, context, by_region),
    ]


def _scalars(name: str, every: Sequence[Row]) -> dict[str, Scalar]:
    known = [row for row in every if row["gated"] != UNKNOWN]
    gated = [row for row in known if row["gated"] in _GATED]
    n, whole = summed(gated, "n"), summed(known, "n")
    interval = rate_interval(n, whole)
    return {
        f"share_gated_{name}s": part(n, whole),
        f"share_gated_{name}s_ci_lo": interval.low if interval else None,
        f"share_gated_{name}s_ci_hi": interval.high if interval else None,
        f"dl_share_gated_{name}s": part(summed(gated, "dl"), summed(known, "dl")),
        f"interval_method_{name}s": method(every),
    }


def _chart(table: "pa.Table", _scalars: object) -> Chart:
    there = set(table["repo_type"].to_pylist())
    return {
        "vconcat": [
            {
                "hconcat": [
                    _panel(name, "share_declared", f"Gated, of all {name}s"),
                    _panel(name, "dl_share_declared", f"Gated, of downloads of {name}s"),
                ]
            }
            for name in _TYPES
            if name in there
        ]
    }


def _panel(name: str, value: str, title: str) -> Chart:
    return {
        "data": TABLE,
        "transform": [
            {"filter": f"datum.repo_type == '{name}'"},
            {"filter": {"field": "gated", "oneOf": list(_GATED)}},
        ],
        "width": 250,
        "height": {"step": 20},
        "mark": "bar",
        "encoding": {
            "x": share(value, title),
            "y": {"field": "region", "type": "nominal", "sort": None, "title": None},
            "color": {
                "field": "gated",
                "type": "nominal",
                "title": "gated",
                "scale": {"domain": list(_GATED), "range": ["#0072B2", "#E69F00"]},
            },
            "tooltip": [{"field": one} for one in ("region", "gated", "n", value)],
        },
    }


FIGURE = Figure(
    id="B10",
    title="What is gated",
    question="How much is given only to those who ask, and by whom?",
    definitions=(
        (
            "auto: anybody who agrees to share a name or to terms is let in at once; manual: the "
            "owners decide; no: open. unknown are those of which the source does not tell it: "
            "shares of declared ones, their intervals and ranges leave them out."
        ),
        "Models and datasets are told apart, each of all regions and of each region.",
        REGIONS_MEAN,
        (
            "What a reader filters is models; datasets are always all of the snapshot. Of "
            "datasets, flagged is what holds more than 5% of all downloads and three times the "
            "mean."
        ),
        DOWNLOADS_MEAN,
        FLAGGED_MEANS,
        LEFT_OUT_MEANS,
        INTERVALS_MEAN,
    ),
    columns=(
        Answer("repo_type", "text", "model or dataset"),
        Answer("region", "text", "where its namespace is from; all is all regions"),
        Answer("gated", "text", "no, auto, manual or unknown"),
        *share_columns("of its type and region", "that tell", of_declared=True),
    ),
    needs={},
    wants={
        "models": ("gated", "downloads_30d"),
        "datasets": ("gated", "downloads_30d"),
    },
    chart=_chart,
    finish=_finish,
)
