# SPDX-License-Identifier: Apache-2.0
"""B2: lineage families."""

from typing import TYPE_CHECKING, Final

from hubkeep.observatory.charts import PALETTE, TABLE, largest, share, ticks
from hubkeep.observatory.families import UNKNOWN_DEPTH, Family, families
from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Parameter, Scalar
from hubkeep.observatory.figures.shared import DOWNLOADS_MEAN, FLAGGED_MEANS, Row, as_table, part
from hubkeep.observatory.statistics import delta_intervals, rate_interval

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_RELATIONS: Final = ("finetune", "adapter", "quantized", "merge", "untold")
_NO_MODELS: Final = "models.id"
_NO_DOWNLOADS: Final = "models.downloads_30d"
_SQUARE: Final = "CAST(downloads_30d AS DECIMAL(19, 0)) * CAST(downloads_30d AS DECIMAL(19, 0))"
_STEP: Final = 8
"""How far apart the numbers of bases are, from one step on."""


def _finish(table: "pa.Table", context: Context) -> Finished:
    bases = table.filter(table["id"].is_valid())
    left_out = _sum(table.filter(table["id"].is_null()), "direct")
    ups = bases["up"].fill_null(0).to_numpy() // _STEP - 1
    family = families(ups.tolist())
    found = _families(bases, family)
    models = _models(context)
    top = int(context.parameters["top"])
    rows = [_row(row, models, context) for row in found.slice(0, top).to_pylist()]
    shown = f"The table has the {top:,} largest families of {len(found):,}."
    return Finished(
        as_table(table, rows),
        _scalars(bases, found, family, models, context),
        n=_sum(bases, "direct"),
        excluded={"models that are not in the snapshot, or not asked about": left_out},
        missing={"relation": _sum(bases, "untold")},
        notes=[shown] if len(found) > top else [],
    )


def _models(context: Context) -> Row:
    """Numbers of all models that are asked about."""
    kept = "FILTER (WHERE NOT is_flagged)"
    return context.query(
        "SELECT count(*) AS n, "
        f"CAST(coalesce(sum(downloads_30d) {kept}, 0) AS BIGINT) AS dl, "
        f"CAST(coalesce(sum({_SQUARE}) {kept}, 0) AS DOUBLE) AS square, "
        "CAST(coalesce(sum(downloads_30d), 0) AS BIGINT) AS claimed FROM models"
    ).to_pylist()[0]


def _families(bases: "pa.Table", family: Family) -> "pa.Table":
    """One row for each root that anything descends from, the largest family first."""
    import numpy as np
    import pyarrow as pa

    roots, depths = np.array(family.roots, np.int64), np.array(family.depths, np.int64)
    count = len(roots)
    flagged, is_child = (_flags(bases, name) for name in ("is_flagged", "is_child"))
    # Inside of a cycle the root is somebody's child too, and is counted as such.
    own = np.where(is_child, 0, bases["own"].fill_null(0).to_numpy())
    kept, is_root = np.where(flagged, 0, own), roots == np.arange(count)
    greatest = np.where(is_root, kept, 0)
    np.maximum.at(greatest, roots, bases["largest"].to_numpy())
    deepest = np.zeros(count, np.int64)
    np.maximum.at(deepest, roots, np.where(bases["direct"].to_numpy() > 0, depths + 1, 0))

    def below(name: str) -> "np.ndarray":
        return np.bincount(roots, bases[name].to_numpy(), count)

    whole = {f"all_{name}": below(name) for name in _RELATIONS}
    columns: dict[str, np.ndarray] = {
        "descendants": below("direct"),
        "depth": deepest,
        "direct": bases["direct"].to_numpy(),
        **{f"direct_{name}": bases[name].to_numpy() for name in _RELATIONS},
        **whole,
        "own": kept,
        "dl": below("dl"),
        "largest": greatest,
        "dl_flagged": below("dl_flagged") + np.where(is_root & flagged, own, 0),
    }
    made = {name: pa.array(values.astype(np.int64)) for name, values in columns.items()}
    squares = below("square") + kept.astype(np.float64) ** 2
    cyclic = is_root & (depths == UNKNOWN_DEPTH)
    found = pa.table(
        {"root": bases["id"], "is_there": bases["is_there"], "is_cycle": cyclic}
        | made
        | {"square": squares}
    )
    shown = found.filter(pa.array(is_root & (columns["descendants"] > 0)))
    return shown.sort_by([("descendants", "descending"), ("root", "ascending")])


def _row(row: Row, models: Row, context: Context) -> Row:
    root, below, square = (float(row[name] or 0) for name in ("own", "dl", "square"))
    total, family, flagged = float(models["dl"] or 0), root + below, int(row["dl_flagged"] or 0)
    sums, squares = [family, total - family], [square, float(models["square"] or 0) - square]
    interval = delta_intervals(sums, squares).get(0)
    alone = family - float(row["largest"] or 0)
    loads: Row = {
        "dl_family": int(family),
        "dl_descendants": int(below),
        "share": part(family, total),
        "ci_lo": interval.low if interval else None,
        "ci_hi": interval.high if interval else None,
        "loo": part(alone, total - float(row["largest"] or 0)),
        "dl_flagged": flagged,
        "share_with_flagged": part(family + flagged, float(models["claimed"] or 0)),
    }
    known = _NO_DOWNLOADS not in context.absent
    return {
        **row,
        "is_external": None if _NO_MODELS in context.absent else not row["is_there"],
        "depth": None if row["is_cycle"] else row["depth"],
        **{name: value if known else None for name, value in loads.items()},
    }


def _scalars(
    bases: "pa.Table", found: "pa.Table", family: Family, models: Row, context: Context
) -> dict[str, Scalar]:
    import numpy as np

    n, children = int(models["n"] or 0), _sum(bases, "direct")
    there, is_child = _flags(bases, "is_there"), _flags(bases, "is_child")
    external = ~found["is_there"].to_numpy(zero_copy_only=False)
    descendants, depths = found["descendants"].to_numpy(), np.array(family.depths, np.int64)
    edges = {name: _sum(bases, f"edges_{name}") for name in _RELATIONS[:-1]}
    typed = sum(edges.values())
    told: dict[str, Scalar] = {"n_edges": _sum(bases, "edges"), "n_edges_typed": typed}
    for name, count in edges.items():
        interval = rate_interval(count, typed)
        told |= {
            f"share_{name}": part(count, typed),
            f"share_{name}_ci_lo": interval.low if interval else None,
            f"share_{name}_ci_hi": interval.high if interval else None,
        }
    told["share_untold"] = part(int(told["n_edges"] or 0) - typed, int(told["n_edges"] or 0))
    known = _NO_MODELS not in context.absent
    alone = n - children - int((there & ~is_child).sum())
    interval = rate_interval(alone, n) if known else None
    below = descendants[external].sum()
    in_cycles = np.bincount(np.array(family.roots, np.int64), minlength=len(depths))
    return {
        **told,
        "n_roots": len(found),
        "n_derived": children,
        "n_several_bases": _sum(bases, "several"),
        "deepest": int(found["depth"].to_numpy()[~_flags(found, "is_cycle")].max(initial=0)),
        "n_cycles": int((in_cycles[depths == UNKNOWN_DEPTH] > 0).sum()),
        "n_external_roots": int(external.sum()) if known else None,
        "share_of_external_roots": part(int(below), children) if known else None,
        "n_isolates": alone if known else None,
        "share_isolates": part(alone, n) if known else None,
        "share_isolates_ci_lo": interval.low if interval else None,
        "share_isolates_ci_hi": interval.high if interval else None,
        "share_dl_of_derived": part(_sum(bases, "dl"), int(models["dl"] or 0)) if known else None,
    }


def _sum(table: "pa.Table", name: str) -> int:
    return int(table[name].to_numpy().sum())


def _flags(table: "pa.Table", name: str) -> "np.ndarray":
    return table[name].to_numpy(zero_copy_only=False).astype(bool)


def _chart(_table: "pa.Table", _scalars: object) -> Chart:
    # In the order of the table: views that share an axis cannot each sort it.
    y = {"field": "root", "type": "nominal", "title": None, "sort": None}
    models = {
        "transform": [
            *largest("descendants"),
            {"fold": [f"all_{name}" for name in _RELATIONS], "as": ["which", "models"]},
            {"calculate": "substring(datum.which, 4)", "as": "relation"},
        ],
        "width": 380,
        "height": {"step": 18},
        "mark": "bar",
        "encoding": {
            "x": {
                "field": "models",
                "type": "quantitative",
                "title": "Models that descend from it",
                "axis": ticks(),
            },
            "y": y,
            "color": {
                "field": "relation",
                "type": "nominal",
                "title": "derived as",
                "scale": {"domain": list(_RELATIONS), "range": [*PALETTE[:4], "#BFBFBF"]},
            },
            "tooltip": [{"field": name} for name in ("root", "relation", "models", "depth")],
        },
    }
    bare = {**y, "axis": None}
    loads = {
        "transform": largest("descendants"),
        "width": 180,
        "height": {"step": 18},
        "layer": [
            {"mark": "bar", "encoding": {"x": share("share", "Share of downloads"), "y": bare}},
            {
                "mark": {"type": "rule", "color": "#7F7F7F", "strokeWidth": 2},
                "encoding": {
                    "x": {"field": "ci_lo", "type": "quantitative"},
                    "x2": {"field": "ci_hi"},
                    "y": bare,
                },
            },
        ],
    }
    return {"data": TABLE, "hconcat": [models, loads], "resolve": {"scale": {"y": "shared"}}}


FIGURE = Figure(
    id="B2",
    title="Lineage families",
    question="Which models are others derived from, how, and how much are those families used?",
    definitions=(
        (
            "A model is derived from the bases that it names. Its relation is how: finetune, "
            "adapter, quantized, merge, or untold. Where several are told for the same two models, "
            "the first of merge, quantized, adapter and finetune counts."
        ),
        (
            "Each derived model is in one family, so that nothing counts twice: that of its base, "
            "or, of several, of the one in the snapshot that is downloaded most (flagged counters "
            "last, then by id)."
        ),
        (
            "The root is found by going from base to base, however many there are, until one names "
            "none. A base that is not in the snapshot, or that the reader's filters leave out, is "
            "an external root. A cycle ends the search: its most downloaded member is the root, "
            "and is one of the descendants too; such a family has no depth."
        ),
        (
            "descendants are all models below the root, and all_* how each of them is derived from "
            "its own base; direct and direct_* are those whose base is the root itself. The depth "
            "is the most generations below the root."
        ),
        (
            "dl_family has the downloads of the root and of its descendants; share is of all "
            "downloads, with a 95% interval by the delta method, and loo is the share without the "
            "family's largest model."
        ),
        (
            "Shares of relations are of all pairs of a model and a base whose relation is told, "
            "several bases of a model too. Isolates neither name a base nor are one."
        ),
        FLAGGED_MEANS,
        DOWNLOADS_MEAN,
    ),
    columns=(
        Answer("root", "text", "the model that the family descends from"),
        Answer("descendants", "whole", "models below it", "models"),
        Answer("depth", "whole", "the most generations below it; null of a cycle"),
        Answer("direct", "whole", "models whose base it is itself", "models"),
        *(Answer(f"direct_{name}", "whole", f"of them, {name}", "models") for name in _RELATIONS),
        Answer("dl_family", "whole", "its downloads and those of all below it", "downloads"),
        Answer("share", "real", "of all downloads", "share"),
        Answer("ci_lo", "real", "lower end of the 95% interval of share", "share"),
        Answer("ci_hi", "real", "upper end of it", "share"),
        Answer("loo", "real", "the share without the family's largest model", "share"),
        Answer("dl_descendants", "whole", "downloads of those below it alone", "downloads"),
        Answer("dl_flagged", "whole", "downloads that flagged counters claim", "downloads"),
        Answer("share_with_flagged", "real", "the share if they are counted", "share"),
        *(
            Answer(f"all_{name}", "whole", f"of all below it, {name}", "models")
            for name in _RELATIONS
        ),
        Answer("is_external", "flag", "whether the root is not in the snapshot"),
        Answer("is_cycle", "flag", "whether the root is in a cycle"),
    ),
    needs={"lineage": ("child", "parent")},
    wants={"models": ("id", "downloads_30d"), "lineage": ("relation",)},
    parameters=(Parameter("top", 1000, "how many families the table has", least=1, most=100_000),),
    chart=_chart,
    finish=_finish,
)
