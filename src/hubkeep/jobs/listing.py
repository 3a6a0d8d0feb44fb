# SPDX-License-Identifier: Apache-2.0
"""SQL of what is in the queue, for people; every list and every count is of bounded work."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from hubkeep.db.tables import jobs
from hubkeep.kit.time import Millis

MOST_COUNTED = 1000
"""What is more than that is said to be more."""


class State(StrEnum):
    """Where a job stands: waiting for its time or for a worker, with a worker, or given up."""

    WAITING = "waiting"
    RUNNING = "running"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Listed:
    """A job as it stands in the queue; `error` is what it last raised."""

    id: int
    kind: str
    args: str
    run_at: Millis
    attempts: int
    lease_until: Millis | None
    error: str | None
    failed: bool
    created_at: Millis


@dataclass(frozen=True, slots=True)
class Queue:
    """How the queue stands; counts end at MOST_COUNTED + 1."""

    counts: Mapping[State, int]
    oldest_due: Millis | None
    """Since when the job that has been due the longest waits for a worker."""


_COLUMNS = tuple(jobs.c[field.name] for field in fields(Listed))


def list_jobs(
    conn: Connection,
    state: State,
    now: Millis,
    limit: int,
    *,
    kind: str | None = None,
    after: tuple[Millis, int] | None = None,
) -> Sequence[Listed]:
    """Return jobs of a state from behind a place (`run_at`, `id`): waiting and running ones by when
    they are due, those that were given up by when that was, the latest first.
    """
    place = tuple_(jobs.c.run_at, jobs.c.id)
    down = state is State.FAILED
    found: Select = select(*_COLUMNS).where(_is(state, now))
    if kind is not None:
        found = found.where(jobs.c.kind == kind)
    if after is not None:
        found = found.where(place < after if down else place > after)
    order = (jobs.c.run_at, jobs.c.id)
    found = found.order_by(*(column.desc() for column in order) if down else order)
    return [Listed(*row) for row in conn.execute(found.limit(limit))]


def look_at_queue(conn: Connection, now: Millis) -> Queue:
    """Count what is in the queue by state, and say how long it has been waiting."""
    counts = dict(_counted(conn, [(state.value, _is(state, now)) for state in State]))
    due = _is(State.WAITING, now) & (jobs.c.run_at <= now)
    oldest = select(jobs.c.run_at).where(due).order_by(jobs.c.run_at).limit(1)
    return Queue({State(name): n for name, n in counts.items()}, conn.execute(oldest).scalar())


def count_by_kind(
    conn: Connection, kinds: Iterable[str], now: Millis
) -> Mapping[str, Mapping[State, int]]:
    """Return how many jobs of each kind are in the queue by state; see MOST_COUNTED."""
    names = list(kinds)
    wanted = [
        (f"{kind} {state}", (jobs.c.kind == kind) & _is(state, now))
        for kind in names
        for state in State
    ]
    counts = dict(_counted(conn, wanted))
    return {kind: {state: counts[f"{kind} {state}"] for state in State} for kind in names}


def kinds_in_queue(conn: Connection) -> Sequence[str]:
    """Return the kinds that jobs in the queue have, found one after the other by the index."""
    found: list[str] = []
    following = select(func.min(jobs.c.kind))
    last = conn.execute(following).scalar()
    while last is not None:
        found.append(last)
        last = conn.execute(following.where(jobs.c.kind > last)).scalar()
    return found


def _counted(
    conn: Connection, wanted: Sequence[tuple[str, ColumnElement[bool]]]
) -> Iterable[tuple[str, int]]:
    parts: list[Select] = []
    for name, which in wanted:
        some = select(jobs.c.id).where(which).limit(MOST_COUNTED + 1).subquery()
        parts.append(select(literal(name).label("name"), func.count()).select_from(some))
    return [(row[0], row[1]) for row in conn.execute(union_all(*parts))]


def _is(state: State, now: Millis) -> ColumnElement[bool]:
    lease = jobs.c.lease_until
    if state is State.FAILED:
        return jobs.c.failed.is_(True)
    if state is State.RUNNING:  # what was given up has no lease
        return and_(lease.is_not(None), lease > now)
    return jobs.c.failed.is_(False) & or_(lease.is_(None), lease <= now)
