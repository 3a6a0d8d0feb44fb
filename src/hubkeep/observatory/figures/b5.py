# SPDX-License-Identifier: Apache-2.0
"""B5: which parts of the world models are from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

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
# A model may stand in a snapshot by a former name and by its present one; grouping all models by
# name would take more memory than leaving the former ones of those few out.
_KEPT: Final = """
kept AS (
  SELECT coalesce(a.new, m.id) AS model, m.region, m.created_at, m.is_flagged
  FROM models AS m
  LEFT JOIN known_aliases AS a ON a.old = m.id
  LEFT JOIN (
    SELECT b.old FROM known_aliases AS b JOIN models AS n ON n.id = b.new
  ) AS twice ON twice.old = m.id
  WHERE twice.old IS NULL
),
again AS (
  SELECT h.number, b.old FROM known_aliases AS b JOIN history AS h ON h.id = b.new
  WHERE h.number IN ({numbers})
),
seen AS (
  SELECT h.number, h.model, k.region, k.is_flagged, k.created_at, h.downloads_30d, h.downloads_all
  FROM history AS h
  JOIN kept AS k ON k.model = h.model
  LEFT JOIN again AS g ON g.number = h.number AND g.old = h.id
  WHERE g.old IS NULL
)
"""
"""What all snapshots say of models of the last one, by their present names."""
EARLIER: Final = f"""
WITH {_KEPT}
SELECT number, region, count(*) AS n,
  CAST(sum(downloads_30d) FILTER (WHERE NOT is_flagged) AS BIGINT) AS dl,
  CAST(sum(
    CAST(downloads_30d AS DECIMAL(19, 0)) * CAST(downloads_30d AS DECIMAL(19, 0))
  ) FILTER (WHERE NOT is_flagged) AS DOUBLE) AS dl_square,
  max(downloads_30d) FILTER (WHERE NOT is_flagged) AS dl_largest,
  CAST(coalesce(sum(downloads_30d) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged,
  count(*) FILTER (WHERE downloads_30d IS NULL) AS n_missing_downloads,
  count(*) FILTER (WHERE is_flagged) AS n_flagged
FROM seen
WHERE number IN ({{numbers}})
GROUP BY number, region
ORDER BY number, CASE region WHEN 'unknown' THEN 1 ELSE 0 END,
  sum(downloads_30d) FILTER (WHERE NOT is_flagged) DESC NULLS LAST, region
"""
"""Regions as the snapshots `numbers` have them."""
WINDOW: Final = f"""
WITH {_KEPT},
changes AS (
  SELECT a.region, a.is_flagged,
    CASE WHEN b.model IS NOT NULL THEN a.downloads_all - b.downloads_all
      WHEN a.created_at > TIMESTAMP '{{begins}}' THEN a.downloads_all END AS change
  FROM seen AS a
  LEFT JOIN history AS b ON b.model = a.model AND b.number = {{number}} - 1
    AND b.id NOT IN (SELECT old FROM again WHERE number = {{number}} - 1)
  WHERE a.number = {{number}}
)
SELECT region, count(change) FILTER (WHERE change >= 0) AS n_window,
  count(*) FILTER (WHERE change < 0) AS n_negative,
  CAST(sum(change) FILTER (WHERE change >= 0 AND NOT is_flagged) AS BIGINT) AS dl_window,
  CAST(sum(
    CAST(change AS DECIMAL(19, 0)) * CAST(change AS DECIMAL(19, 0))
  ) FILTER (WHERE change >= 0 AND NOT is_flagged) AS DOUBLE) AS dl_window_square,
  CAST(coalesce(sum(change) FILTER (WHERE change >= 0 AND is_flagged), 0) AS BIGINT)
    AS dl_window_flagged
FROM changes
GROUP BY region
ORDER BY region
"""
"""What was downloaded until the snapshot `number`, since the one before it, which began then."""


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
    """What was downloaded within the windows of each quarter, by quarter and region.

    One window after the other: all of them at once take more memory than there is.
    """
    found: dict[tuple[str, str], list[Row]] = {}
    for one in pairs:
        asked = WINDOW.format(
            numbers=f"{one.number - 1}, {one.number}", number=one.number, begins=one.begins
        )
        for row in context.query(asked).to_pylist():
            ends = {"window_from": str(one.begins), "window_to": str(one.ends)}
            found.setdefault((one.quarter, row["region"]), []).append({**row, **ends})
    return {key: _together(rows) for key, rows in found.items()}


def _together(windows: Sequence[Row]) -> Row:
    """The windows of a quarter as one, of one region.

    What a model was downloaded in m windows has a square of at most m times the sum of squares, so
    that intervals are rather too wide than too narrow.
    """
    told = [row for row in windows if row[_WINDOW] is not None]
    squares = [float(row["dl_window_square"] or 0) for row in told]
    return {
        "dl_window": summed(told, _WINDOW) if told else None,
        "dl_window_square": len(told) * sum(squares),
        "dl_window_flagged": summed(windows, "dl_window_flagged"),
        "n_window": summed(windows, "n_window"),
        "n_negative": summed(windows, "n_negative"),
        "window_from": windows[0]["window_from"],
        "window_to": windows[-1]["window_to"],
    }


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
    named = "utcFormat(toDate(datum.quarter), '%Y Q') + utcquarter(toDate(datum.quarter))"
    lines = [
        {
            "data": TABLE,
            "transform": [
                {"filter": f"isValid(datum.{value})"},
                {"calculate": named, "as": "named"},
            ],
            "width": 520,
            "height": 200,
            "mark": {"type": "line", "point": True},
            "encoding": {
                "x": {"field": "named", "type": "ordinal", "title": "Quarter of the snapshots"},
                "y": share(value, title),
                "color": {
                    "field": "region",
                    "type": "nominal",
                    "title": None,
                    "scale": {"domain": order[:-1]},
                },
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
            "of earlier quarters, are by the delta method; where a quarter has several windows, "
            "they are as wide as could be."
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
        Answer("n_window", "whole", "differences that were added up"),
        Answer("n_negative", "whole", "differences that were negative"),
        Answer("window_from", "time", "when the first of the windows began"),
        Answer("window_to", "time", "when the last one ended"),
    ),
    needs={"models": ("downloads_30d",)},
    wants={"models": ("downloads_all", "created_at")},
    chart=_chart,
    finish=_finish,
)
