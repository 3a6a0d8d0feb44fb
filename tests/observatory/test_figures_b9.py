# SPDX-License-Identifier: Apache-2.0
"""B9, documentation: which fields cards have, of models and of downloads."""

from pathlib import Path

import pytest

pytest.importorskip("duckdb")

import duckdb
import numpy as np

from hubkeep.observatory.running import Result
from hubkeep.observatory.snapshot import Snapshot
from hubkeep.observatory.statistics import BOOTSTRAP_ROWS, DRAWS, SEED
from tests.observatory.real import data, imported
from tests.observatory.tiny import Row, model, tiny

FULL = "org/full"


def shelf(folder: Path, more: int = 0) -> Snapshot:
    """Three models: one with all fields, one with three of which one is not known, one empty."""
    models = [
        model(
            FULL, downloads_30d=60, has_card=True, license="mit", task="fill-mask",
            library="transformers", has_metrics=True, co2_written="some", co2_grams=None,
        ),
        model(
            "org/some", downloads_30d=30, has_card=True, license="mit", task="fill-mask",
            has_metrics=None,
        ),
        model("org/none", downloads_30d=10, has_card=False, has_metrics=False),
        *(model(f"org/z{at}", downloads_30d=0, has_card=False, has_metrics=False)
          for at in range(more)),
    ]  # fmt: skip
    labels = [
        {"repo_type": "model", "id": FULL, "kind": "language", "value": "en"},
        {"repo_type": "model", "id": FULL, "kind": "language", "value": "de"},
        {"repo_type": "model", "id": FULL, "kind": "dataset", "value": "a/b"},
        {"repo_type": "dataset", "id": "org/none", "kind": "language", "value": "en"},
    ]
    lineage = [
        {"child": FULL, "parent": "a/base"},
        {"child": "org/none", "parent": "org/none"},
    ]
    return tiny(folder, models=models, labels=labels, lineage=lineage)


def by_name(result: Result) -> dict[tuple[object, object], Row]:
    return {(row["part"], row["name"]): row for row in result.table.to_pylist()}


def test_fields_count_where_they_are_known(tmp_path: Path) -> None:
    result = shelf(tmp_path).figure("B9")
    found = by_name(result)
    shares = {name: row["share"] for (part, name), row in found.items() if part != "score"}
    assert shares == {
        "card": 2 / 3, "licence": 2 / 3, "task": 2 / 3, "library": 1 / 3, "dataset": 1 / 3,
        "base": 1 / 3, "language": 1 / 3, "metrics": 1 / 2, "co2": 1 / 3,
    }  # fmt: skip
    assert found["field", "metrics"]["n_known"] == 2
    assert found["field", "metrics"]["dl_share"] == 60 / 70
    assert found["card", "card"]["dl_share"] == 0.9
    assert result.missing == {"metrics": 1}
    assert result.n == 3


def test_the_score_is_of_models_of_which_all_is_known(tmp_path: Path) -> None:
    result = shelf(tmp_path).figure("B9")
    scores = {
        int(str(name)): row["n"] for (part, name), row in by_name(result).items() if part == "score"
    }
    assert scores == {0: 1, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0, 8: 1}
    assert result.scalars["mean_score"] == 4
    assert result.scalars["mean_score_dl"] == pytest.approx(8 * 60 / 70)


def test_what_the_source_lacks_is_no_zero(tmp_path: Path) -> None:
    models = [model("a/x", license="mit", downloads_30d=3), model("a/y", downloads_30d=1)]
    result = tiny(tmp_path, models=[{**one, "task": "x"} for one in models]).figure("B9")
    found = by_name(result)
    assert list(found) == [
        ("field", "licence"), ("field", "task"), ("score", "0"), ("score", "1"), ("score", "2"),
    ]  # fmt: skip
    assert result.scalars["n_fields"] == 2
    assert result.scalars["fields_missing"] == "library, dataset, base, language, metrics, co2"
    assert result.scalars["mean_score"] == 1.5
    assert result.scalars["mean_score_dl"] == 1.75
    assert "The score is of 2 of 8 fields" in result.notes[0]


def test_without_downloads_there_are_shares_of_models_alone(tmp_path: Path) -> None:
    found = by_name(tiny(tmp_path, models=[model("a/x", license="mit")]).figure("B9"))
    licence = found["field", "licence"]
    assert (licence["share"], licence["dl"], licence["dl_share"]) == (1, None, None)


def test_intervals_are_drawn_for_few_models_and_computed_for_many(tmp_path: Path) -> None:
    few = shelf(tmp_path / "few").figure("B9")
    assert few.scalars["interval_method"] == "bootstrap"
    licence = by_name(few)["field", "licence"]
    draw = np.random.default_rng(SEED)
    drawn = draw.choice([[60, 60], [30, 30], [0, 10]], (DRAWS, 3)).sum(axis=1)
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], (2.5, 97.5))
    assert licence["dl_ci_lo"] == pytest.approx(low, abs=0.01)
    assert licence["dl_ci_hi"] == pytest.approx(high, abs=0.01)
    many = shelf(tmp_path / "many", BOOTSTRAP_ROWS - 2).figure("B9")
    assert many.scalars["interval_method"] == "delta method"
    edge = shelf(tmp_path / "edge", BOOTSTRAP_ROWS - 3).figure("B9")
    assert edge.scalars["interval_method"] == "bootstrap"


def test_models_of_2022_with_cards_had_nine_tenths_of_downloads(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """32,111 of 74,970 models, and 90.5% of downloads, as Liang et al. have it."""
    name = "hub_models_2022-10_liang.parquet"
    result = imported(tmp_path_factory, "2022-10-01T00:00:00.000Z", name).figure("B9")
    card = by_name(result)["card", "card"]
    source = duckdb.sql(
        "SELECT count(*) FILTER (WHERE has_modelcard), count(*), "
        "sum(downloads) FILTER (WHERE has_modelcard) / sum(downloads) "
        f"FROM '{data(name)}'"
    ).fetchall()[0]
    assert (card["n"], card["n_known"]) == source[:2] == (32_111, 74_970)
    assert card["dl_share_with_flagged"] == pytest.approx(source[2])
    assert round(source[2], 3) == 0.905
    assert round(float(str(card["dl_share"])), 3) == 0.871


def test_the_sample_of_2024_against_its_own_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    name = "hub_model_details_sample_2024-07.parquet"
    result = imported(tmp_path_factory, "2024-07-11T00:00:00.000Z", name).figure("B9")
    wanted = {
        "card": "has_card",
        "licence": "len(license) > 0",
        "task": "pipeline_tag IS NOT NULL",
        "library": "library_name IS NOT NULL",
        "dataset": "len(list_filter(tags, lambda t: t LIKE 'dataset:%')) > 0",
        "base": "len(list_filter(base_model, lambda b: b <> id)) > 0",
        "metrics": "list_contains(card_keys, 'model-index')",
    }
    for field, sql in wanted.items():
        row = duckdb.sql(f"SELECT count(*) FROM '{data(name)}' WHERE {sql}").fetchall()[0]
        found = next(one for (_, name), one in by_name(result).items() if name == field)
        assert found["n"] == row[0], field
    assert round(float(str(by_name(result)["card", "card"]["share"])), 3) == 0.666


def test_the_census_of_2024_against_its_own_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    name = "hub_models_2024-07-11.parquet"
    result = imported(tmp_path_factory, "2024-07-11T00:00:00.000Z", name).figure("B9")
    absurd = "MIT/ast-finetuned-audioset-10-10-0.4593"
    row = duckdb.sql(
        "SELECT count(*) FILTER (WHERE len(licenses) > 0), "
        f"sum(downloads) FILTER (WHERE len(licenses) > 0 AND id <> '{absurd}') / "
        f"sum(downloads) FILTER (WHERE id <> '{absurd}'), avg("
        "(len(licenses) > 0)::INT + (pipeline_tag IS NOT NULL)::INT + "
        "(library_name IS NOT NULL)::INT + (len(datasets) > 0)::INT + "
        "(len(list_filter(base_models, lambda b: b <> id)) > 0)::INT + "
        f"list_contains(tags, 'model-index')::INT) FROM '{data(name)}'"
    ).fetchall()[0]
    found = by_name(result)
    assert found["field", "licence"]["n"] == row[0] == 286_978
    # Four more counters are flagged, of a namespace that holds a thousandth.
    assert found["field", "licence"]["dl_share"] == pytest.approx(row[1], rel=0.001)
    language = float(str(found["field", "language"]["share"]))
    assert float(str(result.scalars["mean_score"])) - language == pytest.approx(row[2])
    assert result.scalars["fields_missing"] == "co2"
