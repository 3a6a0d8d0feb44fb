# SPDX-License-Identifier: Apache-2.0
"""What no ref leads to goes, and nothing else, whatever happens meanwhile."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from hubkeep.db.tables import git_commits, git_objects
from hubkeep.git import reachable, store
from hubkeep.git.bare import write_bare_repository
from hubkeep.git.changes import PutFile, commit_changes
from hubkeep.git.commits import parse_commit
from hubkeep.git.errors import MarkStale, ObjectMissing
from hubkeep.git.objects import Kind, deflate, inflate, object_id, stage_blob
from hubkeep.git.queries import commits, delete_commits, insert_ref
from hubkeep.git.queries_objects import delete_objects, insert_objects
from hubkeep.git.reachable import find_garbage, parts, purge
from hubkeep.git.trees import parse_tree
from hubkeep.git.types import Ref
from tests.git.native import git
from tests.git.workshop import START, Workshop


def head_of(repo: Workshop, branch: str = "main") -> bytes:
    return repo.read(store.resolve, f"refs/heads/{branch}").commit


def sound(repo: Workshop, folder: Path) -> None:
    repo.read(write_bare_repository, folder)
    assert git("fsck", "--full", "--strict", "--no-dangling", cwd=folder) == b""


def nested_tags(repo: Workshop, commit: bytes, depth: int) -> list[bytes]:
    """Tag a commit, that tag, and so on, as a push may; a ref leads to the last one."""
    made, kind = [commit], "commit"
    for number in range(depth):
        payload = (
            f"object {made[-1].hex()}\ntype {kind}\ntag t{number}\n"
            "tagger a <a@example.org> 1790000000 +0000\n\nx\n"
        ).encode()
        oid = object_id(Kind.TAG, payload)
        repo.write(insert_objects, [(oid, Kind.TAG, len(payload), deflate(payload), None)])
        made.append(oid)
        kind = "tag"
    repo.write(insert_ref, Ref("refs/tags/t", made[-1], commit), START)
    return made[1:]


def test_objects_are_inserted_once(repo: Workshop) -> None:
    payloads = [b"%d" % number for number in range(5)]
    rows = [(object_id(Kind.BLOB, each), Kind.BLOB, 1, deflate(each), None) for each in payloads]
    assert repo.write(insert_objects, rows[:3]) == 3
    assert repo.write(insert_objects, [(*rows[0][:3], b"other", None), *rows[2:]]) == 2
    assert repo.write(insert_objects, rows) == 0
    assert repo.read(store.blob, rows[0][0], 10) == payloads[0]


def test_what_no_ref_leads_to_is_purged(repo: Workshop, tmp_path: Path) -> None:
    old = repo.commit({"a": b"secret", "b": b"kept"}).oid
    gone = repo.read(store.entry, repo.tree(), "a").oid
    repo.commit({}, delete=["a"])
    repo.squash()
    assert repo.read(store.blob, gone, 100) == b"secret"
    assert repo.collect(2) >= 3
    assert repo.files() == {"b": b"kept"}
    assert repo.read(store.resolve, old.hex()) is None
    with pytest.raises(ObjectMissing):
        repo.read(store.blob, gone, 100)
    assert repo.collect() == 0
    sound(repo, tmp_path / "bare")


def test_tags_of_tags_are_kept_as_long_as_a_ref_leads_to_them(
    repo: Workshop, tmp_path: Path
) -> None:
    commit = repo.commit({"a": b"1"}).oid
    made = nested_tags(repo, commit, 3)
    repo.squash()
    assert repo.collect() == 0
    sound(repo, tmp_path / "bare")
    repo.write(store.delete_tag, "t")
    assert repo.collect() > 0
    found = repo.read(lambda conn, _: set(conn.execute(select(git_objects.c.oid)).scalars()))
    assert not found & {commit, *made}


def left_whole(conn: Connection, repo_id: int) -> None:
    """Each commit's history and files are there, and so is all that is in a folder that is."""
    there = {row.oid: row for row in conn.execute(select(git_objects)).all()}
    rows = set(conn.execute(select(git_commits.c.oid)).scalars())
    for oid in rows:
        commit = parse_commit(inflate(there[oid].data, there[oid].size))
        assert set(commit.parents) <= rows
        assert commit.tree in there
    for row in there.values():
        if row.kind == Kind.TREE:
            assert {entry.oid for entry in parse_tree(inflate(row.data, row.size))} <= set(there)


def test_whatever_is_left_when_it_is_broken_off_is_whole(repo: Workshop) -> None:
    repo.commit({"a/b/c/d": b"1", "a/b/x": b"2", "z": b"0"})
    for number in range(5):
        repo.commit({f"a/b/c/{number}": b"%d" % number, f"a/{number}/y": b"1"})
    nested_tags(repo, head_of(repo), 2)
    repo.commit({}, delete=["a"])
    repo.squash()
    repo.write(store.delete_tag, "t")
    garbage = repo.read(find_garbage)
    steps = list(parts(garbage, 1))
    assert len(steps) > 30
    for step in steps:
        repo.write(purge, garbage, step)
        repo.read(left_whole)
    assert repo.files() == {"z": b"0"}


def test_what_came_back_into_use_is_kept_and_the_rest_goes(repo: Workshop, tmp_path: Path) -> None:
    repo.commit({"x/y/a": b"again", "b": b"", "gone": b"gone"})
    old = head_of(repo)
    gone = repo.read(store.entry, repo.tree(), "gone").oid
    repo.commit({}, delete=["x", "gone"])
    repo.squash()
    garbage = repo.read(find_garbage)
    repo.commit({"z/y/a": b"again"})  # with it the folder `y` and its file
    for part in parts(garbage, 1):
        repo.write(purge, garbage, part)
    assert repo.files() == {"b": b"", "z/y/a": b"again"}
    assert repo.read(store.resolve, old.hex()) is None
    with pytest.raises(ObjectMissing):
        repo.read(store.blob, gone, 100)
    sound(repo, tmp_path / "bare")


def test_a_branch_may_be_made_anew_while_its_history_is_removed(
    repo: Workshop, tmp_path: Path
) -> None:
    made = [repo.commit({f"{number}": b"%d" % number}).oid for number in range(4)]
    repo.commit({}, delete=["0", "1", "2", "3"])
    repo.squash()
    garbage = repo.read(find_garbage)
    steps = list(parts(garbage, 1))
    for step in steps[:2]:
        repo.write(purge, garbage, step)
    # Children go first, so what still has a row has all its history.
    assert [oid in repo.read(commits, [oid]) for oid in made] == [True, True, True, False]
    repo.write(store.create_branch, "back", made[2], START)
    for step in steps[2:]:
        repo.write(purge, garbage, step)
    assert repo.files("back") == {"0": b"0", "1": b"1", "2": b"2"}
    assert repo.read(store.count_commits, made[2]) == 3
    sound(repo, tmp_path / "bare")


def test_it_gets_through_where_refs_move_all_the_time(
    repo: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reachable, "_UNDER_LOCK", 5)
    repo.commit({"a": b"secret", "b": b"kept"})
    gone = repo.read(store.entry, repo.tree(), "a").oid
    repo.commit({}, delete=["a"])
    repo.squash()
    garbage = repo.read(find_garbage)
    for number, part in enumerate(parts(garbage, 1)):
        for path in "xyz":
            repo.commit({f"{path}/{number}": b"%d" % number})
        with pytest.raises(MarkStale):
            repo.write(purge, garbage, part)
        repo.database.read_now(lambda conn: garbage.follow(conn, repo.id))
        repo.commit({"small": b"%d" % number})
        repo.write(purge, garbage, part)
    with pytest.raises(ObjectMissing):
        repo.read(store.blob, gone, 100)
    sound(repo, tmp_path / "bare")


def test_nothing_is_removed_from_a_damaged_repository(repo: Workshop) -> None:
    first = repo.commit({"f/a": b"1"}).oid
    folder = repo.read(store.entry, repo.tree(), "f").oid
    second = repo.commit({"b": b"1"}).oid
    repo.write(delete_commits, [first])
    with pytest.raises(ObjectMissing):
        repo.read(find_garbage)
    repo.write(store.create_branch, "other", second, START)
    repo.write(delete_objects, [folder])
    with pytest.raises(ObjectMissing):
        repo.read(find_garbage)


def test_the_collector_waits_for_a_commit_that_uses_what_it_would_remove(
    repo: Workshop, tmp_path: Path
) -> None:
    if repo.database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    repo.commit({"a": b"again", "b": b""})
    repo.commit({}, delete=["a"])
    repo.squash()
    garbage = repo.read(find_garbage)
    blob = stage_blob(b"again")
    new = repo.new()

    def remove() -> None:
        for part in parts(garbage, 100):
            repo.write(purge, garbage, part)

    removing = threading.Thread(target=remove)

    def work(conn: Connection) -> None:
        commit_changes(conn, repo.id, new, [PutFile("c", blob.without_data())], iter([blob]))
        removing.start()
        waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        while not repo.database.read_now(lambda reading: reading.execute(waiting).scalar()):
            assert removing.is_alive()

    repo.database.write_now(work)
    removing.join(20)
    assert not removing.is_alive()
    assert repo.files() == {"b": b"", "c": b"again"}
    assert repo.collect() == 0
    sound(repo, tmp_path / "bare")
