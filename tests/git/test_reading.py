# SPDX-License-Identifier: Apache-2.0
"""Reading a revision: paths, pages, revisions by name."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from hubkeep.git import store
from hubkeep.git.errors import BadRef, NotAFolder, ObjectMissing, PathMissing, RefExists, TooLarge
from hubkeep.git.objects import pointer_bytes
from tests.git.workshop import ALICE, START, Workshop

FILES = {
    "a-b": b"1",
    "a.txt": b"22",
    "a/x": b"333",
    "a/y/z": b"4",
    "a0": b"",
    "big.bin": pointer_bytes(b"\7" * 32, 1 << 40),
    "caf\u00e9/\u6a21\u578b": b"5",
}


def paths_of(
    repo: Workshop, path: str = "", *, recursive: bool = True, **more: object
) -> list[str]:
    given = {"after": None, "limit": 1000, **more}
    found = repo.read(store.walk, repo.tree(), path, recursive=recursive, **given)
    return [entry.path for entry in found]


def test_entries_say_what_they_are(repo: Workshop) -> None:
    repo.commit(FILES)
    wanted = ["big.bin", "a", "nothing", "a/y/z", "a/y/z/below", "a//x", "", "\ud800", "a/x"]
    found = {e.path: e for e in repo.read(store.entries, repo.tree(), wanted)}
    assert list(found) == ["big.bin", "a", "a/y/z", "", "a/x"]
    assert (found["a"].kind, found["a"].size, found["a"].mode) == ("directory", 0, 0o40000)
    assert (found["a/x"].kind, found["a/x"].size, found["a/x"].lfs) == ("file", 3, None)
    assert found["big.bin"].lfs.sha256 == b"\7" * 32
    assert found["big.bin"].shown_size == 1 << 40
    assert found["big.bin"].size < 200
    assert found[""].oid == repo.tree()


def test_listings_are_in_path_order_with_folders(repo: Workshop) -> None:
    repo.commit(FILES)
    top = ["a-b", "a.txt", "a", "a0", "big.bin", "caf\u00e9"]
    assert paths_of(repo, recursive=False) == top
    inside = {"a": ["a/x", "a/y", "a/y/z"], "caf\u00e9": ["caf\u00e9/\u6a21\u578b"]}
    assert paths_of(repo) == [p for name in top for p in (name, *inside.get(name, []))]
    assert paths_of(repo, "a") == ["a/x", "a/y", "a/y/z"]
    assert paths_of(repo, "a/y", recursive=False) == ["a/y/z"]


@pytest.mark.parametrize("recursive", [True, False])
@pytest.mark.parametrize("path", ["", "a"])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_join_to_the_whole(repo: Workshop, path: str, recursive: bool, size: int) -> None:
    repo.commit(FILES)
    joined: list[str] = []
    while page := paths_of(
        repo, path, recursive=recursive, after=joined[-1] if joined else None, limit=size
    ):
        assert len(page) <= size
        joined += page
    assert joined == paths_of(repo, path, recursive=recursive)


names = st.sampled_from(["a", "a.", "a-", "a0", "b", "\u00e9"])
trees = st.lists(st.lists(names, min_size=1, max_size=4).map(tuple), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(paths=trees, size=st.integers(1, 4))
def test_pages_of_any_tree_join_to_the_whole(
    sqlite_repo: Workshop, paths: list[tuple[str, ...]], size: int
) -> None:
    files = {"/".join(path): b"" for path in paths}
    for path in list(files):
        if any(other.startswith(path + "/") for other in files):
            del files[path]
    gone = list(sqlite_repo.files()) if sqlite_repo.read(store.refs) else []
    sqlite_repo.commit(files, delete=gone, allow_empty=True)
    whole = paths_of(sqlite_repo)
    assert {path for path in whole if path in files} == set(files)
    for start in [None, *whole]:
        rest = whole[whole.index(start) + 1 :] if start else whole
        assert paths_of(sqlite_repo, after=start, limit=size) == rest[:size]


def test_a_cursor_that_is_not_there_goes_on_where_it_would_be(repo: Workshop) -> None:
    repo.commit(FILES)
    assert paths_of(repo, after="a/w")[:2] == ["a/x", "a/y"]
    assert paths_of(repo, after="zzz") == []


def test_a_page_of_many_small_folders_takes_few_statements(repo: Workshop) -> None:
    repo.commit({f"{i:04}/deep/er/file": b"" for i in range(600)})
    tree = repo.tree()
    statements: list[str] = []

    def count(conn, cursor, statement, parameters, context, many) -> None:
        statements.append(statement)

    engine = repo.database._read_side.engine
    event.listen(engine, "before_cursor_execute", count)
    page = repo.read(store.walk, tree, "", recursive=True, after=None, limit=1000)
    assert len(page) == 1000
    assert len(statements) < 30


def test_only_folders_can_be_listed(repo: Workshop) -> None:
    repo.commit(FILES)
    for path in ("nothing", "a/nothing", "a-b/below", "a//y", "\ud800"):
        with pytest.raises(PathMissing):
            paths_of(repo, path)
    with pytest.raises(NotAFolder):
        paths_of(repo, "a/x")


def test_all_files_are_all_files(repo: Workshop) -> None:
    repo.commit(FILES)
    listed = repo.read(store.all_files, repo.tree())
    assert [entry.path for entry in listed] == sorted(FILES, key=str.encode)


def test_blobs_are_bounded(repo: Workshop) -> None:
    repo.commit(FILES)
    entry = repo.read(store.entry, repo.tree(), "a/x")
    assert repo.read(store.blob, entry.oid, 3) == b"333"
    with pytest.raises(TooLarge):
        repo.read(store.blob, entry.oid, 2)
    with pytest.raises(ObjectMissing):
        repo.read(store.blob, b"\0" * 20, 2)


def test_revisions_by_name_and_id(repo: Workshop) -> None:
    first, second = repo.commit({"a": b"1"}).oid, repo.commit({"a": b"2"}).oid
    repo.write(store.create_branch, "dev", first, START)
    repo.write(store.create_tag, "v1", first, tagger=ALICE, at=START, message="a release")
    repo.write(store.create_tag, "dev", second, tagger=ALICE, at=START)
    wanted = {
        "main": second,
        "HEAD": second,
        "refs/heads/main": second,
        "dev": first,
        "refs/tags/dev": second,
        "v1": first,
        first.hex(): first,
        first.hex().upper(): first,
        second.hex()[:12]: second,
        second.hex()[:7]: second,
    }
    for name, oid in wanted.items():
        assert repo.read(store.resolve, name).commit == oid, name
    assert repo.read(store.resolve, "HEAD", default_branch="dev").commit == first
    for name in ("", "nothing", "0" * 40, "abc", "refs/heads/", "ma", "main\0", "\ud800"):
        assert repo.read(store.resolve, name) is None, name


def test_a_branch_wins_over_the_digits_of_a_commit(repo: Workshop) -> None:
    first, second = repo.commit({"a": b"1"}).oid, repo.commit({"a": b"2"}).oid
    digits = second.hex()[:8]
    repo.write(store.create_branch, digits, first, START)
    assert repo.read(store.resolve, digits).commit == first


def test_refs_cannot_be_files_and_folders_at_once(repo: Workshop) -> None:
    oid = repo.commit({"a": b"1"}).oid
    repo.write(store.create_branch, "a/b", oid, START)
    for name in ("a", "a/b", "a/b/c", "main"):
        with pytest.raises(RefExists):
            repo.write(store.create_branch, name, oid, START)
    repo.write(store.create_branch, "a/c", oid, START)
    with pytest.raises(BadRef):
        repo.write(store.create_branch, "a..b", oid, START)
    with pytest.raises(ObjectMissing):
        repo.write(store.create_branch, "new", b"\0" * 20, START)
    assert repo.write(store.delete_branch, "a/b")
    assert not repo.write(store.delete_branch, "a/b")
    repo.write(store.create_branch, "a/b/c", oid, START)
