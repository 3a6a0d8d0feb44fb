# SPDX-License-Identifier: Apache-2.0
"""B4: lineage integrity."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.charts import SHOWN, number
from hubkeep.observatory.families import cycles
from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Parameter, Scalar
from hubkeep.observatory.figures.shared import Row, part
from hubkeep.observatory.statistics import rate_interval

if TYPE_CHECKING:
    import pyarrow as pa

_CHECKS: Final = ("missing", "renamed", "self", "cycle", "contradictory", "mixed")
_MEMBERS: Final = 20
"""So many members of a cycle are named."""


def _finish(table: "pa.Table", context: Context) -> Finished:
    import pyarrow as pa

    found: dict[str, list[Row]] = defaultdict(list)
    for row in table.to_pylist():
        found[str(row["kind"])].append(row)
    n, left_out, untold = (_sum(found[name]) for name in ("all", "out", "untold"))
    found["cycle"] = _cycles(found["pair"])
    known = "models.id" not in context.absent
    if not known:
        found["missing"] = []
    top = int(context.parameters["top"])
    rows = [
        {"check": name, "rank": rank, **_finding(row)}
        for name in _CHECKS
        for rank, row in enumerate(found[name][:top], 1)
    ]
    checks = [_check(name, found[name], n) for name in _CHECKS if known or name != "missing"]
    cut = [name for name in _CHECKS if len(found[name]) > top]
    answers = {"check": pa.string(), "rank": pa.int64(), "subject": pa.string()}
    answers |= {"related": pa.string(), "n": pa.int64(), "size": pa.int64(), "members": pa.string()}
    shares = {"check": pa.string(), "findings": pa.int64(), "pairs": pa.int64()}
    shares |= dict.fromkeys(("share", "ci_lo", "ci_hi"), pa.float64())
    return Finished(
        pa.Table.from_pylist(rows, schema=pa.schema(list(answers.items()))),
        _scalars(checks, found["cycle"], known=known),
        n=n,
        excluded={"of models that are not in the snapshot, or not asked about": left_out},
        missing={"relation": untold},
        notes=[f"The table has the first {top:,} of: {', '.join(cut)}."] if cut else [],
        points={"checks": pa.Table.from_pylist(checks, schema=pa.schema(list(shares.items())))},
    )


def _cycles(pairs: Sequence[Row]) -> list[Row]:
    """The sets of models that descend from each other, the largest first."""
    bases: dict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        bases[str(pair["subject"])].append(str(pair["related"]))
    found = sorted(cycles(bases), key=lambda members: (-len(members), members[0]))
    return [
        {
            "subject": members[0],
            "related": members[1],
            "n": sum(base in members for name in members for base in bases[name]),
            "size": len(members),
            "members": " ".join(members[:_MEMBERS]),
        }
        for members in found
    ]


def _finding(row: Row) -> Row:
    return {name: row.get(name) for name in ("subject", "related", "n", "size", "members")}


def _check(name: str, found: Sequence[Row], n: int) -> Row:
    pairs = _sum(found)
    interval = rate_interval(pairs, n)
    return {
        "check": name,
        "findings": len(found),
        "pairs": pairs,
        "share": part(pairs, n),
        "ci_lo": interval.low if interval else None,
        "ci_hi": interval.high if interval else None,
    }


def _scalars(checks: Sequence[Row], found: Sequence[Row], *, known: bool) -> Mapping[str, Scalar]:
    told: dict[str, Scalar] = {}
    for row in checks:
        name = str(row["check"])
        told |= {
            f"n_{name}": row["findings"],
            f"pairs_{name}": row["pairs"],
            f"share_{name}": row["share"],
            f"share_{name}_ci_lo": row["ci_lo"],
            f"share_{name}_ci_hi": row["ci_hi"],
        }
    if not known:
        told |= {"n_missing": None, "pairs_missing": None, "share_missing": None}
    return {
        **told,
        "largest_cycle": _largest(found),
        "models_in_cycles": sum(int(row["size"] or 0) for row in found),
    }


def _largest(found: Sequence[Row]) -> int:
    return max((int(row["size"] or 0) for row in found), default=0)


def _sum(rows: Sequence[Row]) -> int:
    return sum(int(row["n"] or 0) for row in rows)


def _chart(_table: "pa.Table", _scalars: object) -> Chart:
    bar = {"type": "bar"}
    checks = {
        "data": {"name": "checks"},
        "width": 520,
        "height": {"step": 24},
        "title": {"text": "Pairs of a model and its base", "anchor": "start"},
        "encoding": {
            "y": {"field": "check", "type": "nominal", "sort": list(_CHECKS), "title": None}
        },
        "layer": [
            {
                "mark": bar,
                "encoding": {
                    "x": {
                        "field": "share",
                        "type": "quantitative",
                        "title": "Share of all pairs",
                        "axis": {"format": ".1%"},
                    }
                },
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 5},
                "encoding": {
                    "x": {"field": "share", "type": "quantitative"},
                    "text": {"field": "pairs", "type": "quantitative", "format": ","},
                },
            },
        ],
    }
    missing = {
        "data": {"name": "table"},
        "transform": [{"filter": f"datum.check == 'missing' && datum.rank <= {SHOWN}"}],
        "width": 520,
        "height": {"step": 18},
        "title": {"text": "Bases that are not in the snapshot", "anchor": "start"},
        "mark": bar,
        "encoding": {
            "x": number("n", "Models that name it"),
            "y": {"field": "subject", "type": "nominal", "sort": None, "title": None},
            "tooltip": [{"field": name} for name in ("subject", "n")],
        },
    }
    return {"vconcat": [checks, missing]}


FIGURE = Figure(
    id="B4",
    title="Lineage integrity",
    question="How far can what models say of their bases be true?",
    definitions=(
        "What is looked at are pairs of a model and a base that it names, by present names.",
        "missing: the base is not in the snapshot, neither by its present name nor by a former.",
        "renamed: the base is named as it was called before it moved; it is found all the same.",
        "self: a model names itself. Such pairs are left out of all other figures.",
        (
            "cycle: models that descend from each other, the largest such sets, exactly and of any "
            f"size; n is the pairs among them, and members names {_MEMBERS} of them."
        ),
        (
            "contradictory: several relations for the same model and base. Where both are written "
            "the same way, one is kept when a snapshot is made, and its manifest counts the others."
        ),
        "mixed: a model is derived in several ways, each from another base.",
        (
            "n is pairs; of contradictory findings each is one pair. Shares are of all pairs, with "
            "their 95% Wilson intervals."
        ),
    ),
    columns=(
        Answer("check", "text", f"one of: {', '.join(_CHECKS)}"),
        Answer("rank", "whole", "its place in the findings of this check"),
        Answer("subject", "text", "the base that is missing or renamed, else the model"),
        Answer("related", "text", "a model that names it, its present name, or the other model"),
        Answer("n", "whole", "pairs", "pairs"),
        Answer("size", "whole", "models in the cycle", "models"),
        Answer("members", "text", "them, by name"),
    ),
    needs={"lineage": ("child", "parent")},
    wants={"models": ("id",), "lineage": ("relation",)},
    parameters=(
        Parameter(
            "top", 100, "how many findings of each check the table has", least=1, most=100_000
        ),
    ),
    chart=_chart,
    finish=_finish,
)
