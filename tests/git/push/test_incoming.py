# SPDX-License-Identifier: Apache-2.0
"""Honest pushes: what comes in is what the real git has, and reads as what the API commits."""

from pathlib import Path

from hubkeep.git import store
from tests.git.push.pushing import Clone, push
from tests.git.test_random import check_with_git
from tests.git.workshop import Workshop


def test_pushed_commits_read_as_they_were_made(repo: Workshop, tmp_path: Path) -> None:
    clone = Clone.new(tmp_path / "clone")
    first = clone.commit({"a": b"one\n", "b/c": b"two\n", ".gitattributes": b"*.bin filter=lfs\n"})
    checked = push(repo, tmp_path, clone.pack("main"), {"refs/heads/main": first})
    assert list(checked.commits) == [first]
    assert checked.gained == len(b"one\ntwo\n*.bin filter=lfs\n")
    second = clone.commit({"a": b"ONE\n"}, "A title\n\nand a text")
    third = clone.commit({"b/d": b"x" * 3000})
    checked = push(repo, tmp_path, clone.pack("main"), {"refs/heads/main": third})
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
