# SPDX-License-Identifier: Apache-2.0
"""SQL of looking through a repository."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from hubkeep.db.tables import git_commits
from hubkeep.git.queries import COMMIT_COLUMNS, commit_row
from hubkeep.git.queries_objects import ByOids
from hubkeep.git.types import CommitRow

_STREAM_ROWS = 500

_ROWS = (
    select(*COMMIT_COLUMNS, git_commits.c.last_changes)
    .where(git_commits.c.repo_id == bindparam("repo"))
    .execution_options(yield_per=_STREAM_ROWS)
)
_OIDS = select(git_commits.c.oid).where(git_commits.c.repo_id == bindparam("repo"))
_LINEAGES = ByOids(
    select(git_commits.c.oid, git_commits.c.generation, git_commits.c.linear),
    git_commits.c.repo_id,
    git_commits.c.oid,
)


class Lineage(NamedTuple):
    """What a commit's row says of those before it."""

    generation: int
    linear: bool


def commit_oids(conn: Connection, repo_id: int) -> Iterator[bytes]:
    """Yield the ids of all commits that have a row, in no order."""
    yield from conn.execute(_OIDS, {"repo": repo_id}).scalars()


def stream_rows(conn: Connection, repo_id: int) -> Iterator[tuple[CommitRow, bytes | None]]:
    """Yield the rows of all commits, in no order, each with its record of last changes."""
    for *row, record in conn.execute(_ROWS, {"repo": repo_id}):
        yield commit_row(row), record


def lineages(conn: Connection, repo_id: int, oids: Sequence[bytes]) -> dict[bytes, Lineage]:
    """Return what the rows of commits say of those before them; those missing are left out."""
    return {row[0]: Lineage(row[1], row[2]) for row in _LINEAGES.rows(conn, repo_id, oids)}
