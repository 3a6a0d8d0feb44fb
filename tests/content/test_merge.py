# SPDX-License-Identifier: Apache-2.0
"""Merging branches and taking commits back through the API."""

import logging
import os
import threading
import time
from pathlib import Path

import httpx2 as httpx
import pytest
from sqlalchemy import Connection

from hubkeep.content import merging
from hubkeep.git import merge_commits
from hubkeep.git.bare import write_bare_repository
from hubkeep.git.program import GitFailed
from hubkeep.repos.queries import find_repo
from hubkeep.repos.types import RepoType
from tests.content.shelf import Shelf
from tests.git.native import git, lines

BASE = {"a.txt": b"1\n2\n3\n4\n5\n", "d.txt": b"x\n", "k": b""}


def merge(shelf: Shelf, branch: str = "main", **body: object) -> httpx.Response:
    return shelf.hub.post(f"{shelf.api}/merge/{branch}", token=shelf.token, json=body)


def revert(shelf: Shelf, **body: object) -> httpx.Response:
    return shelf.hub.post(f"{shelf.api}/revert/main", token=shelf.token, json=body)


def branch(shelf: Shelf, name: str) -> None:
    made = shelf.hub.post(f"{shelf.api}/branch/{name}", token=shelf.token, json={})
    assert made.status_code < 300, made.text


def text(shelf: Shelf, path: str, rev: str = "main") -> bytes | None:
    got = shelf.hub.get(f"{shelf.web}/resolve/{rev}/{path}", token=shelf.token)
    return got.content if got.status_code == 200 else None


def last(shelf: Shelf) -> dict[str, str]:
    return shelf.hub.get(f"{shelf.api}/commits/main?limit=1", token=shelf.token).json()[0]


@pytest.fixture
def forked(shelf: Shelf) -> Shelf:
    """Two branches that changed the ends of one file, and each a file of its own."""
    shelf.commit(BASE)
    branch(shelf, "dev")
    shelf.commit({"a.txt": b"one\n2\n3\n4\n5\n", "f/main": b"m"})
    shelf.commit({"a.txt": b"1\n2\n3\n4\nfive\n", "f/dev": b"d", "g/dev": b"d"}, rev="dev")
    return shelf


def test_what_both_sides_did_is_merged(forked: Shelf, tmp_path: Path) -> None:
    heads = [forked.head(), forked.head("dev")]
    answer = merge(forked, source="dev")
    assert answer.status_code == 200, answer.text
    assert answer.json()["changed"] is True
    assert answer.json()["success"] is True
    assert answer.json()["commitOid"] == forked.head()
    assert answer.json()["commitUrl"].endswith(f"/commit/{forked.head()}")
    assert text(forked, "a.txt") == b"one\n2\n3\n4\nfive\n"
    assert (text(forked, "f/dev"), text(forked, "f/main")) == (b"d", b"m")
    assert last(forked)["title"] == "Merge branch 'dev' into main"
    bare = tmp_path / "bare"

    def write(conn: Connection) -> None:
        found = find_repo(conn, RepoType.MODEL, forked.path)
        assert found is not None
        write_bare_repository(conn, found[0].id, bare)

    forked.hub.read(write)
    assert git("fsck", "--full", "--strict", cwd=bare) == b""
    assert lines(git("rev-parse", "main^1", "main^2", cwd=bare)) == heads
    again = merge(forked, source="dev").json()
    assert (again["changed"], again["commitOid"]) == (False, forked.head())
    assert again["hookOutput"] == "Already up to date."


def test_the_merge_is_what_lists_and_sizes_say(forked: Shelf) -> None:
    forked.commit({"README.md": b"---\nlicense: mit\n---\n"}, rev="dev")
    merge(forked, source="dev", summary="mine", description="and why")
    assert (last(forked)["title"], last(forked)["message"]) == ("mine", "and why")
    info = forked.hub.get(forked.api, token=forked.token).json()
    assert info["sha"] == forked.head()
    assert "license:mit" in info["tags"]
    assert {each["rfilename"] for each in info["siblings"]} >= {"f/dev", "f/main", "README.md"}


def test_a_branch_that_could_be_moved_gets_a_merge_commit(shelf: Shelf) -> None:
    shelf.commit(BASE)
    branch(shelf, "dev")
    shelf.commit({"a.txt": b"new\n"}, rev="dev")
    old = shelf.head()
    assert merge(shelf, source="dev", parentCommit=old[:9]).json()["changed"] is True
    assert text(shelf, "a.txt") == b"new\n"
    titles = [each["title"] for each in shelf.hub.get(f"{shelf.api}/commits/main").json()]
    assert titles[0] == "Merge branch 'dev' into main"
    assert shelf.head() != shelf.head("dev")


def test_conflicts_are_told_and_nothing_is_written(forked: Shelf) -> None:
    forked.commit({"a.txt": b"ONE\n2\n3\n4\n5\n"}, rev="dev")
    forked.commit({"d.txt": b"y\n"}, rev="dev")
    forked.commit({}, delete=["d.txt"])
    head = forked.head()
    for body in ({"source": "dev"}, {"source": "dev", "dryRun": True}):
        answer = merge(forked, **body)
        assert answer.status_code == 409
        found = {each["paths"][0]: each for each in answer.json()["conflicts"]}
        assert {path: each["kind"] for path, each in found.items()} == {
            "a.txt": "content",
            "d.txt": "modify/delete",
        }
        assert "deleted in main and modified in dev" in found["d.txt"]["message"]
    assert forked.head() == head


def test_a_dry_run_writes_nothing(forked: Shelf) -> None:
    head = forked.head()
    answer = merge(forked, source="dev", dryRun=True)
    assert (answer.status_code, answer.json()["changed"]) == (200, False)
    assert forked.head() == head


@pytest.mark.parametrize(
    ("branch_name", "body", "status"),
    [
        ("main", {"source": "nothing"}, 404),
        ("nothing", {"source": "dev"}, 404),
        ("main", {}, 400),
        ("main", {"source": "dev", "fastForward": "only"}, 400),
        ("main", {"source": "dev", "parentCommit": "0" * 40}, 412),
    ],
)
def test_what_cannot_be_meant_is_refused(
    forked: Shelf, branch_name: str, body: dict[str, object], status: int
) -> None:
    assert merge(forked, branch_name, **body).status_code == status


def test_names_that_collide_are_not_merged(forked: Shelf) -> None:
    forked.commit({"f/MAIN": b"other"}, rev="dev")
    answer = merge(forked, source="dev")
    assert answer.status_code == 400
    assert "one file where case" in answer.json()["error"]


def test_pointers_are_taken_over_and_never_mixed(shelf: Shelf) -> None:
    first, second, third = (shelf.upload(bytes([i]) * 1500) for i in range(3))
    shelf.commit(BASE, lines=[("lfsFile", {**first, "path": "m.bin"})])
    branch(shelf, "dev")
    new = shelf.upload(b"new" * 999)
    shelf.commit(rev="dev", lines=[("lfsFile", {**new, "path": "n.bin"})])
    assert merge(shelf, source="dev").status_code == 200
    assert shelf.hub.head(f"{shelf.web}/resolve/main/n.bin").headers["x-linked-size"] == "2997"
    shelf.commit(rev="dev", lines=[("lfsFile", {**second, "path": "m.bin"})])
    shelf.commit(lines=[("lfsFile", {**third, "path": "m.bin"})])
    answer = merge(shelf, source="dev")
    assert answer.status_code == 409
    assert [each["paths"] for each in answer.json()["conflicts"]] == [["m.bin"]]


def test_a_branch_that_moves_is_merged_again(
    forked: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit comes while git merges; with `parentCommit` that is the client's to decide."""
    real, moves = merging._merge, iter([b"1", b"2", b"3"])

    def slow(app, plan, scratch):
        result = real(app, plan, scratch)
        content = next(moves, None)
        if content is not None:
            forked.commit({"moved": content})
        return result

    monkeypatch.setattr(merging, "_merge", slow)
    assert merge(forked, source="dev", parentCommit=forked.head()).status_code == 412
    assert merge(forked, source="dev").status_code == 200
    assert text(forked, "moved") == b"3"
    assert text(forked, "f/dev") == b"d"


def test_a_commit_is_taken_back(shelf: Shelf) -> None:
    shelf.commit(BASE)
    shelf.commit({"a.txt": b"one\n2\n3\n4\n5\n", "new": b"n"}, delete=["d.txt"])
    undone = shelf.head()
    shelf.commit({"a.txt": b"one\n2\n3\n4\nfive\n"})
    answer = revert(shelf, commit=undone)
    assert answer.status_code == 200, answer.text
    assert text(shelf, "a.txt") == b"1\n2\n3\n4\nfive\n"
    assert (text(shelf, "d.txt"), text(shelf, "new")) == (b"x\n", None)
    assert last(shelf)["title"] == 'Revert "a change"'
    assert last(shelf)["message"] == f"This reverts commit {undone}."
    assert revert(shelf, commit=undone).status_code == 422
    shelf.commit({"a.txt": b"ONE\n2\n3\n4\n5\n"})
    again = revert(shelf, commit=last(shelf)["id"], dryRun=True)
    assert (again.status_code, again.json()["changed"]) == (200, False)
    conflict = revert(shelf, commit="main~nothing")
    assert conflict.status_code == 404


def test_taking_back_may_conflict(shelf: Shelf) -> None:
    shelf.commit(BASE)
    shelf.commit({"a.txt": b"one\n2\n3\n4\n5\n"})
    undone = shelf.head()
    shelf.commit({"a.txt": b"uno\n2\n3\n4\n5\n"})
    answer = revert(shelf, commit=undone)
    assert answer.status_code == 409
    assert answer.json()["conflicts"][0]["kind"] == "content"


def test_the_first_commit_and_merges_can_be_taken_back(forked: Shelf) -> None:
    merge(forked, source="dev")
    merged = forked.head()
    first = forked.hub.get(f"{forked.api}/commits/main").json()[-1]["id"]
    answer = revert(forked, commit=merged)
    assert answer.status_code == 200, answer.text
    assert text(forked, "f/dev") is None
    assert text(forked, "a.txt") == b"one\n2\n3\n4\n5\n"
    assert "reversing\nchanges made to" in last(forked)["message"]
    answer = revert(forked, commit=first)
    assert answer.status_code == 200, answer.text
    assert text(forked, ".gitattributes") is None
    assert text(forked, "f/main") == b"m"


def test_without_git_there_is_no_merging(forked: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    answer = merge(forked, source="dev")
    assert answer.status_code == 501
    assert "git is not installed" in answer.json()["error"]


def test_others_write_while_it_is_worked_out_what_a_merge_changes(
    forked: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, waited = merge_commits.changed_files, []

    def slow(*args):
        if not waited:
            commit = threading.Thread(target=forked.commit, args=({"meanwhile": b"1"},))
            commit.start()
            commit.join(10)
            waited.append(commit.is_alive())
        return real(*args)

    monkeypatch.setattr(merge_commits, "changed_files", slow)
    assert merge(forked, source="dev").status_code == 200
    assert waited == [False]
    assert (text(forked, "meanwhile"), text(forked, "f/dev")) == (b"1", b"d")


def test_a_merge_that_changes_too_much_is_refused(
    forked: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge_commits, "MAX_CHANGED", 2)
    head = forked.head()
    answer = merge(forked, source="dev")
    assert answer.status_code == 422
    assert answer.json()["error"] == "More than 2 files differ: merge with git, and push"
    assert forked.head() == head


def test_git_works_in_the_data_folder_and_leaves_nothing(
    forked: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    above = forked.hub.app.config.data / "incoming"
    old, recent = above / "old", above / "recent"
    for folder, hours in ((old, 25), (recent, 23)):
        folder.mkdir(parents=True)
        (folder / "left").write_bytes(b"x")
        os.utime(folder, (time.time() - hours * 3600,) * 2)
    real, seen = merging._merge, []

    def looked_at(app, plan, scratch):
        result = real(app, plan, scratch)
        seen.append((scratch.parent, [*scratch.rglob("*")] != []))
        return result

    monkeypatch.setattr(merging, "_merge", looked_at)
    assert merge(forked, source="dev").status_code == 200
    assert seen == [(above, True)]
    assert [*above.iterdir()] == [recent]


def test_what_git_says_of_the_server_is_for_its_log(
    forked: Shelf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*_):
        raise GitFailed("fatal: cannot open /srv/hub/objects")

    monkeypatch.setattr(merging, "merge_commits", failing)
    with caplog.at_level(logging.WARNING, "hubkeep.git"):
        answer = merge(forked, source="dev")
    assert answer.status_code == 422
    assert "/srv" not in answer.text
    assert "merge with git, and push" in answer.json()["error"]
    assert "/srv/hub/objects" in caplog.text
