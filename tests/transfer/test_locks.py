# SPDX-License-Identifier: Apache-2.0
"""Locks of git-lfs, as its program asks for them, on both databases."""

import threading
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy import event, func, select

from hubkeep.db.tables import lfs_locks
from hubkeep.identity import commands
from hubkeep.kit.time import wire
from tests.harness.hub import TestHub, on_sqlite
from tests.repos.world import World

LFS = "application/vnd.git-lfs+json"
REPO = "lab/m"


@pytest.fixture
def world(hub: TestHub) -> World:
    """An organisation with two who write, one who reads and one who administers."""
    made = World(hub)
    for name in ("ada", "ben", "cyd", "eve", "rob"):
        made.user(name)
    made.token("ada", "ada_read", "read")
    made.org("lab", ada="write", ben="write", cyd="admin", rob="read")
    made.repo(REPO)
    return made


def ask(
    world: World, what: str, who: str | None, body: object = None, *, repo: str = REPO
) -> httpx.Response:
    """Call a lock address: with a body by POST, else by GET."""
    path = f"/{repo}.git/info/lfs/locks{what}"
    if body is None:
        return world.call("GET", path, who, headers={"Accept": LFS})
    return world.call("POST", path, who, body, headers={"Accept": LFS, "Content-Type": LFS})


def lock(world: World, path: str, who: str = "ada", *, repo: str = REPO) -> dict[str, Any]:
    """Lock a path, and return the lock."""
    body = {"path": path, "ref": {"name": "refs/heads/main"}}
    made = ask(world, "", who, body, repo=repo)
    assert made.status_code == 201, made.text
    return made.json()["lock"]


def paths(answer: httpx.Response, key: str = "locks") -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["path"] for one in answer.json()[key]]


def test_a_lock_says_what_is_locked_by_whom_and_since_when(world: World):
    made = ask(world, "", "ada", {"path": "a folder/wéights.bin"})
    assert made.status_code == 201
    assert made.headers["content-type"] == LFS
    taken = made.json()["lock"]
    assert taken.pop("id")
    assert taken == {
        "path": "a folder/wéights.bin",
        "locked_at": wire(world.hub.clock()),
        "owner": {"name": "ada"},
    }


def test_a_path_has_one_lock_whoever_asks_for_the_next(world: World):
    first = lock(world, "x.bin")
    for who in ("ada", "ben"):
        second = ask(world, "", who, {"path": "x.bin", "ref": {"name": "refs/heads/other"}})
        assert second.status_code == 409
        assert second.json()["lock"] == first
        assert "x.bin is locked by ada already" in second.json()["message"]


def test_of_many_who_lock_at_once_one_gets_it(world: World):
    answers: list[int] = []

    def take(who: str) -> None:
        answers.append(ask(world, "", who, {"path": "x.bin"}).status_code)

    threads = [threading.Thread(target=take, args=(who,)) for who in ("ada", "ben") * 3]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(answers) == [201, 409, 409, 409, 409, 409]


def test_locks_are_listed_by_path_and_found_by_path_and_id(world: World):
    b, a = lock(world, "b"), lock(world, "a", "ben")
    assert paths(ask(world, "", None)) == ["a", "b"]
    assert paths(ask(world, "?path=b&refspec=refs/heads/topic", "eve")) == ["b"]
    assert paths(ask(world, f"?id={a['id']}", "eve")) == ["a"]
    assert paths(ask(world, f"?id={b['id']}&path=b", "eve")) == ["b"]
    for nothing in (f"?id={b['id']}&path=a", "?path=c", "?id=1", "?id=%00"):
        assert paths(ask(world, nothing, "eve")) == []


def test_pages_follow_each_other_by_cursor(world: World):
    names = [f"f{n}" for n in range(5)]
    for name in reversed(names):
        lock(world, name, "ada" if name != "f2" else "ben")
    seen, cursor = [], ""
    while True:
        page = ask(world, f"?limit=2{cursor}", "ada")
        seen.append(paths(page))
        if not page.json().get("next_cursor"):
            break
        cursor = f"&cursor={page.json()['next_cursor']}"
    assert seen == [["f0", "f1"], ["f2", "f3"], ["f4"]]

    first = ask(world, "/verify", "ada", {"limit": 3, "ref": {"name": "refs/heads/main"}})
    assert (paths(first, "ours"), paths(first, "theirs")) == (["f0", "f1"], ["f2"])
    rest = ask(world, "/verify", "ada", {"limit": 3, "cursor": first.json()["next_cursor"]})
    assert (paths(rest, "ours"), paths(rest, "theirs")) == (["f3", "f4"], [])
    assert "next_cursor" not in rest.json()


def test_a_page_has_an_end_whatever_is_asked_for(world: World):
    lock(world, "f")
    row = select(lfs_locks.c.repo_id, lfs_locks.c.owner_id, lfs_locks.c.locked_at)

    def work(conn) -> None:
        first = conn.execute(row).first()._asdict()
        more = [{**first, "public_id": f"{n:024d}", "path": f"f{n:03d}"} for n in range(120)]
        conn.execute(lfs_locks.insert(), more)

    world.hub.write(work)
    for limit in ("", "?limit=100000", "?limit=0"):
        assert len(paths(ask(world, limit, "ada"))) == 100
    verified = ask(world, "/verify", "ada", {"limit": 100_000}).json()
    assert len(verified["ours"]) == 100


@on_sqlite
def test_a_page_reads_no_more_locks_than_it_shows(world: World):
    lock(world, "f")
    plans: list[str] = []

    def explain(conn, _cursor, statement, parameters, _context, _many) -> None:
        if "lfs_locks.path >" in statement:
            plan = conn.connection.driver_connection.execute(
                f"EXPLAIN QUERY PLAN {statement}", parameters
            )
            plans.extend(step[3] for step in plan.fetchall())

    engine = world.hub.app.db._read_side.engine
    event.listen(engine, "before_cursor_execute", explain)
    ask(world, "", "ada")
    assert any("lfs_locks USING INDEX" in step and "path>?" in step for step in plans), plans
    assert not any("TEMP B-TREE" in step for step in plans), plans


def test_who_locked_unlocks(world: World):
    taken = lock(world, "x.bin")
    gone = ask(world, f"/{taken['id']}/unlock", "ada", {"ref": {"name": "refs/heads/main"}})
    assert gone.status_code == 200
    assert gone.json() == {"lock": taken}
    assert paths(ask(world, "", "ada")) == []
    again = ask(world, f"/{taken['id']}/unlock", "ada", {"force": True})
    assert again.status_code == 404
    assert "no such lock" in again.json()["message"]


def test_others_locks_are_forced_by_who_administers(world: World):
    taken = lock(world, "x.bin")

    def unlock(who: str | None, *, force: bool) -> httpx.Response:
        return ask(world, f"/{taken['id']}/unlock", who, {"force": force})

    assert [unlock(who, force=True).status_code for who in ("ada_read", "rob", "eve", None)] == [
        403,
        403,
        403,
        401,
    ]
    for who, force in (("ben", False), ("ben", True), ("cyd", False)):
        answer = unlock(who, force=force)
        assert answer.status_code == 403
        assert "x.bin is locked by ada" in answer.json()["message"]
    assert paths(ask(world, "", "ada")) == ["x.bin"]
    assert unlock("cyd", force=True).json() == {"lock": taken}
    assert paths(ask(world, "", "ada")) == []


def test_who_may_not_write_locks_nothing(world: World):
    for who, status in ((None, 401), ("eve", 403), ("ada_read", 403)):
        answers = [ask(world, "", who, {"path": "x"}), ask(world, "/verify", who, {})]
        for answer in answers:
            assert answer.status_code == status
            assert answer.json()["message"]
            assert ("lfs-authenticate" in answer.headers) is (status == 401)
            assert ("www-authenticate" in answer.headers) is (status == 401)


def test_locks_of_another_repository_are_out_of_reach(world: World):
    world.repo("lab/other")
    taken = lock(world, "x.bin", repo="lab/other")
    assert ask(world, f"/{taken['id']}/unlock", "cyd", {"force": True}).status_code == 404
    assert paths(ask(world, f"?id={taken['id']}", "ada")) == []
    assert lock(world, "x.bin", "ben")["owner"] == {"name": "ben"}


SENSELESS = [
    ("", {"path": ""}, "empty"),
    ("", {"path": "../x"}, "'..'"),
    ("", {"path": "/etc/passwd"}, "absolute"),
    ("", {"path": "a/.GIT/config"}, "git's own folder"),
    ("", {"path": "a\0b"}, "control character"),
    ("", {"path": "x" * 5000}, "path"),
    ("", {"path": "x", "ref": {"name": "r" * 600}}, "ref"),
    ("", {"path": "x", "ref": {"name": "\0"}}, "ref"),
    ("", {}, "path"),
    ("?path=../x", None, "'..'"),
    ("?limit=-1", None, "limit"),
    ("?limit=many", None, "limit"),
    ("?cursor=nonsense", None, "cursor"),
    ("?cursor=WyJcdTAwMDAiXQ", None, "cursor"),
    ("?colour=red", None, "colour"),
    ("/verify", {"limit": -1}, "limit"),
    ("/verify", {"cursor": "WzFd"}, "cursor"),
]


def test_what_makes_no_sense_is_refused_with_the_reason(world: World):
    for what, body, word in SENSELESS:
        answer = ask(world, what, "ada", body)
        assert answer.status_code in (400, 422), answer.text
        assert word in answer.json()["message"]


def test_a_moved_repository_keeps_its_locks_and_leads_on(world: World):
    lock(world, "x.bin", "cyd")
    moved = world.call(
        "POST", "/api/repos/move", "cyd", {"fromRepo": REPO, "toRepo": "lab/n", "type": "model"}
    )
    assert moved.status_code == 200, moved.text
    answer = ask(world, "?path=x.bin", "ada")
    assert answer.status_code == 307
    assert answer.headers["location"] == "/lab/n.git/info/lfs/locks?path=x.bin"
    assert paths(ask(world, "?path=x.bin", "ada", repo="lab/n")) == ["x.bin"]


def test_locks_go_with_who_holds_them_and_with_their_repository(world: World):
    lock(world, "a", "ada")
    lock(world, "b", "ben")
    world.hub.write(lambda conn: commands.delete_account(conn, "user", "ben", world.hub.clock()))
    assert paths(ask(world, "", "ada")) == ["a"]

    body = {"organization": "lab", "name": "m"}
    gone = world.call("DELETE", "/api/repos/delete", "cyd", body)
    assert gone.status_code == 200, gone.text
    assert ask(world, "", "cyd").status_code == 404
    world.repo(REPO)
    assert paths(ask(world, "", "cyd")) == []
    world.hub.run_jobs()
    left = select(func.count()).select_from(lfs_locks)
    assert world.hub.read(lambda conn: conn.execute(left).scalar()) == 0
