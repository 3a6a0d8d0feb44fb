# SPDX-License-Identifier: Apache-2.0
"""The stock client writes: uploads of each kind, commits, copies, deletions, branches, moves."""

import os
import time
from pathlib import Path

import pytest
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    HfApi,
    ModelCard,
    metadata_update,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.clients import stock

pytestmark = stock

WEIGHTS = os.urandom(300_000)


def read(api: HfApi, repo: str, path: str, **how: str) -> bytes:
    return Path(api.hf_hub_download(repo, path, **how)).read_bytes()


def test_a_repository_is_made_once(api: HfApi, repo_id: str) -> None:
    made = api.create_repo(repo_id, private=True)
    assert (made.repo_id, made.url) == (repo_id, f"{api.endpoint}/{repo_id}")
    assert api.create_repo(repo_id, exist_ok=True).repo_id == repo_id
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo(repo_id)
    assert api.repo_info(repo_id).private
    api.delete_repo(repo_id)
    assert not api.repo_exists(repo_id)
    with pytest.raises(RepositoryNotFoundError):
        api.delete_repo(repo_id)
    api.delete_repo(repo_id, missing_ok=True)


@pytest.mark.parametrize("kind", ["model", "dataset", "space"])
def test_files_small_and_large_come_back_as_they_went(api: HfApi, repo_id: str, kind: str) -> None:
    api.create_repo(repo_id, repo_type=kind, space_sdk="static" if kind == "space" else None)
    contents = {
        "config.json": b'{"hidden_size": 8}',
        "model.safetensors": WEIGHTS,
        "empty.txt": b"",
        "nested/deep er/\u00fcn\u00efcode \U0001f917.txt": "na\u00efve".encode(),
        "percent%20&plus+#hash?.txt": b"odd",
    }
    for path, content in contents.items():
        api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=repo_id, repo_type=kind)
    for path, content in contents.items():
        assert read(api, repo_id, path, repo_type=kind) == content
    entries = api.get_paths_info(repo_id, ["model.safetensors"], repo_type=kind)
    assert entries[0].lfs.size == len(WEIGHTS)
    assert entries[0].size == len(WEIGHTS)


def test_a_folder_with_deletions_and_patterns(api: HfApi, repo: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "logs").mkdir(parents=True)
    (folder / "logs" / "old.log").write_text("old")
    (folder / "a.txt").write_text("a")
    (folder / "w.bin").write_bytes(WEIGHTS)
    (folder / "skip.tmp").write_text("no")
    api.upload_folder(repo_id=repo, folder_path=folder, ignore_patterns="*.tmp")
    assert set(api.list_repo_files(repo)) == {".gitattributes", "logs/old.log", "a.txt", "w.bin"}
    (folder / "logs" / "old.log").rename(folder / "logs" / "new.log")
    api.upload_folder(repo_id=repo, folder_path=folder, delete_patterns="logs/*.log")
    assert "logs/new.log" in api.list_repo_files(repo)
    assert "logs/old.log" not in api.list_repo_files(repo)


def test_one_commit_of_every_operation(api: HfApi, repo: str) -> None:
    api.create_commit(
        repo,
        [
            CommitOperationAdd("a.txt", b"a"),
            CommitOperationAdd("dir/b.txt", b"b"),
            CommitOperationAdd("w.bin", WEIGHTS),
        ],
        commit_message="start",
    )
    before = api.repo_info(repo).sha
    done = api.create_commit(
        repo,
        [
            CommitOperationAdd("c.txt", b"c"),
            CommitOperationCopy("a.txt", "copies/a.txt"),
            CommitOperationCopy("w.bin", "copies/w.bin"),
            CommitOperationDelete("a.txt"),
            CommitOperationDelete("dir/"),
        ],
        commit_message="all at once",
        commit_description="with a description",
        parent_commit=before,
    )
    assert set(api.list_repo_files(repo)) == {
        ".gitattributes",
        "c.txt",
        "w.bin",
        "copies/a.txt",
        "copies/w.bin",
    }
    assert read(api, repo, "copies/a.txt") == b"a"
    assert read(api, repo, "copies/w.bin") == WEIGHTS
    newest = api.list_repo_commits(repo)[0]
    assert (newest.commit_id, newest.title, newest.message) == (
        done.oid,
        "all at once",
        "with a description",
    )
    with pytest.raises(HfHubHTTPError, match="412"):
        api.create_commit(
            repo, [CommitOperationAdd("d", b"d")], commit_message="late", parent_commit=before
        )


def test_a_commit_that_fails_at_its_end_leaves_nothing(api: HfApi, repo: str) -> None:
    before = api.list_repo_commits(repo)
    with pytest.raises(EntryNotFoundError):
        api.create_commit(
            repo,
            [CommitOperationAdd("new.txt", b"new"), CommitOperationDelete("not-there.txt")],
            commit_message="half",
        )
    assert [each.commit_id for each in api.list_repo_commits(repo)] == [
        each.commit_id for each in before
    ]
    assert not api.file_exists(repo, "new.txt")


def test_branches_tags_and_squashing(api: HfApi, repo: str) -> None:
    first = api.upload_file(path_or_fileobj=b"1", path_in_repo="a.txt", repo_id=repo).oid
    api.create_branch(repo, branch="feat/x")
    api.create_tag(repo, tag="v1", tag_message="one", revision=first)
    api.upload_file(path_or_fileobj=b"2", path_in_repo="a.txt", repo_id=repo, revision="feat/x")
    assert read(api, repo, "a.txt", revision="feat/x") == b"2"
    assert read(api, repo, "a.txt", revision="v1") == b"1"
    assert read(api, repo, "a.txt") == b"1"
    refs = api.list_repo_refs(repo)
    assert {each.name for each in refs.branches} == {"main", "feat/x"}
    assert [(each.name, each.target_commit) for each in refs.tags] == [("v1", first)]
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_branch(repo, branch="feat/x")
    api.create_branch(repo, branch="feat/x", exist_ok=True)
    api.super_squash_history(repo, branch="feat/x")
    assert len(api.list_repo_commits(repo, revision="feat/x")) == 1
    api.delete_branch(repo, branch="feat/x")
    api.delete_tag(repo, tag="v1")
    with pytest.raises(RevisionNotFoundError):
        api.list_repo_files(repo, revision="feat/x")


def test_a_moved_repository_is_found_by_its_old_name(api: HfApi, repo: str) -> None:
    api.upload_file(path_or_fileobj=WEIGHTS, path_in_repo="w.bin", repo_id=repo)
    moved = f"acme/{repo.partition('/')[2]}"
    api.move_repo(repo, moved)
    assert api.repo_info(repo).id == moved
    assert read(api, repo, "w.bin") == WEIGHTS
    api.upload_file(path_or_fileobj=b"later", path_in_repo="later.txt", repo_id=repo)
    assert read(api, moved, "later.txt") == b"later"


def test_a_duplicate_has_the_files_and_its_own_future(api: HfApi, repo: str) -> None:
    api.upload_file(path_or_fileobj=WEIGHTS, path_in_repo="w.bin", repo_id=repo)
    copy = api.duplicate_repo(repo, f"{repo}-copy").repo_id
    api.delete_file("w.bin", repo)
    assert read(api, copy, "w.bin") == WEIGHTS


def test_cards(api: HfApi, repo: str) -> None:
    card = ModelCard("---\nlicense: mit\ntags: [tiny]\n---\n# Tiny\n")
    card.push_to_hub(repo, token=api.token)
    assert api.model_info(repo).card_data.license == "mit"
    metadata_update(repo, {"license": "apache-2.0"}, overwrite=True, token=api.token)
    info = api.model_info(repo)
    assert info.card_data.license == "apache-2.0"
    assert {"license:apache-2.0", "tiny"} <= set(info.tags)
    assert ModelCard.load(repo, token=api.token).text.strip() == "# Tiny"
    with pytest.raises(ValueError, match='"license" must be one of'):
        ModelCard("---\nlicense: no-such-licence\n---\n").push_to_hub(repo, token=api.token)


def test_ten_thousand_small_files_at_once(api: HfApi, repo: str) -> None:
    added = [
        CommitOperationAdd(f"shard-{number % 100:02}/{number:05}.txt", str(number).encode())
        for number in range(10_000)
    ]
    began = time.monotonic()
    api.create_commit(repo, added, commit_message="ten thousand")
    assert time.monotonic() - began < 60
    files = api.list_repo_files(repo)
    assert len(files) == 10_001
    assert read(api, repo, "shard-99/09999.txt") == b"9999"
