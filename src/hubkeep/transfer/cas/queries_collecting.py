# SPDX-License-Identifier: Apache-2.0
"""SQL of collecting xorbs: those that no file needs any more go, row and bytes.

A xorb is needed while a file has it (`file_xorbs`). One that no file has is kept for the grace time
after `unlinked_at`: since it was first announced, or since it lost its last file. The time is
longer than clients remember what they have sent (21 days) and what they were told (a day).

Why nothing that anybody relies on is lost:

- Whoever relies on a xorb's row has it locked, linked or renewed when he does. Three do so:
  - An upload makes the row, or sets its `unlinked_at` to now, before the first byte comes.
  - A grant that answers "already there" sets `unlinked_at` to now in the transaction that finds the
    row: the client sends no bytes, but a shard, later.
  - A shard that names the xorb holds its row by `FOR KEY SHARE` while it looks whether it is ready,
    links the file to it and clears `unlinked_at`, all in one transaction.

  A dedup answer tells of linked xorbs alone; one that loses its last file after that is younger
  than the answer.
- Collecting takes two transactions, each under `FOR UPDATE` of the rows, which conflicts with all
  of these, and each looks again whether a xorb is still as old and has no file. The first makes it
  not ready (`retire_xorbs`): from here on it counts as missing. The second deletes bytes and row
  (`collect_xorb`).
- So if collecting is first, the others wait, then find no row, or one that is not ready: an upload
  goes on and stores the bytes anew, a grant asks for them, a shard is refused. If one of the others
  is first, collecting finds the row too young, or linked. On SQLite the writers' lock takes the
  place of the rows'.
- A kill between the bytes and the end of the second transaction leaves a row that is not ready,
  which is as good as none, and is collected again. Were one transaction all, it would leave one
  that says it has its bytes.
- Two files that share a xorb may let go of it and take it up at once, and leave it marked as
  unlinked although it has a file: collecting finds the file and takes the mark away. The foreign
  key of `file_xorbs` would refuse the rest.
- Bytes without a row (after a restore of the database: a row is made before its bytes come) are
  given one that is not ready, and take the same way.

Whether a xorb is damaged makes no difference here.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, select, update

from hubkeep.blobs import xorb_key
from hubkeep.db.tables import file_xorbs, xorbs
from hubkeep.db.upserts import insert_for
from hubkeep.kit.batches import batches
from hubkeep.kit.time import Millis
from hubkeep.xet.hashes import to_text


@dataclass(frozen=True, slots=True)
class StoredXorb:
    """Bytes in the store, by the hash in their key."""

    hash: bytes
    size: int


def let_go_of_xorbs(conn: Connection, file_id: int, now: Millis) -> None:
    """Take a file's xorbs from it; those that no other file needs are unlinked from `now` on."""
    held = select(file_xorbs.c.xorb_id).where(file_xorbs.c.file_id == file_id)
    ids = sorted(conn.execute(held).scalars())
    for some in batches(ids):
        # Locked first, so that of two files that let go at once the later one sees that it is the
        # last.
        conn.execute(
            select(xorbs.c.id)
            .where(xorbs.c.id.in_(some))
            .order_by(xorbs.c.id)
            .with_for_update(key_share=True)
        )
        conn.execute(
            delete(file_xorbs).where(
                file_xorbs.c.file_id == file_id, file_xorbs.c.xorb_id.in_(some)
            )
        )
        conn.execute(
            update(xorbs).where(xorbs.c.id.in_(some), ~_is_linked()).values(unlinked_at=now)
        )


def unlinked_xorbs(conn: Connection, before: Millis, limit: int) -> list[int]:
    """Return ids of xorbs that may have had no file since before a time, the oldest first."""
    query = (
        select(xorbs.c.id)
        .where(xorbs.c.unlinked_at < before)
        .order_by(xorbs.c.unlinked_at)
        .limit(limit)
    )
    return list(conn.execute(query).scalars())


def retire_xorbs(conn: Connection, ids: Collection[int], before: Millis) -> Sequence[int]:
    """Make xorbs that no file has had since `before` count as missing; return which.

    Those that have a file after all are only marked so.
    """
    locked = (
        select(xorbs.c.id)
        .where(xorbs.c.id.in_(ids), xorbs.c.unlinked_at < before)
        .order_by(xorbs.c.id)
        .with_for_update()
    )
    old = list(conn.execute(locked).scalars())
    # Statements of their own, after the lock: a link that was being made is visible now.
    conn.execute(update(xorbs).where(xorbs.c.id.in_(old), _is_linked()).values(unlinked_at=None))
    retired = update(xorbs).where(xorbs.c.id.in_(old), ~_is_linked()).values(ready=False)
    return list(conn.execute(retired.returning(xorbs.c.id)).scalars())


def collect_xorb(
    conn: Connection, xorb_id: int, before: Millis, delete_blob: Callable[[str], None]
) -> int | None:
    """Delete a xorb that was retired, its bytes within the transaction.

    Returns how many bytes those were; None if it is wanted again, and stays.
    """
    locked = (
        select(xorbs.c.hash, xorbs.c.size)
        .where(xorbs.c.id == xorb_id, xorbs.c.unlinked_at < before, xorbs.c.ready.is_(False))
        .with_for_update()
    )
    xorb = conn.execute(locked).first()
    if xorb is None:
        return None
    conn.execute(delete(xorbs).where(xorbs.c.id == xorb_id))
    delete_blob(xorb_key(to_text(xorb.hash)))
    return xorb.size


def adopt_xorbs(conn: Connection, stored: Collection[StoredXorb], now: Millis) -> int:
    """Give those of the blobs a row that have none: not ready, unlinked from `now` on."""
    adopted = 0
    for some in batches(stored):
        rows = [
            {"hash": blob.hash, "size": blob.size, "unlinked_at": now, "created_at": now}
            for blob in some
        ]
        insert = insert_for(conn, xorbs).on_conflict_do_nothing(index_elements=["hash"])
        adopted += len(conn.execute(insert.returning(xorbs.c.id), rows).all())
    return adopted


def _is_linked() -> ColumnElement[bool]:
    return select(file_xorbs.c.file_id).where(file_xorbs.c.xorb_id == xorbs.c.id).exists()
