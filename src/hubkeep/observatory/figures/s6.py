# SPDX-License-Identifier: Apache-2.0
"""S6: likes and downloads."""

from typing import TYPE_CHECKING

from hubkeep.observatory.correlation import Fit, linear, spearman
from hubkeep.observatory.figure import Answer, Context, Figure, Finished, Scalar
from hubkeep.observatory.figures.shared import (
    DOWNLOADS_MEAN,
    RULE,
    UNIVERSE_MEANS,
    K,
    Row,
    as_table,
    counted,
)
from hubkeep.observatory.shapes import cloud

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_METHODS = ("linear", "log-log", "spearman")
_DRAWN = 2000


def _finish(table: "pa.Table", context: Context) -> Finished:
    import numpy as np

    universe = np.array(table["universe"].to_pylist(), dtype=object)
    downloads, likes, counts = (
        table[name].to_numpy().astype(np.float64) for name in ("downloads", "likes", "n")
    )
    flagged = table["is_flagged"].to_numpy(zero_copy_only=False).astype(bool)
    chosen = {
        "U": universe == "U",
        "downloads > 0": (universe == "all") & (downloads > 0),
        "all": universe == "all",
    }
    rows: list[Row] = []
    for name, inside in chosen.items():
        kept = inside & ~flagged
        for method in _METHODS:
            fit, dropped = _fit(method, likes[kept], downloads[kept], counts[kept])
            claimed, _ = _fit(method, likes[inside], downloads[inside], counts[inside])
            rows.append(_row(name, method, fit, dropped, claimed))
    counts_of = counted(
        context,
        "universe",
        {
            "flagged": "is_flagged",
            "likes": "likes IS NULL",
            "downloads_30d": "downloads_30d IS NULL",
        },
    )
    n, out = counts_of.pop("n"), counts_of.pop("flagged")
    return Finished(
        as_table(table, rows),
        _scalars(rows),
        n=n - out,
        excluded={"flagged": out},
        missing=counts_of,
        points={"points": _points(context), "line": _line(rows, likes[chosen["U"]])},
    )


def _fit(
    method: str, likes: "np.ndarray", downloads: "np.ndarray", counts: "np.ndarray"
) -> tuple[Fit, int]:
    """The fit, and how many models it had to drop for a zero that has no logarithm."""
    import numpy as np

    whole = counts.astype(np.int64)
    if method == "spearman":
        return spearman(likes, downloads, whole), 0
    if method == "linear":
        return linear(likes, downloads, whole), 0
    kept = (likes > 0) & (downloads > 0)
    fit = linear(np.log10(likes[kept]), np.log10(downloads[kept]), whole[kept])
    return fit, int(whole[~kept].sum())


def _row(universe: str, method: str, fit: Fit, dropped: int, claimed: Fit) -> Row:
    return {
        "universe": universe,
        "n": fit.n,
        "method": method,
        "r2": fit.r2,
        "slope": fit.slope,
        "ci_lo": fit.low,
        "ci_hi": fit.high,
        "r": fit.r,
        "intercept": fit.intercept,
        "n_zeros_dropped": dropped,
        "ci_method": fit.method,
        "r2_with_flagged": claimed.r2,
    }


def _scalars(rows: list[Row]) -> dict[str, Scalar]:
    names = {"linear": "r2_linear", "log-log": "r2_loglog", "spearman": "spearman"}
    found: dict[str, Scalar] = {}
    for row in rows:
        if row["universe"] == "U":
            name = names[str(row["method"])]
            found[name] = row["r" if name == "spearman" else "r2"]
    return found


def _points(context: Context) -> "pa.Table":
    return context.query(
        "SELECT id, likes, downloads_30d AS downloads, is_flagged FROM universe "
        f"WHERE downloads_30d IS NOT NULL AND likes IS NOT NULL ORDER BY place LIMIT {_DRAWN}"
    )


def _line(rows: list[Row], likes: "np.ndarray") -> "pa.Table":
    """The two ends of the fit on log scales."""
    import pyarrow as pa

    fit = next(row for row in rows if row["universe"] == "U" and row["method"] == "log-log")
    slope, intercept, some = fit["slope"], fit["intercept"], likes[likes > 0]
    ends = []
    if isinstance(slope, float) and isinstance(intercept, float):
        ends = [float(some.min()), float(some.max())]
        return pa.table(
            {"likes": ends, "downloads": [10**intercept * likes**slope for likes in ends]}
        )
    return pa.table({"likes": pa.array([], pa.float64()), "downloads": pa.array([], pa.float64())})


FIGURE = Figure(
    id="S6",
    title="Likes and downloads",
    question="Do people download what they like?",
    definitions=(
        UNIVERSE_MEANS,
        "Three universes: U, all models that were downloaded at all, and all models.",
        (
            "Three methods: a line through downloads over likes (linear: the slope is downloads "
            "for a like); the same of log10 of both, from which models with a zero are dropped and "
            "counted (log-log: the slope is an elasticity); and Spearman's correlation of ranks, "
            "whose square stands as r2 and which has no slope."
        ),
        (
            "ci_lo and ci_hi are the 95% interval of r2: of 2,000 bootstrap draws up to 10,000 "
            "models, by Fisher's transformation above; for ranks by Bonett and Wright's (2000)."
        ),
        "Flagged counters are left out, drawn and named; r2_with_flagged has them.",
        DOWNLOADS_MEAN,
    ),
    columns=(
        Answer("universe", "text", "U, downloads > 0, or all"),
        Answer("n", "whole", "models", "models"),
        Answer("method", "text", "linear, log-log or spearman"),
        Answer("r2", "real", "part of the variance that is explained", "share"),
        Answer("slope", "real", "downloads for a like, or per cent for one per cent of likes"),
        Answer("ci_lo", "real", "lower end of the 95% interval of r2", "share"),
        Answer("ci_hi", "real", "upper end of it", "share"),
        Answer("r", "real", "the correlation itself, with its sign"),
        Answer("intercept", "real", "where the line begins"),
        Answer("n_zeros_dropped", "whole", "models with a zero, which has no logarithm", "models"),
        Answer("ci_method", "text", "how the interval was come by"),
        Answer("r2_with_flagged", "real", "r2 if flagged counters are counted", "share"),
    ),
    needs={"models": ("downloads_30d", "likes")},
    parameters=(K, RULE),
    chart=lambda _table, _scalars: cloud(
        "points", "likes", "downloads", "Likes", "Downloads in 30 days", "id"
    ),
    finish=_finish,
    sources=(
        (
            "Bonett and Wright, Sample size requirements for estimating Pearson, Kendall and "
            "Spearman correlations, Psychometrika 65 (2000)"
        ),
    ),
)
