# SPDX-License-Identifier: Apache-2.0
"""SQL of the refs of a repository in pages, for those that have more than one wants to see."""

from sqlalchemy import Connection, bindparam, func, select

from hubkeep.db.tables import git_refs
from hubkeep.git.types import Ref

_BELOW = (
    select(git_refs.c.name, git_refs.c.oid, git_refs.c.commit_oid)
    .where(
        git_refs.c.repo_id == bindparam("repo"),
        git_refs.c.name > bindparam("after"),
        func.substr(git_refs.c.name, 1, bindparam("length")) == bindparam("prefix"),
    )
    .order_by(git_refs.c.name)
    .limit(bindparam("count"))
)


def refs_below(
    conn: Connection, repo_id: int, prefix: str, *, after: str = "", limit: int
) -> list[Ref]:
    """Return at most `limit` refs whose full names begin with `prefix`, in the database's order.

    From behind the full name `after` on.
    """
    values = {"repo": repo_id, "prefix": prefix, "length": len(prefix), "after": after}
    return [Ref(*row) for row in conn.execute(_BELOW, {**values, "count": limit})]
