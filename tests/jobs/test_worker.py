# SPDX-License-Identifier: Apache-2.0
"""The worker and the schedule."""

import asyncio
from collections.abc import Iterator
from typing import ClassVar

import pytest

from hubkeep.db import Database
from hubkeep.jobs import Job, Periodic, Worker, enqueue, kinds_of, queue
from hubkeep.jobs.schedule import enqueue_periodic, last_rounds
from hubkeep.kit.time import DAY
from tests.harness.hub import MovableClock, on_sqlite

pytestmark = pytest.mark.anyio


class Note(Job["Log"], frozen=True):
    KIND: ClassVar[str] = "test.note"
    text: str

    async def run(self, context: "Log") -> None:
        context.notes.append(self.text)


class Fail(Job["Log"], frozen=True):
    KIND: ClassVar[str] = "test.fail"

    async def run(self, context: "Log") -> None:
        context.notes.append("failed")
        raise ValueError("no luck")


class Wait(Job["Log"], frozen=True):
    KIND: ClassVar[str] = "test.wait"

    async def run(self, context: "Log") -> None:
        context.started.set()
        await context.go_on.wait()
        context.notes.append("waited")


class Log:
    """What the jobs of these tests run with."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.started = asyncio.Event()
        self.go_on = asyncio.Event()


class Bench:
    """A worker, its log and its clock."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.clock = MovableClock(1_800_000_000_000)
        self.log = Log()

    def put(self, job: Job[Log]) -> None:
        self.db.write_now(lambda conn: enqueue(conn, job, self.clock()))

    def worker(self, *periodic: Periodic) -> Worker[Log]:
        return Worker(self.db, kinds_of([Note, Fail, Wait]), self.log, self.clock, periodic)


@pytest.fixture
def bench(database_url: str) -> Iterator[Bench]:
    db = Database(database_url)
    yield Bench(db)
    db.close()


async def test_due_jobs_run(bench: Bench):
    bench.put(Note("a"))
    bench.put(Note("b"))
    assert await bench.worker().run_due() == 2
    assert bench.log.notes == ["a", "b"]
    assert await bench.worker().run_due() == 0


@on_sqlite
async def test_a_job_that_raises_is_tried_again_later(bench: Bench, caplog):
    bench.put(Fail())
    bench.put(Note("goes on"))
    await bench.worker().run_due()
    assert bench.log.notes == ["failed", "goes on"]
    assert "no luck" in caplog.text
    bench.clock.move(seconds=10)
    assert await bench.worker().run_due() == 1


@on_sqlite
async def test_a_kind_of_another_version_is_kept(bench: Bench, caplog):
    bench.put(Note("x"))
    worker = Worker(bench.db, {}, bench.log, bench.clock)
    assert await worker.run_due() == 1
    bench.clock.move(seconds=10)
    await bench.worker().run_due()
    assert bench.log.notes == ["x"]


@on_sqlite
async def test_a_stop_lets_the_job_end(bench: Bench):
    bench.put(Wait())
    bench.put(Note("not begun"))
    stopping = asyncio.Event()
    running = asyncio.create_task(bench.worker().run(stopping))
    await bench.log.started.wait()
    stopping.set()
    await asyncio.wait({running}, timeout=0.02)
    assert not running.done()
    bench.log.go_on.set()
    await running
    assert bench.log.notes == ["waited"]


@on_sqlite
async def test_a_job_that_outlasts_the_stop_is_put_back(bench: Bench, monkeypatch):
    monkeypatch.setattr("hubkeep.jobs.worker.BREAK_OFF_SECONDS", 0.01)
    bench.put(Wait())
    stopping = asyncio.Event()
    running = asyncio.create_task(bench.worker().run(stopping))
    await bench.log.started.wait()
    stopping.set()
    await running
    assert bench.log.notes == []
    claimed = bench.db.write_now(lambda conn: queue.claim(conn, bench.clock()))
    assert claimed is not None
    assert claimed.attempt == 1


@on_sqlite
async def test_a_job_that_another_worker_took_is_broken_off(bench: Bench, monkeypatch, caplog):
    monkeypatch.setattr("hubkeep.jobs.worker.RENEW_SECONDS", 0.01)
    bench.put(Wait())
    running = asyncio.create_task(bench.worker().run_due())
    await bench.log.started.wait()
    bench.db.write_now(lambda conn: queue.claim(conn, bench.clock() + 2 * queue.LEASE))
    await running
    assert bench.log.notes == []
    assert "taken over" in caplog.text


async def test_periodic_jobs_come_once_a_period_however_many_workers(bench: Bench):
    daily = Periodic(Note("day"), DAY)
    first, second = bench.worker(daily), bench.worker(daily)
    assert await first.run_due() == 1
    assert await first.run_due() == await second.run_due() == 0
    bench.clock.move(days=3)
    assert await second.run_due() == 1, "what was missed is not made up"
    assert await first.run_due() == 0
    assert bench.db.read_now(last_rounds) == {Note.KIND: bench.clock()}
    bench.clock.move(hours=1)
    assert await first.run_due() == 0
    assert bench.db.read_now(last_rounds)[Note.KIND] < bench.clock()


@on_sqlite
async def test_workers_that_notice_a_period_at_once_enqueue_it_once(bench: Bench):
    now = bench.clock()
    schedule = [Periodic(Note("day"), DAY)]
    assert bench.db.write_now(lambda conn: enqueue_periodic(conn, schedule, now)) == 1
    await bench.worker().run_due()
    assert bench.db.write_now(lambda conn: enqueue_periodic(conn, schedule, now)) == 0
    assert bench.db.write_now(lambda conn: enqueue_periodic(conn, schedule, now - DAY)) == 0


def test_two_kinds_with_one_name_are_refused():
    with pytest.raises(ValueError, match=r"test\.note"):
        kinds_of([Note, Note])
