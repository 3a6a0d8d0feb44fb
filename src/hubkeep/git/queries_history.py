# SPDX-License-Identifier: Apache-2.0
"""SQL that follows parents: recursive, so that a page of history is one statement.

`parents` holds 20 bytes a parent. A line without merges is followed by its first parents; other
histories are gathered whole, each commit once, and sorted.
"""

from sqlalchemy import CTE, Connection, LargeBinary, Select, bindparam, func, literal, select

from hubkeep.db.tables import git_commits, git_refs
from hubkeep.git.commits import MAX_PARENTS
from hubkeep.git.objects import OID_BYTES
from hubkeep.git.queries import COMMIT_COLUMNS, commit_row
from hubkeep.git.types import CommitRow

_REPO = bindparam("repo")
_MINE = git_commits.c.repo_id == _REPO


def _line() -> Select:
    start = select(git_commits.c.oid, literal(0).label("n")).where(
        _MINE, git_commits.c.oid == bindparam("commit")
    )
    line = start.cte("line", recursive=True)
    parent = func.substr(git_commits.c.parents, 1, OID_BYTES, type_=LargeBinary)
    step = select(parent, line.c.n + 1).where(
        _MINE,
        git_commits.c.oid == line.c.oid,
        func.length(git_commits.c.parents) > 0,
        line.c.n < bindparam("skip") + bindparam("limit") - 1,
    )
    line = line.union_all(step)
    return (
        select(*COMMIT_COLUMNS)
        .join_from(line, git_commits, _MINE & (git_commits.c.oid == line.c.oid))
        .where(line.c.n >= bindparam("skip"))
        .order_by(line.c.n)
    )


def _ancestors(start: Select) -> CTE:
    first = select(literal(0).label("i")).cte("numbers", recursive=True)
    numbers = first.union_all(select(first.c.i + 1).where(first.c.i < MAX_PARENTS - 1))
    found = start.cte("ancestors", recursive=True)
    at = numbers.c.i * OID_BYTES
    parent = func.substr(git_commits.c.parents, at + 1, OID_BYTES, type_=LargeBinary)
    step = select(parent).where(
        _MINE, git_commits.c.oid == found.c.oid, at < func.length(git_commits.c.parents)
    )
    return found.union(step)


def _of_commit() -> CTE:
    return _ancestors(
        select(git_commits.c.oid).where(_MINE, git_commits.c.oid == bindparam("commit"))
    )


def _graph() -> Select:
    found = _of_commit()
    return (
        select(*COMMIT_COLUMNS)
        .join_from(found, git_commits, _MINE & (git_commits.c.oid == found.c.oid))
        .order_by(
            git_commits.c.generation.desc(), git_commits.c.committed_at.desc(), git_commits.c.oid
        )
        .limit(bindparam("limit"))
        .offset(bindparam("skip"))
    )


_LINE = _line()
_GRAPH = _graph()
_COUNT = select(func.count()).select_from(_of_commit())
_REACHABLE = select(
    _ancestors(select(git_refs.c.commit_oid.label("oid")).where(git_refs.c.repo_id == _REPO)).c.oid
)
_ALL_TREES = (
    select(git_commits.c.oid, git_commits.c.tree)
    .where(_MINE)
    .order_by(git_commits.c.generation.desc())
)


def log_page(
    conn: Connection, repo_id: int, commit: CommitRow, skip: int, limit: int
) -> list[CommitRow]:
    """Return a page of the commits that lead to `commit`, newest first, itself included.

    Children stand before their parents.
    """
    query = _LINE if commit.linear else _GRAPH
    values = {"repo": repo_id, "commit": commit.oid, "skip": skip, "limit": limit}
    return [commit_row(row) for row in conn.execute(query, values)]


def count_ancestors(conn: Connection, repo_id: int, commit: bytes) -> int:
    """Count the commits that lead to one, itself included."""
    return conn.execute(_COUNT, {"repo": repo_id, "commit": commit}).scalar_one()


def reachable_commits(conn: Connection, repo_id: int) -> set[bytes]:
    """Return the ids of all commits that refs lead to."""
    return set(conn.execute(_REACHABLE, {"repo": repo_id}).scalars())


def trees_of_commits(conn: Connection, repo_id: int) -> dict[bytes, bytes]:
    """Return the root trees of all commits, by the commits' ids, children before parents."""
    return {row[0]: row[1] for row in conn.execute(_ALL_TREES, {"repo": repo_id})}
