# SPDX-License-Identifier: Apache-2.0
"""Each shape of file that is known becomes the tables that it tells of."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb")

import pyarrow as pa
import pyarrow.parquet as pq

from hubkeep.observatory.imports.reading import BadFile
from hubkeep.observatory.imports.taken import taken_at
from tests.observatory.importing import Imports

MADE = dt.datetime.fromisoformat("2023-08-01 12:00")


@pytest.fixture
def imports(tmp_path: Path) -> Imports:
    return Imports(tmp_path / "snapshots")


def write(folder: Path, *rows: dict[str, Any], name: str = "table.parquet") -> Path:
    pq.write_table(pa.Table.from_pylist(list(rows)), folder / name)
    return folder / name


def test_a_census_of_models(imports: Imports, tmp_path):
    census = {
        "id": "acme/tuned-7b",
        "downloads": 5,
        "likes": 2,
        "pipeline_tag": "text-generation",
        "library_name": "peft",
        "created_at": MADE,
        "licenses": ["MIT", "other"],
        "base_models": ["meta/base", "meta/base"],
        "datasets": ["acme/words"],
        "arxiv": ["2307.09288"],
        "tags": ["safetensors", "en", "en", "t5"],
    }
    told = imports.files(write(tmp_path, census))
    row = told.row()
    assert (row["author"], row["license"], row["downloads_30d"]) == ("acme", "mit", 5)
    assert (row["parameters"], row["parameters_from"]) == (7_000_000_000, "name")
    assert (row["has_safetensors"], row["has_pickle"]) == (True, False)
    assert told.rows("lineage", "child", "parent", "relation") == [
        ("acme/tuned-7b", "meta/base", "adapter")
    ]
    assert told.rows("labels", "kind", "value") == [
        ("dataset", "acme/words"),
        ("language", "en"),
        ("license", "other"),
        ("paper", "2307.09288"),
    ]
    assert told.manifest.excluded == {}


def test_a_census_of_datasets(imports: Imports, tmp_path):
    rows = [
        {
            "id": f"a/{gated}",
            "downloads": 5,
            "likes": 2,
            "gated": gated,
            "disabled": False,
            "created_at": MADE,
            "last_modified": MADE,
            "licenses": ["mit"],
            "tags": ["language:en", "arxiv:1", "license:mit"],
            "description_len": 3,
        }
        for gated in ("false", "auto", "manual")
    ]
    told = imports.files(write(tmp_path, *rows))
    assert told.rows("datasets", "id", "gated") == [
        ("a/auto", "auto"),
        ("a/false", "no"),
        ("a/manual", "manual"),
    ]
    assert ("a/auto", "language", "en") in told.rows("labels", "id", "kind", "value")
    assert ("a/auto", "paper", "1") in told.rows("labels", "id", "kind", "value")


def detail(**more: Any) -> dict[str, Any]:
    return {
        "id": "acme/m",
        "created_at": "2023-03-30T11:11:03.000Z",
        "last_modified": "2023-03-30T11:59:23.000Z",
        "gated": "False",
        "disabled": False,
        "downloads": 2,
        "likes": 4,
        "pipeline_tag": "x",
        "library_name": "transformers",
        "files": ["README.md", "a.bin"],
        "safetensors_total": 247577856,
        "card_keys": ["license", "model-index"],
        "has_card": True,
        "license": ["Apache-2.0", "other"],
        "base_model": ["meta/base"],
        "language": ["en"],
        "co2_raw": '{"emissions": "0.14 kg"}',
        "has_model_index": True,
        "tags": ["dataset:acme/words"],
        **more,
    }


def test_details_of_models(imports: Imports, tmp_path):
    told = imports.files(write(tmp_path, detail()))
    row = told.row()
    assert (row["parameters"], row["parameters_from"]) == (247_577_856, "safetensors")
    assert (row["co2_grams"], row["co2_written"]) == (pytest.approx(140.0), "0.14 kg")
    assert (row["gated"], row["license"], row["has_metrics"]) == ("no", "apache-2.0", True)
    without = imports.files(write(tmp_path, detail(card_keys=["license"]))).row()
    assert without["has_metrics"] is False
    assert told.rows("labels", "kind", "value") == [
        ("dataset", "acme/words"),
        ("language", "en"),
        ("license", "other"),
    ]


@pytest.mark.parametrize(
    ("files", "safetensors", "pickle", "gguf"),
    [
        (["model.safetensors"], True, False, False),
        (["MODEL.SAFETENSORS", "x/model.Q4.GGUF"], True, False, True),
        (["pytorch_model-00001-of-00002.bin"], False, True, False),
        (
            ["training_args.bin", "checkpoint-5/optimizer.pt", "rng_state_0.pth"],
            False,
            False,
            False,
        ),
        (["policy.optimizer.pth", "scheduler.bin", "random_states_0.pkl"], False, False, False),
        (["policy.pth"], False, True, False),
        ([], False, False, False),
        (None, None, None, None),
    ],
)
def test_formats_by_files(imports: Imports, tmp_path, files, safetensors, pickle, gguf):
    told = imports.files(write(tmp_path, detail(files=files), detail(id="b", files=["x"])))
    found = told.rows("models", "has_safetensors", "has_pickle", "has_gguf")
    assert found[0] == (safetensors, pickle, gguf)


def test_models_with_cards(imports: Imports, tmp_path):
    row = {
        "id": "bert-base-uncased",
        "author": "huggingface",
        "created_at": dt.datetime.fromisoformat("2018-11-14"),
        "downloads": 3,
        "has_modelcard": True,
        "task_category": "fill-mask",
    }
    told = imports.files(write(tmp_path, row))
    assert told.row() == {
        "id": "bert-base-uncased",
        "created_at": row["created_at"],
        "downloads_30d": 3,
        "has_card": True,
        "task": "fill-mask",
    }


def test_models_with_downloads(imports: Imports, tmp_path):
    told = imports.files(write(tmp_path, {"model": "a/b", "downloads": 3, "task": "x"}))
    assert told.row() == {"id": "a/b", "author": "a", "downloads_30d": 3, "task": "x"}


def test_models_with_emissions(imports: Imports, tmp_path):
    row = {
        "modelId": "distilgpt2",
        "datasets": "['openwebtext', 'a/b']",
        "co2_eq_emissions": 149200.0,
        "co2_reported": 1,
        "performance_metrics": "{'accuracy': nan, 'f1': nan}",
        "downloads": 9,
        "likes": 1,
        "size": 352833716.0,
        "created_at": dt.date(2019, 10, 3),
    }
    told = imports.files(write(tmp_path, row, {**row, "downloads": 8}))
    found = told.row()
    assert (found["co2_grams"], found["size"], found["downloads_30d"]) == (149200.0, 352833716, 9)
    assert "author" in told.manifest.tables["models"].missing
    assert told.manifest.excluded["models"] == {"duplicate": 1}
    assert told.rows("labels", "kind", "value") == [("dataset", "a/b"), ("dataset", "openwebtext")]


def test_trending_models(imports: Imports, tmp_path):
    row = {
        "likes": 4,
        "trendingScore": 2.5,
        "downloads": 3,
        "category": "x",
        "createdAt": MADE.replace(tzinfo=dt.UTC),
        "model_name": "a/b",
    }
    assert imports.files(write(tmp_path, row)).row() == {
        "id": "a/b",
        "author": "a",
        "created_at": MADE,
        "downloads_30d": 3,
        "likes": 4,
        "trending": 2.5,
        "task": "x",
    }


def test_a_leaderboard(imports: Imports, tmp_path):
    rows = [
        {
            "id": f"a/m{number}",
            "params_b": size,
            "license": "MIT",
            "likes": 1,
            "merged": merged,
            "base_model": base,
            "upload_date": dt.date(2024, 1, 1),
            "submission_date": dt.date(2024, 2, 1),
        }
        for number, (size, merged, base) in enumerate(
            [
                (7.242, "False", "b/base"),
                (-1.0, "True", "b/base"),
                (0.5, "False", "b/base (Merge)"),
                (0.5, "False", "Removed"),
                (0.5, "False", "a/m4"),
                (0.5, "False", None),
            ]
        )
    ]
    told = imports.files(write(tmp_path, *rows))
    assert told.rows("models", "parameters", "parameters_from")[:3] == [
        (7_242_000_000, "declared"),
        (None, None),
        (500_000_000, "declared"),
    ]
    assert told.rows("lineage", "child", "parent", "relation") == [
        ("a/m0", "b/base", None),
        ("a/m1", "b/base", "merge"),
        ("a/m2", "b/base", "merge"),
    ]


def test_what_came_and_went(imports: Imports, tmp_path):
    row = {"id": "a/b", "relation": "merge", "base_model": "x/y, x/z", "event": "added"}
    gone = {"id": "a/b", "relation": None, "base_model": None, "event": "deleted"}
    day = dt.date(2025, 2, 19)
    told = imports.files(write(tmp_path, *({**one, "week_end": day} for one in (row, gone))))
    assert told.rows("events", "id", "event", "day", "relation", "parent") == [
        ("a/b", "added", day, "merge", "x/y"),
        ("a/b", "deleted", day, None, None),
    ]


def test_lineage_edges(imports: Imports, tmp_path):
    rows = [
        {"source": "meta/base", "target": f"a/{edge}", "edge": edge}
        for edge in ("finetuned", "merged", "quantized", "adapter", "dreamt")
    ]
    told = imports.files(write(tmp_path, *rows))
    assert [(child, relation) for child, relation in told.rows("lineage", "child", "relation")] == [
        ("a/adapter", "adapter"),
        ("a/dreamt", None),
        ("a/finetuned", "finetune"),
        ("a/merged", "merge"),
        ("a/quantized", "quantized"),
    ]
    assert sum(told.manifest.cleared["lineage"].values()) == 1


def test_a_census_is_completed_by_details(imports: Imports, tmp_path):
    first = write(
        tmp_path,
        {"model": "acme/m-7b", "downloads": 9, "task": "x"},
        {"model": "acme/n-7b", "downloads": 8, "task": "x"},
        name="census.parquet",
    )
    second = write(tmp_path, detail(id="acme/m-7b"), name="details.parquet")
    told = imports.files(first, second)
    assert told.rows("models", "id", "downloads_30d", "likes", "parameters_from") == [
        ("acme/m-7b", 9, 4, "safetensors"),
        ("acme/n-7b", 8, None, "name"),
    ]
    with pytest.raises(BadFile, match="same name"):
        imports.files(first, first)


@pytest.mark.parametrize(
    ("name", "given", "moment"),
    [
        ("models-2024-07-11.parquet", None, "2024-07-11T00:00:00.000Z"),
        ("hub_20240711.csv", None, "2024-07-11T00:00:00.000Z"),
        ("models-2024-07-11.csv", "2024-07-12", "2024-07-12T00:00:00.000Z"),
        ("models.csv", "2024-07-12T10:30:00+02:00", "2024-07-12T08:30:00.000Z"),
        ("models.csv", "2024-07-12 10:30", "2024-07-12T10:30:00.000Z"),
    ],
)
def test_the_day_of_a_file(tmp_path, name: str, given: str | None, moment: str):
    (tmp_path / name).write_text("id\n")
    assert taken_at([tmp_path / name], given) == moment


@pytest.mark.parametrize(
    ("name", "given", "why"),
    [
        ("models.csv", None, "say it with --taken-at"),
        ("models-2024-07.csv", None, "say it with --taken-at"),
        ("models-2024-13-11.csv", None, "is no day"),
        ("models.csv", "yesterday", "is no day"),
        ("models.csv", "2999-01-01", "is in the future"),
        ("models.csv", "1999-01-01", "before 2015"),
    ],
)
def test_a_day_that_cannot_be(tmp_path, name: str, given: str | None, why: str):
    (tmp_path / name).write_text("id\n")
    with pytest.raises(BadFile, match=why):
        taken_at([tmp_path / name], given)


def test_the_day_stands_in_the_metadata_of_parquet(tmp_path):
    table = pa.table({"id": ["a"]}).replace_schema_metadata({"taken_at": "2024-05-06"})
    pq.write_table(table, tmp_path / "models-2024-07-11.parquet")
    assert taken_at([tmp_path / "models-2024-07-11.parquet"], None).startswith("2024-05-06")


def test_files_of_different_days_need_one_that_is_said(tmp_path):
    paths = [tmp_path / "a-2024-07-11.csv", tmp_path / "b-2024-07-09.csv"]
    for path in paths:
        path.write_text("id\n")
    with pytest.raises(BadFile, match=r"not of one day.*--taken-at"):
        taken_at(paths, None)
    assert taken_at(paths, "2024-07-11").startswith("2024-07-11")
