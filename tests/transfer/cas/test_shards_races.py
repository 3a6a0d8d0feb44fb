# SPDX-License-Identifier: Apache-2.0
"""Shards, checks, commits, unlinking and collecting that meet, on both databases."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Connection, delete, select, update

from hubkeep.blobs import whole_key
from hubkeep.db.tables import files, repo_files, repos, xorbs
from hubkeep.transfer.cas.queries_checking import UncheckedFile, settle
from hubkeep.transfer.cas.queries_collecting import retire_xorbs
from hubkeep.transfer.cas.queries_landing import NewFile, land_files
from hubkeep.transfer.cas.queries_shards import nameable_xorbs
from hubkeep.transfer.queries import WantedFile, link_for_commit, linked_files
from hubkeep.transfer.queries_collecting import collect_file, retire_files
from hubkeep.transfer.queries_files import unlink
from tests.transfer.cas.parcels import Sent, claims, file_row, keep, parcel, post, whole
from tests.transfer.cas.world import Xorb, make_xorb, row_of, store_of
from tests.transfer.town import Town

pytestmark = pytest.mark.anyio


Begin = Callable[[Coroutine], asyncio.Task]


@asynccontextmanager
async def held_open(town: Town, work: Callable[[Connection], object]) -> AsyncIterator[Begin]:
    """A transaction that has done its work, and ends when what the block begins waits for it."""
    done, go_on = threading.Event(), threading.Event()

    def fn(conn: Connection) -> None:
        work(conn)
        done.set()
        go_on.wait(10)

    begun: list[asyncio.Task] = []

    def begin(call: Coroutine) -> asyncio.Task:
        begun.append(asyncio.create_task(call))
        return begun[-1]

    writing = asyncio.create_task(town.app.db.write(fn))
    await asyncio.to_thread(done.wait, 10)
    try:
        yield begin
        early, _ = await asyncio.wait(begun, timeout=0.3)
    finally:
        go_on.set()
        await writing
    assert not early


async def pushed(town: Town, *names: str) -> tuple[Xorb, Sent]:
    """A file that repositories hold, and the xorb that it is made of."""
    xorb = make_xorb()
    await keep(town, "ann", xorb)
    for name in names:
        town.repo(name)
        answer = await post(await store_of(town, "ann", name), parcel(whole(xorb)))
        assert answer.status_code == 200, answer.text
    return xorb, whole(xorb)


def row_id(town: Town, sent: Sent) -> int:
    return file_row(town, sent).id


def unchecked(town: Town, sent: Sent) -> UncheckedFile:
    """A file as who checks it knows it."""
    return UncheckedFile(row_id(town, sent), sent.hash, len(sent.content))


def take_away(town: Town, repo: str) -> Callable[[Connection], object]:
    """What takes all files from a repository."""

    def work(conn: Connection) -> None:
        links = select(repo_files.c.public_id).where(repo_files.c.repo_id == town.ids[repo])
        unlink(conn, town.ids[repo], list(conn.execute(links).scalars()), town.time())

    return work


async def test_a_check_while_the_same_file_comes_by_git_lfs(town: Town):
    """The insert is not seen by who locks the rows, and makes its sha256 one too many."""
    xorb, sent = await pushed(town, "ann/m")
    file = unchecked(town, sent)
    row = {"sha256": sent.sha256, "size": len(sent.content), "created_at": 0}

    async with held_open(town, lambda conn: conn.execute(files.insert().values(**row))) as begin:
        settling = begin(
            town.app.db.write(lambda conn: settle(conn, file, sent.sha256, town.time()))
        )

    assert await settling == []
    (found,) = town.app.db.read_now(lambda conn: conn.execute(select(files)).all())
    assert (found.sha256, found.xet_hash, found.whole) == (sent.sha256, sent.hash, True)
    assert claims(town, "ann/m") == {sent.name: sent.sha256}
    assert row_of(town, xorb).unlinked_at is None


async def united(town: Town) -> tuple[Sent, Callable[[Connection], object]]:
    """A file in `ann/m`, and what makes it one with a file of git-lfs's."""
    _, sent = await pushed(town, "ann/m")
    file = unchecked(town, sent)
    town.repo("ann/lfs")
    await town.upload("ann", "ann/lfs", sent.content)
    return sent, lambda conn: settle(conn, file, sent.sha256, town.time())


async def test_a_shard_while_its_file_becomes_one_with_another(town: Town):
    sent, unite = await united(town)
    town.repo("ann/other")
    store = await store_of(town, "ann", "ann/other")

    async with held_open(town, unite) as begin:
        posting = begin(post(store, parcel(sent)))

    answer = await posting
    assert (answer.status_code, answer.json()) == (200, {"result": 1})
    assert claims(town, "ann/other") == claims(town, "ann/m") == {sent.name: sent.sha256}
    (found,) = town.app.db.read_now(lambda conn: conn.execute(select(files)).all())
    assert found.whole


async def test_a_commit_while_its_file_becomes_one_with_another(town: Town):
    """In a gated repository, where it cannot be found by the way of others."""
    sent, unite = await united(town)
    gated = update(repos).values(gated="auto")
    town.app.db.write_now(lambda conn: conn.execute(gated))
    actor, seen = town.actor("ann"), town.seen("ann", "ann/m")
    wanted = {sent.sha256: WantedFile("w.bin", len(sent.content), "main")}

    async with held_open(town, unite) as begin:
        committing = begin(
            town.app.db.write(lambda conn: link_for_commit(conn, seen, actor, wanted, town.time()))
        )

    assert list((await committing).found) == [sent.sha256]
    named = select(repo_files.c.filename).where(repo_files.c.repo_id == town.ids["ann/m"])
    assert town.app.db.read_now(lambda conn: conn.execute(named).scalars().all()) == ["w.bin"]


async def test_a_check_while_a_commit_names_the_file(town: Town):
    sent, unite = await united(town)
    actor, seen = town.actor("ann"), town.seen("ann", "ann/m")
    wanted = {sent.sha256: WantedFile("w.bin", len(sent.content), "main")}

    async with held_open(
        town, lambda conn: link_for_commit(conn, seen, actor, wanted, town.time())
    ) as begin:
        settling = begin(town.app.db.write(unite))

    assert await settling == []
    found = town.app.db.read_now(lambda conn: linked_files(conn, town.ids["ann/m"], [sent.sha256]))
    assert found[sent.sha256].whole
    named = select(repo_files.c.filename).where(repo_files.c.repo_id == town.ids["ann/m"])
    assert town.app.db.read_now(lambda conn: conn.execute(named).scalars().all()) == ["w.bin"]


async def test_a_check_while_the_file_is_taken_away(town: Town):
    sent, unite = await united(town)

    async with held_open(town, take_away(town, "ann/m")) as begin:
        settling = begin(town.app.db.write(unite))

    assert await settling == []
    (found,) = town.app.db.read_now(lambda conn: conn.execute(select(files)).all())
    assert (found.xet_hash, found.unlinked_at) == (sent.hash, None)
    assert claims(town, "ann/m") == {}


async def test_a_check_while_its_twin_is_collected(town: Town):
    sent, unite = await united(town)
    town.app.db.write_now(take_away(town, "ann/lfs"))
    twin = town.app.db.read_now(
        lambda conn: conn.execute(select(files.c.id).where(files.c.whole)).scalar_one()
    )
    path = town.app.blobs.local_path(whole_key(sent.sha256.hex()))
    later = town.time() + 1

    def collect(conn: Connection) -> None:
        assert retire_files(conn, [twin], later) == [twin]
        assert collect_file(conn, twin, later, later, lambda _key: path.unlink())

    async with held_open(town, collect) as begin:
        settling = begin(town.app.db.write(unite))

    assert await settling == []
    (found,) = town.app.db.read_now(lambda conn: conn.execute(select(files)).all())
    assert (found.sha256, found.whole, found.unlinked_at) == (sent.sha256, False, None)


async def test_a_shard_while_the_last_link_of_its_file_is_taken_away(town: Town):
    _, sent = await pushed(town, "ann/m")
    town.repo("ann/other")
    store = await store_of(town, "ann", "ann/other")

    async with held_open(town, take_away(town, "ann/m")) as begin:
        posting = begin(post(store, parcel(sent)))

    assert (await posting).status_code == 200
    assert file_row(town, sent).unlinked_at is None


async def test_a_shard_while_its_file_is_collected(town: Town):
    """The file is made anew; its xorbs were not collected with it."""
    xorb, sent = await pushed(town, "ann/m")
    old = row_id(town, sent)
    town.app.db.write_now(take_away(town, "ann/m"))
    store, later = await store_of(town, "ann", "ann/m"), town.time() + 1

    def collect(conn: Connection) -> None:
        assert collect_file(conn, old, later, later, lambda _key: None) == 0

    async with held_open(town, collect) as begin:
        posting = begin(post(store, parcel(sent)))

    answer = await posting
    assert (answer.status_code, answer.json()) == (200, {"result": 1})
    assert claims(town, "ann/m") == {sent.name: sent.sha256}
    assert row_of(town, xorb).unlinked_at is None


async def test_a_shard_while_its_xorb_is_collected(town: Town):
    xorb = make_xorb()
    await keep(town, "ann", xorb)
    town.repo("ann/m")
    store, later = await store_of(town, "ann", "ann/m"), town.time() + 1
    xorb_id = row_of(town, xorb).id

    async with held_open(town, lambda conn: retire_xorbs(conn, [xorb_id], later)) as begin:
        posting = begin(post(store, parcel(whole(xorb))))

    assert "not found" in (await posting).json()["error"]
    assert town.app.db.read_now(lambda conn: conn.execute(select(files)).all()) == []


async def test_a_xorb_is_not_collected_while_a_shard_names_it(town: Town):
    xorb = make_xorb()
    await keep(town, "ann", xorb)
    repo, actor, sent = town.repo("ann/m"), town.actor("ann"), whole(xorb)
    xorb_id, later = row_of(town, xorb).id, town.time() + 1

    def land(conn: Connection) -> None:
        named = nameable_xorbs(conn, actor, repo, [xorb.hash], hub_wide=False)
        new = NewFile(sent.hash, len(sent.content), sent.terms, sent.sha256, None, xorb.hashes[0])
        assert land_files(conn, repo, actor.user_id, [new], named, {}, later).is_new

    async with held_open(town, land) as begin:
        collecting = begin(town.app.db.write(lambda conn: retire_xorbs(conn, [xorb_id], later)))

    assert await collecting == []
    assert (row_of(town, xorb).ready, row_of(town, xorb).unlinked_at) == (True, None)


async def test_two_shards_with_the_same_files_in_another_order(town: Town):
    found = [make_xorb() for _ in range(6)]
    await keep(town, "ann", *found)
    names = [f"ann/m{k}" for k in range(4)]
    stores = []
    for name in names:
        town.repo(name)
        stores.append(await store_of(town, "ann", name))
    sent = [whole(xorb) for xorb in found]

    answers = await asyncio.gather(
        *(post(store, parcel(*sent[:: 1 if k % 2 else -1])) for k, store in enumerate(stores))
    )

    assert [answer.status_code for answer in answers] == [200] * 4
    rows = town.app.db.read_now(lambda conn: conn.execute(select(files)).all())
    assert len(rows) == 6
    assert all(len(claims(town, name)) == 6 for name in names)


async def test_a_link_that_goes_while_it_is_checked(town: Town):
    """A repository that is deleted takes its links with it."""
    _, sent = await pushed(town, "ann/m", "ann/other")
    file = unchecked(town, sent)

    def forget(conn: Connection) -> None:
        conn.execute(delete(repo_files).where(repo_files.c.repo_id == town.ids["ann/m"]))

    async with held_open(town, forget) as begin:
        settling = begin(town.app.db.write(lambda conn: settle(conn, file, b"x" * 32, town.time())))

    lies = await settling
    assert [(lie.repo, lie.user, lie.sha256) for lie in lies] == [("ann/other", "ann", sent.sha256)]
    assert town.app.db.read_now(lambda conn: conn.execute(select(xorbs)).all())
