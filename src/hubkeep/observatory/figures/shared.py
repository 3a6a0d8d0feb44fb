# SPDX-License-Identifier: Apache-2.0
"""What several figures have in common: the universe of the most used, and shares with intervals."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.figure import Context, Finished, Parameter, Scalar
from hubkeep.observatory.statistics import Interval, leave_one_out, share_intervals
from hubkeep.observatory.views import RULES

if TYPE_CHECKING:
    import pyarrow as pa

K: Final = Parameter("k", 300, "how many models the universe has", least=1, most=1_000_000)
RULE: Final = Parameter("rule", "downloads_30d", "what the most used are by", choices=RULES)

UNIVERSE_MEANS: Final = (
    "The universe is the top k models by the rule (300 by downloads in the last 30 days unless said "
    "otherwise), ties by id."
)
LICENCE_MEANS: Final = (
    "The licence is the first that a model names; (none) has named no licence, which is not the "
    "same as the licences `unknown` and `other`."
)
FLAGGED_MEANS: Final = (
    "Counters that are flagged are left out of dl and of shares; they stand in dl_flagged, and "
    "dl_share_with_flagged is the share with them."
)
LEFT_OUT_MEANS: Final = (
    "loo_min and loo_max are the share if the one model that matters most to it is left out."
)

Row = dict[str, "Scalar"]


def shares_of_models(
    table: "pa.Table", context: Context, by: str, name: str, undeclared: str | None = None
) -> Finished:
    """Add to rows of groups their shares of models, with intervals.

    `table` has for each group its name in the column `name`, and `n`. `by` is the column of the
    universe that groups it, `undeclared` the group that has declared nothing, if there is one.
    Adds share_all, share_declared, ci_lo, ci_hi.
    """
    rows = table.to_pylist()
    total = sum(row["n"] for row in rows)
    declared = sum(row["n"] for row in rows if row[name] != undeclared)
    models = context.query(f"SELECT {by} AS grouped, 1 AS weight FROM universe ORDER BY place")
    intervals, method = _intervals(models, [row[name] for row in rows])
    for row in rows:
        interval = intervals.get(row[name])
        row |= {
            "share_all": _part(row["n"], total),
            "share_declared": None if row[name] == undeclared else _part(row["n"], declared),
            "ci_lo": interval.low if interval else None,
            "ci_hi": interval.high if interval else None,
        }
    return _finished(
        table, rows, {"n_total": total, "n_declared": declared, "interval_method": method}
    )


def shares_of_downloads(
    table: "pa.Table", context: Context, by: str, name: str, undeclared: str | None = None
) -> Finished:
    """Add to rows of groups their shares of downloads, with intervals and what one model does.

    `table` has for each group its name in the column `name`, `dl` and `dl_largest` (without flagged
    counters) and `dl_flagged`; `by` and `undeclared` as in `shares_of_models`. Adds dl_share_all,
    dl_share_declared (null for `undeclared`), loo_min, loo_max, ci_lo, ci_hi and
    dl_share_with_flagged.
    """
    rows = table.to_pylist()
    total = sum(row["dl"] for row in rows)
    declared = sum(row["dl"] for row in rows if row[name] != undeclared)
    claimed = total + sum(row["dl_flagged"] for row in rows)
    models = context.query(
        f"SELECT {by} AS grouped, downloads_30d AS weight FROM universe "
        "WHERE NOT is_flagged AND downloads_30d IS NOT NULL ORDER BY place"
    )
    intervals, method = _intervals(models, [row[name] for row in rows])
    others = _largest_of_others([row["dl_largest"] for row in rows])
    for row, other in zip(rows, others, strict=True):
        alone = leave_one_out(total, row["dl"], row["dl_largest"], other)
        interval = intervals.get(row[name])
        row |= {
            "dl_share_all": _part(row["dl"], total),
            "dl_share_declared": None if row[name] == undeclared else _part(row["dl"], declared),
            "loo_min": alone.low if total else None,
            "loo_max": alone.high if total else None,
            "ci_lo": interval.low if interval else None,
            "ci_hi": interval.high if interval else None,
            "dl_share_with_flagged": _part(row["dl"] + row["dl_flagged"], claimed),
        }
    scalars: dict[str, Scalar] = {
        "dl_total": total,
        "dl_declared": declared,
        "dl_flagged": claimed - total,
        "interval_method": method,
    }
    return _finished(table, rows, scalars)


def _finished(table: "pa.Table", rows: list[Row], scalars: Mapping[str, Scalar]) -> Finished:
    import pyarrow as pa

    return Finished(pa.Table.from_pylist(rows) if rows else table, scalars)


def _part(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _largest_of_others(largest: Sequence[int]) -> list[int]:
    """For each group the largest model of all other groups."""
    ordered = sorted(largest, reverse=True)
    first, second = (ordered + [0, 0])[:2]
    seen_first = False
    found = []
    for one in largest:
        is_first = one == first and not seen_first
        seen_first = seen_first or is_first
        found.append(second if is_first else first)
    return found


def _intervals(models: "pa.Table", names: list[str]) -> tuple[dict[str, Interval], str]:
    import numpy as np

    place = {name: at for at, name in enumerate(names)}
    groups = np.array([place[name] for name in models["grouped"].to_pylist()], dtype=np.int64)
    weights = models["weight"].to_numpy()
    found = share_intervals(groups, weights, len(names))
    method = next((one.method for one in found.values()), "none")
    return {names[at]: one for at, one in found.items()}, method
