# SPDX-License-Identifier: Apache-2.0
"""B1: concentration."""

import math
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.charts import PALETTE, logarithmic, share
from hubkeep.observatory.concentration import Holdings, Measured, curve, measured
from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Parameter, Scalar
from hubkeep.observatory.figures.shared import (
    CREATORS_MEAN,
    DOWNLOADS_MEAN,
    Row,
    as_table,
    counted,
    part,
    rows_of,
)
from hubkeep.observatory.statistics import DELTA, Interval

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_LEVELS: Final = ("model", "author", "entity")
_TOPS: Final = (10, 50, 100, 200)
_PARTS: Final = {"0.01%": 1e-4, "0.1%": 1e-3, "1%": 1e-2, "10%": 1e-1}
_POINTS: Final = 120
_Z95: Final = 1.959963984540054
_UNKNOWN: Final = "unknown"


def _finish(table: "pa.Table", context: Context) -> Finished:
    import pyarrow as pa

    rows: list[Row] = []
    points: list[Row] = []
    for level in _LEVELS:
        mine = rows_of(table, "level", level)
        kept, claimed = _holdings(mine, flagged=False), _holdings(mine, flagged=True)
        rows += _rows(level, kept, claimed)
        for name, held in (("without", kept), ("with", claimed)):
            points += [
                {"level": level, "flagged": name, "rank": rank, "share": so_far}
                for rank, so_far in curve(held, _POINTS)
            ]
    regions = rows_of(table, "level", "region").to_pylist()
    rows.append(_regions([row for row in regions if row["name"] != _UNKNOWN], "region"))
    rows.append(_regions(regions, "region or unknown"))
    models = rows_of(table, "level", "model")
    missing = rows_of(table, "level", "missing")["times"].to_numpy().sum()
    counts = counted(context, "models", {"flagged": "is_flagged"})
    kinds = {"level": pa.string(), "flagged": pa.string(), "rank": pa.int64()}
    drawn = pa.schema([*kinds.items(), ("share", pa.float64())])
    return Finished(
        as_table(table, rows),
        _scalars(rows, models, regions),
        n=counts["n"] - counts["flagged"],
        excluded={"flagged": counts["flagged"]},
        missing={str(context.parameters["rule"]): int(missing)},
        points={"curve": pa.Table.from_pylist(points, schema=drawn)},
    )


def _holdings(rows: "pa.Table", *, flagged: bool) -> Holdings:
    """What there is at a level, with what flagged counters claim or without those who have no
    other counter.
    """
    import numpy as np

    own, claimed = (rows[name].to_numpy().astype(np.float64) for name in ("dl", "dl_flagged"))
    times = rows["times"].to_numpy()
    if flagged:
        return Holdings.of(np.nan_to_num(own) + np.nan_to_num(claimed), times)
    there = ~np.isnan(own)
    return Holdings.of(own[there], times[there])


def _rows(level: str, kept: Holdings, claimed: Holdings) -> list[Row]:
    found, others = measured(kept, _cuts(kept.n)), measured(claimed, _cuts(claimed.n))
    return [
        _row(level, name, kept.n, _cuts(kept.n).get(name), one, others[name].value)
        for name, one in found.items()
    ]


def _cuts(n: int) -> dict[str, int]:
    """How many of n owners each top has; a part of them is rounded up."""
    return {str(top): min(top, n) for top in _TOPS} | {
        name: math.ceil(round(n * size, 6)) for name, size in _PARTS.items()
    }


def _row(
    level: str, name: str, n: int, top: int | None, one: Measured, claimed: float | None
) -> Row:
    interval, alone = one.interval, one.alone
    return {
        "level": level,
        "measure": name if top is None else "top share",
        "top": None if top is None else name,
        "n_top": top,
        "n": n,
        "value": one.value,
        "value_with_flagged": claimed,
        "ci_lo": interval.low if interval else None,
        "ci_hi": interval.high if interval else None,
        "ci_method": interval.method if interval else None,
        "loo_min": alone.low if alone else None,
        "loo_max": alone.high if alone else None,
    }


def _regions(regions: list[Row], level: str) -> Row:
    """HHI of regions, of which there are few: it is models that are drawn and left out."""
    import numpy as np

    kept = [row for row in regions if row["dl"] is not None]
    sums, squares, largest = (
        np.array([row[name] or 0 for row in kept], np.float64)
        for name in ("dl", "square", "largest")
    )
    claimed = np.array([float(row["dl"] or 0) + float(row["dl_flagged"] or 0) for row in regions])
    with_flagged = _hhi(claimed) if claimed.sum() > 0 else None
    if sums.sum() <= 0:
        return _row(level, "hhi", len(kept), None, Measured(), with_flagged)
    total, value = float(sums.sum()), _hhi(sums)
    # The delta method: a model of weight x adds 2 (p - HHI) x / total, p being its region's share.
    effect = 2 * (sums / total - value) / total
    error = _Z95 * math.sqrt(float((effect**2 * squares).sum()))
    ways = [
        _hhi(sums - largest * (np.arange(len(sums)) == at))
        for at in range(len(sums))
        if total > largest[at]
    ]
    one = Measured(
        value,
        Interval(max(value - error, 0.0), min(value + error, 1.0), DELTA),
        Interval(min(ways), max(ways), "leave one out") if ways else None,
    )
    return _row(level, "hhi", len(kept), None, one, with_flagged)


def _hhi(sums: "np.ndarray") -> float:
    return float(((sums / sums.sum()) ** 2).sum())


def _scalars(rows: list[Row], models: "pa.Table", regions: list[Row]) -> dict[str, Scalar]:
    import numpy as np

    found: dict[str, Scalar] = {}
    for row in rows:
        level = str(row["level"]).replace(" ", "_")
        top = str(row["top"]).replace("%", "_percent")
        name = f"top_{top}" if row["top"] else str(row["measure"])
        found[f"{name}_{level}"] = row["value"]
        found[f"{name}_{level}_with_flagged"] = row["value_with_flagged"]
    downloads, times = models["dl"].to_numpy(), models["times"].to_numpy()
    kept = times[~np.isnan(downloads)].sum()
    known = sum(float(row["dl"] or 0) for row in regions if row["name"] != _UNKNOWN)
    return {
        "gini": found["gini_model"],
        "gini_with_flagged": found["gini_model_with_flagged"],
        "share_without_downloads": part(int(times[downloads == 0].sum()), int(kept)),
        "share_of_known_regions": part(known, sum(float(row["dl"] or 0) for row in regions)),
        "dl_total": _whole(np.nansum(downloads * times)),
        "dl_flagged": _whole(np.nansum(models["dl_flagged"].to_numpy() * times)),
        **found,
    }


def _whole(number: "np.floating") -> int:
    return int(number)


def _chart(_table: "pa.Table", _scalars: object) -> Chart:
    return {
        "data": {"name": "curve"},
        "width": 520,
        "height": 320,
        "mark": {"type": "line"},
        "encoding": {
            "x": logarithmic("rank", "The first so many, by downloads", form="~s"),
            "y": {**share("share", "Share of all downloads"), "scale": {"domain": [0, 1]}},
            "color": {
                "field": "level",
                "type": "nominal",
                "title": "of",
                "sort": list(_LEVELS),
                "scale": {"domain": list(_LEVELS), "range": list(PALETTE[:3])},
            },
            "strokeDash": {
                "field": "flagged",
                "type": "nominal",
                "title": "flagged counters",
                "scale": {"domain": ["without", "with"], "range": [[1, 0], [5, 4]]},
            },
            "tooltip": [{"field": name} for name in ("level", "flagged", "rank", "share")],
        },
    }


FIGURE = Figure(
    id="B1",
    title="Concentration",
    question="How much of all downloads do a few models, creators and regions have?",
    definitions=(
        (
            "Gini is 0 where all have the same, and near 1 where one has everything; HHI is the "
            "sum of squared shares, 1 where one has everything. Those without downloads count."
        ),
        (
            "A top share is what the first have of all downloads: the first 10, 50, 100 and 200, "
            "and the first 0.01, 0.1, 1 and 10% of all, rounded up to whole ones."
        ),
        CREATORS_MEAN,
        "Here each old model without a namespace is an author and an entity of its own.",
        (
            "The region is that of the namespace, by the table of organisations; the HHI of "
            "regions is over downloads of known regions, that of `region or unknown` takes what is "
            "not known as one more region."
        ),
        (
            "Intervals are at 95%, as models, authors or entities are drawn again: 2,000 bootstrap "
            "draws of up to 10,000 of them, by the delta method above; of regions it is models "
            "that are drawn. ci_method says which."
        ),
        (
            "loo_min and loo_max are the least and the most that the value is as one model, author "
            "or entity after the other is left out; of regions, the largest model of each."
        ),
        (
            "Flagged counters are left out of value and of its ranges; value_with_flagged has "
            "them, and so have the dashed lines of the chart."
        ),
        DOWNLOADS_MEAN,
    ),
    columns=(
        Answer("level", "text", "what holds downloads: model, author, entity, region"),
        Answer("measure", "text", "gini, hhi or top share"),
        Answer("top", "text", "which top it is the share of"),
        Answer("n_top", "whole", "how many that is"),
        Answer("n", "whole", "how many there are, flagged counters left out"),
        Answer("value", "real", "the measure, 0 to 1", "share"),
        Answer("value_with_flagged", "real", "the measure if flagged counters count", "share"),
        Answer("ci_lo", "real", "lower end of the 95% interval of value", "share"),
        Answer("ci_hi", "real", "upper end of it", "share"),
        Answer("ci_method", "text", "how the interval was come by"),
        Answer("loo_min", "real", "the least value as one is left out", "share"),
        Answer("loo_max", "real", "the most", "share"),
    ),
    needs={"models": ()},
    parameters=(
        Parameter(
            "rule",
            "downloads_30d",
            "which downloads count",
            choices=("downloads_30d", "downloads_all"),
        ),
    ),
    chart=_chart,
    finish=_finish,
    sources=(
        "Langel and Tillé, Variance estimation of the Gini index, JRSS A 176 (2013)",
        (
            "Beach and Davidson, Distribution-free statistical inference with Lorenz curves and "
            "income shares, Review of Economic Studies 50 (1983)"
        ),
    ),
)
