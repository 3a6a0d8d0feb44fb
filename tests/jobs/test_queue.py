# SPDX-License-Identifier: Apache-2.0
"""The queue on both databases: once each, in order, again after a death, given up in the end."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import pytest
from sqlalchemy import select, update

from hubkeep.db import Database
from hubkeep.db.tables import jobs
from hubkeep.jobs import Job, enqueue, listing, queue
from hubkeep.jobs.listing import State
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


def failed(db: Database, text: str, now: int = 0) -> Claimed:
    """A job that was given up for what it raised."""
    put(db, text, now)
    claimed = taken(db, now)
    change = update(jobs).where(jobs.c.id == claimed.id).values(attempts=MAX_ATTEMPTS)
    db.write_now(lambda conn: conn.execute(change))
    last = replace(claimed, attempt=MAX_ATTEMPTS)
    assert db.write_now(lambda conn: queue.fail(conn, last, now, "why"))
    return claimed


def test_a_job_that_was_given_up_runs_again_as_if_it_were_new(db: Database):
    job = failed(db, "x")
    assert take(db, 10 * LEASE) is None
    assert db.write_now(lambda conn: queue.retry(conn, job.id, 5))
    assert not put(db, "x", 5), "it waits as any other"
    again = taken(db, 5)
    assert (again.args, again.attempt) == ('{"text":"x"}', 1)
    assert not db.write_now(lambda conn: queue.retry(conn, job.id, 5)), "nothing is left"


def test_a_retried_job_that_waits_already_waits_once(db: Database):
    job = failed(db, "x")
    put(db, "x", run_at=1000)
    assert db.write_now(lambda conn: queue.retry(conn, job.id, 5))
    assert len(rows(db)) == 1
    assert taken(db, 5).args == '{"text":"x"}', "at the earlier of the two times"


def test_only_what_was_given_up_is_retried_or_forgotten(db: Database):
    put(db, "waiting")
    running = taken(db)
    put(db, "waits")
    waiting = db.read_now(lambda conn: listing.list_jobs(conn, State.WAITING, 0, 9))
    for job_id in (running.id, *(one.id for one in waiting)):
        assert not db.write_now(lambda conn, it=job_id: queue.retry(conn, it, 0))
        assert not db.write_now(lambda conn, it=job_id: queue.forget(conn, it))
    gone = failed(db, "gone")
    assert db.write_now(lambda conn: queue.forget(conn, gone.id))
    assert len(rows(db)) == 2


def test_a_job_that_waits_is_run_at_once_or_given_up(db: Database):
    put(db, "x", run_at=1000)
    [job] = db.read_now(lambda conn: listing.list_jobs(conn, State.WAITING, 0, 9))
    assert db.write_now(lambda conn: queue.run_now(conn, job.id, 5))
    claimed = taken(db, 5)
    assert not db.write_now(lambda conn: queue.run_now(conn, job.id, 6)), "a worker has it"
    assert not db.write_now(lambda conn: queue.abandon(conn, job.id, 6)), "a worker has it"
    db.write_now(lambda conn: queue.fail(conn, claimed, 6, "why"))
    assert db.write_now(lambda conn: queue.abandon(conn, job.id, 7))
    assert rows(db) == [('{"text":"x"}', True, "why")]
    assert take(db, 100 * LEASE) is None
    assert put(db, "x"), "the same job may be asked for again"
    assert not db.write_now(lambda conn: queue.abandon(conn, job.id, 8)), "it does not wait"


def test_a_worker_that_comes_back_does_not_bring_an_abandoned_job_back(db: Database):
    put(db, "x")
    slow = taken(db)
    assert db.write_now(lambda conn: queue.abandon(conn, slow.id, LEASE))
    assert not db.write_now(lambda conn: queue.renew(conn, slow, LEASE))
    db.write_now(lambda conn: queue.fail(conn, slow, LEASE, "why"))
    db.write_now(lambda conn: queue.release(conn, slow, LEASE))
    assert put(db, "x"), "its key is free"
    assert [failed for _, failed, _ in rows(db)] == [True, False]
    db.write_now(lambda conn: queue.finish(conn, slow))
    assert [failed for _, failed, _ in rows(db)] == [False], "what is done is done"


def test_workers_and_administrators_never_have_one_job_both(database_url: str):
    count = 40
    setup = Database(database_url)
    for number in range(count):
        put(setup, str(number))
    ids = [
        one.id
        for one in setup.read_now(lambda conn: listing.list_jobs(conn, State.WAITING, 0, count))
    ]
    setup.close()
    ran: list[int] = []
    abandoned: list[int] = []
    start = threading.Barrier(2)

    def work() -> None:
        db = Database(database_url)
        start.wait()
        while (claimed := take(db)) is not None:
            ran.append(claimed.id)
        db.close()

    def administer() -> None:
        db = Database(database_url)
        start.wait()
        abandoned.extend(
            job_id
            for job_id in reversed(ids)
            if db.write_now(lambda conn, it=job_id: queue.abandon(conn, it, 0))
        )
        db.close()

    threads = [threading.Thread(target=work), threading.Thread(target=administer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ran + abandoned) == sorted(ids)


def test_jobs_are_listed_and_counted_by_where_they_stand(db: Database):
    gone = failed(db, "gone")
    put(db, "running")
    running = taken(db)
    for number in range(5):
        put(db, str(number), run_at=number)

    def ids(state: State, now: int = 0, **how) -> list[str]:
        found = db.read_now(lambda conn: listing.list_jobs(conn, state, now, 3, **how))
        return [one.args for one in found]

    assert ids(State.WAITING) == [f'{{"text":"{number}"}}' for number in range(3)]
    places = db.read_now(lambda conn: listing.list_jobs(conn, State.WAITING, 0, 3))
    after = (places[-1].run_at, places[-1].id)
    assert ids(State.WAITING, after=after) == ['{"text":"3"}', '{"text":"4"}']
    assert ids(State.WAITING, kind="test.other") == []
    assert ids(State.RUNNING, kind=Note.KIND) == [running.args]
    assert ids(State.FAILED) == [gone.args]
    seen = db.read_now(lambda conn: listing.look_at_queue(conn, 3))
    assert seen.counts == {State.WAITING: 5, State.RUNNING: 1, State.FAILED: 1}
    assert seen.oldest_due == 0
    by_kind = db.read_now(lambda conn: listing.count_by_kind(conn, [Note.KIND, "test.other"], 3))
    assert by_kind[Note.KIND] == seen.counts
    assert db.read_now(listing.kinds_in_queue) == [Note.KIND]
    assert set(by_kind["test.other"].values()) == {0}
    # A lease that is over is a job that waits for another worker.
    assert db.read_now(lambda conn: listing.look_at_queue(conn, LEASE)).counts[State.RUNNING] == 0
