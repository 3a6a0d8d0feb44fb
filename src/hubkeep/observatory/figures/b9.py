# SPDX-License-Identifier: Apache-2.0
"""B9: how well models are documented."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.charts import TABLE
from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Scalar
from hubkeep.observatory.figures.shared import (
    DOWNLOADS_MEAN,
    FLAGGED_MEANS,
    Row,
    as_table,
    part,
)
from hubkeep.observatory.shapes import dumbbells
from hubkeep.observatory.statistics import (
    BOOTSTRAP_ROWS,
    Interval,
    delta_intervals,
    overlapping_intervals,
    rate_interval,
)

if TYPE_CHECKING:
    import pyarrow as pa

_FIELDS: Final = {
    "licence": ("models.license",),
    "task": ("models.task",),
    "library": ("models.library",),
    "dataset": ("labels.value",),
    "base": ("lineage.parent",),
    "language": ("labels.value",),
    "metrics": ("models.has_metrics",),
    "co2": ("models.co2_grams", "models.co2_written"),
}
"""The fields of the score, and the columns of which any one tells of it."""
_CARD: Final = "card"
_LABELLED: Final = ("dataset", "language")


@dataclass(frozen=True, slots=True)
class _Share:
    """A row of the table: the models of `inside`, of those of `whole`, by their fields."""

    part: str
    name: str
    inside: Callable[[Row], bool]
    whole: Callable[[Row], bool]


def _finish(table: "pa.Table", context: Context) -> Finished:
    told = table.to_pylist()
    there = _known(told, context)
    fields = [name for name in there if name != _CARD]
    scored = [(row, sum(bool(row[name]) for name in fields)) for row in told if _all(row, fields)]
    shares = _shares(there, fields)
    n = _sum(told, "n")
    rows = [
        _row(share, told, interval)
        for share, interval in zip(shares, _intervals(told, shares, n), strict=True)
    ]
    flagged = _sum(told, "n_flagged")
    return Finished(
        as_table(table, rows),
        {
            **_means(scored, fields),
            "n_fields": len(fields),
            "fields_missing": ", ".join(name for name in _FIELDS if name not in there) or None,
            "interval_method": "bootstrap" if n <= BOOTSTRAP_ROWS else "delta method",
        },
        n=n,
        excluded={"flagged, from downloads alone": flagged},
        missing={"downloads_30d": _sum(told, "n_missing_downloads")}
        | {name: n - _sum(_where(told, _is_known(name)), "n") for name in there},
        notes=_notes(there),
    )


def _known(told: Sequence[Row], context: Context) -> list[str]:
    """The card and the fields that the source tells of, in order."""
    columns = {_CARD: ("models.has_card",), **_FIELDS}
    return [
        name
        for name, any_of in columns.items()
        if not set(any_of) <= set(context.absent)
        and (name not in _LABELLED or any(row[name] for row in told))
    ]


def _shares(there: Sequence[str], fields: Sequence[str]) -> list[_Share]:
    found = [
        _Share(
            _CARD if name == _CARD else "field",
            name,
            lambda row, name=name: bool(row[name]),
            _is_known(name),
        )
        for name in there
    ]
    scores = range(len(fields) + 1) if fields else ()
    return found + [
        _Share(
            "score",
            str(score),
            lambda row, score=score: sum(bool(row[name]) for name in fields) == score,
            lambda row: _all(row, fields),
        )
        for score in scores
    ]


def _is_known(name: str) -> Callable[[Row], bool]:
    return lambda row: row[name] is not None


def _all(row: Row, fields: Sequence[str]) -> bool:
    return all(row[name] is not None for name in fields)


def _where(told: Sequence[Row], holds: Callable[[Row], bool]) -> list[Row]:
    return [row for row in told if holds(row)]


def _sum(rows: Sequence[Row], column: str) -> int:
    return sum(int(row[column] or 0) for row in rows)


def _row(share: _Share, told: Sequence[Row], interval: Interval | None) -> Row:
    whole = _where(told, share.whole)
    inside = _where(whole, share.inside)
    n, of, dl, dl_of = (_sum(rows, name) for name in ("n", "dl") for rows in (inside, whole))
    flagged, flagged_of = _sum(inside, "dl_flagged"), _sum(whole, "dl_flagged")
    rate = rate_interval(n, of)
    counted = _sum(whole, "n_missing_downloads") < of
    return {
        "part": share.part,
        "name": share.name,
        "n": n,
        "n_known": of,
        "share": part(n, of),
        "ci_lo": rate.low if rate else None,
        "ci_hi": rate.high if rate else None,
        "dl": dl if counted else None,
        "dl_share": part(dl, dl_of),
        "dl_ci_lo": interval.low if interval else None,
        "dl_ci_hi": interval.high if interval else None,
        "dl_flagged": flagged if counted else None,
        "dl_share_with_flagged": part(dl + flagged, dl_of + flagged_of),
    }


def _intervals(told: Sequence[Row], shares: Sequence[_Share], n: int) -> list[Interval | None]:
    """The intervals of shares of downloads."""
    import numpy as np

    if n > BOOTSTRAP_ROWS:
        return [_delta(_where(told, share.whole), share.inside) for share in shares]
    wholes = np.array([[share.whole(row) for row in told] for share in shares], dtype=bool)
    parts = np.array([[share.inside(row) for row in told] for share in shares], dtype=bool)
    counts = [int(row["n"] or 0) for row in told]
    weights = np.repeat([int(row["dl_each"] or 0) for row in told], counts)
    groups = np.repeat(np.arange(len(told)), counts)
    shape = (len(shares), len(told))
    return overlapping_intervals(
        groups, weights, (parts & wholes).reshape(shape), wholes.reshape(shape)
    )


def _delta(whole: Sequence[Row], inside: Callable[[Row], bool]) -> Interval | None:
    sums, squares = [0.0, 0.0], [0.0, 0.0]
    for row in whole:
        at = 0 if inside(row) else 1
        sums[at] += float(row["dl"] or 0)
        squares[at] += float(row["dl_square"] or 0)
    return delta_intervals(sums, squares).get(0)


def _means(scored: Sequence[tuple[Row, int]], fields: Sequence[str]) -> dict[str, Scalar]:
    """The mean score of models, and of downloads."""
    found: dict[str, Scalar] = {}
    for name, column in (("mean_score", "n"), ("mean_score_dl", "dl")):
        total = sum(int(row[column] or 0) for row, _ in scored)
        score = sum(int(row[column] or 0) * score for row, score in scored)
        found[name] = part(score, total) if fields else None
    return found


def _notes(there: Sequence[str]) -> tuple[str, ...]:
    lost = [name for name in _FIELDS if name not in there]
    if not lost:
        return ()
    return (
        (
            f"The score is of {len(_FIELDS) - len(lost)} of {len(_FIELDS)} fields: the source does "
            f"not tell of {', '.join(lost)}."
        ),
    )


def _chart(table: "pa.Table", _scalars: object) -> Chart:
    measures = {
        "of models": ("share", "ci_lo", "ci_hi"),
        "of downloads": ("dl_share", "dl_ci_lo", "dl_ci_hi"),
    }
    rows = table.select(["part", "name"]).to_pylist()
    panels = []
    for holds, title in (("!=", "Have it"), ("==", "Have so many fields")):
        is_score = holds == "=="
        order = [row["name"] for row in rows if (row["part"] == "score") == is_score]
        panels.append(
            dumbbells("name", measures, title, order, where=f"datum.part {holds} 'score'")
        )
    return {"data": TABLE, "vconcat": panels}


FIGURE = Figure(
    id="B9",
    title="Documentation",
    question="How well are models documented, and how well are those that people download?",
    definitions=(
        "The card is a README.md; whether there is one says nothing of what is in it.",
        (
            "The score of a model counts which of eight fields it has: a licence, a task, a "
            "library, a dataset, a base model other than itself, a language, results (metrics) and "
            "emissions (co2)."
        ),
        (
            "A field that the source does not tell of is no part of the score, which is of fewer "
            "fields then, and named; that no model of a census names a dataset or a language is "
            "taken as its source not telling. What is not known of single models leaves these out "
            "of that field's share, and of the scores."
        ),
        (
            "share is of the models of n_known, with Wilson's 95% interval; dl_share is of their "
            "downloads. Fields are as the source has them: tags that a hub derives from files "
            "count like those that an author wrote."
        ),
        DOWNLOADS_MEAN,
        FLAGGED_MEANS,
    ),
    columns=(
        Answer("part", "text", "what the row is about: the card, a field, or a score"),
        Answer("name", "text", "the field, or the score"),
        Answer("n", "whole", "models that have it", "models"),
        Answer("n_known", "whole", "models of which it is known", "models"),
        Answer("share", "real", "of them", "share"),
        Answer("ci_lo", "real", "lower end of the 95% interval of share", "share"),
        Answer("ci_hi", "real", "upper end of it", "share"),
        Answer("dl", "whole", "downloads in 30 days, without flagged counters", "downloads"),
        Answer("dl_share", "real", "of the downloads of those of which it is known", "share"),
        Answer("dl_ci_lo", "real", "lower end of the 95% interval of dl_share", "share"),
        Answer("dl_ci_hi", "real", "upper end of it", "share"),
        Answer("dl_flagged", "whole", "downloads that flagged counters claim", "downloads"),
        Answer("dl_share_with_flagged", "real", "dl_share if they are counted", "share"),
    ),
    needs={"models": ("id",)},
    wants={
        "models": (
            "has_card",
            "license",
            "task",
            "library",
            "has_metrics",
            "co2_grams",
            "co2_written",
            "downloads_30d",
        ),
        "labels": ("value",),
        "lineage": ("parent",),
    },
    chart=_chart,
    finish=_finish,
    sources=(
        (
            "Fields of model cards: Liang et al., Systematic analysis of 32,111 AI model cards "
            "characterizes documentation practice in AI, Nature Machine Intelligence 6 (2024)."
        ),
    ),
)
