# SPDX-License-Identifier: Apache-2.0
"""Work that comes round by the clock: enqueued once a period, by whoever notices first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, Connection, cast, select

from hubkeep.db.tables import hub
from hubkeep.db.upserts import insert_for
from hubkeep.jobs.job import Job
from hubkeep.jobs.queue import enqueue, forget_failed
from hubkeep.kit.time import Millis

_BEGAN = "began:"
"""Where it is noted when a kind was last enqueued by the clock."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """A job and how often it runs. Periods count from 1970 in UTC: a day's begins at midnight."""

    job: Job[Any]
    every: Millis

    @property
    def name(self) -> str:
        """Where the hub notes the last period that had its job."""
        return f"periodic:{self.job.KIND}"


Schedule: TypeAlias = Sequence[Periodic]


def any_to_enqueue(conn: Connection, schedule: Schedule, now: Millis) -> bool:
    """Say whether a period has begun whose job is not enqueued yet: a read, like `any_due`."""
    names = [each.name for each in schedule]
    rows = conn.execute(select(hub.c.name, hub.c.value).where(hub.c.name.in_(names)))
    noted = {name: int(value) for name, value in rows}
    return any(noted.get(each.name, -1) < now // each.every for each in schedule)


def last_rounds(conn: Connection) -> Mapping[str, Millis]:
    """Return by kind when a worker last enqueued what comes round by itself.

    Workers do so as they look for work: the latest of these times is also when one was last there,
    to about the shortest of the periods.
    """
    rows = conn.execute(select(hub.c.name, hub.c.value).where(hub.c.name.startswith(_BEGAN)))
    return {name.removeprefix(_BEGAN): int(value) for name, value in rows}


def enqueue_periodic(conn: Connection, schedule: Schedule, now: Millis) -> int:
    """Enqueue the jobs of periods that have begun, once for all missed ones; return how many."""
    forget_failed(conn, now)
    return sum(_enqueue_one(conn, each, now) for each in schedule)


def _enqueue_one(conn: Connection, periodic: Periodic, now: Millis) -> bool:
    period = now // periodic.every
    note = insert_for(conn, hub).values(name=periodic.name, value=str(period))
    # Of workers that come at once, the database lets one change the row.
    noted = conn.execute(
        note.on_conflict_do_update(
            index_elements=["name"],
            set_={"value": note.excluded.value},
            where=cast(hub.c.value, BigInteger) < period,
        ).returning(hub.c.name)
    ).first()
    if noted is None:
        return False
    began = insert_for(conn, hub).values(name=_BEGAN + periodic.job.KIND, value=str(now))
    conn.execute(
        began.on_conflict_do_update(index_elements=["name"], set_={"value": began.excluded.value})
    )
    return enqueue(conn, periodic.job, now)
