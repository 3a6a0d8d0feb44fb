# SPDX-License-Identifier: Apache-2.0
"""How pushes land, on both databases: with others at work, and with all that follows a commit."""

import os
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, update

from hubkeep.content import pushing
from hubkeep.db.tables import (
    accounts,
    files,
    git_commits,
    git_refs,
    jobs,
    repo_files,
    repos,
    tokens,
)
from hubkeep.git.ancestry import is_ancestor
from hubkeep.git.push.incoming import Incoming
from hubkeep.repos.types import DELETED
from hubkeep.transfer.smart import push_answer, push_work
from tests.content.shelf import Shelf
from tests.git.workshop import Workshop
from tests.harness.hub import TestHub, on_sqlite
from tests.transfer.smart.handmade import NOTHING, Bench, answer_of, request_body

MAIN = "refs/heads/main"
SIDE = "refs/heads/side"


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    return Shelf(hub).create()


@pytest.fixture
def bench(shelf: Shelf, tmp_path: Path) -> Bench:
    return Bench(shelf.hub, tmp_path / "bench").begin()


@pytest.fixture
def tip(shelf: Shelf, hub: TestHub) -> str:
    """Where the default branch is."""
    return hub.get(shelf.api).json()["sha"]


def test_a_right_that_is_lost_while_the_push_is_looked_through_is_lost(
    bench: Bench, hub: TestHub, tip: str, monkeypatch: pytest.MonkeyPatch
):
    check = Incoming.check

    def slow_check(self, conn, repo, tips):
        checked = check(self, conn, repo, tips)
        hub.write(lambda conn: conn.execute(tokens.delete()))
        return checked

    monkeypatch.setattr(Incoming, "check", slow_check)
    commit = bench.commit({"a": b"1"})
    answer = bench.push((NOTHING, commit, SIDE), pack=bench.pack(commit))
    assert answer.refs == {SIDE: "failed to update ref"}
    assert "Invalid credentials" in answer.said
    assert hub.read(lambda conn: conn.execute(select(git_refs.c.name)).scalars().all()) == [MAIN]


def test_a_right_that_is_lost_on_the_way_is_lost(bench: Bench, hub: TestHub, tip: str):
    commit = bench.commit({"a": b"1"})
    body = request_body([(NOTHING, commit, SIDE)], bench.pack(commit))

    def slowly() -> Iterator[bytes]:
        yield body[:60]
        hub.write(lambda conn: conn.execute(tokens.delete()))
        yield body[60:]

    answer = answer_of(bench.send(slowly()).content)
    assert answer.refs == {SIDE: "failed to update ref"}
    assert "Invalid credentials" in answer.said
    with_root = hub.read(lambda conn: conn.execute(select(git_refs.c.name)).scalars().all())
    assert with_root == [MAIN]
    assert bench.leftovers() == []


@on_sqlite
def test_a_repository_that_goes_on_the_way_is_gone(bench: Bench, hub: TestHub, tip: str):
    commit = bench.commit({"a": b"1"})
    body = request_body([(NOTHING, commit, SIDE)], bench.pack(commit))

    def slowly() -> Iterator[bytes]:
        yield body[:60]
        hub.write(lambda conn: conn.execute(update(repos).values(type=DELETED)))
        yield body[60:]

    answer = answer_of(bench.send(slowly()).content)
    assert answer.refs == {SIDE: "failed to update ref"}
    assert "Repository not found" in answer.said


def test_commits_count_as_the_work_of_who_pushes_and_of_nobody_else(bench: Bench, hub: TestHub):
    emails = {
        "bob@users.noreply.hubkeep": None,
        "alice@users.noreply.hubkeep": "alice",
        "ALICE@example.org": "alice",
        "someone@example.org": None,
        "": None,
    }
    parent: list[str] = []
    by_commit: dict[str, str | None] = {}
    for email, name in emails.items():
        env = {"GIT_AUTHOR_EMAIL": email}
        above = [word for each in parent for word in ("-p", each)]
        tree = bench.tree({})
        commit = bench.git("commit-tree", *above, "-m", "x", tree, env=env)
        parent = [commit]
        by_commit[commit] = name
    assert bench.push((NOTHING, parent[0], SIDE), pack=bench.pack(*parent)).refs == {SIDE: "ok"}
    query = select(git_commits.c.oid, accounts.c.name).outerjoin(
        accounts, accounts.c.id == git_commits.c.author_id
    )
    found = {row[0].hex(): row[1] for row in hub.read(lambda conn: conn.execute(query).all())}
    assert {commit: found[commit] for commit in by_commit} == by_commit


def test_sizes_and_storage_are_counted_from_what_is_known(bench: Bench, hub: TestHub, tip: str):
    def columns() -> tuple[int, int]:
        query = select(repos.c.head_size, repos.c.used_storage)
        return tuple(hub.read(lambda conn: conn.execute(query).one()))

    size, used = columns()
    attributes = bench.hub.get("/alice/shelf/resolve/main/.gitattributes").content
    assert size == len(attributes)
    one = bench.commit({".gitattributes": attributes, "a": b"1" * 1000})
    two = bench.commit({".gitattributes": attributes, "a": b"2" * 3000}, one)
    assert bench.push((tip, two, MAIN), pack=bench.pack(two)).refs == {MAIN: "ok"}
    assert columns() == (size + 3000, used + 4000)
    # A branch at a commit in the middle, of which nothing is known, and an API commit on it.
    assert bench.push((NOTHING, one, SIDE)).refs == {SIDE: "ok"}
    hub.write(lambda conn: conn.execute(update(git_commits).values(size=None)))
    shelf = Shelf(hub)
    assert shelf.commit({"b": b"3" * 10}).status_code == 200
    assert columns() == (size + 3010, used + 4010)
    three = bench.commit({"a": b"2" * 3000}, two)
    now = bench.api().json()["sha"]
    assert bench.push((now, three, MAIN), pack=bench.pack(three)).refs == {MAIN: "ok"}
    assert columns() == (3000, used + 4010)


@on_sqlite
def test_commits_in_the_middle_of_a_push_say_what_they_are(bench: Bench, tip: str):
    card = b"---\nlicense: %b\n---\n"
    one = bench.commit({"README.md": card % b"mit"})
    two = bench.commit({"README.md": card % b"apache-2.0"}, one)
    assert bench.push((tip, two, MAIN), pack=bench.pack(two)).refs == {MAIN: "ok"}
    for _ in range(2):
        for rev, licence in ((one, "mit"), (two, "apache-2.0"), ("main", "apache-2.0")):
            info = bench.api(f"/revision/{rev}").json()
            assert (info["cardData"], f"license:{licence}" in info["tags"]) == (
                {"license": licence},
                True,
            )
    assert "cardData" not in bench.api(f"/revision/{tip}").json()


@on_sqlite
def test_other_branches_are_described_when_somebody_looks(bench: Bench, hub: TestHub):
    card = bench.commit({"README.md": b"---\nlicense: mit\n---\n", "a": b"1" * 100})
    assert bench.push((NOTHING, card, SIDE), pack=bench.pack(card)).refs == {SIDE: "ok"}
    at_tip = select(git_commits.c.facts_id, git_commits.c.size).where(
        git_commits.c.oid == bytes.fromhex(card)
    )
    # A push may bring thousands of branches: nothing is read for them while others wait.
    assert hub.read(lambda conn: conn.execute(at_tip).one()) == (None, None)
    side = SIDE.removeprefix("refs/heads/")
    assert bench.api(f"/revision/{side}").json()["cardData"] == {"license": "mit"}
    assert Shelf(hub).commit({"b": b"2" * 10}, rev=side).status_code == 200
    made = bytes.fromhex(bench.api(f"/revision/{side}").json()["sha"])
    size = select(git_commits.c.size).where(git_commits.c.oid == made)
    assert hub.read(lambda conn: conn.execute(size).scalar_one()) == 21 + 100 + 10


def test_what_nothing_leads_to_any_more_is_collected_later(bench: Bench, hub: TestHub, tip: str):
    def queued() -> int:
        rows = hub.read(lambda conn: conn.execute(select(jobs.c.kind)).scalars().all())
        return rows.count("content.collect-garbage")

    one = bench.commit({"a": b"1"})
    two = bench.commit({"a": b"2"}, one)
    other = bench.commit({"a": b"3"})
    assert bench.push((NOTHING, one, SIDE), pack=bench.pack(one)).refs == {SIDE: "ok"}
    assert bench.push((one, two, SIDE), pack=bench.pack(two)).refs == {SIDE: "ok"}
    assert queued() == 0
    assert bench.push((two, other, SIDE), pack=bench.pack(other)).refs == {SIDE: "ok"}
    assert queued() == 1
    hub.clock.move(hours=2)
    hub.run_jobs()
    assert bench.api(f"/revision/{two}").status_code == 404
    assert bench.push((other, NOTHING, SIDE)).refs == {SIDE: "ok"}
    hub.clock.move(hours=2)
    hub.run_jobs()
    assert bench.api(f"/revision/{other}").status_code == 404
    assert bench.refs() == {MAIN: tip}


def test_many_refs_that_move_are_not_looked_for_in_history_one_by_one(
    bench: Bench, hub: TestHub, tip: str, monkeypatch: pytest.MonkeyPatch
):
    """Others wait for the transaction; whether something was lost is found out afterwards."""
    walks: list[bytes] = []

    def counted(conn, repo_id, old, new):
        walks.append(old)
        return is_ancestor(conn, repo_id, old, new)

    monkeypatch.setattr(pushing, "is_ancestor", counted)
    line: list[str] = []
    for n in range(20):
        line.append(bench.commit({"a": b"%d" % n}, *line[-1:]))
    names = [f"refs/heads/b{n}" for n in range(20)]
    made = zip(repeat(NOTHING), line, names, strict=False)
    assert set(bench.push(*made, pack=bench.pack(line[-1])).refs.values()) == {"ok"}
    moved = zip(line[:-1], repeat(line[-1]), names, strict=False)
    assert set(bench.push(*moved).refs.values()) == {"ok"}
    assert len(walks) < 10
    hub.clock.move(hours=2)
    hub.run_jobs()
    assert bench.refs() == {MAIN: tip, **dict.fromkeys(names, line[-1])}
    assert bench.api(f"/revision/{line[0]}").status_code == 200


def test_who_commits_while_a_push_is_looked_through_has_won(
    bench: Bench, hub: TestHub, tip: str, monkeypatch: pytest.MonkeyPatch
):
    """The refs are compared again in the transaction that moves them."""
    repo_id = hub.read(lambda conn: conn.execute(select(repos.c.id)).scalar_one())
    check = Incoming.check
    theirs: list[str] = []

    def slow_check(self, conn, repo, tips):
        checked = check(self, conn, repo, tips)
        made = Workshop(hub.app.db, repo_id).commit({"theirs": b"%d" % len(theirs)}, at=hub.clock())
        theirs.append(made.oid.hex())
        return checked

    monkeypatch.setattr(Incoming, "check", slow_check)
    mine = bench.commit({"mine": b"1"})
    answer = bench.push((tip, mine, MAIN), (NOTHING, mine, SIDE), pack=bench.pack(mine))
    assert answer.refs == {MAIN: "failed to update ref", SIDE: "ok"}
    assert "somebody else has pushed" in answer.said
    assert bench.refs() == {MAIN: theirs[0], SIDE: mine}
    atomic = "report-status side-band-64k atomic"
    answer = bench.push(
        (theirs[0], mine, MAIN), (mine, theirs[0], SIDE), pack=b"", capabilities=atomic
    )
    assert answer.refs == {MAIN: "failed to update ref", SIDE: "atomic push failure"}
    assert bench.refs() == {MAIN: theirs[1], SIDE: mine}
    assert bench.leftovers() == []


def test_a_file_whose_hash_is_only_claimed_is_waited_for(bench: Bench, hub: TestHub, tip: str):
    Shelf(hub, "alice/other").create()
    oid = os.urandom(32)

    def claim(conn: Connection) -> None:
        other = conn.execute(select(repos.c.id).where(repos.c.path == "alice/other")).scalar_one()
        made = insert(files).values(size=5, created_at=0, xet_hash=oid, whole=False)
        file = conn.execute(made.returning(files.c.id)).scalar_one()
        values = {"repo_id": other, "file_id": file, "oid": oid, "public_id": "f" * 24}
        conn.execute(insert(repo_files).values(**values, pushed_at=0))

    hub.write(claim)
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%b\nsize 5\n"
    commit = bench.commit({"a.bin": pointer % oid.hex().encode()})
    answer = bench.push((NOTHING, commit, SIDE), pack=bench.pack(commit))
    assert answer.refs == {SIDE: "failed to update ref"}
    assert f"still being checked, try again in a moment: {oid.hex()}" in answer.said
    assert bench.refs() == {MAIN: tip}


@on_sqlite
def test_two_pointers_of_one_file_with_two_sizes_are_refused(bench: Bench, tip: str):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%b\nsize %d\n"
    named = {f"{size}.bin": pointer % (b"ab" * 32, size) for size in (5, 6)}
    commit = bench.commit(named)
    answer = bench.push((NOTHING, commit, SIDE), pack=bench.pack(commit))
    assert answer.refs == {SIDE: "pre-receive hook declined"}
    assert "one LFS file" in answer.said


@on_sqlite
def test_a_client_is_told_that_the_hub_still_works(
    bench: Bench, tip: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(push_answer, "KEEP_ALIVE_SECONDS", 0.0)
    commit = bench.commit({"a": b"1"})
    sent = bench.send(request_body([(NOTHING, commit, SIDE)], bench.pack(commit)))
    assert b"0005\x01" in sent.content
    assert answer_of(sent.content).refs == {SIDE: "ok"}


@on_sqlite
def test_a_push_that_does_not_get_its_turn_is_told_so(
    bench: Bench, hub: TestHub, tip: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(push_work, "TURN_SECONDS", 0.0)
    turns = hub.app.config.git_processes
    portal = hub.client.portal
    assert portal is not None
    for _ in range(turns):
        portal.call(hub.app.git_turns.acquire)
    commit = bench.commit({"a": b"1"})
    pack = bench.pack(commit)
    answer = bench.push((NOTHING, commit, SIDE), pack=pack)
    assert answer.refs == {SIDE: "failed to update ref"}
    assert "busy with other fetches and pushes; try again" in answer.said
    portal.call(hub.app.git_turns.release)
    monkeypatch.setattr(push_work, "TURN_SECONDS", 60.0)
    for _ in range(2):
        answer = bench.push((NOTHING, commit, SIDE), pack=pack)
    assert answer.refs == {SIDE: "failed to update ref"}
    assert bench.refs() == {MAIN: tip, SIDE: commit}


@on_sqlite
def test_what_a_dead_process_left_is_swept(bench: Bench, hub: TestHub, tip: str):
    above = hub.app.config.data / "incoming"
    for name, hours in (("old", 25), ("young", 1)):
        (above / name).mkdir(parents=True)
        (above / name / "pack").write_bytes(b"1")
        then = (above / name).stat().st_mtime - hours * 3600
        os.utime(above / name, (then, then))
    commit = bench.commit({"a": b"1"})
    assert bench.push((NOTHING, commit, SIDE), pack=bench.pack(commit)).refs == {SIDE: "ok"}
    assert [each.name for each in bench.leftovers()] == ["young"]


@on_sqlite
def test_too_many_refs_at_once_are_refused(bench: Bench, tip: str):
    commit = bench.commit({"a": b"1"})
    commands = [(NOTHING, commit, f"refs/tags/t{number}") for number in range(2001)]
    answer = bench.push(*commands, pack=bench.pack(commit))
    assert set(answer.refs.values()) == {"pre-receive hook declined"}
    assert "push 2000 at most at once" in answer.said
    answer = bench.push(*commands[:2000], pack=bench.pack(commit))
    assert set(answer.refs.values()) == {"ok"}
    assert len(bench.refs()) == 2001


@on_sqlite
def test_a_pack_too_large_for_memory_comes_over_the_disk(bench: Bench, tip: str):
    content = os.urandom(5 << 20)
    commit = bench.commit({"a": content})
    body = request_body([(NOTHING, commit, SIDE)], bench.pack(commit))
    pieces = (body[at : at + 100_000] for at in range(0, len(body), 100_000))
    assert answer_of(bench.send(pieces).content).refs == {SIDE: "ok"}
    assert bench.hub.get("/alice/shelf/resolve/side/a").content == content
    assert bench.leftovers() == []
