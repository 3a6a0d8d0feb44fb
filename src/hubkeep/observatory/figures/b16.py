# SPDX-License-Identifier: Apache-2.0
"""B16: what training may have emitted, estimated from sizes; kept apart from what is reported."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from hubkeep.cards.comparisons import in_words
from hubkeep.observatory.emissions import FACTORS, FACTORS_MEAN, Estimate, estimated
from hubkeep.observatory.figure import Answer, Chart, Context, Figure, Finished, Parameter, Scalar
from hubkeep.observatory.figures.shared import MERGED, ORG_TYPES_MEAN, Row, as_table, part
from hubkeep.observatory.figures.sizes import SIZES
from hubkeep.observatory.shapes import estimates

if TYPE_CHECKING:
    import pyarrow as pa

_TUNED: Final = "fine-tuned"
_LEFT_OUT: Final = {
    "n_fine_tuned": _TUNED,
    "n_adapter": "adapter",
    "n_quantised": "quantised or merged",
    "n_converted": "converted",
    "n_copy": "copy of the same name",
    "n_no_base": "too few build on it",
    "n_few_downloads": "too few downloads",
    "n_impossible": "impossible parameters",
}
"""Why models are not estimated, by the column that counts them."""
_UNKNOWN: Final = {
    "n_no_parameters": ("parameters not known", "parameters"),
    "n_no_rule": ("no rule for tokens of its kind", "tokens"),
}
_SHARE: Final = Parameter(
    "finetune_share",
    0.0,
    "what a fine-tune takes, of the training of a model of its size; 0 leaves them out",
    least=0,
    most=1,
)
_MIN_DOWNLOADS: Final = Parameter(
    "min_downloads",
    0,
    "models with fewer downloads in 30 days are left out, unless their training is known",
    least=0,
    most=1_000_000_000,
)
_BUILDERS: Final = Parameter(
    "builders",
    3,
    "so many other namespaces have to train a model further for it to count as trained anew",
    least=1,
    most=1_000_000,
)
_KG: Final = 1000.0


def _finish(table: "pa.Table", context: Context) -> Finished:
    told = table.to_pylist()
    given = {one.parameter.name: float(context.parameters[one.parameter.name]) for one in FACTORS}
    share = float(context.parameters[_SHARE.name])
    by_size = [
        _row("size", name, [row for row in told if row["place"] == place], given, share)
        for place, name in enumerate(SIZES)
    ]
    types = sorted({str(row["org_type"]) for row in told})
    by_type = [
        _row("org_type", name, [row for row in told if row["org_type"] == name], given, share)
        for name in types
    ]
    everything = _row("all", "all", told, given, share)
    rows = [everything, *(row for row in by_size if row["n"]), *by_type]
    return Finished(
        as_table(table, rows if told else []),
        _scalars(told, everything, given),
        n=int(everything["n_estimated"] or 0),
        excluded={reason: int(everything[column] or 0) for column, reason in _LEFT_OUT.items()},
        missing={name: int(everything[column] or 0) for column, (_, name) in _UNKNOWN.items()},
        notes=_notes(everything),
    )


def _row(
    part_of: str, name: str, told: Sequence[Row], given: Mapping[str, float], share: float
) -> Row:
    kinds: dict[str, Estimate | None] = {
        "tier 1": _estimate(told, "tier 1", given),
        "tier 2": _estimate(told, "tier 2", given),
        _TUNED: _estimate(told, _TUNED, given, share) if share else None,
    }
    found = [one for one in kinds.values() if one is not None]
    total = sum(found[1:], found[0]) if found else None
    first = kinds["tier 1"]
    counts = {column: _count(told, reason) for column, reason in _LEFT_OUT.items()}
    counts |= {column: _count(told, reason) for column, (reason, _) in _UNKNOWN.items()}
    tuned = counts["n_fine_tuned"] if share else 0
    counts["n_fine_tuned"] -= tuned
    tiers = {"n_tier1": _count(told, "tier 1"), "n_tier2": _count(told, "tier 2")}
    reporting = sum(int(row["n_reporting"] or 0) for row in told)
    return {
        "part": part_of,
        "name": name,
        "n": sum(int(row["n"] or 0) for row in told),
        "n_estimated": sum(tiers.values()) + tuned,
        **tiers,
        "n_tuned": tuned,
        **counts,
        "kg_low": total.low if total else None,
        "kg_mid": total.middle if total else None,
        "kg_high": total.high if total else None,
        "kg_tier1": first.middle if first else None,
        "n_reporting": reporting,
        "kg_reported": _grams(told) / _KG if reporting else None,
    }


def _estimate(
    told: Sequence[Row], outcome: str, given: Mapping[str, float], share: float = 1.0
) -> Estimate | None:
    mine = [row for row in told if row["outcome"] == outcome]
    if not mine:
        return None
    operands = sum(float(row["products"] or 0) for row in mine)
    return estimated(share * operands, given, tokens_known=outcome == "tier 1")


def _count(told: Sequence[Row], outcome: str) -> int:
    return sum(int(row["n"] or 0) for row in told if row["outcome"] == outcome)


def _grams(told: Sequence[Row]) -> float:
    return sum(float(row["grams"] or 0) for row in told)


def _scalars(told: Sequence[Row], everything: Row, given: Mapping[str, float]) -> dict[str, Scalar]:
    both = [row for row in told if row["outcome"] in ("tier 1", "tier 2") and row["n_reporting"]]
    pair = [
        estimated(
            float(row["products_reporting"] or 0), given, tokens_known=row["outcome"] == "tier 1"
        ).middle
        for row in both
    ]
    estimate, reported = everything["kg_mid"], everything["kg_reported"]
    return {
        "kg_low": everything["kg_low"],
        "kg_mid": estimate,
        "kg_high": everything["kg_high"],
        "share_estimated": part(int(everything["n_estimated"] or 0), int(everything["n"] or 0)),
        "estimated_in_words": "; ".join(in_words(float(estimate or 0) * _KG)) or None,
        "kg_reported": reported,
        "n_reporting": everything["n_reporting"],
        "n_reports_copied": sum(int(row["n_inherited"] or 0) for row in told),
        "reported_in_words": "; ".join(in_words(float(reported or 0) * _KG)) or None,
        "n_both": sum(int(row["n_reporting"] or 0) for row in both),
        "kg_mid_of_both": sum(pair) if both else None,
        "kg_reported_of_both": _grams(both) / _KG if both else None,
    }


def _notes(everything: Row) -> list[str]:
    notes = ["The estimate and the reports are not of the same models, and are never added."]
    for name, column in (("The estimate", "kg_mid"), ("What is reported", "kg_reported")):
        words = in_words(float(everything[column] or 0) * _KG)
        if words:
            notes.append(f"{name} is as much as {', or '.join(words)}.")
    notes.append(
        "A model that was uploaded again under another name, by somebody who does not say so, is "
        "counted again: too high then."
    )
    return notes


def _chart(_table: "pa.Table", _scalars: object) -> Chart:
    return estimates(
        "name",
        ("kg_low", "kg_mid", "kg_high"),
        "kg_reported",
        "Emissions of training, kg CO2e",
        {"size": "Parameters", "org_type": "Type of organisation"},
    )


FIGURE = Figure(
    id="B16",
    title="Estimated emissions",
    question="How much may training have emitted, where nobody has said?",
    definitions=(
        (
            "The estimate is 6 N D operations, over what accelerators do with a joule, times what "
            "data centres draw and what electricity emits. It is kept apart from what cards "
            "report, which stands beside it."
        ),
        (
            "Tier 1: parameters and tokens are known, from the table of trainings. Tier 2: the "
            "parameters are known, and the tokens are taken to be tokens_per_parameter for each. "
            "Tier 3, all others: no estimate, which is not zero."
        ),
        (
            "Tier 2 is for models of text alone: of other kinds nobody knows how much data goes "
            "with a parameter. It is for those alone that name no base model, and that at least 3 "
            "other namespaces (builders) fine-tune or adapt: most models that name no base have "
            "one, or are converted or empty."
        ),
        (
            "Quantised models and merges take next to no training, adapters little, and how much "
            "is not known: they are not estimated. Fine-tunes are not, unless finetune_share says "
            "what they take. Of several models with the same name after the slash the one whose "
            "training is known counts, else the most downloaded."
        ),
        (
            "kg_low and kg_high combine the ranges of all factors as independent ones; a factor "
            "that the reader sets is taken as known. What is not known is the same for all models, "
            "so that ranges of sums do not shrink."
        ),
        *FACTORS_MEAN,
        (
            "kg_reported is the sum of what cards report (see F5), without reports copied from "
            "the base model. A mixture of experts whose training is not known counts with all "
            "its parameters: too high."
        ),
        ORG_TYPES_MEAN,
    ),
    columns=(
        Answer("part", "text", "what models are put together by: all, size or org_type"),
        Answer("name", "text", "the class of size, or the type of organisation"),
        Answer("n", "whole", "models", "models"),
        Answer("n_estimated", "whole", "with an estimate", "models"),
        Answer("n_tier1", "whole", "whose tokens are known", "models"),
        Answer(
            "n_tier2", "whole", "whose tokens are taken to be so many for a parameter", "models"
        ),
        Answer("n_tuned", "whole", "fine-tunes, estimated as a share", "models"),
        Answer("n_no_parameters", "whole", "whose parameters are not known", "models"),
        Answer("n_no_rule", "whole", "of kinds without a rule for tokens", "models"),
        Answer("n_fine_tuned", "whole", "fine-tunes that are not estimated", "models"),
        Answer("n_adapter", "whole", "adapters", "models"),
        Answer("n_quantised", "whole", "quantised or merged", "models"),
        Answer("n_converted", "whole", "converted, by their files or name", "models"),
        Answer("n_copy", "whole", "with the same name as one that counts", "models"),
        Answer("n_no_base", "whole", "that too few others train further", "models"),
        Answer("n_few_downloads", "whole", "with fewer downloads than min_downloads", "models"),
        Answer("n_impossible", "whole", "with more than 10^13 parameters", "models"),
        Answer("kg_low", "real", "lower end of what they may have emitted", "kg"),
        Answer("kg_mid", "real", "the estimate", "kg"),
        Answer("kg_high", "real", "upper end", "kg"),
        Answer("kg_tier1", "real", "the part of the estimate that is of tier 1", "kg"),
        Answer("n_reporting", "whole", "models that report", "models"),
        Answer("kg_reported", "real", "sum of what they report", "kg"),
    ),
    needs={"models": ("parameters",)},
    wants={"models": ("co2_grams", "task"), "lineage": ("parent",)},
    parameters=(*(one.parameter for one in FACTORS), _SHARE, _BUILDERS, _MIN_DOWNLOADS, MERGED),
    chart=_chart,
    finish=_finish,
    sources=(
        (
            "Wang, Ming, Qiu, Zhao and Gu, Hugging Carbon: Quantifying the Training Carbon "
            "Emissions of AI Models at Scale (ICML 2026), arXiv 2605.01549"
        ),
        "Kaplan et al., Scaling Laws for Neural Language Models (2020), arXiv 2001.08361",
        (
            "Hoffmann et al., Training Compute-Optimal Large Language Models (2022), arXiv "
            "2203.15556"
        ),
        (
            "Lacoste, Luccioni, Schmidt and Dandres, Quantifying the Carbon Emissions of Machine "
            "Learning (2019), arXiv 1910.09700"
        ),
        (
            "Patterson et al., Carbon Emissions and Large Neural Network Training (2021), arXiv "
            "2104.10350"
        ),
        "Epoch AI, Data on AI Models (CC BY 4.0), https://epoch.ai/data",
    ),
)
