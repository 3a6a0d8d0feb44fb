# SPDX-License-Identifier: Apache-2.0
"""SQL of reading stored bytes again: what is due, what came of it, and whom damage hits.

What is found is noted only of rows that are as they were when reading began. In between a xorb may
have been collected and sent anew, healed, or a file become one with another: then what was read
says nothing of what there is now.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    case,
    func,
    or_,
    select,
    update,
)

from hubkeep.db.tables import (
    file_terms,
    file_xorbs,
    files,
    repo_files,
    repos,
    xorb_chunks,
    xorbs,
)
from hubkeep.kit.time import Millis
from hubkeep.repos.types import DELETED
from hubkeep.transfer.cas.queries_reading import is_broken
from hubkeep.transfer.cas.queries_storage import Sized
from hubkeep.xet.index import XorbIndex


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be read: all that neither came nor was read since `before`, hashed as it came.

    Of some repositories, or of all.
    """

    before: Millis
    repo_ids: tuple[int, ...] | None = None


class XorbRow(NamedTuple):
    """A xorb that counts as stored."""

    id: int
    hash: bytes
    size: int
    raw_size: int
    chunks: int
    created_at: Millis
    checked_at: Millis | None
    damaged_at: Millis | None


class FileRow(NamedTuple):
    """A file that is stored whole, as chunks, or both."""

    id: int
    sha256: bytes | None
    size: int
    xet_hash: bytes | None
    whole: bool
    created_at: Millis
    checked_at: Millis | None
    damaged_at: Millis | None


class Place(NamedTuple):
    """A file as somebody knows it: `path` is the one that it was first committed under."""

    repo_type: str
    repo: str
    path: str | None
    oid: bytes | None


_XORB = tuple(xorbs.c[name] for name in XorbRow._fields)
_FILE = tuple(files.c[name] for name in FileRow._fields)
_STORED = or_(files.c.whole, files.c.xet_hash.is_not(None))


def due_xorbs(conn: Connection, due: Due, limit: int) -> list[XorbRow]:
    """Return at most `limit` xorbs: first those never read, then those read the longest ago."""
    wanted = and_(xorbs.c.ready, _of_repos(xorbs, due))
    return [XorbRow._make(row) for row in _oldest(conn, xorbs, _XORB, wanted, due, limit)]


def due_files(conn: Connection, due: Due, limit: int) -> list[FileRow]:
    """Return at most `limit` files, in the same order."""
    wanted = and_(_STORED, _of_repos(files, due))
    return [FileRow._make(row) for row in _oldest(conn, files, _FILE, wanted, due, limit)]


def xorb_row(conn: Connection, xorb_hash: bytes) -> XorbRow | None:
    """Return a xorb that counts as stored, None if it does not."""
    row = conn.execute(select(*_XORB).where(xorbs.c.hash == xorb_hash, xorbs.c.ready)).first()
    return XorbRow._make(row) if row else None


def how_much_is_due(conn: Connection, due: Due) -> Sized:
    """Return how many xorbs and files are due, and the bytes to read for them."""
    old_xorbs = select(func.count(), func.sum(xorbs.c.size)).where(
        xorbs.c.ready, _of_repos(xorbs, due), _is_old(xorbs, due)
    )
    whole = func.sum(case((files.c.whole, files.c.size), else_=0))
    old_files = select(func.count(), whole).where(
        _STORED, _of_repos(files, due), _is_old(files, due)
    )
    some, others = conn.execute(old_xorbs).one(), conn.execute(old_files).one()
    return Sized(some[0] + others[0], int(some[1] or 0) + int(others[1] or 0))


def index_of(conn: Connection, xorb_id: int) -> tuple[bytes, bytes] | None:
    """Return what is known of a xorb's chunks: ends and hashes."""
    query = select(xorb_chunks.c.ends, xorb_chunks.c.hashes).where(xorb_chunks.c.xorb_id == xorb_id)
    row = conn.execute(query).first()
    return (row.ends, row.hashes) if row else None


def indexes_of(conn: Connection, hashes: Collection[bytes]) -> dict[bytes, XorbIndex]:
    """Return what is known of the chunks of xorbs, by hash; nothing of what is not stored.

    ValueError where an index is no index.
    """
    query = (
        select(xorbs.c.hash, xorb_chunks.c.hashes, xorb_chunks.c.ends)
        .join(xorb_chunks, xorb_chunks.c.xorb_id == xorbs.c.id)
        .where(xorbs.c.hash.in_(hashes), xorbs.c.ready)
    )
    return {row.hash: XorbIndex(row.hashes, row.ends) for row in conn.execute(query)}


def terms_from(conn: Connection, file_id: int, raw_start: int) -> tuple[int, bytes] | None:
    """Return the first row of a file's terms at or after a byte of it: where it starts, and it."""
    query = (
        select(file_terms.c.raw_start, file_terms.c.terms)
        .where(file_terms.c.file_id == file_id, file_terms.c.raw_start >= raw_start)
        .order_by(file_terms.c.raw_start)
        .limit(1)
    )
    row = conn.execute(query).first()
    return (row.raw_start, row.terms) if row else None


def note_xorb(conn: Connection, xorb: XorbRow, now: Millis, *, is_damaged: bool) -> bool:
    """Note what came of reading a xorb; False if it is not the same any more."""
    return _note(conn, xorbs, _XORB, xorb, now, is_damaged=is_damaged)


def note_file(conn: Connection, file: FileRow, now: Millis, *, is_damaged: bool) -> bool:
    """Note what came of reading a file; False if it is not the same any more."""
    return _note(conn, files, _FILE, file, now, is_damaged=is_damaged)


def mend_index(conn: Connection, xorb_id: int, index: XorbIndex) -> None:
    """Write what is known of a xorb's chunks anew, from its bytes.

    Files that seemed damaged because of it are due to be read again.
    """
    conn.execute(
        update(xorbs)
        .where(xorbs.c.id == xorb_id)
        .values(size=index.stored_size, raw_size=index.raw_size, chunks=index.count)
    )
    conn.execute(
        update(xorb_chunks)
        .where(xorb_chunks.c.xorb_id == xorb_id)
        .values(ends=index.ends, hashes=index.hashes)
    )
    needing = select(file_xorbs.c.file_id).where(file_xorbs.c.xorb_id == xorb_id)
    conn.execute(
        update(files)
        .where(files.c.damaged_at.is_not(None), files.c.id.in_(needing))
        .values(checked_at=0)
    )


def forgo_copy(conn: Connection, file_id: int, now: Millis) -> bool:
    """Have a file be sent from its chunks from now on; False if some are known to be damaged."""
    spare = update(files).where(files.c.id == file_id, files.c.xet_hash.is_not(None), ~is_broken())
    forgone = spare.values(whole=False, spare_since=now, damaged_at=None)
    return conn.execute(forgone).rowcount > 0


def damaged_xorbs(conn: Connection, due: Due) -> list[XorbRow]:
    """Return all xorbs that are marked as damaged, of the repositories in question."""
    marked = xorbs.c.ready & xorbs.c.damaged_at.is_not(None)
    query = select(*_XORB).where(marked, _of_repos(xorbs, due))
    return [XorbRow._make(row) for row in conn.execute(query.order_by(xorbs.c.id))]


def damaged_files(conn: Connection, due: Due) -> list[FileRow]:
    """Return all files that are marked as damaged themselves, of the repositories in question."""
    query = select(*_FILE).where(files.c.damaged_at.is_not(None), _of_repos(files, due))
    return [FileRow._make(row) for row in conn.execute(query.order_by(files.c.id))]


def places_of_xorb(conn: Connection, xorb_id: int) -> Iterator[Place]:
    """Yield the files that need a xorb, wherever they are; not those that are stored whole too."""
    query = _places().join(file_xorbs, file_xorbs.c.file_id == files.c.id)
    return _each(conn, query.where(file_xorbs.c.xorb_id == xorb_id, files.c.whole.is_(False)))


def places_of_file(conn: Connection, file_id: int) -> Iterator[Place]:
    """Yield where a file is."""
    return _each(conn, _places().where(files.c.id == file_id))


def _oldest(
    conn: Connection,
    table: Table,
    columns: Sequence[Column],
    wanted: ColumnElement[bool],
    due: Due,
    limit: int,
) -> list[Row]:
    # Two statements, since only so the index over `checked_at` is walked on both databases.
    never = select(*columns).where(wanted, _is_unread(table, due)).limit(limit)
    found = list(conn.execute(never))
    if len(found) < limit:
        old = select(*columns).where(table.c.checked_at < due.before, wanted)
        found += conn.execute(old.order_by(table.c.checked_at).limit(limit - len(found)))
    return found


def _is_unread(table: Table, due: Due) -> ColumnElement[bool]:
    return and_(table.c.checked_at.is_(None), table.c.created_at < due.before)


def _is_old(table: Table, due: Due) -> ColumnElement[bool]:
    return or_(_is_unread(table, due), table.c.checked_at < due.before)


def _of_repos(table: Table, due: Due) -> ColumnElement[bool]:
    """Whether a xorb or a file belongs to the repositories in question."""
    if due.repo_ids is None:
        return and_(True)
    held = select(repo_files.c.file_id).where(repo_files.c.repo_id.in_(due.repo_ids))
    if table is files:
        return files.c.id.in_(held)
    return xorbs.c.id.in_(select(file_xorbs.c.xorb_id).where(file_xorbs.c.file_id.in_(held)))


def _note(
    conn: Connection,
    table: Table,
    columns: Sequence[Column],
    row: Sequence[object],
    now: Millis,
    *,
    is_damaged: bool,
) -> bool:
    same = and_(
        *(column.is_not_distinct_from(value) for column, value in zip(columns, row, strict=True))
    )
    since = func.coalesce(table.c.damaged_at, now) if is_damaged else None
    noted = update(table).where(same).values(checked_at=now, damaged_at=since)
    return conn.execute(noted).rowcount > 0


def _places() -> Select:
    return (
        select(repos.c.type, repos.c.path, repo_files.c.filename, repo_files.c.oid)
        .select_from(files)
        .join(repo_files, repo_files.c.file_id == files.c.id)
        .join(repos, repos.c.id == repo_files.c.repo_id)
        .where(repos.c.type != DELETED)
    )


def _each(conn: Connection, query: Select) -> Iterator[Place]:
    for row in conn.execute(query.order_by(repos.c.path, repo_files.c.filename)):
        yield Place(*row)
