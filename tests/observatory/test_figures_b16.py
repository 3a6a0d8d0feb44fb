# SPDX-License-Identifier: Apache-2.0
"""B16, estimated emissions: which models are estimated, how, and how sure that is."""

import math
from collections import defaultdict
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

import duckdb
import numpy as np
import pyarrow.parquet as pq

from hubkeep.observatory.emissions import FACTORS, Estimate, estimated
from hubkeep.observatory.figure import BadParameter
from hubkeep.observatory.running import Result
from hubkeep.observatory.snapshot import Snapshot
from tests.observatory.real import MODELS, data, imported
from tests.observatory.tiny import Row, model, tiny

DEFAULTS = {one.parameter.name: float(one.parameter.default) for one in FACTORS}
B = 1_000_000_000
LLM = {"task": "text-generation", "license": "mit"}
KNOWN = "meta-llama/Llama-2-7b-hf"


def kg(n: float, tokens: float) -> float:
    """By the formula, with its defaults, in another order."""
    joules = 6 * n * tokens / (312e12 / 400 * 0.4)
    return joules * 1.2 / 3_600_000 * 480 / 1000


def shelf(folder: Path, **more: object) -> Snapshot:
    models = [
        model(KNOWN, parameters=7 * B, downloads_30d=50, co2_grams=31_220_000.0, **LLM),
        model("lab/base-1b", parameters=1 * B, downloads_30d=40, co2_grams=2_000.0, **LLM),
        model("copier/Base-1B", parameters=1 * B, downloads_30d=10, **LLM),
        model("lab/quiet-2b", parameters=2 * B, downloads_30d=9, **LLM),
        model("lab/eyes", parameters=1 * B, task="image-classification"),
        model("lab/unsized", **LLM),
        model("lab/impossible", parameters=2 * 10**13, **LLM),
        model("lab/base-1b-gguf", parameters=1 * B, parameters_from="gguf", **LLM),
        model("a/tuned", parameters=1 * B, co2_grams=500.0, **LLM),
        model("b/tuned", parameters=1 * B, co2_grams=2_000.0, **LLM),
        model("c/adapter", parameters=1 * B, **LLM),
        model("d/merged", parameters=1 * B, **LLM),
        model("d/packed", parameters=1 * B, **LLM),
    ]
    edges = [
        *(("a/tuned", parent, "finetune") for parent in ("lab/base-1b", "copier/Base-1B")),
        *(("b/tuned", parent, None) for parent in ("lab/base-1b", "copier/Base-1B")),
        *(("c/adapter", parent, "adapter") for parent in ("lab/base-1b", "copier/Base-1B")),
        ("d/merged", "lab/quiet-2b", "merge"),
        ("d/packed", "lab/quiet-2b", "quantized"),
        ("lab/quiet-2b", "lab/quiet-2b", "finetune"),
    ]
    lineage = [
        {"child": child, "parent": parent, "relation": relation}
        for child, parent, relation in edges
    ]
    return tiny(folder, models=models, lineage=lineage)


def everything(result: Result) -> Row:
    return result.table.to_pylist()[0]


def test_models_are_estimated_or_it_is_said_why_not(tmp_path: Path) -> None:
    result = shelf(tmp_path).figure("B16")
    row = everything(result)
    assert (row["n"], row["n_estimated"], row["n_tier1"], row["n_tier2"]) == (13, 2, 1, 1)
    assert row["kg_tier1"] == pytest.approx(kg(6.74e9, 2e12))
    assert row["kg_mid"] == pytest.approx(kg(6.74e9, 2e12) + kg(1e9, 120e9))
    assert result.n == 2
    assert result.excluded == {
        "fine-tuned": 2,
        "adapter": 1,
        "quantised or merged": 2,
        "converted": 1,
        "copy of the same name": 1,
        "too few build on it": 1,
        "impossible parameters": 1,
    }
    assert result.missing == {"parameters": 1, "tokens": 1}
    assert result.n + sum(result.excluded.values()) + sum(result.missing.values()) == 13


def test_what_has_no_estimate_is_no_zero(tmp_path: Path) -> None:
    lonely = [model("a/x", parameters=1 * B, **LLM)]
    row = everything(tiny(tmp_path, models=lonely).figure("B16"))
    assert row["n_estimated"] == 0
    assert row["kg_mid"] is row["kg_low"] is row["kg_high"] is row["kg_reported"] is None
    lacks = tiny(tmp_path / "none", models=[model("a/x", **LLM)]).figure("B16")
    assert (lacks.n, lacks.missing_columns) == (0, ["models.parameters"])


def test_reports_stand_beside_and_are_never_added(tmp_path: Path) -> None:
    result = shelf(tmp_path).figure("B16")
    row = everything(result)
    # That of b/tuned is its base model's, copied.
    assert (row["n_reporting"], row["kg_reported"]) == (3, 31_222.5)
    assert result.scalars["n_reports_copied"] == 1
    assert result.scalars["n_both"] == 2
    assert result.scalars["kg_reported_of_both"] == 31_222.0
    assert result.scalars["kg_mid_of_both"] == row["kg_mid"]
    assert any("km by car" in note or "Paris" in note for note in result.notes)
    assert "flights" in str(result.scalars["reported_in_words"])


def test_sizes_and_types_add_up_to_all(tmp_path: Path) -> None:
    rows = shelf(tmp_path).figure("B16").table.to_pylist()
    for part in ("size", "org_type"):
        mine = [row for row in rows if row["part"] == part]
        for column in ("n", "n_estimated", "kg_low", "kg_mid", "kg_high", "kg_reported"):
            total = sum(row[column] or 0 for row in mine)
            assert total == pytest.approx(rows[0][column]), (part, column)
    sizes = [row["name"] for row in rows if row["part"] == "size"]
    assert sizes == ["1-3 B", "3-7 B", ">80 B", "unknown"]


def test_readers_say_what_they_know(tmp_path: Path) -> None:
    snapshot = shelf(tmp_path)
    plain = everything(snapshot.figure("B16"))
    clean = everything(snapshot.figure("B16", grid=48))
    assert clean["kg_mid"] == pytest.approx(plain["kg_mid"] / 10)
    assert clean["kg_high"] / clean["kg_mid"] < plain["kg_high"] / plain["kg_mid"]
    tuned = snapshot.figure("B16", finetune_share=0.01)
    assert everything(tuned)["n_tuned"] == 2
    assert everything(tuned)["kg_mid"] == pytest.approx(plain["kg_mid"] + 2 * 0.01 * kg(1e9, 120e9))
    assert "fine-tuned" not in tuned.excluded
    assert everything(snapshot.figure("B16", builders=4))["n_tier2"] == 0
    few = snapshot.figure("B16", min_downloads=45)
    assert everything(few)["n_tier1"] == 1
    assert few.excluded["too few downloads"] == 3
    with pytest.raises(BadParameter, match="pue"):
        snapshot.figure("B16", pue=0.5)


def test_the_range_is_that_of_independent_factors() -> None:
    one = estimated(1e21, DEFAULTS, tokens_known=True)
    factors = ((1.41e12 / 7.8e11), (0.5 / 0.4), (1.2 / 1.1), (480 / 56))
    down = math.exp(math.hypot(*(math.log(factor) for factor in factors)))
    assert one.low == pytest.approx(one.middle / down)
    assert one.low < one.middle < one.high
    known = {name: value * 1.001 for name, value in DEFAULTS.items()}
    sure = estimated(1e21, known, tokens_known=True)
    assert sure.low == sure.middle == sure.high
    assert Estimate(1, 2, 3) + Estimate(1, 1, 1) == Estimate(2, 3, 4)


@pytest.mark.parametrize(
    ("operands", "more", "tonnes"),
    [
        (6.74e9 * 2e12, {}, 31.22),  # Llama 2 7B: Touvron et al. (2023), table 2
        (405e9 * 15.6e12, {}, 8930),  # Llama 3.1 405B: its model card, by location
        (176.2e9 * 366e9, {"grid": 57.0}, 24.7),  # BLOOM: Luccioni et al. (2022), in France
    ],
)
def test_what_makers_measured_is_within_the_range(
    operands: float, more: dict[str, float], tonnes: float
) -> None:
    found = estimated(operands, DEFAULTS | more, tokens_known=True)
    assert found.low < tonnes * 1000 < found.high
    assert found.middle == pytest.approx(tonnes * 1000, rel=1.2)


def test_tokens_for_a_parameter_are_those_of_open_language_models() -> None:
    ratios = duckdb.sql(
        "SELECT training_flop / (6 * Parameters * Parameters) AS ratio "
        f"FROM '{data('epoch_all_models_2025-04.parquet')}' WHERE training_flop > 0 "
        "AND Parameters > 1e6 AND Domain = 'Language' AND \"Base model\" IS NULL "
        "AND \"Model accessibility\" LIKE 'Open%'"
    ).fetchnumpy()["ratio"]
    low, middle, high = np.quantile(ratios, (0.1, 0.5, 0.9))
    tokens = FACTORS[0]
    assert len(ratios) == 200
    assert tokens.parameter.default == pytest.approx(middle, rel=0.02)
    assert (tokens.low, tokens.high) == (pytest.approx(low, rel=0.1), pytest.approx(high, rel=0.02))


def test_the_census_of_2024_by_hand(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The same rules in plain Python; 58,000 t have been published of models above 5,000
    downloads (Hugging Carbon).
    """
    census = imported(tmp_path_factory, "2024-07-11T00:00:00.000Z", MODELS)
    mine, tonnes = by_hand(census), {}
    for least in (0, 5000):
        row = everything(census.figure("B16", min_downloads=least))
        assert row["n_tier2"] == mine[least][0]
        assert row["kg_mid"] - row["kg_tier1"] == pytest.approx(mine[least][1])
        tonnes[least] = round(float(str(row["kg_mid"])) / 1000, -3)
    assert 40_000 < tonnes[5000] < tonnes[0] < 60_000


def by_hand(census: Snapshot) -> dict[int, tuple[int, float]]:
    from hubkeep.observatory.dimensions import Dimensions

    known = Dimensions()
    edges = pq.read_table(census.folder / "lineage.parquet").to_pylist()
    children, builders = set(), defaultdict(set)
    for edge in edges:
        child, parent = edge["child"], known.aliases.get(edge["parent"], edge["parent"])
        if child != edge["parent"]:
            children.add(child)
        if edge["relation"] in (None, "finetune", "adapter"):
            owner = child.split("/")[0]
            if owner != parent.split("/")[0]:
                builders[parent].add(owner)
    columns = ["id", "task", "parameters", "parameters_from", "downloads_30d", "has_gguf"]
    columns.append("has_safetensors")
    table = pq.read_table(census.folder / "models.parquet", columns=columns)
    packed = ("gptq", "awq", "bnb", "gguf", "ggml", "4bit", "4-bit", "8bit", "8-bit")
    found = {}
    for least in (0, 5000):
        chosen: dict[str, tuple[bool, int, str, int]] = {}
        for row in table.filter(table["parameters"].is_valid()).to_pylist():
            name = row["id"].rpartition("/")[2].lower()
            new = known.aliases.get(row["id"], row["id"])
            told = new in known.training
            if not told and (
                row["id"] in children
                or len(builders[new]) < 3
                or known.modalities.get(row["task"]) != "text"
                or not 0 < row["parameters"] <= 10**13
                or any(one in row["id"].lower() for one in packed)
                or row["parameters_from"] == "gguf"
                or (row["has_gguf"] and not row["has_safetensors"])
                or row["downloads_30d"] < least
            ):
                continue
            mine = (not told, -row["downloads_30d"], row["id"], row["parameters"])
            chosen[name] = min(chosen.get(name, mine), mine)
        sizes = [n for untold, _, _, n in chosen.values() if untold]
        found[least] = (len(sizes), sum(kg(n, 120 * n) for n in sizes))
    return found
