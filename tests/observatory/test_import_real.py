# SPDX-License-Identifier: Apache-2.0
"""Real censuses, where they are: what comes in, compared with what pyarrow counts in the files."""

from pathlib import Path

import pytest

pytest.importorskip("duckdb")

import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.observatory.importing import Imports
from tests.observatory.real import data


@pytest.fixture
def imports(tmp_path: Path) -> Imports:
    return Imports(tmp_path / "snapshots")


@pytest.mark.parametrize(
    ("name", "day", "table", "excluded"),
    [
        ("hub_models_2022-10_liang.parquet", "2022-10-01", "models", 0),
        ("hub_models_2022_huggingfaceR.parquet", "2022-07-02", "models", 4),
        ("hub_trending1000_2025-12.parquet", "2025-12-18", "models", 0),
        ("hub_lineage_edges_2025-06_hakanotal.parquet", "2025-06-30", "lineage", 0),
        ("hub_co2_2023_castano.parquet", "2023-09-01", "models", 4),
        ("open_llm_leaderboard_v2_2025.parquet", "2025-02-08", "models", 74),
    ],
)
def test_each_row_comes_in_or_is_counted(imports: Imports, name, day, table, excluded):
    path = data(name)
    told = imports.files(path, taken_at=f"{day}T00:00:00.000Z").manifest
    assert told.tables[table].rows == pq.read_metadata(path).num_rows - excluded
    assert sum(told.excluded.get(table, {}).values()) == excluded
    assert table not in told.cleared


def test_details_of_models(imports: Imports):
    path = data("hub_model_details_sample_2024-07.parquet")
    told = imports.files(path, taken_at="2024-07-11T00:00:00.000Z")
    source, models = pq.read_table(path), pq.read_table(told.folder / "models.parquet")
    assert models.num_rows == source.num_rows
    counted = pc.sum(pc.equal(models["parameters_from"], "safetensors")).as_py()
    assert counted == source.num_rows - source["safetensors_total"].null_count
    assert pc.sum(models["co2_grams"]).as_py() == pytest.approx(pc.sum(source["co2_value"]).as_py())
    assert pc.sum(models["has_card"]) == pc.sum(source["has_card"])
    assert pc.sum(models["downloads_30d"]) == pc.sum(source["downloads"])


def test_emissions_of_a_study_are_grams(imports: Imports):
    path = data("hub_co2_2023_castano.parquet")
    told = imports.files(path, taken_at="2023-09-01T00:00:00.000Z")
    found = dict(told.rows("models", "id", "co2_grams"))
    assert found["distilgpt2"] == 149_200.0
    assert pc.max(pq.read_table(path)["co2_eq_emissions"]).as_py() == max(
        value for value in found.values() if value is not None
    )
