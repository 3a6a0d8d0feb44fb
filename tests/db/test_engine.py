# SPDX-License-Identifier: Apache-2.0
"""Units of work: whole or not at all, on one snapshot, and failing in the hub's own words."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, insert, select, text

from hubkeep.db import Database, DatabaseFull, DatabaseUnavailable
from hubkeep.db.tables import hub

pytestmark = pytest.mark.anyio


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url, busy_ms=50)
    yield database
    database.close()


def put(conn: Connection, name: str, value: str = "x") -> None:
    conn.execute(insert(hub).values(name=name, value=value))


def names(conn: Connection) -> list[str]:
    return sorted(conn.execute(select(hub.c.name).where(hub.c.name != "secret")).scalars())


async def test_what_was_written_is_read(db: Database) -> None:
    await db.write(lambda conn: put(conn, "a"))
    assert await db.read(names) == ["a"]


async def test_an_exception_undoes_the_whole_unit(db: Database) -> None:
    def work(conn: Connection) -> None:
        put(conn, "a")
        raise KeyError("no")

    with pytest.raises(KeyError):
        await db.write(work)
    assert await db.read(names) == []


async def test_a_read_sees_one_snapshot(db: Database) -> None:
    seen: list[list[str]] = []

    def reader(conn: Connection) -> None:
        seen.append(names(conn))
        done = threading.Thread(target=lambda: db.write_now(lambda conn: put(conn, "b")))
        done.start()
        done.join()
        seen.append(names(conn))

    await db.write(lambda conn: put(conn, "a"))
    await db.read(reader)
    assert seen == [["a"], ["a"]]
    assert await db.read(names) == ["a", "b"]


async def test_a_read_cannot_write(db: Database) -> None:
    with pytest.raises(Exception, match=r"read-?only"):
        await db.read(lambda conn: put(conn, "a"))
    assert await db.read(names) == []


async def test_a_cancelled_caller_does_not_stop_the_write(db: Database) -> None:
    entered, go = threading.Event(), threading.Event()

    def work(conn: Connection) -> None:
        entered.set()
        go.wait(10)
        put(conn, "a")

    task = asyncio.create_task(db.write(work))
    await asyncio.to_thread(entered.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.set()
    await db.write(lambda conn: put(conn, "b"))
    assert await db.read(names) == ["a", "b"]


async def test_a_writer_that_never_ends_makes_the_others_unavailable(sqlite_url: str) -> None:
    db = Database(sqlite_url, busy_ms=50)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable):
        await db.write(lambda conn: put(conn, "a"))
    assert await db.read(names) == []
    other.execute("ROLLBACK")
    other.close()
    await db.write(lambda conn: put(conn, "a"))
    assert await db.read(names) == ["a"]
    db.close()


async def test_a_full_disk_refuses_writes_and_lets_reads_go_on(sqlite_url: str) -> None:
    db = Database(sqlite_url)

    def limited(conn: Connection) -> None:
        pages = conn.execute(text("PRAGMA page_count")).scalar_one()
        conn.execute(text(f"PRAGMA max_page_count={pages + 2}"))
        put(conn, "large", "x" * 1_000_000)

    await db.write(lambda conn: put(conn, "a"))
    with pytest.raises(DatabaseFull):
        await db.write(limited)
    assert await db.read(names) == ["a"]
    db.close()


async def test_a_lost_connection_is_replaced(postgresql_url: str) -> None:
    db = Database(postgresql_url, writers=1, readers=1)
    await db.write(lambda conn: put(conn, "a"))
    pid = await db.read(lambda conn: conn.execute(text("SELECT pg_backend_pid()")).scalar_one())
    await db.write(lambda conn: conn.execute(text(f"SELECT pg_terminate_backend({pid})")))
    with pytest.raises(DatabaseUnavailable):
        await db.read(names)
    assert await db.read(names) == ["a"]
    db.close()


async def test_a_deadlock_is_run_again(postgresql_url: str) -> None:
    db = Database(postgresql_url)
    await db.write(lambda conn: (put(conn, "a"), put(conn, "b")))
    both_hold = threading.Barrier(2)

    def work(first: str, second: str) -> int:
        runs = 0

        def body(conn: Connection) -> None:
            nonlocal runs
            runs += 1
            for name in (first, second):
                conn.execute(select(hub).where(hub.c.name == name).with_for_update())
                if runs == 1 and name == first:
                    both_hold.wait(10)

        db.write_now(body)
        return runs

    runs = await asyncio.gather(
        asyncio.to_thread(work, "a", "b"), asyncio.to_thread(work, "b", "a")
    )
    # Both came through; who is run again may take its lock back before the other wakes up, and so
    # run into it once more.
    assert sum(runs) >= 3
    db.close()


def test_postgresql_compiles_no_statements(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    asked = text("SHOW jit")
    assert database.read_now(lambda conn: conn.execute(asked).scalar_one()) == "off"
    assert database.write_now(lambda conn: conn.execute(asked).scalar_one()) == "off"
    database.close()
