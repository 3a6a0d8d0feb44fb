# SPDX-License-Identifier: Apache-2.0
"""SQL of a repository's list of large files, and of taking files away from it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Select, delete, select, update

from hubkeep import errors
from hubkeep.db.tables import files, repo_files
from hubkeep.kit.batches import batches
from hubkeep.kit.text import storable
from hubkeep.kit.time import Millis


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A large file of a repository; `filename` and `ref` are None until a commit named it."""

    file_id: int
    public_id: str
    sha256: bytes
    size: int
    filename: str | None
    ref: str | None
    pushed_at: Millis


def held_files(conn: Connection, repo_id: int, after: int, limit: int) -> list[HeldFile]:
    """Return at most `limit` files of a repository with ids above `after`, by id."""
    found = _held_by(repo_id).where(repo_files.c.file_id > after)
    return [
        HeldFile(*row) for row in conn.execute(found.order_by(repo_files.c.file_id).limit(limit))
    ]


def largest_files(conn: Connection, repo_id: int, limit: int) -> list[HeldFile]:
    """Return the largest files of a repository, at most `limit`. Looks at each of its files."""
    found = _held_by(repo_id).order_by(files.c.size.desc(), files.c.id).limit(limit)
    return [HeldFile(*row) for row in conn.execute(found)]


def _held_by(repo_id: int) -> Select:
    return (
        select(
            files.c.id,
            repo_files.c.public_id,
            repo_files.c.oid,
            files.c.size,
            repo_files.c.filename,
            repo_files.c.ref,
            repo_files.c.pushed_at,
        )
        .join(repo_files, files.c.id == repo_files.c.file_id)
        .where(repo_files.c.repo_id == repo_id, repo_files.c.oid.is_not(None))
    )


@dataclass(frozen=True, slots=True)
class Unlinked:
    """A file that a repository no longer holds; `was_committed` if a commit had named it."""

    sha256: bytes
    size: int
    was_committed: bool


def unlink(
    conn: Connection, repo_id: int, public_ids: Collection[str], now: Millis
) -> list[Unlinked]:
    """Take files, named by the public ids of their links, from a repository.

    Raises not_found, and takes none away, if one of the links is not there. Of two callers that
    name the same link one gets it: what it says is counted once.
    """
    wanted = set(public_ids)
    rows: dict[int, Unlinked] = {}
    for some in batches([one for one in sorted(wanted) if storable(one)]):
        query = (
            select(files.c.id, repo_files.c.oid, files.c.size, repo_files.c.filename)
            .join(repo_files, repo_files.c.file_id == files.c.id)
            .where(repo_files.c.repo_id == repo_id, repo_files.c.public_id.in_(some))
            .order_by(repo_files.c.file_id)
            .with_for_update(of=repo_files)
        )
        for file_id, oid, size, filename in conn.execute(query):
            rows[file_id] = Unlinked(oid, size, filename is not None)
    if len(rows) < len(wanted):
        raise errors.not_found("One of these files is not in this repository; nothing was deleted")
    unlink_files(conn, repo_id, list(rows), now)
    return list(rows.values())


def unlink_files(conn: Connection, repo_id: int, ids: Sequence[int], now: Millis) -> None:
    """Take files from a repository; those that were its alone are unlinked from `now` on."""
    for some in batches(sorted(ids)):
        # Locked first, so that of two repositories that let go at once the later one sees that it
        # is the last.
        conn.execute(
            select(files.c.id)
            .where(files.c.id.in_(some))
            .order_by(files.c.id)
            .with_for_update(key_share=True)
        )
        conn.execute(
            delete(repo_files).where(
                repo_files.c.repo_id == repo_id, repo_files.c.file_id.in_(some)
            )
        )
        still = select(repo_files.c.file_id).where(repo_files.c.file_id == files.c.id).exists()
        conn.execute(update(files).where(files.c.id.in_(some), ~still).values(unlinked_at=now))
