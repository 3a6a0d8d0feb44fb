# SPDX-License-Identifier: Apache-2.0
"""SQL that clears away deleted repositories, a bounded number of rows at a time."""

from sqlalchemy import Column, Connection, Table, delete, exists, select, update

from hubkeep.db.tables import (
    facts,
    files,
    git_commits,
    git_objects,
    git_refs,
    repo_files,
    repos,
    uploads,
)
from hubkeep.kit.time import Millis
from hubkeep.repos.types import DELETED

BATCH = 2000

# In the order in which they refer to each other: commits to facts.
_PLAIN: tuple[tuple[Table, Column], ...] = (
    (git_refs, git_refs.c.name),
    (git_objects, git_objects.c.oid),
    (git_commits, git_commits.c.oid),
    (facts, facts.c.id),
)
_IS_LINKED = exists().where(repo_files.c.file_id == files.c.id)


def is_buried(conn: Connection, repo_id: int) -> bool:
    """Say whether the repository was deleted and its row is still there."""
    found = select(repos.c.id).where(repos.c.id == repo_id, repos.c.type == DELETED)
    return conn.execute(found).first() is not None


def open_uploads(conn: Connection, repo_id: int) -> list[tuple[str, str]]:
    """Return id and blob store's id of the uploads into a repository that were never finished."""
    found = select(uploads.c.id, uploads.c.store_upload).where(uploads.c.repo_id == repo_id)
    return [(row[0], row[1]) for row in conn.execute(found)]


def forget_upload(conn: Connection, upload_id: str) -> None:
    """Forget an upload whose parts are gone from the blob store."""
    conn.execute(delete(uploads).where(uploads.c.id == upload_id))


def purge_batch(conn: Connection, repo_id: int, now: Millis) -> bool:
    """Delete up to BATCH rows of a deleted repository, at last its own; False once it is gone."""
    if not is_buried(conn, repo_id):
        return False
    for table, column in _PLAIN:
        if _delete_some(conn, table, column, repo_id):
            return True
    if _unlink_some(conn, repo_id, now):
        return True
    conn.execute(delete(repos).where(repos.c.id == repo_id, repos.c.type == DELETED))
    return False


def _delete_some(conn: Connection, table: Table, column: Column, repo_id: int) -> int:
    some = select(column).where(table.c.repo_id == repo_id).limit(BATCH)
    gone = delete(table).where(table.c.repo_id == repo_id, column.in_(some))
    return conn.execute(gone).rowcount


def _unlink_some(conn: Connection, repo_id: int, now: Millis) -> int:
    """Unlink; files that no repository refers to any more are marked, to be collected in time."""
    some = select(repo_files.c.file_id).where(repo_files.c.repo_id == repo_id).limit(BATCH)
    ids = list(conn.execute(some).scalars())
    if not ids:
        return 0
    # Locked in one order; whoever links one of them meanwhile waits for us, or we for them.
    locked = select(files.c.id).where(files.c.id.in_(ids)).order_by(files.c.id).with_for_update()
    conn.execute(locked).all()
    conn.execute(
        delete(repo_files).where(repo_files.c.repo_id == repo_id, repo_files.c.file_id.in_(ids))
    )
    conn.execute(update(files).where(files.c.id.in_(ids), ~_IS_LINKED).values(unlinked_at=now))
    return len(ids)
