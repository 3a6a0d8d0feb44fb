# SPDX-License-Identifier: Apache-2.0
"""SQL that reads a whole repository for a pack, in pieces of a bounded size."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, Select, bindparam, select

from hubkeep.db.tables import git_commits, git_objects

Stored = tuple[bytes, int, int, bytes]
"""Id, kind, inflated size and deflated data of an object."""

_SMALL = 64 << 10
_MINE = git_objects.c.repo_id == bindparam("repo")


def _stream(which: ColumnElement[bool], rows: int) -> Select:
    columns = (git_objects.c.oid, git_objects.c.kind, git_objects.c.size, git_objects.c.data)
    return select(*columns).where(_MINE, which).execution_options(yield_per=rows)


# The driver fetches rows by number, not by size: large ones come a few at a time.
_STREAMS = (
    _stream(git_objects.c.size <= _SMALL, 500),
    _stream(git_objects.c.size > _SMALL, 2),
)
_COMMITS = (
    select(git_commits.c.oid, git_commits.c.tree, git_commits.c.parents)
    .where(git_commits.c.repo_id == bindparam("repo"))
    .execution_options(yield_per=1000)
)


def stream_all(conn: Connection, repo_id: int) -> Iterator[Stored]:
    """Yield all objects of a repository, in no order, some 32 MiB at a time at most."""
    for query in _STREAMS:
        for rows in conn.execute(query, {"repo": repo_id}).partitions():
            yield from ((row[0], row[1], row[2], row[3]) for row in rows)


def stream_commits(conn: Connection, repo_id: int) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield id, tree and parents (20 bytes each) of all commits of a repository."""
    for row in conn.execute(_COMMITS, {"repo": repo_id}):
        yield row[0], row[1], row[2]
