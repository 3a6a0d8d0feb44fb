# SPDX-License-Identifier: Apache-2.0
"""B11: in which formats weights are kept, and what scanners say of them."""

from typing import TYPE_CHECKING

from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Scalar
from hubkeep.observatory.figures.parts import (
    INTERVALS_MEAN,
    MADE,
    MADE_COLUMNS,
    UNKNOWN,
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
    counted,
    part,
)
from hubkeep.observatory.shapes import by_quarter, dumbbells

if TYPE_CHECKING:
    import pyarrow as pa

_FORMAT = (
    "CASE WHEN has_safetensors THEN 'safetensors' WHEN has_safetensors IS NULL THEN 'unknown' "
    "WHEN has_pickle THEN 'pickle only' WHEN has_pickle IS NULL THEN 'unknown' "
    "WHEN has_gguf THEN 'gguf' WHEN has_gguf IS NULL THEN 'unknown' ELSE 'none' END"
)
_ORDER = ("safetensors", "pickle only", "gguf", "none", UNKNOWN)
_NOT_SCANNED = "(not scanned)"
_KINDS = ("safetensors", "pickle", "gguf")


def _finish(table: "pa.Table", context: Context) -> Finished:
    given = table.to_pylist()
    made = Parts(by=_FORMAT, by_name="format", whole=MADE, undeclared=UNKNOWN)
    verdicts = Parts(
        by=f"coalesce(scan, '{_NOT_SCANNED}')",
        by_name="verdict",
        whole=f"concat('scan of ', {_FORMAT})",
        undeclared=_NOT_SCANNED,
    )
    looked = any(row["verdict"] not in (None, _NOT_SCANNED) for row in given)
    scanned = [row for row in given if row["verdict"] is not None and looked]
    whole = with_shares([row for row in given if row["whole"] == "all"], context, made.together())
    later = with_shares(
        [row for row in given if row["verdict"] is None and row["whole"] != "all"], context, made
    )
    rows = [*whole, *later, *with_shares(scanned, context, verdicts)]
    return Finished(
        as_table(table, rows),
        _scalars(whole, scanned, context),
        n=summed(whole, "n"),
        excluded={"flagged, from downloads alone": summed(whole, "n_flagged")},
        missing={
            "has_safetensors, has_pickle or has_gguf": summed(
                [row for row in whole if row["format"] == UNKNOWN], "n"
            ),
            "created_at": summed([row for row in later if row["whole"] == "no date"], "n"),
            "downloads_30d": summed(whole, "n_missing_downloads"),
        },
        notes=(SURVIVORS,),
    )


def _scalars(whole: list[Row], scanned: list[Row], context: Context) -> dict[str, Scalar]:
    by_format = {row["format"]: row for row in whole}
    found: dict[str, Scalar] = {"interval_method": method(whole)}
    for name in ("safetensors", "pickle only"):
        row = by_format.get(name, {})
        key = name.replace(" ", "_")
        found[f"share_{key}"] = row.get("share_declared")
        found[f"dl_share_{key}"] = row.get("dl_share_declared")
    asked = {f"with {name}": f"has_{name}" for name in _KINDS} | {
        f"known {name}": f"has_{name} IS NOT NULL" for name in _KINDS
    }
    counts = counted(context, "models", asked)
    for name in _KINDS:
        found[f"share_with_{name}"] = part(counts[f"with {name}"], counts[f"known {name}"])
    for verdict in ("clean", "suspicious", "unsafe"):
        rows = [row for row in scanned if row["verdict"] == verdict]
        found[f"n_{verdict}"] = summed(rows, "n") if scanned else None
    return found


def _chart(table: "pa.Table", _scalars: object) -> Chart:
    both = {
        "models": ("share_all", "ci_lo", "ci_hi"),
        "downloads in 30 days": ("dl_share_all", "dl_ci_lo", "dl_ci_hi"),
    }
    title = "Share of all models, and of their downloads"
    views = [
        dumbbells("format", both, title, _ORDER, where="datum.whole == 'all'"),
        by_quarter(
            "format",
            "share_all",
            "Share of new models",
            _ORDER,
            "datum.whole != 'all' && datum.verdict == null",
        ),
    ]
    if any(one.startswith("scan of ") for one in table["whole"].to_pylist()):
        unsafe = (
            "Share of models of a format, and of their downloads, that the scanner calls unsafe"
        )
        views.append(
            dumbbells("format", both, unsafe, _ORDER, where="datum.verdict == 'unsafe'"),
        )
    return {"vconcat": views, "resolve": {"scale": {"color": "independent"}}}


FIGURE = Figure(
    id="B11",
    title="Formats of weights",
    question="Do people still load weights that can run code, and how fast does that change?",
    definitions=(
        (
            "safetensors: weights as safetensors, whatever else there is. pickle only: weights as "
            "pickle (.bin, .pt, .ckpt, ...), which can run code when they are loaded, and none as "
            "safetensors. gguf: neither of both, but GGUF. none: none of the three. unknown: the "
            "source does not tell; it is no part of share_declared."
        ),
        (
            "What a model has follows from the names of its files, or from its tags where the "
            "source has no names. share_with_safetensors, share_with_pickle and share_with_gguf "
            "count all models that have the format, whatever else they have."
        ),
        (
            "By the quarter in which a model was made: all that are there, with the formats and "
            "the downloads that they have now. Old models got safetensors later, by robots too."
        ),
        (
            "Where the hub scans files, `scan of` a format tells what it found in models of that "
            "format: clean, suspicious or unsafe; (not scanned) is no part of share_declared."
        ),
        CENSORED_MEANS,
        SURVIVORS,
        DOWNLOADS_MEAN,
        FLAGGED_MEANS,
        LEFT_OUT_MEANS,
        INTERVALS_MEAN,
    ),
    columns=(
        *MADE_COLUMNS,
        Answer("format", "text", "safetensors, pickle only, gguf, none or unknown"),
        Answer("verdict", "text", "what the scanner found; null where rows do not tell of that"),
        *share_columns("of the row's `whole`", "that are known"),
    ),
    needs={"models": ("has_safetensors", "has_pickle", "has_gguf")},
    wants={"models": ("created_at", "downloads_30d", "scan")},
    chart=_chart,
    finish=_finish,
)
