# SPDX-License-Identifier: Apache-2.0
"""B12: what comes and goes, how long what comes stays, and growth with what has gone put back."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Parameter, Scalar
from hubkeep.observatory.figures.shared import ORG_TYPES_MEAN, Row, as_table, part
from hubkeep.observatory.shapes import churn
from hubkeep.observatory.survival import Step, duration, kaplan_meier, surviving

if TYPE_CHECKING:
    import pyarrow as pa

_Told = Mapping[str, Any]
_SOURCES: Final = ("events", "snapshots")
_FEW: Final = Parameter(
    "incomplete_below",
    1 / 3,
    "a look that found fewer additions than this part of the median is marked as incomplete",
    least=0,
    most=1,
)
_LOST: Final = 0.5
"""A snapshot with fewer models than this part of those before it did not look at all of them."""
_AGES: Final = (28, 91)


def _finish(table: "pa.Table", context: Context) -> Finished:
    told = table.to_pylist()
    looks = [row for row in told if row["kind"] == "look"]
    source = next((one for one in _SOURCES if any(row["source"] == one for row in looks)), "")
    lives = [row for row in told if row["kind"] == "life" and row["source"] == source]
    watched = [row for row in lives if row["born"] is not None]
    last = max((row["born"] for row in looks if row["source"] == source), default=None)
    few = float(context.parameters[_FEW.name])
    rows = [
        *(
            row
            for one in _SOURCES
            for row in _looks(looks, one, watched if one == source else (), few)
        ),
        *_curves(watched, last),
    ]
    before = sum(row["n"] for row in lives if row["born"] is None)
    return Finished(
        as_table(table, rows),
        _scalars([row for row in rows if row["part"] == "look" and row["name"] == source], lives)
        | _lasting(watched, last),
        n=sum(row["n"] for row in lives),
        excluded={"there before the first look, from survival alone": before},
        notes=_notes(rows, source),
    )


def _looks(looks: Sequence[_Told], source: str, watched: Sequence[_Told], few: float) -> list[Row]:
    """A row for each look of a source, in order, with growth as far as it was watched."""
    mine = [row for row in looks if row["source"] == source]
    usual = median([row["n"] for row in mine]) if mine else 0
    rows: list[Row] = []
    came = stayed = 0
    for row in mine:
        added, deleted = int(row["n"] or 0), int(row["n_deleted"] or 0)
        new = [life for life in watched if life["born"] == row["born"]]
        arrived = sum(int(life["n"] or 0) for life in new)
        kept = sum(int(life["n"] or 0) for life in new if life["gone"] is None)
        came, stayed = came + arrived, stayed + kept
        rows.append(
            _blank("look", source)
            | {
                "day": row["born"],
                "n_added": added,
                "n_deleted": deleted,
                "n_net": added - deleted,
                "is_incomplete": added < few * usual
                or (row["n_there"] or 0) < _LOST * (row["n_before"] or 0),
                "n_new": arrived if watched else None,
                "n_surviving": kept if watched else None,
                "cum_new": came if watched else None,
                "cum_surviving": stayed if watched else None,
            }
        )
    return rows


def _curves(watched: Sequence[_Told], last: date | None) -> list[Row]:
    """Survival of everything, of each month and of each type, at each age."""
    rows = []
    groups = [("all", "all", list(watched))] if watched else []
    for kind, of in (("cohort", _month), ("org_type", lambda row: str(row["org_type"]))):
        names = sorted({of(row) for row in watched})
        groups += [(kind, name, [row for row in watched if of(row) == name]) for name in names]
    for kind, name, mine in groups:
        rows += [_blank(kind, name) | _point(step) for step in _survival(mine, last)]
    return rows


def _point(step: Step) -> Row:
    return {
        "age_days": int(step.time),
        "at_risk": step.at_risk,
        "n_ended": step.ended,
        "n_lost": step.lost,
        "survival": step.survival,
        "ci_lo": step.low,
        "ci_hi": step.high,
    }


def _survival(lives: Sequence[_Told], last: date | None) -> list[Step]:
    """From age 0 on, at which all are there."""
    if last is None:
        return []
    ends = [row["gone"] or last for row in lives]
    steps = kaplan_meier(
        [(end - row["born"]).days for row, end in zip(lives, ends, strict=True)],
        [row["gone"] is not None for row in lives],
        [int(row["n"] or 0) for row in lives],
    )
    first = Step(0, steps[0].at_risk, 0, 0, 1.0, 1.0, 1.0) if steps else None
    return [first, *steps] if first and steps[0].time else steps


def _month(row: _Told) -> str:
    return str(row["born"])[:7]


def _blank(kind: str, name: str) -> Row:
    return {one.name: None for one in FIGURE.columns} | {"part": kind, "name": name}


def _scalars(looks: Sequence[Row], lives: Iterable[_Told]) -> dict[str, Scalar]:
    added = [int(row["n_added"] or 0) for row in looks]
    deleted = [int(row["n_deleted"] or 0) for row in looks]
    new = [row for row in lives if row["born"] is not None]
    came = sum(int(row["n"] or 0) for row in new)
    stayed = sum(int(row["n"] or 0) for row in new if row["gone"] is None)
    return {
        "n_looks": len(looks),
        "n_incomplete": sum(bool(row["is_incomplete"]) for row in looks),
        "n_added": sum(added),
        "n_deleted": sum(deleted),
        "median_added": float(median(added)) if added else None,
        "median_deleted": float(median(deleted)) if deleted else None,
        "n_new": came,
        "n_new_deleted": came - stayed,
        "share_new_deleted": part(came - stayed, came),
        "growth_missed": part(came - stayed, stayed),
    }


def _lasting(watched: Sequence[_Told], last: date | None) -> dict[str, Scalar]:
    steps = _survival(watched, last)
    half = duration(steps) if steps else None
    return {f"survival_{age}d": surviving(steps, age) for age in _AGES} | {
        "median_days": half.time if half else None
    }


def _notes(rows: Sequence[Row], source: str) -> list[str]:
    notes = [
        "What came and went between two looks was never seen: more comes and goes than is counted."
    ]
    days = [str(row["day"]) for row in rows if row["is_incomplete"] and row["name"] == source]
    if days:
        notes.append(
            f"The looks of {', '.join(days)} seem incomplete, and are marked: what they missed is "
            "missing here, too."
        )
    return notes


def _chart(table: "pa.Table", _scalars: object) -> Chart:
    parts, names = table["part"].to_pylist(), table["name"].to_pylist()
    groups = {"cohort": "came in", "org_type": "type"}
    shown = {kind: title for kind, title in groups.items() if kind in parts}
    return churn(names[0] if names else "", shown)


FIGURE = Figure(
    id="B12",
    title="Churn and survival",
    question="What comes, what goes, and how much of what came is gone already?",
    definitions=(
        (
            "A look is a day on which the source was compared with its look before: the days of "
            "its events, or snapshots of the same hub, where there are several. Events go before "
            "snapshots in everything about survival."
        ),
        (
            "n_added and n_deleted count what a look found to be there, or gone, since the one "
            "before; a model that came back counts again. Of snapshots, one that a snapshot lacks "
            "and a later one has was there in between. Former names are not counted as gone."
        ),
        (
            "is_incomplete: fewer additions than a third (incomplete_below) of the median of all "
            "looks, or a snapshot with less than half of the models of the one before."
        ),
        (
            "Survival is the Kaplan-Meier estimate over the days from the look that found a model "
            "first to that which missed it; models that are still there at the last look lasted at "
            "least until then (censored). Those that were there before the first look are left out "
            "and counted: nobody knows how long they had been there. The cohort is the month of "
            "the look; intervals are Greenwood's, at 95%, on the scale of log(-log S)."
        ),
        (
            "cum_surviving is what a census at the last look shows of what came since the first; "
            "cum_new is the growth there was, with what has gone put back. Both are about models "
            "that came while somebody was looking, and no others."
        ),
        ORG_TYPES_MEAN,
    ),
    columns=(
        Answer("part", "text", "what the row is about: a look, or survival of all or of a group"),
        Answer("name", "text", "where a look is from, the month of the cohort, or the type"),
        Answer("day", "day", "the day of the look"),
        Answer("n_added", "whole", "models that came since the look before", "models"),
        Answer("n_deleted", "whole", "models that went since then", "models"),
        Answer("n_net", "whole", "the difference", "models"),
        Answer("is_incomplete", "flag", "whether the look seems to have missed a part"),
        Answer("n_new", "whole", "models that it found first", "models"),
        Answer("n_surviving", "whole", "of these, still there at the last look", "models"),
        Answer("cum_new", "whole", "found first until then, with what has gone", "models"),
        Answer("cum_surviving", "whole", "of these, still there at the last look", "models"),
        Answer("age_days", "whole", "days since a model was found first", "days"),
        Answer("at_risk", "whole", "models that lasted so long, and were watched", "models"),
        Answer("n_ended", "whole", "of these, gone at that age", "models"),
        Answer("n_lost", "whole", "of these, not watched any longer", "models"),
        Answer("survival", "real", "lasts longer than that", "share"),
        Answer("ci_lo", "real", "lower end of its 95% interval", "share"),
        Answer("ci_hi", "real", "upper end of it", "share"),
    ),
    needs={"events": ("day",)},
    instead=2,
    parameters=(_FEW,),
    chart=_chart,
    finish=_finish,
    sources=(
        "Kaplan and Meier, Nonparametric Estimation from Incomplete Observations, JASA 53 (1958)",
    ),
)
