# SPDX-License-Identifier: Apache-2.0
"""Commits made of changes: what is there afterwards, and what is refused without a trace."""

import pytest

from hubkeep.git import store
from hubkeep.git.changes import CopyPath, DeletePath, PutFile
from hubkeep.git.errors import (
    BadPath,
    BranchMissing,
    BranchMoved,
    Collision,
    GitError,
    ObjectMissing,
    PathConflict,
    PathMissing,
)
from hubkeep.git.objects import StagedBlob, pointer_bytes, stage_blob
from hubkeep.git.trees import EMPTY_TREE
from tests.git.workshop import Workshop


def test_the_first_commit_makes_the_branch(repo: Workshop) -> None:
    made = repo.commit({"a.txt": b"one", "deep/er/b.txt": b"two"})
    assert repo.files() == {"a.txt": b"one", "deep/er/b.txt": b"two"}
    assert made.parent is None
    (ref,) = repo.read(store.refs)
    assert (ref.name, ref.commit) == ("refs/heads/main", made.oid)


def test_changes_apply_on_top_of_what_is_there(repo: Workshop) -> None:
    repo.commit({"a": b"1", "f/b": b"2", "f/c": b"3", "g/d": b"4"})
    repo.commit({"f/b": b"new", "h/e": b"5"}, delete=["g/d", "a"])
    assert repo.files() == {"f/b": b"new", "f/c": b"3", "h/e": b"5"}


def test_the_result_says_what_changed(repo: Workshop) -> None:
    pointer = pointer_bytes(b"\1" * 32, 1000)
    first = repo.commit({"a": b"12345", "gone/x": b"1", "gone/y": b"22", "big": pointer})
    assert first.stored_bytes == 5 + 1 + 2 + 1000
    assert sum(change.grown for change in first.changed) == 1008
    second = repo.commit({"a": b"123", "new": b"22"}, delete=["gone"])
    assert [(c.path, c.status, c.grown) for c in second.changed] == [
        ("a", "modified", -2),
        ("gone/x", "deleted", -1),
        ("gone/y", "deleted", -2),
        ("new", "added", 2),
    ]
    assert second.stored_bytes == 3, "the repository held the content of `new` before"


def test_what_changes_nothing_is_no_commit(repo: Workshop) -> None:
    first = repo.commit({"a": b"1"})
    again = repo.commit({"a": b"1"})
    assert (again.is_noop, again.oid) == (True, first.oid)
    assert repo.commit({}, allow_empty=True).oid != first.oid


def test_a_repository_may_be_emptied(repo: Workshop) -> None:
    repo.commit({"a": b"1", "f/b": b"2"})
    assert repo.commit(delete=["a", "f/"]).tree == EMPTY_TREE
    assert repo.files() == {}


@pytest.mark.parametrize("digits", [5, 12, 40])
def test_an_expected_parent_is_checked(repo: Workshop, digits: int) -> None:
    first = repo.commit({"a": b"1"}).oid.hex()[:digits]
    second = repo.commit({"a": b"2"}, expected_parent=first.upper()).oid.hex()[:digits]
    with pytest.raises(BranchMoved):
        repo.commit({"a": b"3"}, expected_parent=first)
    repo.commit({"a": b"3"}, expected_parent=second)


def test_an_empty_repository_has_no_parent_to_expect(repo: Workshop) -> None:
    with pytest.raises(BranchMoved):
        repo.commit({"a": b"1"}, expected_parent="0" * 40)


def test_only_an_empty_repository_makes_branches_by_commits(repo: Workshop) -> None:
    repo.commit({"a": b"1"})
    with pytest.raises(BranchMissing):
        repo.commit({"a": b"2"}, branch="other")


def test_deletions_come_before_what_replaces_them(repo: Workshop) -> None:
    repo.commit({"file": b"1", "folder/a": b"2", "folder/b": b"3"})
    repo.commit({"file/inside": b"4", "folder": b"5"}, delete=["file", "folder/a", "folder/b"])
    assert repo.files() == {"file/inside": b"4", "folder": b"5"}


@pytest.mark.parametrize(
    ("put", "delete"),
    [
        ({"file/inside": b""}, []),
        ({"folder": b""}, []),
        ({"folder/a/deeper": b""}, []),
        ({"new": b"", "new/inside": b""}, []),
        ({"new/inside": b"", "new": b""}, []),
        ({"FILE": b""}, []),
        ({"Folder/z": b""}, []),
        ({"folder/A": b""}, []),
        ({"caf\u00e9": b"", "cafe\u0301": b""}, []),
        ({"stra\u00dfe": b"", "STRASSE": b""}, []),
    ],
)
def test_contradictions_are_refused(
    repo: Workshop, put: dict[str, bytes], delete: list[str]
) -> None:
    repo.commit({"file": b"1", "folder/a": b"2"})
    with pytest.raises(PathConflict):
        repo.commit({"other": b"", **put}, delete)
    assert repo.files() == {"file": b"1", "folder/a": b"2"}


def test_two_operations_on_one_path_are_refused(repo: Workshop) -> None:
    one, two = stage_blob(b"1"), stage_blob(b"2")
    with pytest.raises(PathConflict):
        repo.change([PutFile("a", one), PutFile("a", two)], [one, two])
    for deleted in ("f/a", "f"):
        with pytest.raises(PathConflict):
            repo.change([PutFile("f/a", one), DeletePath(deleted)], [one])
    assert repo.read(store.refs) == []


def test_a_name_may_change_its_case(repo: Workshop) -> None:
    repo.commit({"readme.md": b"1", "b/x": b"2"})
    repo.commit({"README.md": b"1", "B/x": b"2"}, delete=["readme.md", "b"])
    assert set(repo.files()) == {"README.md", "B/x"}


@pytest.mark.parametrize("path", ["b", "a/b", "f/c", "f/b/x", "F"])
def test_what_is_missing_cannot_be_deleted(repo: Workshop, path: str) -> None:
    repo.commit({"a": b"1", "f/b": b"2"})
    with pytest.raises(PathMissing) as missing:
        repo.commit({"new": b""}, delete=[path])
    assert missing.value.path == path
    assert set(repo.files()) == {"a", "f/b"}


@pytest.mark.parametrize("path", ["", "/", "..", "a/../b", "a//b", "/a"])
def test_odd_paths_cannot_be_deleted(repo: Workshop, path: str) -> None:
    repo.commit({"a": b"1"})
    with pytest.raises(BadPath):
        repo.commit(delete=[path])


def test_files_are_copied_from_any_tree_with_their_mode(repo: Workshop) -> None:
    first = repo.commit({"a": b"1", "f/b": b"2"})
    repo.commit({"a": b"changed"}, delete=["f"])
    repo.change([CopyPath("a", first.tree, "back"), CopyPath("f/b", first.tree, "g/h/b")])
    assert repo.files() == {"a": b"changed", "back": b"1", "g/h/b": b"2"}
    with pytest.raises(PathMissing):
        repo.change([CopyPath("nothing", first.tree, "x")])
    with pytest.raises(PathConflict):
        repo.change([CopyPath("f", first.tree, "x")])


def test_a_blob_that_did_not_come_along_is_an_error(repo: Workshop) -> None:
    with pytest.raises(ObjectMissing):
        repo.change([PutFile("a", stage_blob(b"1"))], [])
    assert repo.read(store.refs) == []


def test_a_blob_that_is_there_need_not_come_again(repo: Workshop) -> None:
    repo.commit({"a": b"1"})
    repo.change([PutFile("b", stage_blob(b"1").without_data())])
    assert repo.files() == {"a": b"1", "b": b"1"}


def test_another_object_with_the_same_id_is_refused(repo: Workshop) -> None:
    repo.commit({"a": b"1"})
    real = stage_blob(b"1")
    forged = StagedBlob(real.oid, 4, stage_blob(b"evil").data, None)
    with pytest.raises(Collision):
        repo.change([PutFile("b", forged)], [forged])
    assert repo.files() == {"a": b"1"}


def test_attributes_that_git_refuses_are_refused(repo: Workshop) -> None:
    long_line = b"*.bin filter=lfs " + b"x" * 2048 + b"\n"
    for path in (".gitattributes", "f/.GITATTRIBUTES"):
        with pytest.raises(BadPath):
            repo.commit({path: long_line})
    first = repo.commit({"a": long_line})
    with pytest.raises(BadPath):
        repo.change([CopyPath("a", first.tree, ".gitattributes")])


def test_nothing_of_a_failed_commit_stays(repo: Workshop) -> None:
    repo.commit({"a": b"1"})
    with pytest.raises(GitError):
        repo.commit({"b": b"2", "c": b"3", ".git/config": b"4"})
    assert repo.files() == {"a": b"1"}
    assert repo.read(store.count_commits, repo.read(store.resolve, "main").commit) == 1
