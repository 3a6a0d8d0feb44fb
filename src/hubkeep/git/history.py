# SPDX-License-Identifier: Apache-2.0
"""The commits that lead to one, in pages."""

from sqlalchemy import Connection

from hubkeep.git.errors import ObjectMissing, PathMissing
from hubkeep.git.last_commits import last_commit
from hubkeep.git.queries import commits
from hubkeep.git.queries_history import count_ancestors, log_page
from hubkeep.git.types import CommitRow


def log(
    conn: Connection,
    repo_id: int,
    commit: bytes,
    *,
    skip: int = 0,
    limit: int,
    path: str | None = None,
) -> list[CommitRow]:
    """Return a page of history from `commit` back, newest first, children before their parents.

    With a `path`, only the commits that changed it, back to its creation; at merges the parent is
    followed that has it as it is. Each of `skip + limit` commits costs a few statements then.
    ObjectMissing, PathMissing.
    """
    start = _commit(conn, repo_id, commit)
    if limit < 1:
        return []
    if not path:
        return log_page(conn, repo_id, start, skip, limit)
    return _log_of(conn, repo_id, start, path, skip + limit)[skip:]


def _log_of(
    conn: Connection, repo_id: int, start: CommitRow, path: str, count: int
) -> list[CommitRow]:
    found = [_commit(conn, repo_id, last_commit(conn, repo_id, start.oid, path))]
    while len(found) < count and found[-1].parents:
        try:
            oid = last_commit(conn, repo_id, found[-1].parents[0], path)
        except PathMissing:
            break
        found.append(_commit(conn, repo_id, oid))
    return found


def count_commits(conn: Connection, repo_id: int, commit: bytes) -> int:
    """Count the commits that lead to one, itself included. ObjectMissing."""
    row = _commit(conn, repo_id, commit)
    return row.generation if row.linear else count_ancestors(conn, repo_id, commit)


def _commit(conn: Connection, repo_id: int, oid: bytes) -> CommitRow:
    row = commits(conn, repo_id, [oid]).get(oid)
    if row is None:
        raise ObjectMissing(f"There is no commit {oid.hex()}")
    return row
