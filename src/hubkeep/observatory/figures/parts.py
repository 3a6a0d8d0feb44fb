# SPDX-License-Identifier: Apache-2.0
"""Parts of several wholes: models of each quarter by what they are, with their downloads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hubkeep.observatory.figure import Answer, Context, Scalar
from hubkeep.observatory.figures.shared import (
    COUNTED,
    Row,
    largest_of_others,
    part,
)
from hubkeep.observatory.statistics import (
    BOOTSTRAP_ROWS,
    Interval,
    delta_intervals,
    leave_one_out,
    share_intervals,
)
from hubkeep.observatory.workbench import quoted

UNKNOWN: Final = "unknown"

INTERVALS_MEAN: Final = (
    "Intervals are at 95%: of 2,000 bootstrap draws where a whole has up to 10,000 models, by the "
    "delta method above."
)

MADE: Final = (
    "CASE WHEN quarter IS NULL THEN 'no date' WHEN is_censored THEN 'before March 2022' "
    "ELSE CAST(quarter AS VARCHAR) END"
)
"""SQL of `whole` where models stand by the quarter in which they were made."""
MADE_COLUMNS: Final = (
    Answer("whole", "text", "all models, or those of a quarter, made before March 2022 or no date"),
    Answer("quarter", "day", "first day of the quarter; null of all"),
    Answer("is_censored", "flag", "whether all that is known is: before March 2022"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Which models a row of a figure stands for, in SQL, so that they can be drawn again.

    Rows have the same two texts in the columns `whole` and `by_name`.
    """

    by: str
    """Gives the part that a model belongs to."""
    by_name: str
    """The column of rows that has it."""
    whole: str = "'all'"
    """Gives the whole that it is a part of."""
    view: str = "models"
    where: str = "true"
    """Holds for the models that intervals are about."""
    undeclared: str | None = None
    """The part that has declared nothing: it is no part of those that did."""
    of_declared: bool = False
    """Whether intervals and ranges are about shares of those that declared; `where` holds for
    them alone then.
    """

    is_now: bool = True
    """Whether `view` has these models, so that small wholes can be drawn again."""

    def as_they_were(self) -> "Parts":
        """Return the same parts of earlier models, which no view has any more."""
        return replace(self, is_now=False)

    def together(self, name: str = "all") -> "Parts":
        """Return the same parts of all models as one whole, which rows call `name`."""
        return replace(self, whole=f"'{name}'")


_Intervals = dict[str, Interval]


def with_shares(rows: Sequence[Row], context: Context, parts: Parts) -> list[Row]:
    """Return rows with their shares of models and of downloads inside of their whole.

    A row has `whole` (text; absent is one whole), the part's name, `n`, `n_missing_downloads`, and,
    without flagged counters, `dl`, `dl_square` (the sum of squares) and `dl_largest`; with them
    `dl_flagged`. Adds the columns of `share_columns`. Where no model of a row has a number of
    downloads, `dl` becomes null: it is not known, which is not zero.
    """
    nothing = dict.fromkeys(
        ("dl_ci_lo", "dl_ci_hi", "loo_min", "loo_max", "dl_share_with_flagged", "method")
    )
    found: list[Row] = [{**row, **nothing} for row in rows]
    wholes: dict[str, list[Row]] = {}
    for row in found:
        wholes.setdefault(str(row.get("whole", "all")), []).append(row)
    by_n, by_dl = _intervals(wholes, context, parts)
    for name, inside in wholes.items():
        _count_shares(inside, parts, by_n.get(name, {}))
        _load_shares(inside, parts, by_dl.get(name, {}))
    return found


def share_columns(of: str, declared: str, *, of_declared: bool = False) -> tuple[Answer, ...]:
    """Return the columns that `with_shares` adds, and those of downloads that it stands on."""
    one = "share_declared" if of_declared else "share_all"
    return (
        Answer("n", "whole", "models, flagged ones too", "models"),
        Answer("share_all", "real", f"of all models {of}".strip(), "share"),
        Answer("share_declared", "real", f"of those {declared}", "share"),
        Answer("ci_lo", "real", f"lower end of the 95% interval of {one}", "share"),
        Answer("ci_hi", "real", "upper end of it", "share"),
        Answer("dl", "whole", "downloads in 30 days, without flagged counters", "downloads"),
        Answer("dl_share_all", "real", f"of all downloads {of}".strip(), "share"),
        Answer("dl_share_declared", "real", f"of downloads of those {declared}", "share"),
        Answer("dl_ci_lo", "real", f"lower end of the 95% interval of dl_{one}", "share"),
        Answer("dl_ci_hi", "real", "upper end of it", "share"),
        Answer("loo_min", "real", f"dl_{one} without its largest model", "share"),
        Answer("loo_max", "real", f"dl_{one} without the largest other model", "share"),
        Answer("dl_flagged", "whole", "downloads that flagged counters claim", "downloads"),
        Answer("dl_share_with_flagged", "real", f"dl_{one} if they are counted", "share"),
        Answer("n_missing_downloads", "whole", "without a number of downloads", "models"),
    )


def summed(rows: Iterable[Row], name: str) -> int:
    """Return the sum of a column of whole numbers, of which some may be null."""
    return sum(int(row[name] or 0) for row in rows)


def method(rows: Iterable[Row]) -> str:
    """Return how the intervals of downloads were come by."""
    return ", ".join(sorted({str(row["method"]) for row in rows if row.get("method")})) or "none"


def _intervals(
    wholes: Mapping[str, Sequence[Row]], context: Context, parts: Parts
) -> tuple[dict[str, _Intervals], dict[str, _Intervals]]:
    """Of shares of models and of downloads, by whole and part: of large wholes from the sums that
    their rows have, of small ones by drawing models again.
    """
    by_n: dict[str, _Intervals] = {}
    by_dl: dict[str, _Intervals] = {}
    small = {}
    for name, inside in wholes.items():
        rows = [row for row in inside if not parts.of_declared or _is_declared(row, parts)]
        names = [str(row[parts.by_name]) for row in rows]
        if parts.is_now and summed(rows, "n") <= BOOTSTRAP_ROWS:
            small[name] = names
            continue
        n, dl, square = ([float(row[one] or 0) for row in rows] for one in ("n", "dl", "dl_square"))
        by_n[name] = {names[at]: one for at, one in delta_intervals(n, n).items()}
        by_dl[name] = {names[at]: one for at, one in delta_intervals(dl, square).items()}
    if small:
        for name, models in _models_of(context, parts, small).items():
            by_n[name], by_dl[name] = _drawn(models, small[name])
    return by_n, by_dl


def _models_of(
    context: Context, parts: Parts, wholes: Iterable[str]
) -> dict[str, list[tuple[str, int | None]]]:
    """The models of each whole: the part of each, and its downloads where they count."""
    names = ", ".join(quoted(name) for name in wholes)
    rows = context.query(
        f"SELECT {parts.whole} AS whole, {parts.by} AS grouped, "
        f"CASE WHEN {COUNTED} THEN downloads_30d END AS weight FROM {parts.view} "
        f"WHERE {parts.where} AND {parts.whole} IN ({names}) ORDER BY id"
    )
    found: dict[str, list[tuple[str, int | None]]] = {}
    columns = (rows[name].to_pylist() for name in ("whole", "grouped", "weight"))
    for whole, grouped, weight in zip(*columns, strict=True):
        found.setdefault(whole, []).append((grouped, weight))
    return found


def _drawn(
    models: Sequence[tuple[str, int | None]], names: Sequence[str]
) -> tuple[_Intervals, _Intervals]:
    import numpy as np

    place = {name: at for at, name in enumerate(names)}
    numbers = np.array([place[name] for name, _ in models], dtype=np.int64)
    weights = np.array([-1 if one is None else one for _, one in models], dtype=np.int64)
    known = weights >= 0
    by_n = share_intervals(numbers, np.ones(len(numbers), np.int64), len(names))
    by_dl = share_intervals(numbers[known], weights[known], len(names))
    return (
        {names[at]: one for at, one in by_n.items()},
        {names[at]: one for at, one in by_dl.items()},
    )


def _count_shares(inside: Sequence[Row], parts: Parts, found: _Intervals) -> None:
    total = summed(inside, "n")
    declared = summed([row for row in inside if _is_declared(row, parts)], "n")
    for row in inside:
        n, interval = int(row["n"] or 0), found.get(str(row[parts.by_name]))
        row |= {
            "share_all": part(n, total),
            "share_declared": part(n, declared) if _is_declared(row, parts) else None,
            "ci_lo": interval.low if interval else None,
            "ci_hi": interval.high if interval else None,
        }


def _load_shares(inside: Sequence[Row], parts: Parts, found: _Intervals) -> None:
    total = summed(inside, "dl")
    base = [row for row in inside if not parts.of_declared or _is_declared(row, parts)]
    whole, claimed = summed(base, "dl"), summed(base, "dl") + summed(base, "dl_flagged")
    declared = summed([row for row in inside if _is_declared(row, parts)], "dl")
    others = largest_of_others([int(row["dl_largest"] or 0) for row in base])
    for row in inside:
        known = row["n_missing_downloads"] != row["n"]
        row["dl"], row["dl_flagged"] = (
            int(row[one] or 0) if known else None for one in ("dl", "dl_flagged")
        )
        row["dl_share_all"] = _share(row["dl"], total)
        row["dl_share_declared"] = _share(row["dl"], declared) if _is_declared(row, parts) else None
    for row, other in zip(base, others, strict=True):
        dl = int(row["dl"] or 0)
        alone = leave_one_out(whole, dl, int(row["dl_largest"] or 0), other)
        interval = found.get(str(row[parts.by_name]))
        if row["dl"] is None or not whole:
            continue
        row |= {
            "dl_ci_lo": interval.low if interval else None,
            "dl_ci_hi": interval.high if interval else None,
            "loo_min": alone.low,
            "loo_max": alone.high,
            "dl_share_with_flagged": part(dl + int(row["dl_flagged"] or 0), claimed),
            "method": interval.method if interval else None,
        }


def _share(one: Scalar, whole: int) -> float | None:
    return None if one is None else part(int(one), whole)


def _is_declared(row: Row, parts: Parts) -> bool:
    return row[parts.by_name] != parts.undeclared
