# SPDX-License-Identifier: Apache-2.0
"""What several figures have in common: the universe of the most used, and shares with intervals."""

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


def shares_of_downloads(
    table: "pa.Table", context: Context, by: str, name: str, undeclared: str
) -> Finished:
    """Add to rows of groups their shares of downloads, with intervals and what one model does.

    `table` has for each group its name in the column `name`, `dl` and `dl_largest` (without flagged
    counters) and `dl_flagged`. `by` is the column of the universe that groups it, `undeclared` the
    group that has declared nothing. Adds dl_share_all, dl_share_declared (null for `undeclared`),
    loo_min, loo_max, ci_lo, ci_hi and dl_share_with_flagged.
    """
    import pyarrow as pa

    rows = table.to_pylist()
    total = sum(row["dl"] for row in rows)
    declared = sum(row["dl"] for row in rows if row[name] != undeclared)
    claimed = total + sum(row["dl_flagged"] for row in rows)
    models = context.query(
        f"SELECT {by} AS grouped, downloads_30d AS weight FROM universe "
        "WHERE NOT is_flagged AND downloads_30d IS NOT NULL ORDER BY place"
    )
    intervals, method = _intervals(models, [row[name] for row in rows])
    largest = sorted((row["dl_largest"] for row in rows), reverse=True)
    for row in rows:
        is_declared = row[name] != undeclared
        others = largest[1] if len(largest) > 1 and row["dl_largest"] == largest[0] else largest[0]
        alone = leave_one_out(total, row["dl"], row["dl_largest"], others if len(rows) > 1 else 0)
        interval = intervals.get(row[name])
        row |= {
            "dl_share_all": row["dl"] / total if total else None,
            "dl_share_declared": row["dl"] / declared if declared and is_declared else None,
            "loo_min": alone.low if total else None,
            "loo_max": alone.high if total else None,
            "ci_lo": interval.low if interval else None,
            "ci_hi": interval.high if interval else None,
            "dl_share_with_flagged": (row["dl"] + row["dl_flagged"]) / claimed if claimed else None,
        }
    scalars: dict[str, Scalar] = {
        "dl_total": total,
        "dl_declared": declared,
        "dl_flagged": claimed - total,
        "interval_method": method,
    }
    return Finished(pa.Table.from_pylist(rows), scalars) if rows else Finished(table, scalars)


def _intervals(models: "pa.Table", names: list[str]) -> tuple[dict[str, Interval], str]:
    import numpy as np

    place = {name: at for at, name in enumerate(names)}
    groups = np.array([place[name] for name in models["grouped"].to_pylist()], dtype=np.int64)
    weights = models["weight"].to_numpy()
    found = share_intervals(groups, weights, len(names))
    method = next((one.method for one in found.values()), "none")
    return {names[at]: one for at, one in found.items()}, method
