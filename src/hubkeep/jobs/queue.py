# SPDX-License-Identifier: Apache-2.0
"""The queue: rows of the table `jobs`, on SQLite and on PostgreSQL.

A job is claimed by one worker at a time, for the length of a lease that the worker renews. When a
worker dies its lease runs out and the job is claimed again. The number of the attempt tells a
worker that came back too late that the job is no longer its own.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import ColumnElement

from hubkeep.db.tables import jobs
from hubkeep.db.upserts import insert_for
from hubkeep.jobs.job import Job
from hubkeep.kit.time import DAY, Millis

LEASE: Millis = 60_000
MAX_ATTEMPTS = 8
FIRST_WAIT: Millis = 10_000
LONGEST_WAIT: Millis = 60 * 60_000
KEEP_FAILED: Millis = 30 * DAY
_ERROR_LENGTH = 4000


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that is this worker's until the lease runs out."""

    id: int
    kind: str
    args: str
    attempt: int
    """1 for the first; also what proves that the claim still holds."""
    dedup_key: str | None
    """What it had in the queue; None if a worker died on it."""


def _due() -> ColumnElement[bool]:
    return (
        jobs.c.failed.is_(False)
        & (jobs.c.run_at <= bindparam("now"))
        & or_(jobs.c.lease_until.is_(None), jobs.c.lease_until <= bindparam("now"))
    )


_ANY_DUE = select(jobs.c.id).where(_due()).limit(1)
_NEXT = (
    select(jobs.c.id, jobs.c.kind, jobs.c.args, jobs.c.attempts + 1, jobs.c.dedup_key)
    .where(_due())
    .order_by(jobs.c.run_at, jobs.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)  # nothing on SQLite, whose writers come one by one
)
# Without its key from here on: what happens now may make the same job necessary once more.
_TAKE = (
    update(jobs)
    .where(jobs.c.id == bindparam("job"))
    .values(lease_until=bindparam("until"), attempts=bindparam("attempt"), dedup_key=None)
)


def enqueue(conn: Connection, job: Job[Any], now: Millis, *, run_at: Millis | None = None) -> bool:
    """Put a job into the queue, in the caller's transaction; run at `run_at`, or at once.

    False where one of the same kind and key waits already; that one runs at the earlier of the two
    times.
    """
    when = now if run_at is None else run_at
    key = _key(job)
    statement = insert_for(conn, jobs).values(
        kind=job.KIND,
        args=msgspec.json.encode(job).decode(),
        dedup_key=key,
        run_at=when,
        created_at=now,
    )
    added = conn.execute(statement.on_conflict_do_nothing().returning(jobs.c.id)).scalar()
    if added is None:
        conn.execute(
            update(jobs).where(jobs.c.dedup_key == key, jobs.c.run_at > when).values(run_at=when)
        )
    return added is not None


def any_due(conn: Connection, now: Millis) -> bool:
    """Say whether a job is due: a read, so that idle workers never take the write lock."""
    return conn.execute(_ANY_DUE, {"now": now}).first() is not None


def claim(conn: Connection, now: Millis, lease: Millis = LEASE) -> Claimed | None:
    """Take the job that has been due the longest; None if there is none that nobody has.

    A job whose workers died on it too often is given up here: nobody else could say so.
    """
    while (row := conn.execute(_NEXT, {"now": now}).first()) is not None:
        claimed = Claimed(*row)
        taken = {"job": claimed.id, "until": now + lease, "attempt": claimed.attempt}
        conn.execute(_TAKE, taken)
        if claimed.attempt <= MAX_ATTEMPTS:
            return claimed
        _give_up(conn, claimed, f"its worker died {MAX_ATTEMPTS} times")
    return None


def renew(conn: Connection, claimed: Claimed, now: Millis, lease: Millis = LEASE) -> bool:
    """Prolong the lease; False where the job is somebody else's by now, or was given up."""
    done = conn.execute(update(jobs).where(_goes_on(claimed)).values(lease_until=now + lease))
    return done.rowcount > 0


def finish(conn: Connection, claimed: Claimed) -> None:
    """Remove a job that is done."""
    conn.execute(delete(jobs).where(_is(claimed)))


def release(conn: Connection, claimed: Claimed, now: Millis) -> None:
    """Put back a job that was broken off for no fault of its own."""
    conn.execute(
        update(jobs)
        .where(_goes_on(claimed))
        .values(lease_until=None, run_at=now, attempts=claimed.attempt - 1)
    )


def fail(conn: Connection, claimed: Claimed, now: Millis, error: str) -> bool:
    """Have a job that raised run again later, or give it up with its error; True if it is given up.

    It waits 10 seconds, then twice as long each time, an hour at most. Where the same job was
    enqueued meanwhile that one stands for both.
    """
    if claimed.attempt >= MAX_ATTEMPTS:
        _give_up(conn, claimed, error)
        return True
    wait = min(LONGEST_WAIT, FIRST_WAIT << (claimed.attempt - 1))
    later = {"lease_until": None, "run_at": now + wait, "error": error[-_ERROR_LENGTH:]}
    try:
        with conn.begin_nested():
            conn.execute(
                update(jobs).where(_goes_on(claimed)).values(dedup_key=claimed.dedup_key, **later)
            )
    except IntegrityError:
        finish(conn, claimed)
    return False


def forget_failed(conn: Connection, now: Millis) -> None:
    """Remove jobs that were given up a month ago."""
    conn.execute(delete(jobs).where(jobs.c.failed.is_(True), jobs.c.run_at < now - KEEP_FAILED))


def run_now(conn: Connection, job_id: int, now: Millis) -> bool:
    """Have a waiting job run as soon as a worker is free; False where it does not wait any more.

    Whoever runs it already goes on: nothing is changed under a worker that has the job.
    """
    waiting = update(jobs).where(jobs.c.id == job_id, *_waits(now))
    return conn.execute(waiting.values(run_at=now)).rowcount > 0


def abandon(conn: Connection, job_id: int, now: Millis) -> bool:
    """Give a waiting job up: it is kept with its error and not run; False where it does not wait.

    A worker whose lease is over and that comes back to it may still say that it is done.
    """
    waiting = update(jobs).where(jobs.c.id == job_id, *_waits(now))
    changed = {"failed": True, "lease_until": None, "dedup_key": None, "run_at": now}
    error = func.coalesce(jobs.c.error, "given up by an administrator")
    return conn.execute(waiting.values(error=error, **changed)).rowcount > 0


def retry(conn: Connection, job_id: int, now: Millis) -> bool:
    """Put a job that was given up into the queue as if it were new; False where there is none.

    Where the same job waits already, that one stands for both and runs at once.
    """
    given_up = (jobs.c.id == job_id) & jobs.c.failed.is_(True)
    found = select(jobs.c.kind, jobs.c.args).where(given_up).with_for_update()
    row = conn.execute(found).first()
    if row is None:
        return False
    key = _fitting(row.kind, row.args)
    fresh = {"failed": False, "attempts": 0, "error": None, "created_at": now}
    try:
        with conn.begin_nested():
            conn.execute(update(jobs).where(given_up).values(dedup_key=key, run_at=now, **fresh))
    except IntegrityError:
        conn.execute(delete(jobs).where(given_up))
        sooner = update(jobs).where(jobs.c.dedup_key == key, jobs.c.run_at > now)
        conn.execute(sooner.values(run_at=now))
    return True


def forget(conn: Connection, job_id: int) -> bool:
    """Remove a job that was given up; False where there is none."""
    given_up = (jobs.c.id == job_id) & jobs.c.failed.is_(True)
    return conn.execute(delete(jobs).where(given_up)).rowcount > 0


def _waits(now: Millis) -> tuple[ColumnElement[bool], ...]:
    lease = jobs.c.lease_until
    return jobs.c.failed.is_(False), or_(lease.is_(None), lease <= now)


def _give_up(conn: Connection, claimed: Claimed, error: str) -> None:
    conn.execute(
        update(jobs)
        .where(_is(claimed))
        .values(failed=True, lease_until=None, error=error[-_ERROR_LENGTH:])
    )


def _is(claimed: Claimed) -> ColumnElement[bool]:
    return (jobs.c.id == claimed.id) & (jobs.c.attempts == claimed.attempt)


def _goes_on(claimed: Claimed) -> ColumnElement[bool]:
    """It is this worker's, and nobody has given it up meanwhile."""
    return _is(claimed) & jobs.c.failed.is_(False)


def _key(job: Job[Any]) -> str:
    """Kind and key, at most 256 characters: the column's width."""
    return _fitting(job.KIND, job.key())


def _fitting(kind: str, own: str) -> str:
    key = f"{kind}:{own}"
    return key if len(key) <= 256 else f"{kind}:{hashlib.sha256(key.encode()).hexdigest()}"
