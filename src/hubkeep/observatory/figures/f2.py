# SPDX-License-Identifier: Apache-2.0
"""F2: models, sizes and downloads by type of organisation."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hubkeep.observatory.charts import bars, boxes
from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Scalar
from hubkeep.observatory.figures.shared import (
    COUNTED,
    DOWNLOADS_MEAN,
    FLAGGED_MEANS,
    LEFT_OUT_MEANS,
    MERGED,
    ORG_TYPES_MEAN,
    SIZE_MEANS,
    Groups,
    Row,
    as_table,
    intervals,
    largest_of_others,
    part,
)
from hubkeep.observatory.statistics import (
    BOOTSTRAP_ROWS,
    Interval,
    delta_intervals,
    leave_one_out,
)

if TYPE_CHECKING:
    import pyarrow as pa

_TYPE = "CASE WHEN $merged AND org_type = 'individual' THEN 'other' ELSE org_type END"


def _finish(table: "pa.Table", context: Context) -> Finished:
    rows = table.to_pylist()
    names = [row["org_type"] for row in rows]
    n = sum(row["n_models"] for row in rows)
    if n > BOOTSTRAP_ROWS:
        counts = [row["n_models"] for row in rows]
        by_n = _named(names, delta_intervals(counts, counts))
        parts, squares = ([row[one] or 0 for row in rows] for one in ("dl_sum", "dl_square"))
        by_dl = _named(names, delta_intervals(parts, squares))
    else:
        by_n = intervals(context, Groups(_TYPE, view="models"), names)
        by_dl = intervals(context, Groups(_TYPE, "downloads_30d", COUNTED, "models"), names)
    dl = sum(row["dl_sum"] or 0 for row in rows)
    flagged = sum(row["dl_flagged"] for row in rows)
    others = largest_of_others([row["dl_largest"] for row in rows])
    for row, other in zip(rows, others, strict=True):
        name, own = row["org_type"], row["dl_sum"] or 0
        alone = leave_one_out(dl, own, row["dl_largest"], other)
        row |= {
            "share_n": part(row["n_models"], n),
            "share_dl": part(own, dl),
            "share_n_lo": by_n[name].low if name in by_n else None,
            "share_n_hi": by_n[name].high if name in by_n else None,
            "share_dl_lo": by_dl[name].low if name in by_dl else None,
            "share_dl_hi": by_dl[name].high if name in by_dl else None,
            "loo_min": alone.low if dl else None,
            "loo_max": alone.high if dl else None,
            "share_dl_with_flagged": part(own + row["dl_flagged"], dl + flagged),
        }
    missing = {"size": "n_missing_size", "downloads_30d": "n_missing_downloads"}
    unmapped = sum(row["n_unmapped"] for row in rows)
    return Finished(
        as_table(table, rows),
        _scalars(rows, dl, part(unmapped, n)),
        n=n,
        excluded={"flagged, from downloads alone": sum(row["n_flagged"] for row in rows)},
        missing={name: sum(row[one] for row in rows) for name, one in missing.items()}
        | {"org_type": unmapped},
    )


def _named(names: Sequence[str], found: Mapping[int, Interval]) -> dict[str, Interval]:
    return {name: found[at] for at, name in enumerate(names) if at in found}


def _scalars(rows: list[Row], dl: int, unmapped: float | None) -> dict[str, Scalar]:
    other = next((row for row in rows if row["org_type"] == "other"), None)
    known = None if other is None else other["share_dl"]
    return {"dl_total": dl, "share_n_unmapped": unmapped, "share_dl_other": known}


def _chart(table: "pa.Table", _scalars: object) -> Chart:
    sizes = boxes("org_type", "size_q25", "size_q50", "size_q75", "Size, bytes")
    has_sizes = table["size_q50"].null_count < len(table)
    models = bars(
        "org_type", "share_n", "Share of models", ci=True, low="share_n_lo", high="share_n_hi"
    )
    loads = bars(
        "org_type", "share_dl", "Share of downloads", ci=True, low="share_dl_lo", high="share_dl_hi"
    )
    return {
        "data": {"name": "table"},
        "vconcat": [
            models,
            loads,
            *([sizes] if has_sizes else []),
            boxes("org_type", "dl_q25", "dl_q50", "dl_q75", "Downloads in 30 days"),
        ],
    }


FIGURE = Figure(
    id="F2",
    title="Types of organisations",
    question="Who makes models, how large are they, and whose are downloaded?",
    definitions=(
        ORG_TYPES_MEAN,
        "n_orgs counts namespaces; old models without one are counted as models alone.",
        SIZE_MEANS,
        DOWNLOADS_MEAN,
        (
            "Quartiles of sizes and downloads are over models: a model without downloads counts as "
            "zero, one without a known size does not count."
        ),
        FLAGGED_MEANS,
        LEFT_OUT_MEANS,
    ),
    columns=(
        Answer("org_type", "text", "the type of organisation"),
        Answer("n_models", "whole", "models", "models"),
        Answer("n_orgs", "whole", "namespaces", "namespaces"),
        Answer("size_q25", "real", "a quarter of the sizes are at most", "bytes"),
        Answer("size_q50", "real", "half of the sizes are at most", "bytes"),
        Answer("size_q75", "real", "three quarters of the sizes are at most", "bytes"),
        Answer("dl_sum", "whole", "downloads in 30 days, without flagged counters", "downloads"),
        Answer("dl_q25", "real", "a quarter of the models have at most", "downloads"),
        Answer("dl_q50", "real", "half of the models have at most", "downloads"),
        Answer("dl_q75", "real", "three quarters of the models have at most", "downloads"),
        Answer("share_n", "real", "of all models", "share"),
        Answer("share_dl", "real", "of all downloads", "share"),
        Answer("share_n_lo", "real", "lower end of the 95% interval of share_n", "share"),
        Answer("share_n_hi", "real", "upper end of it", "share"),
        Answer("share_dl_lo", "real", "lower end of the 95% interval of share_dl", "share"),
        Answer("share_dl_hi", "real", "upper end of it", "share"),
        Answer("loo_min", "real", "share_dl without its largest model", "share"),
        Answer("loo_max", "real", "share_dl without the largest other model", "share"),
        Answer("dl_flagged", "whole", "downloads that flagged counters claim", "downloads"),
        Answer("share_dl_with_flagged", "real", "share_dl if they are counted", "share"),
        Answer("n_zero_downloads", "whole", "models without downloads", "models"),
        Answer("n_missing_size", "whole", "models whose size is not known", "models"),
        Answer("n_self_assigned", "whole", "models whose organisation says its type", "models"),
        Answer("n_curated", "whole", "models whose namespace the table of types has", "models"),
    ),
    needs={"models": ("downloads_30d",)},
    wants={"models": ("size",)},
    parameters=(MERGED,),
    chart=_chart,
    finish=_finish,
)
