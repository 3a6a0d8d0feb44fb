# SPDX-License-Identifier: Apache-2.0
"""SQL that clears away deleted repositories, a bounded number of rows at a time."""

from sqlalchemy import Column, Connection, Table, delete, select

from hubkeep.db.tables import (
    facts,
    git_commits,
    git_objects,
    git_refs,
    lfs_locks,
    repo_files,
    repos,
)
from hubkeep.kit.time import Millis
from hubkeep.repos.types import DELETED
from hubkeep.transfer.queries_files import unlink_files

BATCH = 2000

# In the order in which they refer to each other: commits to facts.
_PLAIN: tuple[tuple[Table, Column], ...] = (
    (git_refs, git_refs.c.name),
    (git_objects, git_objects.c.oid),
    (git_commits, git_commits.c.oid),
    (facts, facts.c.id),
    (lfs_locks, lfs_locks.c.id),
)


def buried_repos(conn: Connection, limit: int) -> list[int]:
    """Return repositories that were deleted and are still to be cleared away."""
    found = select(repos.c.id).where(repos.c.type == DELETED).limit(limit)
    return list(conn.execute(found).scalars())


def purge_batch(conn: Connection, repo_id: int, now: Millis) -> bool:
    """Delete up to BATCH rows of a deleted repository, at last its own; True while more is left.

    Uploads that were under way go with its row; what they left in the blob store belongs to no row
    then and is swept (`transfer.jobs`).
    """
    kind = conn.execute(select(repos.c.type).where(repos.c.id == repo_id)).scalar()
    if kind is None:
        return False  # another worker was faster
    assert kind == DELETED, "only deleted repositories are cleared away"
    for table, column in _PLAIN:
        if _delete_some(conn, table, column, repo_id):
            return True
    linked = select(repo_files.c.file_id).where(repo_files.c.repo_id == repo_id).limit(BATCH)
    files = list(conn.execute(linked).scalars())
    if files:
        unlink_files(conn, repo_id, files, now)
        return True
    conn.execute(delete(repos).where(repos.c.id == repo_id))
    return False


def _delete_some(conn: Connection, table: Table, column: Column, repo_id: int) -> int:
    some = select(column).where(table.c.repo_id == repo_id).limit(BATCH)
    gone = delete(table).where(table.c.repo_id == repo_id, column.in_(some))
    return conn.execute(gone).rowcount
