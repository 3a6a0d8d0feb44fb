# SPDX-License-Identifier: Apache-2.0
"""B3: licence drift."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.figure import Answer, Context, Figure, Finished, Parameter, Scalar
from hubkeep.observatory.figures.shared import (
    DOWNLOADS_MEAN,
    LICENCE_MEANS,
    Row,
    as_table,
    part,
)
from hubkeep.observatory.schema import RELATIONS
from hubkeep.observatory.shapes import matrix
from hubkeep.observatory.statistics import rate_interval

if TYPE_CHECKING:
    import pyarrow as pa

STRICTNESS: Final = ("permissive", "copyleft", "rail", "model-custom", "noncommercial")
"""Classes of licences from the one that restricts least to the one that restricts most."""
_CLASSES: Final = (*STRICTNESS, "other", "none")
_CHANGES: Final = ("same", "tighter", "looser", "dropped", "gained", "unclear")


def _finish(table: "pa.Table", context: Context) -> Finished:
    found = table.to_pylist()
    rows = [row for row in found if row["base_class"] and row["child_class"]]
    rows.sort(key=lambda row: tuple(_CLASSES.index(row[name]) for name in _PAIR))
    for row in rows:
        of = _count(one for one in rows if one["base_class"] == row["base_class"])
        interval = rate_interval(row["n"], of)
        row |= {
            "change": change(row["base_class"], row["child_class"]),
            "share": part(row["n"], of),
            "ci_lo": interval.low if interval else None,
            "ci_hi": interval.high if interval else None,
        }
    known = "models.downloads_30d" not in context.absent
    if not known:
        rows = [row | {"dl": None, "dl_flagged": None} for row in rows]
    told = [row for row in found if row["child_class"]]
    return Finished(
        as_table(table, rows),
        _scalars(rows, known=known),
        n=_count(rows),
        excluded={
            "no base that is in the snapshot": _count(told) - _count(rows),
            "models that are not in the snapshot, or not asked about": _count(found) - _count(told),
        },
        missing={
            "license": _count(row for row in rows if row["child_class"] == "none"),
            "license of the base": _count(row for row in rows if row["base_class"] == "none"),
        },
    )


def change(base: str, child: str) -> str:
    """Return what became of a class of licences from a base to what is derived from it."""
    if base == "none" or child == "none":
        return "unclear" if base == child else "dropped" if child == "none" else "gained"
    if base == child:
        return "same"
    if base not in STRICTNESS or child not in STRICTNESS:
        return "unclear"
    return "tighter" if STRICTNESS.index(child) > STRICTNESS.index(base) else "looser"


def _scalars(rows: list[Row], *, known: bool) -> dict[str, Scalar]:
    declared = [row for row in rows if row["base_class"] != "none"]
    undeclared = [row for row in rows if row["base_class"] == "none"]
    both = [row for row in declared if row["child_class"] != "none"]
    placed = [row for row in both if {row[name] for name in _PAIR} <= set(STRICTNESS)]
    found: dict[str, Scalar] = {}
    wholes = {
        "dropped": declared,
        "gained": undeclared,
        "tightening": placed,
        "loosening": placed,
        "kept_class": placed,
    }
    words = {"tightening": "tighter", "loosening": "looser", "kept_class": "same"}
    for name, whole in wholes.items():
        changed = [row for row in whole if row["change"] == words.get(name, name)]
        n, of = _count(changed), _count(whole)
        interval = rate_interval(n, of)
        found |= {
            f"{name}_rate": part(n, of),
            f"{name}_rate_ci_lo": interval.low if interval else None,
            f"{name}_rate_ci_hi": interval.high if interval else None,
        }
        if known:
            dl, of_dl = _sum(changed, "dl"), _sum(whole, "dl")
            flagged, of_flagged = _sum(changed, "dl_flagged"), _sum(whole, "dl_flagged")
            found |= {
                f"{name}_rate_by_downloads": part(dl, of_dl),
                f"{name}_rate_by_downloads_with_flagged": part(dl + flagged, of_dl + of_flagged),
            }
    return {
        **found,
        "same_licence_rate": part(_sum(both, "n_same"), _count(both)),
        "n_declared_base": _count(declared),
        "n_both_declared": _count(both),
        "n_both_placed": _count(placed),
    }


def _count(rows: Iterable[Row]) -> int:
    return _sum(rows, "n")


def _sum(rows: Iterable[Row], name: str) -> int:
    return sum(int(row[name] or 0) for row in rows)


_PAIR: Final = ("base_class", "child_class")

FIGURE = Figure(
    id="B3",
    title="Licence drift",
    question="Which licences do derived models have, beside those of their bases?",
    definitions=(
        LICENCE_MEANS,
        (
            "A base is in the snapshot; of several, the strictest counts. From least to most, the "
            "classes restrict: permissive (credit), copyleft (the same terms for what is derived), "
            "rail (some uses are forbidden), model-custom (the same, and further conditions such "
            "as on the number of users), noncommercial (no use for profit). The class `other` has "
            "no place in this order; a base of it counts only beside bases without a licence."
        ),
        (
            "tighter and looser are changes along this order; dropped is a base with a licence and "
            "a derived model that names none, gained the other way round. Where only one of the "
            "two is `other`, or neither names a licence, it is unclear."
        ),
        (
            "share is of the models whose base has that class, with its 95% Wilson interval. The "
            "rates: dropped of those whose base declares a licence, gained of those whose base "
            "does not, tightening, loosening and kept_class of those that have a place in the "
            "order, as their base has; same_licence of all that declare one, as their base does, "
            "is the very same licence (of equally strict bases, the last by its name)."
        ),
        "Rates by downloads weigh each derived model by its own, without flagged counters.",
        DOWNLOADS_MEAN,
    ),
    columns=(
        Answer("base_class", "text", "class of the base's licence, the strictest of several"),
        Answer("child_class", "text", "class of the derived model's licence"),
        Answer("n", "whole", "derived models", "models"),
        Answer("share", "real", "of those whose base has this class", "share"),
        Answer("ci_lo", "real", "lower end of the 95% interval of share", "share"),
        Answer("ci_hi", "real", "upper end of it", "share"),
        Answer("change", "text", f"one of: {', '.join(_CHANGES)}"),
        Answer("n_same", "whole", "of them, with the very same licence", "models"),
        Answer("dl", "whole", "their downloads, without flagged counters", "downloads"),
        Answer("dl_flagged", "whole", "downloads that flagged counters claim", "downloads"),
    ),
    needs={"models": ("license",), "lineage": ("child", "parent")},
    wants={"models": ("downloads_30d",), "lineage": ("relation",)},
    parameters=(
        Parameter(
            "relation",
            "all",
            "how a model is derived from its base",
            choices=("all", *RELATIONS, "untold"),
        ),
    ),
    chart=lambda _table, _scalars: matrix(
        ("child_class", "Licence of the derived model"),
        ("base_class", "Licence of its base"),
        ("share", "Share of the row"),
        _CLASSES,
        "n",
    ),
    finish=_finish,
    sources=(
        "Open Source Initiative, The Open Source Definition, 5 and 6: open licences limit no use",
        (
            "Contractor et al., Behavioral Use Licensing for Responsible AI, FAccT 2022: what rail "
            "adds to them"
        ),
        (
            "Jewitt et al., From Hugging Face to GitHub (arXiv 2509.09873): which clauses are "
            "dropped along chains"
        ),
    ),
)
