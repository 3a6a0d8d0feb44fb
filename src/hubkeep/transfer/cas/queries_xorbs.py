# SPDX-License-Identifier: Apache-2.0
"""SQL of xorbs on their way in: a row before the bytes, what they are after, who has sent them.

Why none is collected meanwhile stands in `queries_collecting`.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, case, select, update

from hubkeep.db.tables import xorb_chunks, xorb_senders, xorbs
from hubkeep.db.upserts import insert_for
from hubkeep.identity.actor import Actor
from hubkeep.kit.time import Millis
from hubkeep.transfer.cas.queries_shards import is_stored, nameable_xorbs
from hubkeep.xet.index import XorbIndex


@dataclass(frozen=True, slots=True)
class Announced:
    """A xorb whose bytes are about to come: what the hub has of it now."""

    is_ready: bool
    """It is known what is stored of it."""
    is_damaged: bool
    """What is stored is to be replaced."""


def announce_xorb(conn: Connection, xorb: bytes, now: Millis) -> Announced:
    """Make the row of a xorb that is about to come, or keep the one that is there for longer.

    One statement, so that a row which is being collected this moment is made anew.
    """
    made = insert_for(conn, xorbs).values(hash=xorb, unlinked_at=now, created_at=now)
    renewed = case((xorbs.c.unlinked_at.is_not(None), made.excluded.unlinked_at))
    statement = made.on_conflict_do_update(
        index_elements=["hash"], set_={"unlinked_at": renewed}
    ).returning(xorbs.c.ready, xorbs.c.damaged_at)
    row = conn.execute(statement).one()
    return Announced(row.ready, row.damaged_at is not None)


class KnownOtherwise(Exception):
    """A good xorb is known in another encoding than the one that came."""


def record_xorb(
    conn: Connection,
    xorb: bytes,
    index: XorbIndex | None,
    user_id: int | None,
    now: Millis,
    *,
    is_read_back: bool = False,
) -> bool | None:
    """Note what is stored of a xorb (None: as it is known already), and who has sent it.

    Return whether its sender had sent it before; None if the row, or what it is to know, has gone.
    Raises KnownOtherwise unless the index `is_read_back` from the store.
    """
    held = (
        select(xorbs.c.id, xorbs.c.ready, xorbs.c.damaged_at)
        .where(xorbs.c.hash == xorb)
        .with_for_update(key_share=True)
    )
    row = conn.execute(held).first()
    if row is None or (index is None and not row.ready):
        return None
    if index is not None:
        is_good = row.ready and row.damaged_at is None
        if is_good and not is_read_back and not _is_known(conn, row.id, index):
            raise KnownOtherwise
        _write(conn, row.id, index, now)
    sender = {"xorb_id": row.id, "user_id": user_id}
    added = conn.execute(
        insert_for(conn, xorb_senders)
        .values(sender)
        .on_conflict_do_nothing()
        .returning(xorb_senders.c.xorb_id)
    )
    return added.first() is None


def _is_known(conn: Connection, xorb_id: int, index: XorbIndex) -> bool:
    known = select(xorb_chunks.c.ends).where(xorb_chunks.c.xorb_id == xorb_id)
    return conn.execute(known).scalar() == index.ends


def _write(conn: Connection, xorb_id: int, index: XorbIndex, now: Millis) -> None:
    told = {"ends": index.ends, "hashes": index.hashes}
    conn.execute(
        insert_for(conn, xorb_chunks)
        .values(xorb_id=xorb_id, **told)
        .on_conflict_do_update(index_elements=["xorb_id"], set_=told)
    )
    conn.execute(
        update(xorbs)
        .where(xorbs.c.id == xorb_id)
        .values(
            size=index.stored_size,
            raw_size=index.raw_size,
            chunks=index.count,
            ready=True,
            checked_at=now,
            damaged_at=None,
        )
    )


def replace_xorb(conn: Connection, xorb: bytes, now: Millis) -> None:
    """Have what is stored of a xorb without being known replaced by what comes next."""
    conn.execute(
        update(xorbs).where(xorbs.c.hash == xorb, xorbs.c.ready.is_(False)).values(damaged_at=now)
    )


def is_to_be_replaced(conn: Connection, xorb: bytes) -> bool:
    """Say whether what is stored of a xorb is known to be damaged."""
    damaged = select(xorbs.c.damaged_at).where(xorbs.c.hash == xorb)
    return conn.execute(damaged).scalar() is not None


def keep_xorb(
    conn: Connection, actor: Actor, repo_id: int, xorb: bytes, now: Millis, *, hub_wide: bool
) -> bool:
    """Keep a xorb for a client that is about to name it; False if it is not there for the actor."""
    found = nameable_xorbs(conn, actor, repo_id, [xorb], hub_wide=hub_wide).get(xorb)
    if found is None:
        return False
    held = (
        select(xorbs.c.unlinked_at)
        .where(xorbs.c.id == found.id, is_stored())
        .with_for_update(key_share=True)
    )
    row = conn.execute(held).first()
    if row is not None and row.unlinked_at is not None:
        conn.execute(update(xorbs).where(xorbs.c.id == found.id).values(unlinked_at=now))
    return row is not None
