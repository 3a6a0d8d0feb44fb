# SPDX-License-Identifier: Apache-2.0
"""F3: the first organisations of each type."""

from typing import TYPE_CHECKING

from hubkeep.observatory.charts import ORANGE, TABLE, number
from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Parameter
from hubkeep.observatory.figures.shared import (
    COUNTED,
    CREATORS_MEAN,
    DOWNLOADS_MEAN,
    FLAGGED_MEANS,
    ORG_TYPES_MEAN,
    Groups,
    Row,
    as_table,
    intervals_inside,
    part,
)
from hubkeep.observatory.statistics import Interval

if TYPE_CHECKING:
    import pyarrow as pa

_TOP = Parameter("top", 10, "how many of each list", least=1, most=1000)
_LEVEL = Parameter(
    "level", "namespace", "what counts as an organisation", choices=("namespace", "entity")
)
_ALL_TYPES = Parameter(
    "all_types", False, "all types of organisations, not only universities, non-profits, companies"
)
_RANKED = ("university", "non-profit", "company")
_AUTHOR = "CASE WHEN $level = 'entity' THEN entity ELSE namespace END"


def _finish(table: "pa.Table", context: Context) -> Finished:
    rows = table.to_pylist()
    for row in rows:
        by_n = row["ranking"] == "n"
        row["share_in_type"] = (
            part(row["n"], row["type_n"]) if by_n else part(row["dl"], row["type_dl"])
        )
        row["top_model_share"] = part(row["dl_largest"], row["dl"])
        row["loo"] = None if by_n else _without_largest(row)
    for ranking, weight, where in (("n", "1", "true"), ("downloads", "downloads_30d", COUNTED)):
        listed = [row for row in rows if row["ranking"] == ranking]
        names: dict[str, list[str]] = {}
        for row in listed:
            names.setdefault(row["org_type"], []).append(row["author"])
        found = intervals_inside(
            context, Groups(_AUTHOR, weight, where, "models"), "org_type", names
        )
        for row in listed:
            _put(row, found.get((row["org_type"], row["author"])))
    for row in rows:
        if row["ranking"] == "models":
            _put(row, None)
    return _with_counts(as_table(table, rows), context)


def _with_counts(table: "pa.Table", context: Context) -> Finished:
    types = context.query(
        "SELECT org_type, count(*) AS n, count(*) FILTER (WHERE is_flagged) AS flagged, "
        "count(*) FILTER (WHERE NOT is_flagged AND namespace = '(none)') AS nameless, "
        "count(*) FILTER (WHERE downloads_30d IS NULL) AS unknown "
        "FROM models GROUP BY org_type ORDER BY org_type"
    ).to_pylist()
    everything = context.parameters["all_types"]
    ranked = [row for row in types if everything or row["org_type"] in _RANKED]
    excluded = {
        "flagged": sum(row["flagged"] for row in types),
        "of no type that is ranked": sum(
            row["n"] - row["flagged"] for row in types if row not in ranked
        ),
        "without a namespace": sum(row["nameless"] for row in ranked),
    }
    return Finished(
        table,
        n=sum(row["n"] for row in types) - sum(excluded.values()),
        excluded=excluded,
        missing={"downloads_30d": sum(row["unknown"] for row in types)},
    )


def _without_largest(row: Row) -> float | None:
    """The share of a type's downloads if the largest model is left out of both."""
    dl, largest, whole = (int(row[name] or 0) for name in ("dl", "dl_largest", "type_dl"))
    return part(dl - largest, whole - largest)


def _put(row: Row, interval: Interval | None) -> None:
    row["ci_lo"] = interval.low if interval else None
    row["ci_hi"] = interval.high if interval else None


def _chart(_table: "pa.Table", _scalars: object) -> Chart:
    def panel(ranking: str, value: str, title: str, colour: str | None) -> dict[str, object]:
        return {
            "transform": [{"filter": f"datum.ranking == '{ranking}'"}],
            "facet": {
                "row": {
                    "field": "org_type",
                    "type": "nominal",
                    "title": None,
                    "header": {"labelAngle": 0, "labelOrient": "top", "labelAnchor": "start"},
                }
            },
            "spec": {
                "width": 240,
                "height": {"step": 18},
                "mark": {"type": "bar", **({"color": colour} if colour else {})},
                "encoding": {
                    "x": number(value, title),
                    "y": {"field": "author", "type": "nominal", "sort": "-x", "title": None},
                },
            },
            "resolve": {"scale": {"y": "independent", "x": "independent"}},
        }

    models = {
        "transform": [{"filter": "datum.ranking == 'models'"}],
        "width": 240,
        "height": {"step": 18},
        "mark": {"type": "bar", "color": ORANGE},
        "encoding": {
            "x": number("dl", "Downloads in 30 days"),
            "y": {"field": "top_model", "type": "nominal", "sort": "-x", "title": None},
        },
    }
    pair = {
        "hconcat": [
            panel("n", "n", "Models", None),
            panel("downloads", "dl", "Downloads in 30 days", ORANGE),
        ]
    }
    return {"data": TABLE, "vconcat": [pair, models]}


FIGURE = Figure(
    id="F3",
    title="The first organisations",
    question="Which universities, non-profits and companies lead, by models and by downloads?",
    definitions=(
        ORG_TYPES_MEAN,
        CREATORS_MEAN,
        DOWNLOADS_MEAN,
        (
            "Three rankings: `n` and `downloads` are the first ten organisations of each type, "
            "`models` the ten models of all types that are downloaded most (top_model names them)."
        ),
        (
            "share_in_type is of all models, or downloads, of the type; top_model_share is the "
            "part of the largest model in the organisation's downloads, and loo is share_in_type "
            "without it."
        ),
        FLAGGED_MEANS,
    ),
    columns=(
        Answer("org_type", "text", "the type of organisation"),
        Answer("rank", "whole", "place in its ranking"),
        Answer("author", "text", "the namespace, or the entity"),
        Answer("n", "whole", "models, flagged ones too", "models"),
        Answer("dl", "whole", "downloads in 30 days, without flagged counters", "downloads"),
        Answer("share_in_type", "real", "of the models or downloads of its type", "share"),
        Answer("top_model", "text", "its largest model that is not flagged"),
        Answer("top_model_share", "real", "of its downloads", "share"),
        Answer("ranking", "text", "by what: n, downloads, or models"),
        Answer("entity", "text", "who the namespace belongs to"),
        Answer("loo", "real", "share_in_type without the largest model", "share"),
        Answer("ci_lo", "real", "lower end of the 95% interval of share_in_type", "share"),
        Answer("ci_hi", "real", "upper end of it", "share"),
        Answer("dl_flagged", "whole", "downloads that flagged counters claim", "downloads"),
    ),
    needs={"models": ("downloads_30d",)},
    parameters=(_TOP, _LEVEL, _ALL_TYPES),
    chart=_chart,
    finish=_finish,
)
