# SPDX-License-Identifier: Apache-2.0
"""B5: which parts of the world models are from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.charts import TABLE, month, share
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
from hubkeep.observatory.shapes import dumbbells
from hubkeep.observatory.statistics import delta_intervals

if TYPE_CHECKING:
    import pyarrow as pa

_WINDOW: Final = "dl_window"
_OF_WINDOWS: Final = (
    "window_share_all",
    "window_share_declared",
    "window_share_with_flagged",
    "window_ci_lo",
    "window_ci_hi",
)
_NO_WINDOW: Final[Mapping[str, None]] = dict.fromkeys(
    ("dl_window", "dl_window_flagged", "n_window", "n_negative", "window_from", "window_to")
)
_KEPT: Final = """
kept AS (
  SELECT coalesce(a.new, m.id) AS model, max(m.region) AS region, min(m.created_at) AS created_at,
    bool_or(m.is_flagged) AS is_flagged
  FROM models AS m LEFT JOIN known_aliases AS a ON a.old = m.id
  GROUP BY coalesce(a.new, m.id)
)
"""
"""Models of the last snapshot by their present names."""
EARLIER: Final = f"""
WITH {_KEPT},
seen AS (
  SELECT h.number, h.model, k.region, k.is_flagged, max(h.downloads_30d) AS dl
  FROM history AS h JOIN kept AS k ON k.model = h.model
  WHERE h.number IN ({{numbers}})
  GROUP BY h.number, h.model, k.region, k.is_flagged
)
SELECT number, region, count(*) AS n,
  CAST(sum(dl) FILTER (WHERE NOT is_flagged) AS BIGINT) AS dl,
  CAST(sum(
    CAST(dl AS DECIMAL(19, 0)) * CAST(dl AS DECIMAL(19, 0))
  ) FILTER (WHERE NOT is_flagged) AS DOUBLE) AS dl_square,
  max(dl) FILTER (WHERE NOT is_flagged) AS dl_largest,
  CAST(coalesce(sum(dl) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged,
  count(*) FILTER (WHERE dl IS NULL) AS n_missing_downloads,
  count(*) FILTER (WHERE is_flagged) AS n_flagged
FROM seen
GROUP BY number, region
ORDER BY number, CASE region WHEN 'unknown' THEN 1 ELSE 0 END,
  sum(dl) FILTER (WHERE NOT is_flagged) DESC NULLS LAST, region
"""
"""Regions as the snapshots `numbers` have them."""
WINDOWS: Final = f"""
WITH {_KEPT},
pairs AS ({{pairs}}),
seen AS (
  SELECT h.number, h.model, k.region, k.is_flagged, k.created_at, max(h.downloads_all) AS dl
  FROM history AS h JOIN kept AS k ON k.model = h.model
  GROUP BY h.number, h.model, k.region, k.is_flagged, k.created_at
),
followed AS (
  SELECT number, model, region, is_flagged, created_at, dl,
    lag(number) OVER (PARTITION BY model ORDER BY number) AS number_before,
    lag(dl) OVER (PARTITION BY model ORDER BY number) AS dl_before
  FROM seen
),
changes AS (
  SELECT p.quarter, f.model, f.region, f.is_flagged,
    CASE WHEN f.number_before = f.number - 1 THEN f.dl - f.dl_before
      WHEN f.created_at > p.begins THEN f.dl END AS change
  FROM followed AS f JOIN pairs AS p ON p.number = f.number
),
grown AS (
  SELECT quarter, model, region, is_flagged,
    CAST(sum(change) FILTER (WHERE change >= 0) AS BIGINT) AS dl,
    count(*) FILTER (WHERE change < 0) AS n_negative
  FROM changes
  GROUP BY quarter, model, region, is_flagged
)
SELECT quarter, region, count(dl) AS n_window, CAST(sum(n_negative) AS BIGINT) AS n_negative,
  CAST(sum(dl) FILTER (WHERE NOT is_flagged) AS BIGINT) AS dl_window,
  CAST(sum(
    CAST(dl AS DECIMAL(19, 0)) * CAST(dl AS DECIMAL(19, 0))
  ) FILTER (WHERE NOT is_flagged) AS DOUBLE) AS dl_window_square,
  CAST(coalesce(sum(dl) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_window_flagged
FROM grown
GROUP BY quarter, region
ORDER BY quarter, region
"""
"""What was downloaded until each snapshot of `pairs`, since the one before it."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two snapshots that follow each other, and both know downloads of all time."""

    number: int
    begins: datetime
    ends: datetime

    @property
    def quarter(self) -> str:
        """The quarter in which the window ends."""
        return _quarter(self.ends)


def _finish(table: "pa.Table", context: Context) -> Finished:
    times = [datetime.fromisoformat(one[:19]) for one in context.taken_at]
    now = _quarter(times[-1])
    by_region = Parts(by="region", by_name="region", undeclared=UNKNOWN)
    last = with_shares(table.to_pylist(), context, by_region)
    pairs = _pairs(context, times)
    before = with_shares(_before(context, times), context, by_region.as_they_were())
    windows = _windows(context, pairs)
    rows = [
        {**row, **windows.get((str(row["quarter"]), str(row["region"])), _NO_WINDOW)}
        for row in [*before, *({**row, "quarter": now} for row in last)]
    ]
    for quarter in dict.fromkeys(row["quarter"] for row in rows):
        _share_window([row for row in rows if row["quarter"] == quarter])
    unknown = [row for row in last if row["region"] == UNKNOWN]
    return Finished(
        as_table(table, rows),
        _scalars(last),
        n=summed(last, "n"),
        excluded={
            "flagged, from downloads alone": summed(last, "n_flagged"),
            "counts that went down between two snapshots": summed(rows, "n_negative"),
        },
        missing={
            "region": summed(unknown, "n"),
            "downloads_30d": summed(last, "n_missing_downloads"),
        },
        notes=_notes(pairs, len(times)),
    )


def _quarter(time: datetime) -> str:
    """The first day of it."""
    return f"{time.year}-{(time.month - 1) // 3 * 3 + 1:02}-01"


def _before(context: Context, times: Sequence[datetime]) -> list[Row]:
    """Models and downloads by region of the last snapshot of each earlier quarter."""
    last = {_quarter(time): number for number, time in enumerate(times)}
    numbers = [number for number in last.values() if number < len(times) - 1]
    if not numbers:
        return []
    rows = context.query(EARLIER.format(numbers=", ".join(str(one) for one in numbers)))
    return [
        {**row, "quarter": (quarter := _quarter(times[row["number"]])), "whole": quarter}
        for row in rows.to_pylist()
    ]


def _pairs(context: Context, times: Sequence[datetime]) -> list[_Pair]:
    if len(times) < 2:
        return []
    rows = context.query(
        "SELECT number, count(downloads_all) AS n FROM history GROUP BY number ORDER BY number"
    ).to_pylist()
    known = {row["number"] for row in rows if row["n"]}
    return [
        _Pair(number, times[number - 1], times[number])
        for number in range(1, len(times))
        if {number, number - 1} <= known and times[number - 1] < times[number]
    ]


def _windows(context: Context, pairs: Sequence[_Pair]) -> dict[tuple[str, str], Row]:
    """What was downloaded within the windows of each quarter, by quarter and region."""
    if not pairs:
        return {}
    listed = " UNION ALL ".join(
        f"SELECT {one.number} AS number, '{one.quarter}' AS quarter, "
        f"TIMESTAMP '{one.begins}' AS begins"
        for one in pairs
    )
    found: dict[tuple[str, str], Row] = {}
    for row in context.query(WINDOWS.format(pairs=listed)).to_pylist():
        mine = [one for one in pairs if one.quarter == row["quarter"]]
        found[row["quarter"], row["region"]] = {
            **row,
            "window_from": str(min(one.begins for one in mine)),
            "window_to": str(max(one.ends for one in mine)),
        }
    return found


def _share_window(inside: Sequence[Row]) -> None:
    """Add to the rows of a quarter their shares of what was downloaded in its windows."""
    for row in inside:
        row.update(dict.fromkeys(_OF_WINDOWS))
    told = [row for row in inside if row[_WINDOW] is not None]
    total, claimed = summed(told, _WINDOW), summed(told, "dl_window_flagged")
    declared = summed([row for row in told if row["region"] != UNKNOWN], _WINDOW)
    parts, squares = (
        [float(row[one] or 0) for row in told] for one in (_WINDOW, "dl_window_square")
    )
    found = delta_intervals(parts, squares) if told else {}
    for at, row in enumerate(told):
        own, flagged = int(row[_WINDOW] or 0), int(row["dl_window_flagged"] or 0)
        is_known = row["region"] != UNKNOWN
        row["window_share_all"] = part(own, total)
        row["window_share_declared"] = part(own, declared) if is_known else None
        row["window_share_with_flagged"] = part(own + flagged, total + claimed)
        if at in found:
            row |= {"window_ci_lo": found[at].low, "window_ci_hi": found[at].high}


def _scalars(now: Sequence[Row]) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for row in now:
        found[f"dl_share_{row['region']}"] = row["dl_share_all"]
        found[f"dl_share_{row['region']}_with_flagged"] = row["dl_share_with_flagged"]
    return found | {"dl_total": summed(now, "dl"), "interval_method": method(now)}


def _notes(pairs: Sequence[_Pair], snapshots: int) -> list[str]:
    if snapshots < 2:
        return [f"Downloads within a window take two snapshots, and there is {snapshots}."]
    notes = ["Earlier quarters, and windows, are of models that the last snapshot still has."]
    if not pairs:
        notes.append("No two snapshots that follow each other have downloads of all time.")
    return notes


def _chart(table: "pa.Table", _scalars: object) -> Chart:
    last = max(table["quarter"].to_pylist(), default="")
    measures = {
        "models": ("share_all", "ci_lo", "ci_hi"),
        "downloads in 30 days": ("dl_share_all", "dl_ci_lo", "dl_ci_hi"),
    }
    if any(one is not None for one in table["window_share_all"].to_pylist()):
        measures["downloads in the window"] = ("window_share_all", "window_ci_lo", "window_ci_hi")
    order = ["us", "china", "eu", "other", UNKNOWN]
    now = dumbbells(
        "region",
        measures,
        "Share of all",
        order,
        where=f"utcFormat(toDate(datum.quarter), '%Y-%m-%d') == '{last}'",
    )
    if len(set(table["quarter"].to_pylist())) < 2:
        return now
    lines = [
        {
            "data": TABLE,
            "width": 520,
            "height": 200,
            "mark": {"type": "line", "point": True},
            "encoding": {
                "x": month("quarter", "Quarter"),
                "y": share(value, title),
                "color": {"field": "region", "type": "nominal", "title": None, "sort": order},
            },
        }
        for value, title in (
            ("dl_share_declared", "Of downloads in 30 days, known"),
            ("window_share_declared", "Of downloads in the window, known"),
        )
        if any(one is not None for one in table[value].to_pylist())
    ]
    return {"vconcat": [now, *lines], "resolve": {"scale": {"color": "independent"}}}


FIGURE = Figure(
    id="B5",
    title="Regions",
    question="From which parts of the world are models, and whose are downloaded?",
    definitions=(
        REGIONS_MEAN,
        (
            "One row for each quarter in which a snapshot was taken: models and downloads of 30 "
            "days are those of the last snapshot of the quarter."
        ),
        (
            "dl_window is the difference of downloads of all time between two snapshots that "
            "follow each other, from window_from to window_to, added up over the windows that end "
            "in the quarter. A model that was made since the earlier one began with zero. Where a "
            "count went down, that difference is left out and counted in n_negative."
        ),
        (
            "share_declared is of models of a known region. Intervals of window shares, and those "
            "of earlier quarters, are by the delta method."
        ),
        DOWNLOADS_MEAN,
        FLAGGED_MEANS,
        LEFT_OUT_MEANS,
        INTERVALS_MEAN,
    ),
    columns=(
        Answer("quarter", "day", "first day of the quarter in which the snapshots were taken"),
        Answer("region", "text", "us, china, eu, other or unknown"),
        *share_columns("of the quarter", "of known region"),
        Answer("dl_window", "whole", "downloads within the windows of the quarter", "downloads"),
        Answer("window_share_all", "real", "of all of them", "share"),
        Answer("window_share_declared", "real", "of those of known region", "share"),
        Answer("window_ci_lo", "real", "lower end of its 95% interval", "share"),
        Answer("window_ci_hi", "real", "upper end of it", "share"),
        Answer("dl_window_flagged", "whole", "what flagged counters claim of it", "downloads"),
        Answer("window_share_with_flagged", "real", "window_share_all with them", "share"),
        Answer("n_window", "whole", "models with a difference", "models"),
        Answer("n_negative", "whole", "differences that were negative"),
        Answer("window_from", "time", "when the first of the windows began"),
        Answer("window_to", "time", "when the last one ended"),
    ),
    needs={"models": ("downloads_30d",)},
    wants={"models": ("downloads_all", "created_at")},
    chart=_chart,
    finish=_finish,
)
