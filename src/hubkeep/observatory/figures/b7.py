# SPDX-License-Identifier: Apache-2.0
"""B7: how old what people download is, and how long models stay in use."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.charts import GREY, TABLE
from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Parameter, Scalar
from hubkeep.observatory.figures.parts import (
    INTERVALS_MEAN,
    Parts,
    method,
    share_columns,
    summed,
    with_shares,
)
from hubkeep.observatory.figures.shared import (
    CENSORED_MEANS,
    DOWNLOADS_MEAN,
    FLAGGED_MEANS,
    LEFT_OUT_MEANS,
    SURVIVORS,
    Row,
    as_table,
    part,
)
from hubkeep.observatory.shapes import dumbbells
from hubkeep.observatory.survival import Step, duration, kaplan_meier

if TYPE_CHECKING:
    import pyarrow as pa

_LEAST: Final = 3
_AGES: Final = (
    ("under 1 month", 30),
    ("1-3 months", 91),
    ("3-6 months", 182),
    ("6-12 months", 365),
    ("1-2 years", 730),
    ("2-3 years", 1095),
    ("3-4 years", 1461),
    ("4-5 years", 1826),
)
_OLDER, _BEFORE, _UNDATED = "over 5 years", "before March 2022", "no date"
_ORDER: Final = (*(name for name, _ in _AGES), _OLDER, _BEFORE, _UNDATED)
_AGE: Final = (
    f"CASE WHEN created_at IS NULL THEN '{_UNDATED}' WHEN is_censored THEN '{_BEFORE}' "
    + " ".join(
        f"WHEN created_at > TIMESTAMP '{{taken}}' - INTERVAL {days} DAY THEN '{name}'"
        for name, days in _AGES
    )
    + f" ELSE '{_OLDER}' END"
)
_EVERY: Final = "all"


def _finish(table: "pa.Table", context: Context) -> Finished:
    given: list[Row] = table.to_pylist()
    taken = context.taken_at[-1][:19].replace("T", " ")
    ages = Parts(by=_AGE.format(taken=taken), by_name="name", undeclared=_UNDATED)
    nothing = dict.fromkeys(("n_ended", "half_life_days", "half_life_lo", "half_life_hi"))
    aged = with_shares([{**row, **nothing} for row in given if row["part"] == "age"], context, ages)
    curves = _curves([row for row in given if row["part"] == "half-life"], context.taken_at)
    undated = [row for row in aged if row["name"] == _UNDATED]
    return Finished(
        as_table(table.slice(0, 0), [*aged, *(_half_life(*one) for one in curves.items())]),
        _scalars(aged, curves, context),
        n=summed(aged, "n"),
        excluded={"flagged, from downloads alone": summed(aged, "n_flagged")},
        missing={
            "created_at": summed(undated, "n"),
            "downloads_30d": summed(aged, "n_missing_downloads"),
        },
        notes=_notes(curves, len(set(context.taken_at))),
        points={"curves": _points(curves)},
    )


def _curves(spans: Sequence[Row], taken_at: Sequence[str]) -> dict[str, list[Step]]:
    """How many models have not fallen to half of their peak, by days, of all and by cohort."""
    if len(set(taken_at)) < _LEAST:
        return {}
    times = [datetime.fromisoformat(one) for one in taken_at]
    cohorts: dict[str, list[Row]] = {}
    for row in spans:
        for name in (_EVERY, str(row["name"])):
            cohorts.setdefault(name, []).append(row)
    found = {}
    for name, rows in cohorts.items():
        ends = [(times[int(row["until"] or 0)], times[int(row["since"] or 0)]) for row in rows]
        found[name] = kaplan_meier(
            [(end - peak).total_seconds() / 86_400 for end, peak in ends],
            [bool(row["has_ended"]) for row in rows],
            [int(row["n"] or 0) for row in rows],
        )
    return found


def _half_life(name: str, steps: Sequence[Step]) -> Row:
    half = duration(steps)
    ended = sum(one.ended for one in steps)
    return {
        "part": "half-life",
        "name": name,
        "n": ended + sum(one.lost for one in steps),
        "n_ended": ended,
        "half_life_days": half.time,
        "half_life_lo": half.low,
        "half_life_hi": half.high,
    }


def _scalars(
    aged: Sequence[Row], curves: Mapping[str, Sequence[Step]], context: Context
) -> dict[str, Scalar]:
    old = context.query(
        "SELECT CAST(sum(downloads_30d) FILTER (WHERE NOT is_flagged) AS BIGINT) AS dl, "
        "CAST(sum(downloads_30d) AS BIGINT) AS claimed FROM models "
        "WHERE created_at < TIMESTAMP '2022-03-03 00:00:00'"
    ).to_pylist()[0]
    dl = summed(aged, "dl")
    half = duration(curves.get(_EVERY, ()))
    return {
        "dl_share_before_march_2022": part(old["dl"] or 0, dl),
        "dl_share_before_march_2022_with_flagged": part(
            old["claimed"] or 0, dl + summed(aged, "dl_flagged")
        ),
        "half_life_days": half.time,
        "half_life_lo": half.low,
        "half_life_hi": half.high,
        "interval_method": method(aged),
    }


def _notes(curves: Mapping[str, Sequence[Step]], snapshots: int) -> list[str]:
    if snapshots < _LEAST:
        needed = f"Half-lives take {_LEAST} snapshots of different days, and there is "
        return [f"{needed}{snapshots}: that part is empty."]
    if not curves:
        return ["No model was downloaded often enough for half-lives: that part is empty."]
    return [SURVIVORS]


def _points(curves: Mapping[str, Sequence[Step]]) -> "pa.Table":
    import pyarrow as pa

    rows: list[dict[str, object]] = []
    for name, steps in curves.items():
        begin: dict[str, object] = dict.fromkeys(("survival", "low", "high"), 1.0)
        rows.append({"cohort": name, "days": 0.0, **begin})
        rows += [
            {
                "cohort": name,
                "days": one.time,
                "survival": one.survival,
                "low": one.low,
                "high": one.high,
            }
            for one in steps
        ]
    kinds = [("cohort", pa.string())]
    kinds += [(name, pa.float64()) for name in ("days", "survival", "low", "high")]
    return pa.Table.from_pylist(rows, schema=pa.schema(kinds))


def _chart(table: "pa.Table", _scalars: object) -> Chart:
    ages = dumbbells(
        "name",
        {
            "models": ("share_all", "ci_lo", "ci_hi"),
            "downloads in 30 days": ("dl_share_all", "dl_ci_lo", "dl_ci_hi"),
        },
        "Share of all models, and of their downloads, by age",
        _ORDER,
        where="datum.part == 'age'",
    )
    if "half-life" not in table["part"].to_pylist():
        return ages
    x = {"field": "days", "type": "quantitative", "title": "Days since the peak"}
    y = {
        "field": "survival",
        "type": "quantitative",
        "title": "Above half of their peak",
        "axis": {"format": "~%"},
        "scale": {"domain": [0, 1]},
    }
    every, cohorts = ([{"filter": f"datum.cohort {sign} '{_EVERY}'"}] for sign in ("==", "!="))
    step = {"type": "line", "interpolate": "step-after"}
    half_life = {
        "data": {"name": "curves"},
        "width": 520,
        "height": 260,
        "layer": [
            {
                "transform": every,
                "mark": {"type": "area", "interpolate": "step-after", "opacity": 0.25},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
            },
            {
                "transform": cohorts,
                "mark": {**step, "strokeWidth": 1},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": {
                        "field": "cohort",
                        "type": "ordinal",
                        "title": "made in (thick: all)",
                        "sort": None,
                        "scale": {"scheme": "viridis"},
                    },
                },
            },
            {"transform": every, "mark": {**step, "strokeWidth": 3}, "encoding": {"x": x, "y": y}},
            {
                "data": {"values": [{}]},
                "mark": {"type": "rule", "color": GREY, "strokeDash": [4, 4]},
                "encoding": {"y": {"datum": 0.5, "type": "quantitative"}},
            },
        ],
    }
    # Two legends: colours of the one are not cohorts of the other.
    apart = {"scale": {"color": "independent"}}
    return {"data": TABLE, "vconcat": [ages, half_life], "resolve": apart}


FIGURE = Figure(
    id="B7",
    title="Age and half-life",
    question="How old is what people download, and how long does a model stay in use?",
    definitions=(
        (
            "Rows of the part `age`: models and their downloads by age, from the day on which "
            "they were made to the snapshot; a month is 30 days, three are 91, a year is 365."
        ),
        CENSORED_MEANS,
        (
            "Rows of the part `half-life`: by the quarter in which models were made (the cohort), "
            "the time from the snapshot in which the count of 30 days was highest to the first one "
            "after it with half of that or less. Of half the models of a cohort it is at most "
            "half_life_days, estimated after Kaplan and Meier, since most have not fallen yet when "
            "they are last seen; null is: not within these snapshots. The interval is at 95%. "
            "A change is seen in the next snapshot, so that half-lives are as coarse as those."
        ),
        (
            "Half-lives are of models that the last snapshot still has, whose peak is at least "
            "100 downloads (unless said otherwise) and whose counter is not flagged."
        ),
        DOWNLOADS_MEAN,
        FLAGGED_MEANS,
        LEFT_OUT_MEANS,
        INTERVALS_MEAN,
    ),
    columns=(
        Answer("part", "text", "age, or half-life"),
        Answer("name", "text", "the age, or the quarter in which models were made; all is all"),
        *share_columns("of the snapshot", "with a date"),
        Answer("n_ended", "whole", "of n, fallen to half of their peak", "models"),
        Answer("half_life_days", "real", "time until half of the models have", "days"),
        Answer("half_life_lo", "real", "lower end of its 95% interval", "days"),
        Answer("half_life_hi", "real", "upper end of it", "days"),
    ),
    needs={"models": ("created_at", "downloads_30d")},
    parameters=(
        Parameter(
            "min_peak",
            100,
            "half-lives are of models that had so many downloads in 30 days at their peak",
            least=1,
            most=1_000_000_000,
        ),
    ),
    chart=_chart,
    finish=_finish,
    sources=("Kaplan and Meier, Nonparametric estimation, JASA 53 (1958)",),
)
