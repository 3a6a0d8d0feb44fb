# SPDX-License-Identifier: Apache-2.0
"""The stock client reads: snapshots, listings, searches, the file system, and who may see what."""

import os
from pathlib import Path

import httpx2 as httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi, HfFileSystem
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.clients import stock
from tests.harness.hub import LiveHub

pytestmark = stock

WEIGHTS = os.urandom(200_000)
CARD = b"""---
license: mit
pipeline_tag: text-classification
library_name: transformers
---
# M
"""
FILES = {
    "README.md": CARD,
    "config.json": b'{"model_type": "bert"}',
    "data/train/0.txt": b"zero",
    "data/train/1.txt": b"one",
    "model.bin": WEIGHTS,
}


@pytest.fixture
def filled(api: HfApi, repo: str) -> str:
    """A repository with `FILES` in one commit."""
    added = [CommitOperationAdd(path, content) for path, content in FILES.items()]
    api.create_commit(repo, added, commit_message="fill")
    return repo


def test_a_snapshot_is_whole_and_cached(api: HfApi, filled: str, live_hub: LiveHub) -> None:
    folder = Path(api.snapshot_download(filled))
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert {path: found[path] for path in FILES} == FILES
    assert folder.name == api.repo_info(filled).sha
    again = HfApi(endpoint=live_hub.url).snapshot_download(filled, local_files_only=True)
    assert Path(again) == folder
    only = Path(api.snapshot_download(filled, allow_patterns="data/*", local_dir=folder / "cut"))
    assert sorted(p.name for p in (only / "data").rglob("*.txt")) == ["0.txt", "1.txt"]
    assert not (only / "model.bin").exists()


def test_errors_are_the_clients_own(api: HfApi, filled: str) -> None:
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(filled, "nothing.txt")
    with pytest.raises(RevisionNotFoundError):
        api.hf_hub_download(filled, "config.json", revision="nowhere")
    with pytest.raises(RepositoryNotFoundError):
        api.hf_hub_download(f"{filled}-not", "config.json")
    with pytest.raises(RevisionNotFoundError):
        api.repo_info(filled, revision="nowhere")


def test_trees_and_paths(api: HfApi, filled: str) -> None:
    paths = [entry.path for entry in api.list_repo_tree(filled)]
    assert paths == [".gitattributes", "README.md", "config.json", "data", "model.bin"]
    below = [entry.path for entry in api.list_repo_tree(filled, "data", recursive=True)]
    assert below == ["data/train", "data/train/0.txt", "data/train/1.txt"]
    expanded = {each.path: each for each in api.list_repo_tree(filled, expand=True)}
    assert expanded["model.bin"].last_commit.title == "fill"
    [info] = api.get_paths_info(filled, ["data/train/1.txt", "missing"])
    assert (info.path, info.size) == ("data/train/1.txt", 3)
    metadata = api.get_hf_file_metadata(url=f"{api.endpoint}/{filled}/resolve/main/model.bin")
    assert metadata.size == len(WEIGHTS)


def test_lists_and_searches_find_it_at_once(api: HfApi, filled: str) -> None:
    name = filled.partition("/")[2]
    assert [each.id for each in api.list_models(search=name)] == [filled]
    assert filled in {each.id for each in api.list_models(author="alice", filter="license:mit")}
    found = api.list_models(
        author="alice", filter=["text-classification", "transformers"], sort="created_at", full=True
    )
    assert filled in {each.id for each in found}
    assert filled not in {each.id for each in api.list_models(filter="license:gpl-3.0")}
    info = api.model_info(filled, files_metadata=True)
    sizes = {each.rfilename: each.size for each in info.siblings}
    assert sizes["model.bin"] == len(WEIGHTS)
    assert (info.pipeline_tag, info.library_name) == ("text-classification", "transformers")


def test_private_means_missing_to_others(api: HfApi, repo_id: str, live_hub: LiveHub) -> None:
    api.create_repo(repo_id, private=True)
    api.upload_file(path_or_fileobj=b"secret", path_in_repo="a.txt", repo_id=repo_id)
    for token in (live_hub.tokens.bob, False):
        other = HfApi(endpoint=live_hub.url, token=token)
        assert not other.repo_exists(repo_id)
        with pytest.raises(RepositoryNotFoundError):
            other.hf_hub_download(repo_id, "a.txt")
        with pytest.raises(RepositoryNotFoundError):
            other.list_repo_files(repo_id)
        assert repo_id not in {each.id for each in other.list_models(author="alice")}
    api.update_repo_settings(repo_id, private=False)
    assert HfApi(endpoint=live_hub.url, token=False).repo_exists(repo_id)


def test_a_reader_may_not_write(filled: str, live_hub: LiveHub) -> None:
    reader = HfApi(endpoint=live_hub.url, token=live_hub.tokens.alice_read)
    assert reader.file_exists(filled, "config.json")
    for unable in (reader, HfApi(endpoint=live_hub.url, token=live_hub.tokens.bob)):
        with pytest.raises(HfHubHTTPError, match="403"):
            unable.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=filled)
    stranger = HfApi(endpoint=live_hub.url, token="hf_unknown_token_of_nobody_at_all")
    with pytest.raises(HfHubHTTPError, match="401"):
        stranger.repo_info(filled)


def test_likes(api: HfApi, filled: str, live_hub: LiveHub) -> None:
    assert api.whoami()["name"] == "alice"
    url = f"{live_hub.url}/api/models/{filled}/like"
    httpx.post(url, headers={"Authorization": f"Bearer {live_hub.token}"}).raise_for_status()
    assert [each.username for each in api.list_repo_likers(filled)] == ["alice"]
    assert filled in api.list_liked_repos("alice").models
    assert api.repo_info(filled).likes == 1
    api.unlike(filled)
    assert filled not in api.list_liked_repos("alice").models


def test_the_file_system(api: HfApi, filled: str, live_hub: LiveHub) -> None:
    fs = HfFileSystem(endpoint=live_hub.url, token=live_hub.token, skip_instance_cache=True)
    assert fs.ls(filled, detail=False) == [
        f"{filled}/{name}"
        for name in (".gitattributes", "README.md", "config.json", "data", "model.bin")
    ]
    assert sorted(fs.glob(f"{filled}/**/*.txt")) == [
        f"{filled}/data/train/{number}.txt" for number in (0, 1)
    ]
    with fs.open(f"{filled}/model.bin", "rb", block_size=4096) as file:
        file.seek(150_000)
        assert file.read(1000) == WEIGHTS[150_000:151_000]
        file.seek(-10, 2)
        assert file.read() == WEIGHTS[-10:]
    with fs.open(f"{filled}/data/new.txt", "w") as file:
        file.write("new")
    assert fs.cat_file(f"{filled}/data/new.txt") == b"new"
    fs.cp_file(f"{filled}/model.bin", f"{filled}/copy.bin")
    assert fs.cat_file(f"{filled}/copy.bin") == WEIGHTS
    fs.rm(f"{filled}/data", recursive=True)
    assert not api.file_exists(filled, "data/train/0.txt")
