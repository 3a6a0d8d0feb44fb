# SPDX-License-Identifier: Apache-2.0
"""Lists with the fields of the hub API are the same snapshot as Parquet, CSV and JSON."""

import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb")

import pyarrow as pa
import pyarrow.parquet as pq

from tests.observatory.importing import Imports

MODEL: dict[str, Any] = {
    "_id": "64a1",
    "id": "acme/tuned-7b",
    "author": "acme",
    "createdAt": "2023-08-01T12:00:00.000Z",
    "lastModified": "2024-01-02T03:04:05.000Z",
    "downloads": 120,
    "downloadsAllTime": 4000,
    "likes": 7,
    "trendingScore": 1.5,
    "usedStorage": 5000,
    "gated": "manual",
    "private": False,
    "disabled": False,
    "pipeline_tag": "text-generation",
    "library_name": "transformers",
    "tags": [
        "transformers",
        "safetensors",
        "model-index",
        "en",
        "t5",
        "license:Apache-2.0",
        "license:other",
        "dataset:acme/words",
        "arxiv:2307.09288",
        "base_model:meta/base",
        "base_model:finetune:meta/base",
        "base_model:acme/plain",
    ],
    "siblings": [
        {"rfilename": "README.md", "size": 10},
        {"rfilename": "model.safetensors", "size": 90},
        {"rfilename": "training_args.bin", "size": 1},
    ],
    "cardData": {"license": "apache-2.0", "co2_eq_emissions": {"emissions": "1.5 kg"}},
    "safetensors": {"parameters": {"BF16": 6738415616}, "total": 6738415616},
    "gguf": None,
}

EXPECTED = {
    "id": "acme/tuned-7b",
    "author": "acme",
    "created_at": datetime.fromisoformat("2023-08-01 12:00"),
    "last_modified": datetime.fromisoformat("2024-01-02 03:04:05"),
    "downloads_30d": 120,
    "downloads_all": 4000,
    "likes": 7,
    "trending": 1.5,
    "license": "apache-2.0",
    "size": 101,
    "used_storage": 5000,
    "gated": "manual",
    "private": False,
    "disabled": False,
    "has_card": True,
    "task": "text-generation",
    "library": "transformers",
    "parameters": 6_738_415_616,
    "parameters_from": "safetensors",
    "co2_grams": 1500.0,
    "co2_written": "1.5 kg",
    "has_safetensors": True,
    "has_pickle": False,
    "has_gguf": False,
    "has_metrics": True,
}


def as_json_lines(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "list.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def as_json(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "list.json"
    path.write_text(json.dumps(rows, indent=1), "utf-8")
    return path


def as_csv(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "list.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(rows[0])
        for row in rows:
            writer.writerow(
                json.dumps(value) if isinstance(value, list | dict) else value
                for value in row.values()
            )
    return path


def as_parquet(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "list.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def as_hub_stats(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """Cards as JSON text, times as times, as the hub-stats data set keeps them."""
    times = {
        name: datetime.fromisoformat(row[name])
        for row in rows
        for name in ("createdAt", "lastModified")
        if name in row
    }
    card = {"cardData": json.dumps(rows[0]["cardData"])}
    return as_parquet(folder, [{**row, **times, **card} for row in rows])


EVERY_WAY = pytest.mark.parametrize(
    "write", [as_json_lines, as_json, as_csv, as_parquet, as_hub_stats]
)


@pytest.fixture
def imports(tmp_path: Path) -> Imports:
    return Imports(tmp_path / "snapshots")


@EVERY_WAY
def test_a_model_is_read_whichever_way_it_is_written(imports: Imports, tmp_path, write):
    told = imports.files(write(tmp_path, [MODEL]))
    assert told.row() == EXPECTED
    assert told.rows("lineage", "child", "parent", "relation") == [
        ("acme/tuned-7b", "acme/plain", None),
        ("acme/tuned-7b", "meta/base", "finetune"),
    ]
    assert told.rows("labels", "kind", "value") == [
        ("dataset", "acme/words"),
        ("language", "en"),
        ("license", "other"),
        ("paper", "2307.09288"),
    ]
    assert told.manifest.excluded == {}
    assert told.manifest.cleared == {}
    assert "scan" in told.manifest.tables["models"].missing


@EVERY_WAY
def test_what_a_file_lacks_is_missing_and_not_zero(imports: Imports, tmp_path, write):
    kept = ("id", "downloads", "pipeline_tag", "cardData")
    told = imports.files(write(tmp_path, [{name: MODEL[name] for name in kept}]))
    assert told.row() == {
        "id": "acme/tuned-7b",
        "author": "acme",
        "downloads_30d": 120,
        "task": "text-generation",
        "license": "apache-2.0",
        "has_card": True,
        "parameters": 7_000_000_000,
        "parameters_from": "name",
        "co2_grams": 1500.0,
        "co2_written": "1.5 kg",
    }
    missing = set(told.manifest.tables["models"].missing)
    assert {"likes", "size", "created_at", "gated", "has_safetensors"} <= missing
    assert not missing & {"downloads_30d", "parameters", "license"}


@pytest.mark.parametrize(
    ("given", "is_taken_for"),
    [
        ({"safetensors": {"total": 5}, "gguf": {"total": 9}}, (5, "safetensors")),
        ({"safetensors": {"total": 0}, "gguf": {"total": 9}}, (9, "gguf")),
        ({"safetensors": {}, "gguf": {"total": "9"}}, (9, "gguf")),
        ({"safetensors": None, "gguf": None}, (7_000_000_000, "name")),
        ({"safetensors": {"total": 1e30}, "gguf": []}, (7_000_000_000, "name")),
    ],
)
def test_parameters_by_the_best_that_is_known(imports: Imports, tmp_path, given, is_taken_for):
    told = imports.files(as_json_lines(tmp_path, [{**MODEL, **given}]))
    assert told.rows("models", "parameters", "parameters_from") == [is_taken_for]


@pytest.mark.parametrize(
    ("written", "grams"),
    [
        (12.5, 12.5),
        ("12,5", 12.5),
        ("0.3 kg", 300.0),
        ({"emissions": 0.0}, 0.0),
        ({"emissions": "2 tonnes", "source": "x"}, 2e6),
        ([1, 2], 3.0),
        ("a lot", None),
        (-1, None),
        ({"emissions": None}, None),
        (1e40, None),
    ],
)
def test_emissions_in_all_written_forms(imports: Imports, tmp_path, written, grams):
    row = {**MODEL, "cardData": {"co2_eq_emissions": written}}
    told = imports.files(as_json_lines(tmp_path, [row]))
    assert told.rows("models", "co2_grams") == [(grams,)]


@pytest.mark.parametrize(
    ("status", "scan"),
    [
        ({"scansDone": True, "filesWithIssues": []}, "clean"),
        ({"scansDone": True, "filesWithIssues": [{"path": "a", "level": "unsafe"}]}, "unsafe"),
        ({"scansDone": True, "filesWithIssues": [{"path": "a", "level": "caution"}]}, "suspicious"),
        ({"scansDone": False, "filesWithIssues": []}, None),
    ],
)
def test_what_a_scanner_found(imports: Imports, tmp_path, status, scan):
    told = imports.files(as_json_lines(tmp_path, [{**MODEL, "securityRepoStatus": status}]))
    assert told.rows("models", "scan") == [(scan,)]


def test_a_card_tells_where_there_are_no_tags(imports: Imports, tmp_path):
    card = {
        "license": ["MIT", "other"],
        "language": "de",
        "datasets": ["acme/words"],
        "base_model": "meta/base",
        "base_model_relation": "adapter",
    }
    row = {"id": "a/b", "likes": 1, "pipeline_tag": "x", "cardData": card}
    told = imports.files(as_json_lines(tmp_path, [row]))
    assert told.rows("models", "license") == [("mit",)]
    assert told.rows("lineage", "child", "parent", "relation") == [("a/b", "meta/base", "adapter")]
    assert told.rows("labels", "kind", "value") == [
        ("dataset", "acme/words"),
        ("language", "de"),
        ("license", "other"),
    ]


def test_datasets_and_spaces_are_told_by_their_fields_or_the_name_of_the_file(
    imports: Imports, tmp_path
):
    rows = {
        "datasets.jsonl": {"id": "a/data", "likes": 1, "tags": ["language:en", "license:mit"]},
        "spaces.jsonl": {"id": "a/app", "likes": 1, "sdk": "gradio", "tags": ["en"]},
        "models.jsonl": {"id": "a/model", "likes": 1},
    }
    for name, row in rows.items():
        (tmp_path / name).write_text(json.dumps(row))
    told = imports.files(*(tmp_path / name for name in rows))
    assert told.row("datasets")["license"] == "mit"
    assert told.row("spaces")["sdk"] == "gradio"
    assert told.row("models")["likes"] == 1
    assert told.rows("labels", "repo_type", "id", "value") == [
        ("dataset", "a/data", "en"),
        ("space", "a/app", "en"),
    ]


def test_files_of_one_day_complete_each_other(imports: Imports, tmp_path):
    (tmp_path / "models-a.csv").write_text("id,likes,downloads\na/x,1,\na/y,2,20\n")
    (tmp_path / "models-b.csv").write_text("id,likes,downloads\na/x,9,10\na/z,3,30\n")
    told = imports.files(tmp_path / "models-a.csv", tmp_path / "models-b.csv")
    assert told.rows("models", "id", "likes", "downloads_30d") == [
        ("a/x", 1, 10),
        ("a/y", 2, 20),
        ("a/z", 3, 30),
    ]
    assert told.manifest.source.name == "models-a.csv + models-b.csv"
    assert set(told.manifest.source.detail) == {"models-a.csv", "models-b.csv"}
