# SPDX-License-Identifier: Apache-2.0
"""SQL of what the hub remembers of its storage besides the latest totals: how it grew, and what
nobody needs.
"""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, func, select

from hubkeep.db.tables import files, hub, xorbs
from hubkeep.db.upserts import insert_for
from hubkeep.kit.time import Millis, day_of
from hubkeep.transfer.cas.queries_storage import Sized, Totals

T = TypeVar("T")

KEPT_DAYS = 90

_DAYS = "storage-days"
_UNNEEDED = "storage-unneeded"


class Day(msgspec.Struct, frozen=True, array_like=True):
    """The last count of a day: days since 1970, bytes that repositories hold, bytes stored."""

    day: int
    logical: int
    stored: int


class Unneeded(msgspec.Struct, frozen=True, array_like=True):
    """What of a kind (`spare.kinds`) nobody needs: what is due to be deleted, and what waits for
    its grace time; `next_since` is since when the oldest of these is not needed.
    """

    kind: str
    due: Sized
    waiting: Sized
    next_since: Millis | None


def note_day(conn: Connection, totals: Totals) -> None:
    """Keep what was counted as what is known of its day."""
    today = Day(day_of(totals.counted_at), totals.logical.size, totals.stored)
    others = [one for one in days_of_storage(conn) if one.day != today.day]
    kept = sorted([*others, today], key=lambda one: one.day)
    _keep(conn, _DAYS, kept[-KEPT_DAYS:])


def days_of_storage(conn: Connection) -> Sequence[Day]:
    """Return what is known of the last days, in order; days without a count are absent."""
    return _kept(conn, _DAYS, list[Day]) or []


def note_unneeded(conn: Connection, unneeded: Sequence[Unneeded]) -> None:
    """Keep what was counted of what nobody needs."""
    _keep(conn, _UNNEEDED, unneeded)


def latest_unneeded(conn: Connection) -> Sequence[Unneeded]:
    """Return what was counted last of what nobody needs; nothing before that."""
    return _kept(conn, _UNNEEDED, list[Unneeded]) or []


def last_read(conn: Connection) -> Millis | None:
    """Return when something that is stored was last read again, by a job or a command."""
    latest = [
        conn.execute(select(func.max(table.c.checked_at))).scalar() for table in (files, xorbs)
    ]
    return max((at for at in latest if at is not None), default=None)


def _kept(conn: Connection, name: str, kind: type[T]) -> T | None:
    text = conn.execute(select(hub.c.value).where(hub.c.name == name)).scalar()
    return msgspec.json.decode(text, type=kind) if text else None


def _keep(conn: Connection, name: str, value: object) -> None:
    note = insert_for(conn, hub).values(name=name, value=msgspec.json.encode(value).decode())
    conn.execute(
        note.on_conflict_do_update(index_elements=["name"], set_={"value": note.excluded.value})
    )
