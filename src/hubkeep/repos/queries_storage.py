# SPDX-License-Identifier: Apache-2.0
"""SQL of the list of what a namespace stores."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from hubkeep.db.tables import repos
from hubkeep.repos.types import DELETED


class Stored(NamedTuple):
    """A repository and the bytes that it stores, over all its revisions."""

    id: int
    path: str
    type: str
    last_modified: int
    private: bool
    used_storage: int


def stored_by(conn: Connection, owner_id: int, after: int, limit: int) -> Sequence[Stored]:
    """Return a namespace's repositories in the order of their making, private ones included."""
    found = (
        select(
            repos.c.id,
            repos.c.path,
            repos.c.type,
            repos.c.last_modified,
            repos.c.private,
            repos.c.used_storage,
        )
        .where(repos.c.owner_id == owner_id, repos.c.id > after, repos.c.type != DELETED)
        .order_by(repos.c.id)
        .limit(limit)
    )
    return [Stored(*row) for row in conn.execute(found)]
