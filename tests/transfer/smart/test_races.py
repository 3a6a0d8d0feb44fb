# SPDX-License-Identifier: Apache-2.0
"""Many at once on one repository, on both databases: each is told the truth, and nothing is lost.

A push that was answered "ok" is in the history; one that was refused is not.
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from hubkeep.content.verifying import verify_one
from hubkeep.db import Database
from hubkeep.db.tables import repos
from tests.harness.hub import LiveHub
from tests.transfer.smart.medley import client_of, served
from tests.transfer.smart.native import GitClient, Ran, Remote, WorkCopy, make_remote

SECONDS = 2.0

pause = threading.Event().wait
"""Lets others get between."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """A hub on each database, for all tests of this file."""
    if request.param == "sqlite":
        yield request.getfixturevalue("live_hub")
        return
    cluster = request.getfixturevalue("postgres_cluster")
    with served(tmp_path_factory.mktemp("races"), cluster.create("races")) as started:
        yield started


@pytest.fixture
def git(hub: LiveHub, tmp_path: Path) -> GitClient:
    """Alice's git."""
    return client_of(hub, tmp_path)


@pytest.fixture
def remote(hub: LiveHub) -> Iterator[Remote]:
    """A repository of alice's, which is sound at the end, if it is still there."""
    made = make_remote(hub)
    yield made
    is_sound(made)


def is_sound(remote: Remote) -> None:
    """What `hubkeep verify` looks at holds."""

    def work(conn: Connection) -> None:
        named = select(repos.c.id).where(repos.c.path == remote.path, repos.c.type == "model")
        for repo_id in conn.execute(named).scalars().all():
            found = verify_one(conn, repo_id, lambda _: None)
            assert found is not None
            assert found.findings.problems == []

    with closing(Database(remote.hub.database_url)) as database:
        database.read_now(work)


def history(git: GitClient, remote: Remote, branch: str = "main") -> list[str]:
    """The commits of a branch, as somebody finds them who clones it now."""
    copy = git.clone(remote, "--bare")
    assert copy.run("fsck", "--full", "--strict").out == ""
    return copy.run("rev-list", branch).out.split()


def at_once(*works: Callable[[], object]) -> None:
    """Do things in threads; the first failure is raised."""
    with ThreadPoolExecutor(len(works)) as threads:
        for done in [threads.submit(work) for work in works]:
            done.result()


@dataclass
class Pusher:
    """Somebody who adds a file to `main` with each push, on top of what is there."""

    name: str
    copy: WorkCopy
    acknowledged: dict[str, str] = field(default_factory=dict)
    """Path of the file by commit."""
    refused: list[str] = field(default_factory=list)
    said: list[Ran] = field(default_factory=list)
    count: int = 0

    def step(self) -> bool:
        """Fetch, commit, push; say whether it was taken."""
        fetched = self.copy.run("fetch", "-q", "origin", "main", check=False)
        if fetched.code:
            self.said.append(fetched)
            return False
        self.count += 1
        path = f"{self.name}-{self.count}"
        blob = self.copy.run("hash-object", "-w", "--stdin", stdin=path.encode()).out.strip()
        self.copy.run("read-tree", "FETCH_HEAD")
        self.copy.run("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        tree = self.copy.run("write-tree").out.strip()
        commit = self.copy.run("commit-tree", "-p", "FETCH_HEAD", "-m", path, tree).out.strip()
        ran = self.copy.run("push", "origin", f"{commit}:refs/heads/main", check=False)
        if ran.code == 0:
            self.acknowledged[commit] = path
        else:
            self.refused.append(commit)
            self.said.append(ran)
        return ran.code == 0

    def go_on(self, until: float) -> None:
        """Push until it is late."""
        while time.monotonic() < until:
            self.step()

    def get_in(self) -> None:
        """Push until it is taken, now that nobody else does much."""
        assert any(self.step() for _ in range(10)), self.said[-1]


def pusher(git: GitClient, remote: Remote, name: str) -> Pusher:
    return Pusher(name, git.begin(remote))


def test_of_six_who_push_at_once_one_wins_and_all_get_in_in_the_end(git: GitClient, remote: Remote):
    copies = [git.clone(remote) for _ in range(6)]
    first = [copy.commit({f"file-{number}": b"x"}) for number, copy in enumerate(copies)]
    gate = threading.Barrier(6)
    told: dict[str, Ran] = {}
    landed: dict[int, str] = {}

    def work(number: int) -> None:
        copy = copies[number]
        gate.wait()
        told[first[number]] = copy.push("HEAD:main", check=False)
        for _ in range(6):  # each time at least one gets in
            if told[first[number]].code == 0 or number in landed:
                return
            copy.run("pull", "-q", "--rebase", "origin", "main")
            if copy.push("HEAD:main", check=False).code == 0:
                landed[number] = copy.tip()

    at_once(*(partial(work, number) for number in range(6)))
    winners = [oid for oid in first if told[oid].code == 0]
    assert len(winners) == 1
    for oid in set(first) - set(winners):
        assert "rejected" in told[oid].err
    commits = history(git, remote)
    assert set(commits) >= {*winners, *landed.values()}
    assert not set(commits) & (set(first) - set(winners))
    assert len(commits) == len(remote.call("GET", f"{remote.api}/commits/main").json()) == 6 + 1
    assert set(remote.tree()) == {".gitattributes", *(f"file-{number}" for number in range(6))}


def test_pushes_and_commits_of_the_api_on_one_branch(git: GitClient, remote: Remote):
    until = time.monotonic() + SECONDS
    pushers = [pusher(git, remote, name) for name in ("one", "two")]
    by_api: dict[str, str] = {}

    def commit(name: str) -> None:
        number = 0
        while time.monotonic() < until:
            number += 1
            path = f"{name}-{number}"
            answer = remote.commit({path: path.encode()})
            assert answer.status_code == 200, answer.text
            by_api[answer.json()["commitOid"]] = path
            # Who commits through the API is quicker, and would leave nobody a chance.
            pause(0.2)

    at_once(*(partial(one.go_on, until) for one in pushers), partial(commit, "api"))
    pushers[0].get_in()
    acknowledged = by_api | pushers[0].acknowledged | pushers[1].acknowledged
    refused = {*pushers[0].refused, *pushers[1].refused}
    commits = set(history(git, remote))
    assert commits >= acknowledged.keys()
    assert not commits & refused
    assert len(commits) == len(acknowledged) + 1
    assert set(remote.tree()) == {".gitattributes", *acknowledged.values()}
    for ran in (*pushers[0].said, *pushers[1].said):
        assert "rejected" in ran.err, ran.err


def test_a_squash_takes_no_pushed_file_away(git: GitClient, remote: Remote):
    until = time.monotonic() + SECONDS
    one = pusher(git, remote, "one")

    def squash() -> None:
        while time.monotonic() < until:
            answer = remote.call("POST", f"{remote.api}/super-squash/main", json={})
            assert answer.status_code == 200, answer.text
            pause(0.3)

    at_once(partial(one.go_on, until), squash)
    one.get_in()
    assert set(remote.tree()) == {".gitattributes", *one.acknowledged.values()}
    assert not set(history(git, remote)) & set(one.refused)


def test_pushes_while_the_repository_is_moved_and_hidden(git: GitClient, remote: Remote):
    until = time.monotonic() + SECONDS
    one = pusher(git, remote, "one")
    names = [remote.path, f"{remote.path}-moved"]

    def move() -> None:
        while time.monotonic() < until:
            body = {"fromRepo": names[0], "toRepo": names[1], "type": "model"}
            answer = remote.call("POST", "/api/repos/move", json=body)
            assert answer.status_code == 200, answer.text
            names.reverse()
            private = {"private": names[0] != remote.path}
            where = f"/api/models/{names[0]}/settings"
            assert remote.call("PUT", where, json=private).status_code == 200
            pause(0.2)

    at_once(partial(one.go_on, until), move)
    found = Remote(remote.hub, names[0])
    assert one.step(), one.said[-1:]
    assert set(found.tree()) == {".gitattributes", *one.acknowledged.values()}
    assert not set(history(git, found)) & set(one.refused)
    is_sound(found)


def test_pushes_while_the_repository_is_deleted(git: GitClient, remote: Remote):
    pushers = [pusher(git, remote, name) for name in ("one", "two")]
    landed = threading.Event()

    def push(one: Pusher) -> None:
        for _ in range(20):
            if one.step():
                landed.set()
            elif "not found" in one.said[-1].err:
                return

    def delete() -> None:
        assert landed.wait(60)
        body = {"name": remote.path.partition("/")[2], "type": "model"}
        assert remote.call("DELETE", "/api/repos/delete", json=body).status_code == 200

    at_once(*(partial(push, one) for one in pushers), delete)
    for one in pushers:
        assert not one.step()
        assert "not found" in one.said[-1].err
        for ran in one.said:
            # git says 404 itself where the repository went between two requests of one push.
            assert any(text in ran.err for text in ("not found", "404", "rejected")), ran.err


def test_clones_while_the_cache_is_deleted_again_and_again(git: GitClient, remote: Remote):
    one = pusher(git, remote, "one")
    assert one.step()
    until = time.monotonic() + SECONDS
    whole: list[Path] = []
    broken: list[Ran] = []

    def clone(name: str) -> None:
        number = 0
        while time.monotonic() < until:
            number += 1
            folder = git.home / f"{name}-{number}"
            ran = git.run(
                "clone", "-q", "--mirror", git.url(remote), str(folder), check=False, timeout=60
            )
            if ran.code == 0:
                whole.append(folder)
            else:
                broken.append(ran)

    def delete() -> None:
        while time.monotonic() < until:
            shutil.rmtree(remote.hub.data / "git-cache", ignore_errors=True)
            pause(0.01)

    at_once(partial(clone, "a"), partial(clone, "b"), partial(one.go_on, until), delete)
    assert whole
    for folder in whole:
        assert git.run("fsck", "--full", "--strict", cwd=folder).out == ""
    for ran in broken:
        assert "fatal" in ran.err, ran.err
    assert set(history(git, remote)) >= one.acknowledged.keys()
