# SPDX-License-Identifier: Apache-2.0
"""SQL of collecting: files that no repository refers to any more go, row and bytes.

Why no upload can lose its bytes:

- Nothing trusts a file's row without a link: whoever is not offered the file sends all its bytes.
- A batch answer that asks for a file's bytes first renews `unlinked_at` of a row without links, so
  the row cannot be collected for the grace time, which is far longer than the address holds. A row
  that loses its last link later is younger still.
- Row and bytes go in one step under the row's lock, and the foreign key of `repo_files` would not
  let a linked one go. If collecting is first, the renewal waits, finds no row, and the bytes that
  are sent afterwards are stored anew. If the renewal is first, collecting finds the row too young.
  On SQLite the writers' lock takes the place of the row's.
- A file that is found again by its chunks (`cas`) may be linked by that row, so before its bytes go
  the row says, in a transaction of its own, that there is no whole copy (`retire_files`). A kill
  between the bytes and the end of the transaction then leaves a row without bytes that promises
  none, and is collected again.
- Bytes without a row (a kill between storing and linking) are given a row first, and so take the
  same way.
- A whole copy of a file that is stored as chunks too goes in the same manner, by `spare_since`,
  unless the chunks turn out to be damaged meanwhile: then it is what there is of the file, and is
  not spare any more (`recall_copy`).

The xorbs of a file that goes are let go of here and collected in `cas.queries_collecting`.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from hubkeep.blobs import whole_key
from hubkeep.db.tables import files, repo_files
from hubkeep.db.upserts import insert_for
from hubkeep.kit.batches import batches
from hubkeep.kit.time import Millis
from hubkeep.transfer.cas.queries_collecting import let_go_of_xorbs
from hubkeep.transfer.cas.queries_reading import is_broken


@dataclass(frozen=True, slots=True)
class Orphan:
    """Bytes in the store, by the hash in their key."""

    sha256: bytes
    size: int


class SpareCopy(NamedTuple):
    """The whole copy of a file that is stored as chunks too."""

    file_id: int
    sha256: bytes
    size: int


def unlinked_files(conn: Connection, before: Millis, limit: int) -> list[int]:
    """Return ids of files that may have had no link since before a time, the oldest first."""
    query = (
        select(files.c.id)
        .where(files.c.unlinked_at < before)
        .order_by(files.c.unlinked_at)
        .limit(limit)
    )
    return list(conn.execute(query).scalars())


def retire_files(conn: Connection, ids: Collection[int], before: Millis) -> Sequence[int]:
    """Make whole copies of files that had no link since `before` count as missing.

    Returns the ids of these files, those without a whole copy too. A file that is linked after all
    is only marked so.
    """
    locked = (
        select(files.c.id)
        .where(files.c.id.in_(ids), files.c.unlinked_at < before)
        .order_by(files.c.id)
        .with_for_update()
    )
    old = list(conn.execute(locked).scalars())
    # Statements of their own, after the lock: a link that was being made is visible now.
    linked = select(repo_files.c.repo_id).where(repo_files.c.file_id == files.c.id).exists()
    conn.execute(update(files).where(files.c.id.in_(old), linked).values(unlinked_at=None))
    conn.execute(
        update(files)
        .where(files.c.id.in_(old), ~linked, files.c.whole)
        .values(whole=False, spare_since=files.c.unlinked_at)
    )
    retired = select(files.c.id).where(files.c.id.in_(old), files.c.unlinked_at < before)
    return list(conn.execute(retired.order_by(files.c.unlinked_at)).scalars())


def collect_file(
    conn: Connection,
    file_id: int,
    before: Millis,
    now: Millis,
    delete_blob: Callable[[str], None],
) -> int | None:
    """Delete a file that was retired, its whole copy within the transaction.

    Returns how many bytes that was, none for a file of chunks alone; None if the file is wanted
    again, and stays. Xorbs that only this file needed are unlinked from `now` on.
    """
    locked = (
        select(files.c.sha256, files.c.size, files.c.spare_since)
        .where(files.c.id == file_id, files.c.unlinked_at < before, files.c.whole.is_(False))
        .with_for_update()
    )
    file = conn.execute(locked).first()
    if file is None:
        return None
    let_go_of_xorbs(conn, file_id, now)
    conn.execute(delete(files).where(files.c.id == file_id))
    if file.spare_since is None:
        return 0
    delete_blob(whole_key(file.sha256.hex()))
    return file.size


def spare_copies(conn: Connection, before: Millis, limit: int) -> list[int]:
    """Return ids of files whose whole copy was not needed since before a time, the oldest first."""
    query = (
        select(files.c.id)
        .where(files.c.spare_since < before, ~is_broken())
        .order_by(files.c.spare_since)
        .limit(limit)
    )
    return list(conn.execute(query).scalars())


def drop_copy(
    conn: Connection, file_id: int, before: Millis, delete_blob: Callable[[str], None]
) -> int | None:
    """Delete the whole copy of a file that nobody has needed since `before`.

    Returns how many bytes that was; None if it is needed after all, by who sent it again or since
    chunks of the file are damaged.
    """
    locked = (
        select(files.c.sha256, files.c.size)
        .where(files.c.id == file_id, files.c.spare_since < before, files.c.whole.is_(False))
        .with_for_update()
    )
    file = conn.execute(locked).first()
    if file is None or _needs_copy(conn, file_id):
        return None
    conn.execute(update(files).where(files.c.id == file_id).values(spare_since=None))
    delete_blob(whole_key(file.sha256.hex()))
    return file.size


def needed_copies(conn: Connection, after: int, limit: int) -> list[SpareCopy]:
    """Return spare copies of files with ids above `after` whose chunks cannot be read, by id."""
    query = (
        select(files.c.id, files.c.sha256, files.c.size)
        .where(files.c.spare_since.is_not(None), files.c.id > after, files.c.unlinked_at.is_(None))
        .where(files.c.whole.is_(False), is_broken())
        .order_by(files.c.id)
        .limit(limit)
    )
    return [SpareCopy(*row) for row in conn.execute(query)]


def recall_copy(conn: Connection, copy: SpareCopy) -> bool:
    """Have a copy that is in the store be its file again; False where it is gone or not needed."""
    locked = (
        select(files.c.id)
        .where(files.c.id == copy.file_id, files.c.sha256 == copy.sha256)
        .where(files.c.spare_since.is_not(None), files.c.unlinked_at.is_(None))
        .with_for_update()
    )
    if conn.execute(locked).first() is None or not _needs_copy(conn, copy.file_id):
        return False
    conn.execute(
        update(files).where(files.c.id == copy.file_id).values(whole=True, spare_since=None)
    )
    return True


def _needs_copy(conn: Connection, file_id: int) -> bool:
    query = select(files.c.id).where(files.c.id == file_id, is_broken())
    return conn.execute(query).first() is not None


def adopt_orphans(conn: Connection, stored: Collection[Orphan], now: Millis) -> int:
    """Give those of the blobs a row that have none, as files that lost their last link now.

    A copy of a file that is known to be stored as chunks alone is one that nobody needs.
    """
    adopted = 0
    for some in batches(stored):
        known = set(
            conn.execute(
                select(files.c.sha256).where(files.c.sha256.in_([blob.sha256 for blob in some]))
            ).scalars()
        )
        rows = [
            {"sha256": blob.sha256, "size": blob.size, "unlinked_at": now, "created_at": now}
            for blob in some
            if blob.sha256 not in known
        ]
        if rows:
            insert = insert_for(conn, files).on_conflict_do_nothing(index_elements=["sha256"])
            conn.execute(insert, rows)
        adopted += len(rows)
        conn.execute(
            update(files)
            .where(
                files.c.sha256.in_([blob.sha256 for blob in some]),
                files.c.whole.is_(False),
                files.c.spare_since.is_(None),
            )
            .values(spare_since=now)
        )
    return adopted
