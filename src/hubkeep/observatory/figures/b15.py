# SPDX-License-Identifier: Apache-2.0
"""B15: languages, datasets and papers."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Parameter, Scalar
from hubkeep.observatory.figures.shared import (
    DOWNLOADS_MEAN,
    FLAGGED_MEANS,
    Row,
    as_table,
    part,
    rows_of,
)
from hubkeep.observatory.shapes import dumbbells
from hubkeep.observatory.statistics import (
    BOOTSTRAP_ROWS,
    Interval,
    delta_intervals,
    rate_interval,
    set_intervals,
)
from hubkeep.observatory.workbench import quoted

if TYPE_CHECKING:
    import pyarrow as pa

_KINDS: Final = ("language", "dataset", "paper")
_SHOWN: Final = 15
_SQUARE: Final = "CAST(downloads_30d AS DECIMAL(19, 0)) * CAST(downloads_30d AS DECIMAL(19, 0))"
_LOADS: Final = (
    "dl",
    "dl_share_all",
    "dl_share_declared",
    "dl_ci_lo",
    "dl_ci_hi",
    "loo",
    "dl_flagged",
    "dl_share_with_flagged",
)


def _finish(table: "pa.Table", context: Context) -> Finished:
    models = _models(context)
    top = int(context.parameters["top"])
    rows: list[Row] = []
    scalars: dict[str, Scalar] = {}
    missing, silent = {}, []
    for kind in _KINDS:
        mine = rows_of(table, "kind", kind)
        any_of = mine.filter(mine["value"].is_null()).to_pylist()
        named = mine.filter(mine["value"].is_valid())
        scalars |= _told(kind, any_of, len(named), models)
        if any_of:
            rows += _first(named, any_of[0], top)
            missing[kind] = int(models["n"] or 0) - int(any_of[0]["n"])
        else:
            silent.append(f"No model of the source names a {kind}: it may not tell them.")
    found = _intervals(rows, models, context)
    known = "models.downloads_30d" not in context.absent
    for at, row in enumerate(rows):
        _count(row, models)
        _load(row, models, found.get(at))
    if not known:
        rows = [row | dict.fromkeys(_LOADS) for row in rows]
    methods = {one.method for one in found.values()}
    return Finished(
        as_table(table.slice(0, 0), rows),
        scalars | {"interval_method": ", ".join(sorted(methods)) or "none"},
        n=int(models["n"] or 0),
        missing=missing,
        notes=silent,
    )


def _models(context: Context) -> Row:
    kept = "FILTER (WHERE NOT is_flagged)"
    return context.query(
        "SELECT count(*) AS n, "
        f"CAST(coalesce(sum(downloads_30d) {kept}, 0) AS BIGINT) AS dl, "
        f"CAST(coalesce(sum({_SQUARE}) {kept}, 0) AS DOUBLE) AS square, "
        "CAST(coalesce(sum(downloads_30d), 0) AS BIGINT) AS claimed FROM models"
    ).to_pylist()[0]


def _told(kind: str, any_of: Sequence[Row], different: int, models: Row) -> dict[str, Scalar]:
    """How many models name any of a kind; nothing is known where none does."""
    one: Row = any_of[0] if any_of else {}
    n = one.get("n")
    interval = rate_interval(int(n), int(models["n"] or 0)) if n is not None else None
    return {
        f"n_{kind}s": different if any_of else None,
        f"n_naming_{kind}": n,
        f"share_naming_{kind}": None if n is None else part(int(n), int(models["n"] or 0)),
        f"share_naming_{kind}_ci_lo": interval.low if interval else None,
        f"share_naming_{kind}_ci_hi": interval.high if interval else None,
        f"dl_share_naming_{kind}": part(int(one["dl"] or 0), int(models["dl"] or 0))
        if any_of
        else None,
    }


def _first(named: "pa.Table", any_of: Row, top: int) -> list[Row]:
    """The first by models or by downloads, with their places in both lists."""
    by_n = named.sort_by([("n", "descending"), ("value", "ascending")]).to_pylist()
    by_dl = named.sort_by([("dl", "descending"), ("value", "ascending")])["value"].to_pylist()
    places = {value: rank for rank, value in enumerate(by_dl, 1)}
    declared = {"n_declared": any_of["n"], "dl_declared": any_of["dl"]}
    return [
        {**row, **declared, "rank": rank, "dl_rank": places[row["value"]]}
        for rank, row in enumerate(by_n, 1)
        if rank <= top or places[row["value"]] <= top
    ]


def _intervals(rows: Sequence[Row], models: Row, context: Context) -> Mapping[int, Interval]:
    """The interval of the share of downloads of each row, by its place."""
    if int(models["n"] or 0) <= BOOTSTRAP_ROWS:
        return _drawn(rows, context)
    total, square = float(models["dl"] or 0), float(models["square"] or 0)
    found = {}
    for at, row in enumerate(rows):
        dl, mine = float(row["dl"] or 0), float(row["square"] or 0)
        if interval := delta_intervals([dl, total - dl], [mine, square - mine]).get(0):
            found[at] = interval
    return found


def _drawn(rows: Sequence[Row], context: Context) -> Mapping[int, Interval]:
    import numpy as np

    models = context.query(
        "SELECT id, CASE WHEN NOT is_flagged THEN coalesce(downloads_30d, 0) ELSE 0 END AS dl "
        "FROM models ORDER BY id"
    )
    kinds = ", ".join(quoted(kind) for kind in _KINDS)
    labels = context.query(
        "SELECT l.kind, l.value, l.id FROM labels AS l JOIN models AS m ON m.id = l.id "
        f"WHERE l.repo_type = 'model' AND l.kind IN ({kinds}) ORDER BY l.kind, l.value, l.id"
    ).to_pylist()
    place = {(row["kind"], row["value"]): at for at, row in enumerate(rows)}
    number = {name: at for at, name in enumerate(models["id"].to_pylist())}
    pairs = [
        (place[key], number[label["id"]])
        for label in labels
        if (key := (label["kind"], label["value"])) in place
    ]
    groups, members = np.array(pairs, np.int64).reshape(-1, 2).T
    weights = models["dl"].to_numpy().astype(np.float64)
    return set_intervals(groups, members, weights, len(rows))


def _count(row: Row, models: Row) -> None:
    n, of = int(row["n"] or 0), int(models["n"] or 0)
    interval = rate_interval(n, of)
    row |= {
        "share_all": part(n, of),
        "share_declared": part(n, int(row["n_declared"] or 0)),
        "ci_lo": interval.low if interval else None,
        "ci_hi": interval.high if interval else None,
    }


def _load(row: Row, models: Row, interval: Interval | None) -> None:
    dl, total, largest = (int(one or 0) for one in (row["dl"], models["dl"], row["largest"]))
    row |= {
        "dl_share_all": part(dl, total),
        "dl_share_declared": part(dl, int(row["dl_declared"] or 0)),
        "dl_ci_lo": interval.low if interval else None,
        "dl_ci_hi": interval.high if interval else None,
        "loo": part(dl - largest, total - largest),
        "dl_share_with_flagged": part(
            dl + int(row["dl_flagged"] or 0), int(models["claimed"] or 0)
        ),
    }


def _chart(table: "pa.Table", _scalars: object) -> Chart:
    rows = table.to_pylist()
    panels = []
    for kind in _KINDS:
        first = [row["value"] for row in rows if row["kind"] == kind and row["rank"] <= _SHOWN]
        panel = dumbbells(
            "value",
            {
                "models": ("share_all", "ci_lo", "ci_hi"),
                "downloads": ("dl_share_all", "dl_ci_lo", "dl_ci_hi"),
            },
            "Share of all",
            first,
            where=f"datum.kind == '{kind}' && datum.rank <= {_SHOWN}",
        )
        panels.append({**panel, "title": {"text": f"{kind.capitalize()}s", "anchor": "start"}})
    return {"vconcat": panels}


FIGURE = Figure(
    id="B15",
    title="Languages, datasets and papers",
    question="Which languages, datasets and papers do models name?",
    definitions=(
        (
            "What a model names is what its card or its tags say, as written: languages mostly by "
            "their codes, datasets by their ids or by names, papers by their numbers on arXiv. A "
            "model may name several, so that shares do not add up to one."
        ),
        (
            "share_all and dl_share_all are of all models and of all downloads; share_declared and "
            "dl_share_declared of those that name any of the kind. Who names none may have one."
        ),
        (
            "ci_lo and ci_hi are the 95% Wilson interval of share_all. That of dl_share_all is of "
            "2,000 bootstrap draws for up to 10,000 models, and by the delta method above."
        ),
        (
            "The table has the first by models and the first by downloads. loo is dl_share_all "
            "without the largest model that names it."
        ),
        FLAGGED_MEANS,
        DOWNLOADS_MEAN,
    ),
    columns=(
        Answer("kind", "text", f"what is named: {', '.join(_KINDS)}"),
        Answer("rank", "whole", "its place in the kind by models"),
        Answer("value", "text", "what is named, as written"),
        Answer("n", "whole", "models that name it, flagged ones too", "models"),
        Answer("share_all", "real", "of all models", "share"),
        Answer("share_declared", "real", "of models that name any", "share"),
        Answer("ci_lo", "real", "lower end of the 95% interval of share_all", "share"),
        Answer("ci_hi", "real", "upper end of it", "share"),
        Answer("dl", "whole", "their downloads in 30 days, without flagged counters", "downloads"),
        Answer("dl_rank", "whole", "its place in the kind by downloads"),
        Answer("dl_share_all", "real", "of all downloads", "share"),
        Answer("dl_share_declared", "real", "of downloads of models that name any", "share"),
        Answer("dl_ci_lo", "real", "lower end of the 95% interval of dl_share_all", "share"),
        Answer("dl_ci_hi", "real", "upper end of it", "share"),
        Answer("loo", "real", "dl_share_all without the largest model", "share"),
        Answer("dl_flagged", "whole", "downloads that flagged counters claim", "downloads"),
        Answer("dl_share_with_flagged", "real", "dl_share_all if they are counted", "share"),
    ),
    needs={"labels": ("id", "kind", "value"), "models": ("id",)},
    wants={"models": ("downloads_30d",)},
    parameters=(Parameter("top", 50, "how many of each kind the table has", least=1, most=1000),),
    chart=_chart,
    finish=_finish,
)
