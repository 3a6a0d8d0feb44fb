# SPDX-License-Identifier: Apache-2.0
"""SQL of what is stored: of the hub, which a job counts from time to time, and of a repository.

Logical bytes are those of the large files that repositories hold, each file once in each of them,
over all their revisions. Stored bytes are those in the blob store. Text and other small files are
in the database and in neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, case, func, select, true

from hubkeep.db.tables import file_xorbs, files, hub, repo_files, repos, uploads, xorbs
from hubkeep.db.upserts import insert_for
from hubkeep.kit.time import DAY, Millis
from hubkeep.repos.types import DELETED
from hubkeep.transfer.cas.queries_reading import is_broken

USUAL_SCRUB_DAYS = 30
"""In how many days all should be read once where the hub does not do it by itself."""

_NAME = "storage"


class Sized(NamedTuple):
    """How many, and how many bytes."""

    count: int
    size: int


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub stored at a time."""

    counted_at: Millis
    logical: Sized
    """What repositories hold, each file once in each repository."""
    files: Sized
    """Different files among these."""
    chunked: Sized
    """Files that are stored as chunks alone: how large they are, not what that takes."""
    whole: Sized
    spare: Sized
    """Whole copies that are not needed any more, and not deleted yet."""
    xorbs: Sized
    waiting_files: Sized
    """Whole copies, among those above, of files that no repository has any more."""
    waiting_xorbs: Sized
    """Xorbs, among those above, that no file needs any more."""
    unchecked_files: Sized
    """Whole copies that neither came nor were read within the time in which all should be."""
    unchecked_xorbs: Sized
    damaged_files: Sized
    damaged_xorbs: Sized

    @property
    def stored(self) -> int:
        """All bytes in the blob store but those of uploads under way."""
        return self.whole.size + self.spare.size + self.xorbs.size

    @property
    def saved(self) -> int:
        """Bytes that would be stored more if each repository had its files for itself, whole.

        Less than none where what is waiting to be deleted is more than that.
        """
        return self.logical.size - self.stored


class RepoTotals(NamedTuple):
    """What a repository's large files are, and what is stored that they refer to."""

    logical: Sized
    whole: Sized
    xorbs: Sized

    @property
    def stored(self) -> int:
        """Bytes in the blob store, each whole copy and each xorb once."""
        return self.whole.size + self.xorbs.size


class RepoUsage(NamedTuple):
    """A repository and what it stores."""

    type: str
    path: str
    totals: RepoTotals


def count_all(conn: Connection, now: Millis, scrub_days: int) -> Totals:
    """Count what the hub stores. Looks at every large file of every repository."""
    before = now - (scrub_days or USUAL_SCRUB_DAYS) * DAY
    ready = xorbs.c.ready
    spare = files.c.spare_since.is_not(None) & ~files.c.whole
    chunked = files.c.xet_hash.is_not(None) & ~files.c.whole
    linked = select(repo_files.c.file_id)
    return Totals(
        counted_at=now,
        logical=_sized(conn, _select(files).join(repo_files, repo_files.c.file_id == files.c.id)),
        files=_of(conn, files, files.c.id.in_(linked)),
        chunked=_of(conn, files, chunked),
        whole=_of(conn, files, files.c.whole),
        spare=_of(conn, files, spare),
        xorbs=_of(conn, xorbs, ready),
        waiting_files=_of(conn, files, files.c.whole & files.c.unlinked_at.is_not(None)),
        waiting_xorbs=_of(conn, xorbs, ready & xorbs.c.unlinked_at.is_not(None)),
        unchecked_files=_of(conn, files, files.c.whole & _is_unread(files, before)),
        unchecked_xorbs=_of(conn, xorbs, ready & _is_unread(xorbs, before)),
        damaged_files=_of(conn, files, files.c.damaged_at.is_not(None)),
        damaged_xorbs=_of(conn, xorbs, ready & xorbs.c.damaged_at.is_not(None)),
    )


def count_repo(conn: Connection, repo_id: int) -> RepoTotals:
    """Count what a repository stores. Looks at each of its large files, and at their xorbs."""
    held = select(repo_files.c.file_id).where(repo_files.c.repo_id == repo_id)
    needed = select(file_xorbs.c.xorb_id).where(file_xorbs.c.file_id.in_(held))
    return RepoTotals(
        logical=_of(conn, files, files.c.id.in_(held)),
        whole=_of(conn, files, files.c.id.in_(held) & files.c.whole),
        xorbs=_of(conn, xorbs, xorbs.c.id.in_(needed)),
    )


def largest_repos(conn: Connection, limit: int) -> Sequence[RepoUsage]:
    """Return the repositories that hold most, by logical bytes. Looks at every large file."""
    held = func.sum(files.c.size)
    largest = (
        select(repos.c.id, repos.c.type, repos.c.path)
        .join(repo_files, repo_files.c.repo_id == repos.c.id)
        .join(files, files.c.id == repo_files.c.file_id)
        .where(repos.c.type != DELETED)
        .group_by(repos.c.id, repos.c.type, repos.c.path)
        .order_by(held.desc(), repos.c.path)
        .limit(limit)
    )
    rows = conn.execute(largest).all()
    return [RepoUsage(row.type, row.path, count_repo(conn, row.id)) for row in rows]


@dataclass(frozen=True, slots=True)
class Spare:
    """A kind of thing that nobody needs, as collecting looks for it."""

    table: Table
    name: ColumnElement
    size: ColumnElement[int]
    """Bytes in the blob store that go with it."""
    since: ColumnElement[int]
    """When it was last needed."""
    which: ColumnElement[bool]


UNLINKED_FILES = Spare(
    files,
    files.c.sha256,
    case((files.c.whole | files.c.spare_since.is_not(None), files.c.size), else_=0),
    files.c.unlinked_at,
    ~select(repo_files.c.repo_id).where(repo_files.c.file_id == files.c.id).exists(),
)
SPARE_COPIES = Spare(
    files,
    files.c.sha256,
    files.c.size,
    files.c.spare_since,
    ~files.c.whole & files.c.unlinked_at.is_(None) & ~is_broken(),
)
UNLINKED_XORBS = Spare(
    xorbs,
    xorbs.c.hash,
    xorbs.c.size,
    xorbs.c.unlinked_at,
    ~select(file_xorbs.c.file_id).where(file_xorbs.c.xorb_id == xorbs.c.id).exists(),
)
STALE_UPLOADS = Spare(uploads, uploads.c.sha256, uploads.c.size, uploads.c.created_at, true())


class SpareItem(NamedTuple):
    """One thing that nobody needs; a file whose sha256 is not known yet has no name."""

    name: bytes | None
    size: int
    since: Millis


class SpareTotals(NamedTuple):
    """How much of a kind nobody has needed since before a time, and how much since later."""

    due: Sized
    waiting: Sized
    next_since: Millis | None
    """Of the waiting ones, since when the oldest is not needed."""
    largest: list[SpareItem]


def count_spare(conn: Connection, kind: Spare, before: Millis, largest: int) -> SpareTotals:
    """Count what nobody needs of a kind, and name the `largest`. Looks at all of that."""
    due = kind.which & (kind.since < before)
    waiting = kind.which & (kind.since >= before)
    counted = select(func.count(), func.sum(kind.size)).select_from(kind.table)
    items = (
        select(kind.name, kind.size, kind.since)
        .where(kind.which, kind.since.is_not(None))
        .order_by(kind.size.desc(), kind.name)
        .limit(largest)
    )
    return SpareTotals(
        _sized(conn, counted.where(due)),
        _sized(conn, counted.where(waiting)),
        conn.execute(select(func.min(kind.since)).where(waiting)).scalar(),
        [SpareItem(*row) for row in conn.execute(items)],
    )


def latest_totals(conn: Connection) -> Totals | None:
    """Return what was counted last; None before that."""
    text = conn.execute(select(hub.c.value).where(hub.c.name == _NAME)).scalar()
    return msgspec.json.decode(text, type=Totals) if text else None


def note_totals(conn: Connection, totals: Totals) -> None:
    """Keep what was counted."""
    note = insert_for(conn, hub).values(name=_NAME, value=msgspec.json.encode(totals).decode())
    conn.execute(
        note.on_conflict_do_update(index_elements=["name"], set_={"value": note.excluded.value})
    )


def _is_unread(table: Table, before: Millis) -> ColumnElement[bool]:
    return func.coalesce(table.c.checked_at, table.c.created_at) < before


def _select(table: Table) -> Select:
    return select(func.count(), func.sum(table.c.size)).select_from(table)


def _of(conn: Connection, table: Table, which: ColumnElement[bool]) -> Sized:
    return _sized(conn, _select(table).where(which))


def _sized(conn: Connection, query: Select) -> Sized:
    count, size = conn.execute(query).one()
    return Sized(count, int(size or 0))
