# SPDX-License-Identifier: Apache-2.0
"""Deleting chunks that no file needs, whatever uploads do meanwhile."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, select, update

from hubkeep.db.tables import file_xorbs, xorb_chunks, xorbs
from hubkeep.kit.time import DAY
from hubkeep.transfer.cas.collecting import collect_xorbs, find_stray_xorbs
from hubkeep.transfer.cas.queries_collecting import collect_xorb, retire_xorbs
from hubkeep.transfer.jobs import GRACE, NOTHING_FREED, collect_files
from tests.transfer.cas.stored import (
    body_of,
    chunks_of,
    column,
    key_of,
    known_xorbs,
    let_go,
    put_bytes,
    put_file,
    put_xorb,
    stored_xorbs,
)
from tests.transfer.town import Town

pytestmark = pytest.mark.anyio

XORB_GRACE = 30 * DAY


class Killed(BaseException):
    """The process dies here."""


async def test_a_xorb_goes_its_grace_time_after_its_last_file(town: Town):
    chunks = chunks_of(1)
    size = len(body_of(chunks)[1])
    xorb = await put_xorb(town, chunks)
    for repo in ("ann/m", "bob/m"):
        town.repo(repo)
    first, _ = put_file(town, "ann/m", [(xorb, chunks, 0, 2)])
    second, _ = put_file(town, "bob/m", [(xorb, chunks, 1, 4)])

    let_go(town, "ann/m", first)
    town.time.now += GRACE + 1
    await collect_files(town.app)
    town.time.now += 2 * XORB_GRACE
    needed = await collect_xorbs(town.app)
    let_go(town, "bob/m", second)
    town.time.now += GRACE + 1
    files = await collect_files(town.app)
    town.time.now += XORB_GRACE
    early = await collect_xorbs(town.app)
    town.time.now += 1
    due = await collect_xorbs(town.app)

    assert (needed, early, due) == (NOTHING_FREED, NOTHING_FREED, (1, size))
    assert files == (1, 0)
    assert (known_xorbs(town), await stored_xorbs(town)) == (set(), [])


async def test_a_xorb_that_never_got_a_file_goes_damaged_or_not(town: Town):
    names = [await put_xorb(town, chunks_of(seed)) for seed in range(3)]
    for hash_, values in (
        (names[0], {"damaged_at": 1}),
        (names[1], {"ready": False}),
    ):
        change = update(xorbs).where(xorbs.c.hash == hash_).values(**values)
        town.app.db.write_now(lambda conn, change=change: conn.execute(change))
    town.time.now += XORB_GRACE + 1
    assert (await collect_xorbs(town.app)).count == 3
    assert await stored_xorbs(town) == []


async def test_a_run_of_the_job_is_bounded(quick_town: Town):
    for seed in range(3):
        await put_xorb(quick_town, chunks_of(seed, count=1, size=10))
    quick_town.time.now += XORB_GRACE + 1
    # Not to the xorb: what was begun with is finished.
    assert (await collect_xorbs(quick_town.app, 0)).count == 0
    assert (await collect_xorbs(quick_town.app, 1)).count == 3


async def test_a_mark_that_is_wrong_is_taken_away(town: Town):
    """Two files may let go of a xorb and take it up at once, and leave it marked."""
    chunks = chunks_of(1)
    xorb = await put_xorb(town, chunks)
    town.repo("ann/m")
    put_file(town, "ann/m", [(xorb, chunks, 0, 4)])
    mark = update(xorbs).values(unlinked_at=0)
    town.app.db.write_now(lambda conn: conn.execute(mark))
    assert await collect_xorbs(town.app) == NOTHING_FREED
    assert (column(town, "unlinked_at", xorb), column(town, "ready", xorb)) == (None, True)


async def test_bytes_without_a_row_are_adopted_and_go_the_same_way(town: Town):
    name, body = body_of(chunks_of(1))
    await put_bytes(town, key_of(name), body)
    await put_bytes(town, "xorbs/not/a/hash", b"?")
    town.time.now = int(datetime.now(UTC).timestamp() * 1000)
    known = await put_xorb(town, chunks_of(2))
    fresh = await find_stray_xorbs(town.app)
    town.time.pass_days(3)
    adopted = [await find_stray_xorbs(town.app) for _ in range(2)]

    assert (fresh, adopted) == (0, [1, 0])
    assert column(town, "ready", name) is False
    assert column(town, "ready", known) is True
    town.time.now += XORB_GRACE + 1
    assert (await collect_xorbs(town.app)).count == 2


async def test_a_kill_in_the_middle_leaves_no_xorb_that_promises_bytes(town: Town):
    xorb = await put_xorb(town, chunks_of(1))
    xorb_id = _only_id(town)
    town.time.now += XORB_GRACE + 1

    def die(_key: str) -> None:
        raise Killed

    town.app.db.write_now(lambda conn: retire_xorbs(conn, [xorb_id], town.time()))
    with pytest.raises(Killed):
        town.app.db.write_now(lambda conn: collect_xorb(conn, xorb_id, town.time(), die))
    assert column(town, "ready", xorb) is False
    assert (await collect_xorbs(town.app)).count == 1


async def test_a_xorb_that_is_wanted_again_stays(town: Town):
    xorb = await put_xorb(town, chunks_of(1))
    xorb_id = _only_id(town)
    town.time.now += XORB_GRACE + 1
    before = town.time()
    town.app.db.write_now(lambda conn: retire_xorbs(conn, [xorb_id], before))
    renew = update(xorbs).values(unlinked_at=town.time())
    town.app.db.write_now(lambda conn: conn.execute(renew))
    gone: list[str] = []
    kept = town.app.db.write_now(lambda conn: collect_xorb(conn, xorb_id, before, gone.append))
    assert (kept, gone) == (None, [])
    assert known_xorbs(town) == {xorb}


async def test_who_links_a_xorb_while_it_is_retired_waits_and_finds_it_gone(town: Town):
    """As a shard does: the row by FOR KEY SHARE, where it is ready, then the link."""
    chunks = chunks_of(1)
    await put_xorb(town, chunks)
    xorb_id = _only_id(town)
    town.time.now += XORB_GRACE + 1

    def shard(conn: Connection) -> int:
        held = select(xorbs.c.id).where(xorbs.c.id == xorb_id, xorbs.c.ready)
        return len(conn.execute(held.with_for_update(read=True, key_share=True)).all())

    found = await _meanwhile(town, lambda conn: retire_xorbs(conn, [xorb_id], town.time()), shard)
    assert found == 0


async def test_a_xorb_is_not_retired_while_somebody_links_it(town: Town):
    chunks = chunks_of(1)
    xorb = await put_xorb(town, chunks)
    town.repo("ann/m")
    xorb_id = _only_id(town)
    file_id, _ = put_file(town, "ann/m", [(xorb, chunks, 0, 4)])
    town.time.now += XORB_GRACE + 1

    def unlinked(conn: Connection) -> None:
        conn.execute(file_xorbs.delete())
        conn.execute(update(xorbs).values(unlinked_at=0))

    def shard(conn: Connection) -> None:
        held = select(xorbs.c.id).where(xorbs.c.id == xorb_id, xorbs.c.ready)
        conn.execute(held.with_for_update(read=True, key_share=True)).one()
        conn.execute(file_xorbs.insert().values(file_id=file_id, xorb_id=xorb_id))
        conn.execute(update(xorbs).values(unlinked_at=None))

    town.app.db.write_now(unlinked)
    retired = await _meanwhile(
        town, shard, lambda conn: list(retire_xorbs(conn, [xorb_id], town.time()))
    )
    assert retired == []
    assert column(town, "ready", xorb) is True


async def _meanwhile(
    town: Town, first: Callable[[Connection], object], then: Callable[[Connection], object]
) -> object:
    """Begin `then` while the transaction of `first` is open; return what it came to, afterwards."""
    begun, go_on = threading.Event(), threading.Event()

    def held(conn: Connection) -> None:
        first(conn)
        begun.set()
        go_on.wait(10)

    one = asyncio.create_task(town.app.db.write(held))
    await asyncio.to_thread(begun.wait, 10)
    other = asyncio.create_task(town.app.db.write(then))
    done, _ = await asyncio.wait({other}, timeout=0.2)
    go_on.set()
    assert not done
    await one
    return await other


def _only_id(town: Town) -> int:
    query = select(xorb_chunks.c.xorb_id)
    return town.app.db.read_now(lambda conn: conn.execute(query).scalar_one())
