# SPDX-License-Identifier: Apache-2.0
"""B13: rank mobility."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from hubkeep.observatory.charts import GREY, ORANGE, PALETTE
from hubkeep.observatory.correlation import kendall
from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Parameter, Scalar
from hubkeep.observatory.figures.shared import DOWNLOADS_MEAN, Row, as_table, part
from hubkeep.observatory.statistics import rate_interval
from hubkeep.observatory.views import RULES

if TYPE_CHECKING:
    import pyarrow as pa

_Z95: Final = 1.959963984540054
_DRAWN: Final = 10
_STAYS: Final = ("there throughout", "came or went")


@dataclass(frozen=True, slots=True)
class Ranking:
    """What the models of one snapshot had, the most first."""

    day: date
    held: Mapping[str, float]
    flagged: frozenset[str]

    def first(self, k: int, *, flagged: bool = False) -> list[str]:
        """Return the first k, without flagged ones unless they are to count."""
        kept = (name for name in self.held if flagged or name not in self.flagged)
        return [name for _, name in zip(range(k), kept, strict=False)]


def _finish(table: "pa.Table", context: Context) -> Finished:
    k = int(context.parameters["k"])
    rows = table.to_pylist()
    out = _not_asked(rows, len(context.taken_at) - 1)
    rankings = _rankings([row for row in rows if row["model"] not in out], context.taken_at)
    if len(rankings) < 2:
        return Finished(
            table.slice(0, 0), n=0, notes=("It takes two snapshots of different days.",)
        )
    spans = [(one, other, False) for one, other in pairwise(rankings)]
    if len(spans) > 1:
        spans.append((rankings[0], rankings[-1], True))
    found = [_compared(one, other, k) | {"is_whole": whole} for one, other, whole in spans]
    first = {name for one in rankings for name in one.first(k)}
    flagged = {name for one in rankings for name in one.first(k, flagged=True)} - first
    return Finished(
        as_table(table, found),
        _scalars(found, rankings),
        n=len(first),
        excluded={
            "flagged": len(flagged & rankings[-1].flagged),
            "not asked about, of the first": len(out),
        },
        points={"ranks": _ranks(rankings, k)},
    )


def _not_asked(rows: Sequence[Row], last: int) -> set[Scalar]:
    """Models of the last snapshot that the reader's filters leave out: they are in no list."""
    return {row["model"] for row in rows if row["number"] == last and not row["is_asked"]}


def _rankings(rows: Sequence[Row], taken_at: Sequence[str]) -> list[Ranking]:
    """The lists of the snapshots that know what is asked about, one for each day."""
    held: dict[int, dict[str, float]] = {}
    for row in rows:
        mine = held.setdefault(int(row["number"] or 0), {})
        if row["held"] is not None:
            mine.setdefault(str(row["model"]), float(row["held"]))
    flagged = frozenset(str(row["model"]) for row in rows if row["is_flagged"])
    by_day = {taken_at[at][:10]: mine for at, mine in sorted(held.items()) if mine}
    return [Ranking(date.fromisoformat(day), mine, flagged) for day, mine in by_day.items()]


def _compared(one: Ranking, other: Ranking, k: int) -> dict[str, Any]:
    before, after = one.first(k), other.first(k)
    both = [name for name in before if name in set(after)]
    interval = rate_interval(len(both), len(before))
    names = {_name(name) for name in after}
    claimed = one.first(k, flagged=True)
    kept = set(claimed) & set(other.first(k, flagged=True))
    tau = _tau([one.held[name] for name in both], [other.held[name] for name in both])
    return {
        "from_day": one.day,
        "to_day": other.day,
        "k": k,
        "n_before": len(before),
        "n_after": len(after),
        "n_both": len(both),
        "overlap": part(len(both), len(before)),
        "ci_lo": interval.low if interval else None,
        "ci_hi": interval.high if interval else None,
        "overlap_with_flagged": part(len(kept), len(claimed)),
        "tau": tau[0],
        "tau_lo": tau[1],
        "tau_hi": tau[2],
        "entries": len(after) - len(both),
        "entries_new": sum(name not in one.held for name in set(after) - set(both)),
        "exits": len(before) - len(both),
        "exits_gone": sum(name not in other.held for name in set(before) - set(both)),
        "n_both_by_name": sum(_name(name) in names for name in before),
    }


def _name(model: str) -> str:
    return model.rpartition("/")[2]


def _tau(x: Sequence[float], y: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Kendall's tau-b and its 95% interval by Fieller, Hartley and Pearson."""
    import numpy as np

    tau = kendall(np.array(x), np.array(y))
    n = len(x)
    if tau is None or n <= 4 or abs(tau) >= 1:
        return tau, None, None
    error = _Z95 * math.sqrt(0.437 / (n - 4))
    return tau, math.tanh(math.atanh(tau) - error), math.tanh(math.atanh(tau) + error)


def _scalars(found: Sequence[Mapping[str, Any]], rankings: Sequence[Ranking]) -> dict[str, Scalar]:
    last = found[-1]
    names = ("k", "n_both", "overlap", "overlap_with_flagged", "tau", "entries", "exits")
    return {
        "n_snapshots": len(rankings),
        "days": (rankings[-1].day - rankings[0].day).days,
        **{name: last[name] for name in (*names, "n_both_by_name")},
    }


def _ranks(rankings: Sequence[Ranking], k: int) -> "pa.Table":
    """Ranks over time of those that were the very first in any snapshot."""
    import pyarrow as pa

    ranks = [{name: at for at, name in enumerate(one.first(k), 1)} for one in rankings]
    drawn = sorted({name for mine in ranks for name, rank in mine.items() if rank <= _DRAWN})
    rows = [
        {
            "model": name,
            "day": one.day,
            "rank": mine[name],
            "status": _STAYS[0] if all(name in them for them in ranks) else _STAYS[1],
            "label": name if one is rankings[-1] and mine[name] <= _DRAWN else None,
        }
        for name in drawn
        for one, mine in zip(rankings, ranks, strict=True)
        if name in mine
    ]
    kinds = [("model", pa.string()), ("day", pa.date32()), ("rank", pa.int64())]
    return pa.Table.from_pylist(
        rows, schema=pa.schema([*kinds, ("status", pa.string()), ("label", pa.string())])
    )


def _chart(_table: "pa.Table", _scalars: object) -> Chart:
    x = {
        "field": "day",
        "type": "temporal",
        "title": "Snapshot",
        "scale": {"type": "utc"},
        "axis": {"format": "%Y-%m-%d", "tickCount": 6, "labelAngle": -30},
    }
    y = {
        "field": "rank",
        "type": "quantitative",
        "title": "Rank (log scale)",
        "scale": {"type": "log", "base": 10, "reverse": True, "nice": False},
    }
    colour = {
        "field": "status",
        "type": "nominal",
        "title": "among the first",
        "legend": {"orient": "top"},
        "scale": {"domain": list(_STAYS), "range": [PALETTE[0], ORANGE]},
    }
    mark = {"type": "line", "point": True, "strokeWidth": 1.5}
    tooltip = [{"field": name} for name in ("model", "day", "rank")]
    return {
        "data": {"name": "ranks"},
        "width": 420,
        "height": 420,
        "encoding": {"x": x, "y": y},
        "layer": [
            {
                "mark": mark,
                "encoding": {
                    "color": colour,
                    "detail": {"field": "model", "type": "nominal"},
                    "tooltip": tooltip,
                },
            },
            {
                "transform": [{"filter": "isValid(datum.label)"}],
                "mark": {"type": "text", "align": "left", "dx": 8, "fontSize": 10, "color": GREY},
                "encoding": {"text": {"field": "label"}},
            },
        ],
    }


FIGURE = Figure(
    id="B13",
    title="Rank mobility",
    question="How long do the first stay the first?",
    definitions=(
        (
            "The first are the k models with the most by the rule (100 by downloads in 30 days "
            "unless said otherwise), ties by id, in each snapshot; models are known by their "
            "present names, so that one that moved is the same. Each snapshot is compared with "
            "the one before; the last row, is_whole, is the first one and the last."
        ),
        (
            "overlap is the share of the first that are among the first of the later snapshot, "
            "with its 95% Wilson interval. n_both_by_name counts those of whom the later list has "
            "one with the same name, in whichever namespace."
        ),
        (
            "entries are models that are among the first of the later snapshot alone, entries_new "
            "those of them that the snapshot before did not have; exits and exits_gone the other "
            "way round."
        ),
        (
            "tau is Kendall's tau-b of what the models in both lists had: 1 is the same order, 0 "
            "none; its 95% interval is by Fieller, Hartley and Pearson."
        ),
        (
            "Counters that are flagged in the last snapshot are left out of all lists; "
            "overlap_with_flagged has them. Readers' filters hold for models of the last snapshot, "
            "and look at the first 20 k of each."
        ),
        DOWNLOADS_MEAN,
    ),
    columns=(
        Answer("from_day", "day", "day of the earlier snapshot"),
        Answer("to_day", "day", "day of the later snapshot"),
        Answer("k", "whole", "how many models each list should have", "models"),
        Answer("n_both", "whole", "models in both lists", "models"),
        Answer("overlap", "real", "of the earlier list", "share"),
        Answer("ci_lo", "real", "lower end of the 95% interval of overlap", "share"),
        Answer("ci_hi", "real", "upper end of it", "share"),
        Answer("overlap_with_flagged", "real", "overlap if flagged counters count", "share"),
        Answer("tau", "real", "Kendall's tau-b of those in both, -1 to 1"),
        Answer("tau_lo", "real", "lower end of its 95% interval"),
        Answer("tau_hi", "real", "upper end of it"),
        Answer("entries", "whole", "models in the later list alone", "models"),
        Answer("entries_new", "whole", "of them, not in the earlier snapshot at all", "models"),
        Answer("exits", "whole", "models in the earlier list alone", "models"),
        Answer("exits_gone", "whole", "of them, not in the later snapshot at all", "models"),
        Answer("n_both_by_name", "whole", "of the earlier list, by name alone", "models"),
        Answer("n_before", "whole", "models of the earlier list", "models"),
        Answer("n_after", "whole", "models of the later list", "models"),
        Answer("is_whole", "flag", "whether it is the first snapshot and the last"),
    ),
    needs={"models": ()},
    parameters=(
        Parameter("k", 100, "how many models are the first", least=1, most=1000),
        Parameter("rule", "downloads_30d", "what they are the first by", choices=RULES),
    ),
    snapshots=2,
    chart=_chart,
    finish=_finish,
    sources=(
        (
            "Fieller, Hartley and Pearson, Tests for rank correlation coefficients I, Biometrika "
            "44 (1957)"
        ),
    ),
)
