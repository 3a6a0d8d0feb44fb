# SPDX-License-Identifier: Apache-2.0
"""SQL that finds a repository by its name, or by one that it had."""

from sqlalchemy import Connection, bindparam, select

from hubkeep.db.lookups import Lookup
from hubkeep.db.tables import repo_aliases, repos
from hubkeep.repos.types import Repo, RepoType

_COLUMNS = (
    repos.c.id,
    repos.c.public_id,
    repos.c.type,
    repos.c.path,
    repos.c.owner_id,
    repos.c.creator_id,
    repos.c.private,
    repos.c.gated,
    repos.c.disabled,
    repos.c.default_branch,
    repos.c.head,
    repos.c.facts_id,
    repos.c.library_name,
    repos.c.created_at,
    repos.c.last_modified,
)
_BY_PATH = Lookup(
    select(*_COLUMNS).where(
        repos.c.type == bindparam("type"), repos.c.path_key == bindparam("key")
    )
)
_BY_ALIAS = (
    select(*_COLUMNS)
    .join(repo_aliases, repo_aliases.c.repo_id == repos.c.id)
    .where(repo_aliases.c.type == bindparam("type"), repo_aliases.c.path_key == bindparam("key"))
)


def find_repo(conn: Connection, kind: RepoType, path: str) -> tuple[Repo, bool] | None:
    """Return the repository of this name, whatever its case, and whether the name is an old one.

    Nothing is checked, and the role in it is unknown: only `access` calls this.
    """
    key = {"type": kind.value, "key": path.lower()}
    row = _BY_PATH.first(conn, key)
    moved = row is None
    if row is None:
        row = conn.execute(_BY_ALIAS, key).first()
    if row is None:
        return None
    return Repo(row[0], row[1], kind, *row[3:], None), moved
