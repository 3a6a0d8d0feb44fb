# SPDX-License-Identifier: Apache-2.0
"""What several figures have in common: the universe of the most used, and shares with intervals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from hubkeep.observatory.figure import Context, Finished, Parameter, Scalar
from hubkeep.observatory.statistics import (
    BOOTSTRAP_ROWS,
    Interval,
    delta_intervals,
    leave_one_out,
    share_intervals,
)
from hubkeep.observatory.views import RULES, UNION
from hubkeep.observatory.workbench import quoted

K: Final = Parameter("k", 300, "how many models the universe has", least=1, most=1_000_000)
RULE: Final = Parameter(
    "rule", "downloads_30d", "what the most used are by", choices=(*RULES, UNION)
)

UNIVERSE_MEANS: Final = (
    "The universe is the top k models by the rule (300 by downloads in the last 30 days unless "
    "said otherwise), ties by id. The rule `union` takes the top k by downloads in 30 days, by "
    "likes and by trending."
)
LICENCE_MEANS: Final = (
    "The licence is the first that a model names; (none) has named no licence, which is not the "
    "same as the licences `unknown` and `other`."
)
CREATORS_MEAN: Final = (
    "A creator is a namespace, by its present name; (none) stands for old models without one. The "
    "entity is who a namespace belongs to, by the table of entities; those that the table does not "
    "know are entities of their own."
)
DOWNLOADS_MEAN: Final = (
    "Downloads are those of the 30 days before the snapshot, as the source counts them: on "
    "huggingface.co each GET and HEAD of a query file, so that automatic tests count too."
)
SIZE_MEANS: Final = (
    "The size is that of the files at the head of the default branch, in bytes; a size that is not "
    "known is missing, not zero."
)
CENSORED_MEANS: Final = (
    "huggingface.co stamps what is older than 2 March 2022 with that day: such models stand apart, "
    "as made before March 2022."
)
SURVIVORS: Final = (
    "Survivors only: models that were deleted before the snapshot are not in it, so that the past "
    "looks smaller than it was."
)
ORG_TYPES_MEAN: Final = (
    "The type of an organisation is what it says of itself where the hub asks for that, else what "
    "the table of types has; `other` is nothing known, and is not the same as `individual`."
)
REGIONS_MEAN: Final = (
    "The region is that of a namespace, by the table of types; `eu` is Europe, `other` the rest of "
    "the world, and `unknown` what the table does not know, which is most."
)
MERGED: Final = Parameter("merged", False, "count individuals as `other`")
FLAGGED_MEANS: Final = (
    "Counters that are flagged are left out of dl and of shares; they stand in dl_flagged, and "
    "the share with them stands in its own column."
)
LEFT_OUT_MEANS: Final = (
    "loo_min and loo_max are the share if the one model that matters most to it is left out: its "
    "own largest, or the largest of all others."
)
COUNTED: Final = "NOT is_flagged AND downloads_30d IS NOT NULL"
"""SQL that holds for models whose downloads count."""

Row = dict[str, "Scalar"]


@dataclass(frozen=True, slots=True)
class Groups:
    """Models in groups, of which each has a share: SQL over a view of models."""

    by: str
    """What tells the group of a model."""
    weight: str = "1"
    """What a model counts for."""
    where: str = "true"
    view: str = "universe"


def part(one: float, whole: float) -> float | None:
    """Return a share; None of nothing."""
    return one / whole if whole else None


def rows_of(table: pa.Table, column: str, value: str) -> pa.Table:
    """Return the rows of a table that have a text in a column."""
    texts = np.array(table[column].to_pylist(), dtype=object)
    return table.filter(pa.array(texts == value, pa.bool_()))


def counted(context: Context, view: str, conditions: Mapping[str, str]) -> dict[str, int]:
    """Return how many rows of a view there are, as `n`, and for how many each condition holds."""
    counts = "".join(
        f", count(*) FILTER (WHERE {sql}) AS c{at}" for at, sql in enumerate(conditions.values())
    )
    row = context.query(f"SELECT count(*) AS n{counts} FROM {view}").to_pylist()[0]
    return {"n": row["n"]} | {name: row[f"c{at}"] for at, name in enumerate(conditions)}


def intervals(context: Context, groups: Groups, names: Sequence[str]) -> dict[str, Interval]:
    """Return the 95% interval of the share of each group of `names`, the others being one more.

    Bootstrap up to BOOTSTRAP_ROWS models, delta method above; the same draws every time.
    """
    found = intervals_inside(context, groups, "''", {"": names})
    return {name: interval for (_, name), interval in found.items()}


def intervals_inside(
    context: Context, groups: Groups, whole: str, names: Mapping[str, Sequence[str]]
) -> dict[tuple[str, str], Interval]:
    """Return the intervals of shares of several wholes, by whole and group.

    `whole` is SQL that tells which of the keys of `names` a model belongs to.
    """
    weight = f"CAST({groups.weight} AS DECIMAL(19, 0))"
    chosen = f"{groups.view} WHERE {groups.where} AND {whole} IN ({_listed(names)})"
    sums = context.query(
        f"SELECT {whole} AS whole, {groups.by} AS grouped, count(*) AS n, "
        f"CAST(sum({groups.weight}) AS DOUBLE) AS part, "
        f"CAST(sum({weight} * {weight}) AS DOUBLE) AS square "
        f"FROM {chosen} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    by_whole = _split(sums, names)
    small = [name for name, one in by_whole.items() if _total(one) <= BOOTSTRAP_ROWS]
    found = {}
    for name in names.keys() - set(small):
        parts, squares = _summed(by_whole[name], names[name])
        found |= _named(name, names[name], delta_intervals(parts, squares))
    if small:
        models = context.query(
            f"SELECT {whole} AS whole, {groups.by} AS grouped, "
            f"CAST({groups.weight} AS BIGINT) AS weight "
            f"FROM {chosen} AND {whole} IN ({_listed(small)}) ORDER BY id"
        )
        for name, mine in _split(models, small).items():
            numbers, weights = _numbers(mine, names[name]), mine["weight"].to_numpy()
            drawn = share_intervals(numbers, weights, len(names[name]) + 1)
            found |= _named(name, names[name], drawn)
    return found


def _listed(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in names) or "NULL"


def _split(rows: pa.Table, names: Iterable[str]) -> dict[str, pa.Table]:
    """The rows of each whole."""
    wholes = np.array(rows["whole"].to_pylist(), dtype=object)
    return {name: rows.filter(pa.array(wholes == name, pa.bool_())) for name in names}


def _total(sums: pa.Table) -> int:
    return int(sums["n"].to_numpy().sum())


def _numbers(rows: pa.Table, names: Sequence[str]) -> np.ndarray:
    """The place of each row's group among the names; those that are none of them come last."""
    place = {name: at for at, name in enumerate(names)}
    numbers = [place.get(name, len(names)) for name in rows["grouped"].to_pylist()]
    return np.array(numbers, dtype=np.int64)


def _summed(sums: pa.Table, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    numbers, count = _numbers(sums, names), len(names) + 1
    parts = np.bincount(numbers, sums["part"].to_numpy(), count)
    return parts, np.bincount(numbers, sums["square"].to_numpy(), count)


def _named(
    whole: str, names: Sequence[str], found: Mapping[int, Interval]
) -> dict[tuple[str, str], Interval]:
    return {(whole, name): found[at] for at, name in enumerate(names) if at in found}


def together(context: Context, name: str, condition: str, groups: Groups) -> dict[str, Scalar]:
    """Return the share of all models for which a condition holds, with its interval, by name."""
    inside = "inside"
    both = Groups(
        f"CASE WHEN {condition} THEN '{inside}' ELSE 'outside' END",
        groups.weight,
        groups.where,
        groups.view,
    )
    sums = context.query(
        f"SELECT CAST(coalesce(sum({both.weight}) FILTER (WHERE {condition}), 0) AS BIGINT) "
        f"AS part, CAST(coalesce(sum({both.weight}), 0) AS BIGINT) AS whole "
        f"FROM {both.view} WHERE {both.where}"
    ).to_pylist()[0]
    found = intervals(context, both, [inside]).get(inside)
    return {
        name: part(sums["part"], sums["whole"]),
        f"{name}_ci_lo": found.low if found else None,
        f"{name}_ci_hi": found.high if found else None,
    }


def shares_of_models(
    table: pa.Table,
    context: Context,
    by: str,
    name: str,
    undeclared: str | None = None,
    missing: str | None = None,
) -> Finished:
    """Add to rows of groups their shares of models, with intervals.

    `table` has for each group its name in the column `name`, and `n`. `by` is the column of the
    universe that groups it, `undeclared` the group that has declared nothing, if there is one, and
    `missing` the column that is null there. Adds share_all, share_declared, ci_lo, ci_hi.
    """
    rows = table.to_pylist()
    total = sum(row["n"] for row in rows)
    declared = sum(row["n"] for row in rows if row[name] != undeclared)
    found = intervals(context, Groups(by), [row[name] for row in rows])
    for row in rows:
        interval = found.get(row[name])
        row |= {
            "share_all": part(row["n"], total),
            "share_declared": None if row[name] == undeclared else part(row["n"], declared),
            "ci_lo": interval.low if interval else None,
            "ci_hi": interval.high if interval else None,
        }
    return Finished(
        as_table(table, rows),
        {"n_total": total, "n_declared": declared, "interval_method": _method(found)},
        missing={missing: total - declared} if missing else {},
    )


def shares_of_downloads(
    table: pa.Table,
    context: Context,
    by: str,
    name: str,
    undeclared: str | None = None,
    missing: str | None = None,
) -> Finished:
    """Add to rows of groups their shares of downloads, with intervals and what one model does.

    `table` has for each group its name in the column `name`, `dl` and `dl_largest` (without flagged
    counters) and `dl_flagged`; `by`, `undeclared` and `missing` as in `shares_of_models`. Adds
    dl_share_all, dl_share_declared (null for `undeclared`), loo_min, loo_max, ci_lo, ci_hi and
    dl_share_with_flagged.
    """
    rows = table.to_pylist()
    total = sum(row["dl"] for row in rows)
    declared = sum(row["dl"] for row in rows if row[name] != undeclared)
    claimed = total + sum(row["dl_flagged"] for row in rows)
    groups = Groups(by, "downloads_30d", COUNTED)
    found = intervals(context, groups, [row[name] for row in rows])
    others = largest_of_others([row["dl_largest"] for row in rows])
    for row, other in zip(rows, others, strict=True):
        alone = leave_one_out(total, row["dl"], row["dl_largest"], other)
        interval = found.get(row[name])
        row |= {
            "dl_share_all": part(row["dl"], total),
            "dl_share_declared": None if row[name] == undeclared else part(row["dl"], declared),
            "loo_min": alone.low if total else None,
            "loo_max": alone.high if total else None,
            "ci_lo": interval.low if interval else None,
            "ci_hi": interval.high if interval else None,
            "dl_share_with_flagged": part(row["dl"] + row["dl_flagged"], claimed),
        }
    scalars: dict[str, Scalar] = {
        "dl_total": total,
        "dl_declared": declared,
        "dl_flagged": claimed - total,
        "interval_method": _method(found),
    }
    nulls = {missing: f"{missing} IS NULL"} if missing else {}
    counts = counted(
        context,
        "universe",
        {"flagged": "is_flagged", "downloads_30d": "downloads_30d IS NULL", **nulls},
    )
    return Finished(
        as_table(table, rows),
        scalars,
        n=counts["n"] - counts["flagged"],
        excluded={"flagged": counts["flagged"]},
        missing={one: counts[one] for one in ("downloads_30d", *nulls)},
    )


def as_table(table: pa.Table, rows: Sequence[Mapping[str, object]]) -> pa.Table:
    """Return rows as a table; without rows, `table` without its own."""
    return pa.Table.from_pylist(list(rows)) if rows else table.slice(0, 0)


def largest_of_others(largest: Sequence[int]) -> list[int]:
    """For each group the largest model of all other groups."""
    ordered = sorted(largest, reverse=True)
    first, second = [*ordered, 0, 0][:2]
    seen_first = False
    found = []
    for one in largest:
        is_first = one == first and not seen_first
        seen_first = seen_first or is_first
        found.append(second if is_first else first)
    return found


def _method(found: Mapping[str, Interval]) -> str:
    return next((one.method for one in found.values()), "none")
