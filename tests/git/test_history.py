# SPDX-License-Identifier: Apache-2.0
"""History: pages, merges, which commit last changed what, and squashing."""

from pathlib import Path

import pytest
from sqlalchemy import Connection

from hubkeep.git import store
from hubkeep.git.bare import write_bare_repository
from hubkeep.git.errors import BranchMissing, ObjectMissing
from hubkeep.git.folders import Trees
from hubkeep.git.program import GitFailed
from hubkeep.git.queries import commits, move_ref
from hubkeep.git.queries_objects import delete_objects
from hubkeep.git.types import CommitRow
from hubkeep.git.writing import store_commit
from tests.git.native import git, lines
from tests.git.workshop import ALICE, START, Workshop


def head_of(repo: Workshop, branch: str = "main") -> bytes:
    return repo.read(store.resolve, f"refs/heads/{branch}").commit


def merge(repo: Workshop, into: str, *others: str, tree: bytes) -> bytes:
    """Make a merge commit, as a push may bring one."""
    heads = [head_of(repo, name) for name in (into, *others)]
    new = repo.new(branch=into, title="a merge")

    def work(conn: Connection) -> bytes:
        rows = commits(conn, repo.id, heads)
        parents = [rows[oid] for oid in heads]
        row = store_commit(Trees(conn, repo.id), new, tree, parents, {})
        assert move_ref(conn, repo.id, f"refs/heads/{into}", heads[0], row.oid, START)
        return row.oid

    return repo.database.write_now(work)


@pytest.fixture
def merged(repo: Workshop) -> Workshop:
    """Two branches that changed different files, merged; then one commit more."""
    base = repo.commit({"a": b"1", "f/b": b"1", "f/c": b"1", "g/d": b"1"}).oid
    repo.write(store.create_branch, "dev", base, START)
    repo.commit({"a": b"2"})
    repo.commit({"f/b": b"2"})
    repo.commit({"f/c": b"2", "new": b"3"}, branch="dev")
    repo.write(store.create_branch, "result", head_of(repo), START)
    tree = repo.commit({"f/c": b"2", "new": b"3"}, branch="result").tree
    merge(repo, "main", "dev", tree=tree)
    repo.commit({"g/e": b"4"})
    return repo


def test_pages_of_history_join_to_the_whole(repo: Workshop) -> None:
    made = [repo.commit({"a": b"%d" % i}).oid for i in range(7)][::-1]
    pages = [repo.read(store.log, made[0], skip=skip, limit=3) for skip in (0, 3, 6, 9)]
    assert [row.oid for page in pages for row in page] == made
    assert repo.read(store.count_commits, made[0]) == 7
    assert repo.read(store.count_commits, made[3]) == 4
    with pytest.raises(ObjectMissing):
        repo.read(store.log, b"\0" * 20, limit=1)


def test_a_commit_says_who_when_and_why(repo: Workshop) -> None:
    oid = repo.commit({"a": b""}, title=" one\nline ", body="more\r\ntext\n\n", at=START + 1234).oid
    (row,) = repo.read(store.log, oid, limit=5)
    assert (row.title, row.message, row.committed_at) == ("one line", "more\ntext", START + 1000)
    assert (row.author, row.author_name) == ("alice <alice@example.org>", "alice")
    assert (row.facts_id, row.size) == (None, None)
    repo.write(store.set_revision_facts, oid, None, 42)
    assert repo.read(store.resolve, "main").row.size == 42


def test_merged_history_is_what_git_makes_of_it(merged: Workshop, tmp_path: Path) -> None:
    head = head_of(merged)
    log = [row.oid.hex() for row in merged.read(store.log, head, limit=100)]
    merged.read(write_bare_repository, tmp_path / "bare")
    assert sorted(lines(git("rev-list", "main", cwd=tmp_path / "bare"))) == sorted(log)
    assert merged.read(store.count_commits, head) == len(log) == 6
    parents = {row.oid: row.parents for row in merged.read(store.log, head, limit=100)}
    order = list(parents)
    assert all(order.index(oid) < order.index(p) for oid in order for p in parents[oid])
    half = merged.read(store.log, head, skip=3, limit=100)
    assert [row.oid.hex() for row in half] == log[3:]


@pytest.mark.parametrize("folder", ["", "f", "g"])
def test_last_changes_are_what_git_says(merged: Workshop, folder: str, tmp_path: Path) -> None:
    rows = merged.read(store.last_commits, head_of(merged), folder)
    merged.read(write_bare_repository, tmp_path / "bare")
    assert len(rows) >= 2
    for name, row in rows.items():
        path = f"{folder}/{name}" if folder else name
        said = git("log", "-1", "--format=%H", "main", "--", path, cwd=tmp_path / "bare")
        assert lines(said) == [row.oid.hex()], path


def test_last_changes_are_remembered_for_good(repo: Workshop) -> None:
    memo: dict[tuple[str, int, bytes, str], bytes] = {}

    class Memo:
        get = staticmethod(memo.get)
        put = staticmethod(memo.__setitem__)

    first = repo.commit({"a": b"1", "b": b"1"}).oid
    second = repo.commit({"b": b"2"}).oid
    for _ in range(2):
        rows = repo.read(store.last_commits, second, "", Memo())
        assert {name: row.oid for name, row in rows.items()} == {"a": first, "b": second}
    assert list(memo) == [("last", repo.id, second, "")]


def test_the_history_of_one_path(repo: Workshop) -> None:
    made = [repo.commit({"f/a": b"%d" % i, "b": b""}).oid for i in range(3)]
    repo.commit({"c": b""})
    repo.commit({"f/z": b""})
    head = head_of(repo)

    def of(path: str) -> list[bytes]:
        page = repo.read(store.log_of_path, path, [head], 9)
        assert page.waiting == []
        return [row.oid for row in page.rows]

    assert of("f/a") == made[::-1]
    assert of("b") == [made[0]]
    assert of("f") == [head, *made[::-1]]
    assert of("nothing") == of("b/nothing") == of("f//a") == []


def test_a_change_that_was_taken_back_is_a_change(repo: Workshop) -> None:
    repo.commit({"a": b"1"})
    repo.commit({"a": b"2"})
    back = repo.commit({"a": b"1"}).oid
    rows = repo.read(store.last_commits, back, "")
    assert rows["a"].oid == back


def test_compare_looks_at_what_differs(repo: Workshop) -> None:
    old = repo.commit({"a": b"1", "f/b": b"1", "same/x": b"1", "t": b"1"}).tree
    new = repo.commit({"f/b": b"22", "n/c": b"1", "t/in": b"1"}, delete=["a", "t"]).tree
    found = repo.read(store.compare, old, new)
    assert [(c.path, c.status, c.grown) for c in found] == [
        ("a", "deleted", -1),
        ("f/b", "modified", 1),
        ("n/c", "added", 1),
        ("t", "deleted", -1),
        ("t/in", "added", 1),
    ]
    assert repo.read(store.compare, old, new, limit=2) == found[:2]
    assert repo.read(store.compare, old, old) == []


def test_squashing_keeps_files_and_other_refs(repo: Workshop) -> None:
    repo.commit({"a": b"1"})
    old = repo.commit({"a": b"2", "f/b": b"3"}).oid
    repo.write(store.create_tag, "v1", old, tagger=ALICE, at=START)
    new = repo.squash(title="squashed")
    assert head_of(repo) == new
    assert repo.files() == {"a": b"2", "f/b": b"3"}
    assert repo.read(store.count_commits, new) == 1
    assert repo.read(store.resolve, "v1").commit == old
    with pytest.raises(BranchMissing):
        repo.squash(branch="other")


def test_a_bare_repository_holds_only_what_refs_lead_to(repo: Workshop, tmp_path: Path) -> None:
    repo.commit({"a": b"secret"})
    gone = repo.read(store.entry, repo.tree(), "a").oid.hex()
    repo.commit({"a": b"public"})
    repo.squash()
    repo.read(write_bare_repository, tmp_path / "bare")
    listed = git(
        "cat-file", "--batch-all-objects", "--batch-check=%(objectname)", cwd=tmp_path / "bare"
    )
    assert gone not in lines(listed)
    with pytest.raises(FileExistsError):
        repo.read(write_bare_repository, tmp_path / "bare")


def test_an_empty_repository_can_be_written_out(repo: Workshop, tmp_path: Path) -> None:
    repo.read(write_bare_repository, tmp_path / "bare", default_branch="trunk")
    assert git("symbolic-ref", "HEAD", cwd=tmp_path / "bare") == b"refs/heads/trunk\n"
    assert git("for-each-ref", cwd=tmp_path / "bare") == b""


def test_a_broken_repository_is_not_written_out(repo: Workshop, tmp_path: Path) -> None:
    repo.commit({"a": b"1"})
    entry = repo.read(store.entry, repo.tree(), "a")
    repo.write(delete_objects, [entry.oid])
    with pytest.raises(GitFailed):
        repo.read(write_bare_repository, tmp_path / "bare")
    assert list(tmp_path.glob("bare*")) == []


def test_rows_of_commits_name_their_author_without_the_address() -> None:
    row = CommitRow(b"", b"", (), 1, True, 0, "a <b> <c@d>", None, "", "", None, None)
    assert row.author_name == "a <b>"
