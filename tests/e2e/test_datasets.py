# SPDX-License-Identifier: Apache-2.0
"""datasets pushes tables, and loads and streams them again."""

import os
from pathlib import Path

from datasets import Dataset, DatasetDict, load_dataset, load_dataset_builder
from huggingface_hub import HfApi

from tests.e2e.hub import EndToEndHub, xet_hash

ROWS = {"text": [f"row {number}" for number in range(1000)], "label": list(range(1000))}


def test_pushed_splits_are_loaded_and_streamed(hub: EndToEndHub, cache: Path) -> None:
    repo = hub.name("rows")
    splits = DatasetDict(
        {"train": Dataset.from_dict(ROWS), "test": Dataset.from_dict(ROWS).select(range(10))}
    )
    splits.push_to_hub(repo)
    assert xet_hash(repo, "data/train-00000-of-00001.parquet", "dataset")
    loaded = load_dataset(repo, cache_dir=str(cache))
    assert {name: each.num_rows for name, each in loaded.items()} == {"train": 1000, "test": 10}
    assert loaded["train"].to_dict() == ROWS
    streamed = load_dataset(repo, split="train", streaming=True)
    assert [row["label"] for row in streamed.skip(500).take(3)] == [500, 501, 502]
    assert load_dataset_builder(repo, cache_dir=str(cache)).info.splits["test"].num_examples == 10


def test_a_table_of_many_files_is_streamed_from_its_middle(hub: EndToEndHub) -> None:
    repo = hub.name("noise")
    noise = Dataset.from_dict({
        "number": list(range(400)),
        "noise": [os.urandom(50_000) for _ in range(400)],
    })  # fmt: skip
    noise.push_to_hub(repo, num_shards=4)
    assert xet_hash(repo, "data/train-00003-of-00004.parquet", "dataset")
    streamed = load_dataset(repo, split="train", streaming=True)
    rows = list(streamed.skip(350).take(2))
    assert rows == [noise[350], noise[351]]


def test_a_config_a_private_repository_and_a_branch(hub: EndToEndHub, cache: Path) -> None:
    repo = hub.name("configs")
    table = Dataset.from_dict({"a": [1, 2, 3]})
    table.push_to_hub(repo, "first", private=True)
    table.select([0]).push_to_hub(repo, "second")
    HfApi().create_branch(repo, branch="later", repo_type="dataset")
    table.select([1]).push_to_hub(repo, "second", revision="later")
    assert HfApi().dataset_info(repo).private

    def rows(config: str, revision: str = "main") -> list[int]:
        return load_dataset(
            repo, config, split="train", revision=revision, cache_dir=str(cache)
        ).to_dict()["a"]

    assert (rows("first"), rows("second"), rows("second", "later")) == ([1, 2, 3], [1], [2])


def test_plain_files_are_a_dataset(hub: EndToEndHub, cache: Path) -> None:
    api = HfApi()
    repo = api.create_repo(hub.name("csv"), repo_type="dataset").repo_id
    api.upload_file(
        path_or_fileobj=b"x,y\n1,2\n3,4\n",
        path_in_repo="table.csv",
        repo_id=repo,
        repo_type="dataset",
    )
    assert load_dataset(repo, split="train", cache_dir=str(cache)).to_dict() == {
        "x": [1, 3],
        "y": [2, 4],
    }
