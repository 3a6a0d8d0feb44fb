# SPDX-License-Identifier: Apache-2.0
"""The queue on both databases: once each, in order, again after a death, given up in the end."""

import threading
from collections.abc import Iterator
from typing import ClassVar

import pytest
from sqlalchemy import select

from hubkeep.db import Database
from hubkeep.db.tables import jobs
from hubkeep.jobs import Job, enqueue, queue
from hubkeep.jobs.queue import FIRST_WAIT, LEASE, MAX_ATTEMPTS, Claimed


class Note(Job[list], frozen=True):
    KIND: ClassVar[str] = "test.note"
    text: str


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def put(db: Database, text: str, now: int = 0, run_at: int | None = None) -> bool:
    return db.write_now(lambda conn: enqueue(conn, Note(text), now, run_at=run_at))


def take(db: Database, now: int = 0) -> Claimed | None:
    return db.write_now(lambda conn: queue.claim(conn, now))


def taken(db: Database, now: int = 0) -> Claimed:
    claimed = take(db, now)
    assert claimed is not None
    return claimed


def rows(db: Database) -> list:
    return db.read_now(
        lambda conn: conn.execute(select(jobs.c.args, jobs.c.failed, jobs.c.error)).all()
    )


def test_the_longest_due_comes_first_and_is_gone_when_done(db: Database):
    put(db, "second", run_at=20)
    put(db, "first", run_at=10)
    assert take(db, now=5) is None
    assert not db.read_now(lambda conn: queue.any_due(conn, 5))
    assert db.read_now(lambda conn: queue.any_due(conn, 10))
    order = []
    for _ in range(2):
        claimed = taken(db, now=30)
        order.append(claimed.args)
        db.write_now(lambda conn, claimed=claimed: queue.finish(conn, claimed))
    assert order == ['{"text":"first"}', '{"text":"second"}']
    assert rows(db) == []


def test_a_job_dies_with_its_transaction(db: Database):
    def work(conn):
        enqueue(conn, Note("never"), 0)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        db.write_now(work)
    assert rows(db) == []


def test_the_same_job_waits_once_at_the_earlier_time(db: Database):
    assert put(db, "same", run_at=50)
    assert not put(db, "same", run_at=20)
    assert not put(db, "same", run_at=90)
    assert put(db, "x" * 300)
    assert not put(db, "x" * 300)
    assert len(rows(db)) == 2
    taken(db, now=0)
    assert taken(db, now=20).args == '{"text":"same"}'


def test_what_happens_while_a_job_runs_makes_it_wait_again(db: Database):
    put(db, "same")
    claimed = taken(db)
    assert put(db, "same")
    db.write_now(lambda conn: queue.finish(conn, claimed))
    assert taken(db).id != claimed.id


def test_a_dead_workers_job_is_claimed_again_and_no_longer_its_own(db: Database):
    put(db, "x")
    dead = taken(db, now=0)
    assert take(db, now=LEASE - 1) is None
    other = taken(db, now=LEASE)
    assert (other.id, other.attempt) == (dead.id, 2)
    assert not db.write_now(lambda conn: queue.renew(conn, dead, LEASE))
    db.write_now(lambda conn: queue.finish(conn, dead))
    assert len(rows(db)) == 1, "who lost the job cannot finish it"
    assert db.write_now(lambda conn: queue.renew(conn, other, 2 * LEASE - 1))
    assert take(db, now=2 * LEASE) is None, "the lease was renewed"


def test_a_failing_job_waits_longer_each_time_then_is_given_up(db: Database):
    put(db, "x")
    now = 0
    for attempt in range(1, MAX_ATTEMPTS + 1):
        claimed = taken(db, now)
        assert claimed.attempt == attempt
        gave_up = db.write_now(
            lambda conn, claimed=claimed, now=now: queue.fail(conn, claimed, now, "why")
        )
        assert gave_up == (attempt == MAX_ATTEMPTS)
        wait = FIRST_WAIT * 2 ** (attempt - 1)
        assert take(db, now + wait - 1) is None
        now += wait
    assert take(db, now + 10 * LEASE) is None
    assert rows(db) == [('{"text":"x"}', True, "why")]
    assert put(db, "x"), "the same job may be asked for again"
    db.write_now(lambda conn: queue.forget_failed(conn, now + queue.KEEP_FAILED + LEASE))
    assert [failed for _, failed, _ in rows(db)] == [False]


def test_a_job_that_kills_its_workers_is_given_up(db: Database):
    put(db, "deadly")
    for attempt in range(MAX_ATTEMPTS):
        taken(db, attempt * LEASE)
    assert take(db, MAX_ATTEMPTS * LEASE) is None
    [(_, failed, error)] = rows(db)
    assert failed
    assert "died" in error


def test_a_failed_job_that_was_asked_for_again_is_not_done_twice(db: Database):
    put(db, "x")
    claimed = taken(db)
    put(db, "x")
    assert not db.write_now(lambda conn: queue.fail(conn, claimed, 0, "why"))
    assert len(rows(db)) == 1
    put(db, "y")
    db.write_now(lambda conn: queue.fail(conn, taken_in(conn), 0, "why"))
    assert not put(db, "x"), "a job that waits to be tried again keeps its key"


def taken_in(conn) -> Claimed:
    claimed = queue.claim(conn, 0)
    assert claimed is not None
    return claimed


def test_a_released_job_is_as_if_never_claimed(db: Database):
    put(db, "x")
    claimed = taken(db)
    db.write_now(lambda conn: queue.release(conn, claimed, 0))
    assert taken(db).attempt == 1


def test_workers_never_run_one_job_twice(database_url: str):
    count, workers = 60, 4
    setup = Database(database_url)
    for number in range(count):
        put(setup, str(number))
    setup.close()
    ran: list[str] = []
    start = threading.Barrier(workers)

    def work() -> None:
        db = Database(database_url)
        start.wait()
        while (claimed := take(db)) is not None:
            ran.append(claimed.args)
            db.write_now(lambda conn, claimed=claimed: queue.finish(conn, claimed))
        db.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ran) == sorted(f'{{"text":"{number}"}}' for number in range(count))
