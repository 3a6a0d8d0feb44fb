# SPDX-License-Identifier: Apache-2.0
"""S7: who tops the chart in some months."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hubkeep.observatory.charts import PALETTE, month
from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Parameter, Scalar
from hubkeep.observatory.figures.shared import DOWNLOADS_MEAN, Row, as_table
from hubkeep.observatory.forecast import (
    DAMPED,
    METHODS,
    MONTH,
    PERSISTENCE,
    Forecast,
    Panel,
    Score,
    backtest,
    forecast,
    skill,
)

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_LEAST = 3
_DRAWN = 10


def _finish(table: "pa.Table", context: Context) -> Finished:
    rows = table.to_pylist()
    flagged = {row["model"] for row in rows if row["is_flagged"]}
    kept = [row for row in rows if not row["is_flagged"]]
    numbers = _usable(kept, context.taken_at)
    if len(numbers) < _LEAST:
        reason = f"It takes {_LEAST} snapshots of different days to forecast, and there are "
        return Finished(table.slice(0, 0), n=0, notes=(f"{reason}{len(numbers)}.",))
    panel = _panel(kept, numbers, context.taken_at)
    method, pool = str(context.parameters["method"]), int(context.parameters["pool"])
    ahead = float(context.parameters["months"]) * MONTH
    said = forecast(panel, method, ahead, pool)
    scores = {one: backtest(panel, one, ahead, pool) for one in METHODS}
    better = skill(scores[method], scores[PERSISTENCE])
    there = {row["model"] for row in kept if row["is_there"]}
    return Finished(
        as_table(table, _rows(panel, said, better, there)),
        _scalars(scores, method, numbers),
        n=len(said.models),
        excluded={"flagged": len(flagged)},
        notes=_notes(method, better, scores[method], flagged),
        points={"ranks": _ranks(panel, said, context.taken_at[numbers[-1]], ahead)},
    )


def _usable(rows: Sequence[Row], taken_at: Sequence[str]) -> list[int]:
    """Numbers of the snapshots that know downloads, one for each moment."""
    known = {row["number"] for row in rows}
    latest = {taken_at[at]: at for at in range(len(taken_at)) if at in known}
    return sorted(latest.values())


def _panel(rows: Sequence[Row], numbers: Sequence[int], taken_at: Sequence[str]) -> Panel:
    import numpy as np

    models = sorted({str(row["model"]) for row in rows})
    place = {name: at for at, name in enumerate(models)}
    column = {number: at for at, number in enumerate(numbers)}
    counts = np.full((len(models), len(numbers)), np.nan)
    for row in rows:
        at = column.get(int(row["number"] or 0))
        if at is not None:
            counts[place[str(row["model"])], at] = row["downloads"]
    times = [datetime.fromisoformat(taken_at[number]) for number in numbers]
    days = np.array([(one - times[0]).total_seconds() / 86_400 for one in times])
    return Panel(models, days, counts)


def _rows(
    panel: Panel, said: Forecast, better: float | None, there: set[str | float | int | bool | None]
) -> list[dict[str, Any]]:
    import numpy as np

    middle, low, high = np.percentile(said.counts, (50, 10, 90), axis=1)
    rows: list[dict[str, Any]] = [
        {
            "model": panel.models[model],
            "p_top1": float(said.p_first[at]),
            "p_top10": float(said.p_top[at]),
            "dl_median": float(middle[at]),
            "dl_80_lo": float(low[at]),
            "dl_80_hi": float(high[at]),
            "backtest_skill": better,
            "rank_now": at + 1,
            "dl_now": int(panel.counts[model, -1]),
        }
        for at, model in enumerate(said.models.tolist())
        if panel.models[model] in there
    ]
    return sorted(
        rows, key=lambda row: (-row["p_top1"], -row["p_top10"], -row["dl_median"], row["model"])
    )


def _scalars(
    scores: Mapping[str, Score | None], method: str, numbers: Sequence[int]
) -> dict[str, Scalar]:
    known = scores[PERSISTENCE]
    found: dict[str, Scalar] = {
        "method": method,
        "n_snapshots": len(numbers),
        "n_origins": known.origins if known else 0,
    }
    for name, score in scores.items():
        key = name.replace(" ", "_")
        found[f"skill_{key}"] = skill(score, known)
        found[f"hit_rate_{key}"] = score.hit_rate if score else None
        found[f"log_score_{key}"] = score.log_score if score else None
    better = skill(scores[method], known)
    found["beats_persistence"] = better is not None and better > 0
    return found


def _notes(
    method: str, better: float | None, score: Score | None, flagged: set[object]
) -> list[str]:
    if score is None or better is None:
        notes = ["There is nothing to test it on: read it as a guess."]
    elif method == PERSISTENCE:
        notes = ["This is persistence itself: everything stays as it is."]
    elif better > 0:
        notes = [
            (
                f"In the backtest over {_origins(score)}, {method} beat persistence "
                f"(skill {better:.3f})."
            )
        ]
    else:
        notes = [
            (
                f"In the backtest over {_origins(score)}, {method} did not beat persistence "
                f"(skill {better:.3f}): that everything stays as it is, is the better forecast."
            )
        ]
    notes.append("Models that no snapshot has among its first are taken not to be first later.")
    if flagged:
        notes.append("Counters that are flagged in the last snapshot are left out of all of them.")
    return notes


def _origins(score: Score) -> str:
    return f"{score.origins} origin" + ("s" if score.origins > 1 else "")


def _ranks(panel: Panel, said: Forecast, last: str, ahead: float) -> "pa.Table":
    """Ranks over time of the most likely ones, and the ranks that 80% of the draws give them."""
    import numpy as np
    import pyarrow as pa

    order = np.lexsort((np.arange(len(said.models)), -said.p_top))[:_DRAWN]
    places = np.argsort(np.argsort(-said.counts, axis=0, kind="stable"), axis=0) + 1
    end = datetime.fromisoformat(last)
    times = [end - timedelta(days=float(panel.days[-1] - day)) for day in panel.days]
    rows: list[dict[str, object]] = []
    for at in order.tolist():
        model = int(said.models[at])
        for when, time in enumerate(times):
            if not np.isnan(panel.counts[model, when]):
                rank = _rank(panel.counts[:, when], model)
                rows.append(_point(panel.models[model], time, rank, rank, rank))
        low, middle, high = np.percentile(places[at], (10, 50, 90)).tolist()
        rows.append(_point(panel.models[model], end + timedelta(days=ahead), middle, low, high))
    kinds = {"model": pa.string(), "day": pa.date32()} | dict.fromkeys(
        ("rank", "low", "high"), pa.float64()
    )
    return pa.Table.from_pylist(rows, schema=pa.schema(list(kinds.items())))


def _point(model: str, time: datetime, rank: float, low: float, high: float) -> dict[str, object]:
    return {"model": model, "day": time.date(), "rank": rank, "low": low, "high": high}


def _rank(counts: "np.ndarray", model: int) -> float:
    import numpy as np

    ahead = (counts > counts[model]) | (
        (counts == counts[model]) & (np.arange(len(counts)) < model)
    )
    return float(ahead.sum() + 1)


def _chart(_table: "pa.Table", _scalars: object) -> Chart:
    colour = {
        "field": "model",
        "type": "nominal",
        "title": None,
        "scale": {"range": [*PALETTE, "#9467BD", "#8C564B"]},
    }
    y = {
        "field": "rank",
        "type": "quantitative",
        "title": "Rank by downloads (log scale)",
        "scale": {"type": "log", "base": 10, "reverse": True, "nice": False},
    }
    return {
        "data": {"name": "ranks"},
        "width": 560,
        "height": 320,
        "layer": [
            {
                "mark": {"type": "area", "opacity": 0.12},
                "encoding": {
                    "x": month("day", "Day"),
                    "y": {**y, "field": "low"},
                    "y2": {"field": "high"},
                    "color": colour,
                },
            },
            {
                "mark": {"type": "line", "point": True},
                "encoding": {"x": month("day", "Day"), "y": y, "color": colour},
            },
        ],
    }


FIGURE = Figure(
    id="S7",
    title="Who tops the chart next",
    question="Which models will be downloaded most in some months?",
    definitions=(
        (
            "The candidates are the first models of the last snapshot (300 unless said otherwise) "
            "by downloads in 30 days; ranks are theirs alone."
        ),
        (
            "Methods: persistence (all stays), last growth (the last change goes on), damped trend "
            "(a line through log downloads, of which a tenth fades each month), and a bootstrap of "
            "ranks (every model draws from the changes of all). Downloads below one count as a "
            "half in logarithms."
        ),
        (
            "Each draws 2,000 futures, with the changes that models had from snapshot to snapshot, "
            "scaled by the root of time, and Poisson noise; p_top1 and p_top10 are the parts of "
            "the futures in which a model is first, or among the first ten."
        ),
        (
            "backtest_skill is 1 minus the mean log score over that of persistence, with each "
            "earlier snapshot as origin in turn: above 0 is better than persistence."
        ),
        DOWNLOADS_MEAN,
    ),
    columns=(
        Answer("model", "text", "the model"),
        Answer("p_top1", "real", "probability of being first", "share"),
        Answer("p_top10", "real", "probability of being among the first ten", "share"),
        Answer("dl_median", "real", "median of its downloads then", "downloads"),
        Answer("dl_80_lo", "real", "lower end of their 80% interval", "downloads"),
        Answer("dl_80_hi", "real", "upper end of it", "downloads"),
        Answer("backtest_skill", "real", "of the method, against persistence"),
        Answer("rank_now", "whole", "its rank in the last snapshot"),
        Answer("dl_now", "whole", "its downloads in the last snapshot", "downloads"),
    ),
    needs={"models": ("downloads_30d",)},
    parameters=(
        Parameter("months", 6.0, "how far ahead", least=0.25, most=36),
        Parameter("method", DAMPED, "how it is forecast", choices=METHODS),
        Parameter("pool", 300, "how many models are candidates", least=10, most=2000),
    ),
    snapshots=3,
    chart=_chart,
    finish=_finish,
    sources=(
        "Gneiting and Raftery, Strictly proper scoring rules, JASA 102 (2007)",
        "Gardner and McKenzie, Forecasting trends in time series, Management Science 31 (1985)",
    ),
)
