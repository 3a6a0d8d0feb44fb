# SPDX-License-Identifier: Apache-2.0
"""Pages of history: of a revision by number, of a path by position."""

from dataclasses import dataclass

from sqlalchemy import Connection

from hubkeep import errors
from hubkeep.content.reading import revision_of
from hubkeep.content.wire_reading import LogPosition
from hubkeep.git import store
from hubkeep.git.errors import ObjectMissing
from hubkeep.git.store import CommitRow, PathPage, Revision
from hubkeep.repos.types import Repo


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some of the `total` commits that lead to a revision, newest first."""

    revision: Revision
    rows: list[CommitRow]
    total: int


def history_page(conn: Connection, repo: Repo, name: str, *, skip: int, limit: int) -> HistoryPage:
    """Return commits of the revision `name`, without the `skip` newest. revision_not_found."""
    revision = revision_of(conn, repo, name)
    total = store.count_commits(conn, repo.id, revision.commit)
    if skip >= total:  # further than a database may be able to count
        return HistoryPage(revision, [], total)
    rows = store.log(conn, repo.id, revision.commit, skip=skip, limit=limit)
    return HistoryPage(revision, rows, total)


def path_page(
    conn: Connection, repo: Repo, name: str, path: str, position: LogPosition | None, limit: int
) -> PathPage:
    """Return commits that changed a path of the revision `name`, or go on from a position.

    revision_not_found, entry_not_found; 400 for a position in a history that is gone.
    """
    start = position.commits if position else _start(conn, repo, name, path)
    try:
        return store.log_of_path(conn, repo.id, path, start, limit)
    except ObjectMissing as missing:
        if position is None:
            raise
        raise errors.bad_request("The history was rewritten; list it anew") from missing


def _start(conn: Connection, repo: Repo, name: str, path: str) -> list[bytes]:
    revision = revision_of(conn, repo, name)
    if store.entry(conn, repo.id, revision.tree, path) is None:
        raise errors.entry_not_found(path, revision.commit.hex())
    return [revision.commit]
