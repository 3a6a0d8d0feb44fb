# SPDX-License-Identifier: Apache-2.0
"""The commits that lead to one, in pages."""

from sqlalchemy import Connection

from hubkeep.git.errors import ObjectMissing
from hubkeep.git.queries import commits
from hubkeep.git.queries_history import count_ancestors, log_page
from hubkeep.git.types import CommitRow


def log(
    conn: Connection, repo_id: int, commit: bytes, *, skip: int = 0, limit: int
) -> list[CommitRow]:
    """Return a page of history from `commit` back, newest first, children before their parents.

    ObjectMissing.
    """
    start = _commit(conn, repo_id, commit)
    return log_page(conn, repo_id, start, skip, limit) if limit > 0 else []


def count_commits(conn: Connection, repo_id: int, commit: bytes) -> int:
    """Count the commits that lead to one, itself included. ObjectMissing."""
    row = _commit(conn, repo_id, commit)
    return row.generation if row.linear else count_ancestors(conn, repo_id, commit)


def _commit(conn: Connection, repo_id: int, oid: bytes) -> CommitRow:
    row = commits(conn, repo_id, [oid]).get(oid)
    if row is None:
        raise ObjectMissing(f"There is no commit {oid.hex()}")
    return row
