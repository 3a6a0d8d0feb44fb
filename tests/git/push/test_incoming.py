# SPDX-License-Identifier: Apache-2.0
"""Honest pushes: what comes in is what the real git has, and reads as what the API commits."""

import random
from pathlib import Path

from hubkeep.git import store
from hubkeep.git.fetch.queries import stream_all
from hubkeep.git.objects import Kind, inflate
from hubkeep.git.queries_objects import count_objects
from hubkeep.git.trees import EMPTY_TREE
from tests.git.native import git
from tests.git.push.pushing import Clone, HandMade, push, taken
from tests.git.test_random import check_with_git
from tests.git.workshop import Workshop

MAIN = "refs/heads/main"


def test_pushed_commits_read_as_they_were_made(repo: Workshop, tmp_path: Path) -> None:
    clone = Clone.new(tmp_path / "clone")
    first = clone.commit({"a": b"one\n", "b/c": b"two\n", ".gitattributes": b"*.bin filter=lfs\n"})
    checked = push(repo, tmp_path, clone.pack("main"), {MAIN: first})
    assert list(checked.commits) == [first]
    assert checked.gained == len(b"one\ntwo\n*.bin filter=lfs\n")
    second = clone.commit({"a": b"ONE\n"}, "A title\n\nand a text")
    third = clone.commit({"b/d": b"x" * 3000})
    checked = push(repo, tmp_path, clone.pack("main"), {MAIN: third})
    assert list(checked.commits) == [second, third]
    assert checked.gained == 4 + 3000
    assert repo.files() == {
        "a": b"ONE\n", "b/c": b"two\n", "b/d": b"x" * 3000, ".gitattributes": b"*.bin filter=lfs\n",
    }  # fmt: skip
    last = repo.read(store.last_commits, third, "")
    assert {name: row.oid for name, row in last.items()} == {
        "a": second, "b": third, ".gitattributes": first,
    }  # fmt: skip
    assert last["a"].title == "A title"
    assert last["a"].message == "and a text"
    check_with_git(repo, tmp_path / "bare.git")


def test_deltas_become_whole_objects(sqlite_repo: Workshop, tmp_path: Path) -> None:
    repo, clone, luck = sqlite_repo, Clone.new(tmp_path / "clone"), random.Random(1)
    lines = [b"%x\n" % luck.getrandbits(400) for _ in range(300)]
    for number in range(5):
        lines[number * 7] = b"changed\n"
        tip = clone.commit({"text": b"".join(lines)})
    data = clone.pack("main")
    assert len(data) < 2 * len(lines) * 100, "git found no deltas"
    push(repo, tmp_path, data, {MAIN: tip})
    stored = repo.read(lambda conn, repo_id: list(stream_all(conn, repo_id)))
    assert sum(kind == Kind.BLOB for _, kind, _, _ in stored) == 5
    for oid, kind, size, deflated in stored:
        word = Kind(kind).name.lower()
        assert git("cat-file", word, oid.hex(), cwd=clone.folder) == inflate(deflated, size)


def test_history_goes_on_after_commits_of_the_api(repo: Workshop, tmp_path: Path) -> None:
    old = repo.commit({"a/b": b"1", "c": b"1"}).oid
    repo.commit({"a/b": b"2", "a/d": b"2"})
    parent = repo.commit({"c": b"2"}).oid
    made = HandMade()
    # The folder as it was before; nothing of it is sent.
    before = repo.tree(old.hex())
    back = made.commit(before, parent)
    checked = push(repo, tmp_path, made.pack, {MAIN: back})
    assert (checked.gained, checked.commits[back].generation) == (0, 4)
    assert repo.files() == {"a/b": b"1", "c": b"1"}
    assert {n: r.oid for n, r in repo.read(store.last_commits, back, "a").items()} == {"b": back}
    check_with_git(repo, tmp_path / "bare.git")
    after = repo.commit({"e": b"3"}).oid
    assert repo.read(store.last_commits, after, "")["c"].oid == back


def test_links_and_programs_keep_their_modes(sqlite_repo: Workshop, tmp_path: Path) -> None:
    clone = Clone.new(tmp_path / "clone")
    clone.write({"run": b"#!/bin/sh\n"})
    (clone.folder / "run").chmod(0o755)
    (clone.folder / "link").symlink_to("run")
    push(sqlite_repo, tmp_path, b"", {})
    tip = clone.commit({})
    push(sqlite_repo, tmp_path, clone.pack("main"), {MAIN: tip})
    listed = sqlite_repo.read(store.all_files, sqlite_repo.tree())
    assert [(e.path, e.kind, e.mode) for e in listed] == [
        ("link", "symlink", 0o120000),
        ("run", "file", 0o100755),
    ]


def test_a_new_branch_at_a_known_commit_brings_no_objects(repo: Workshop, tmp_path: Path) -> None:
    oid = repo.commit({"a": b"1"}).oid
    checked = push(repo, tmp_path, b"", {"refs/heads/other": oid})
    assert (dict(checked.commits), checked.peeled) == ({}, {oid: oid})
    assert repo.files("other") == {"a": b"1"}


def test_the_empty_tree_is_stored_though_it_is_not_sent(repo: Workshop, tmp_path: Path) -> None:
    made = HandMade()
    tip = made.commit(EMPTY_TREE)
    push(repo, tmp_path, made.pack, {MAIN: tip})
    assert repo.read(count_objects) == 2
    check_with_git(repo, tmp_path / "bare.git")


def test_nothing_is_left_on_disk(sqlite_repo: Workshop, tmp_path: Path) -> None:
    made = HandMade()
    tip = made.commit(made.tree((b"100644", b"a", made.blob(b"x"))))
    incoming = taken(tmp_path, made.pack)
    sqlite_repo.read(incoming.check, [tip])
    assert list(tmp_path.glob("in*"))
    incoming.close()
    assert not list(tmp_path.glob("in*"))
