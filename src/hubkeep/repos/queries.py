# SPDX-License-Identifier: Apache-2.0
"""SQL that finds a repository by its name, or by one that it had."""

from sqlalchemy import Connection, bindparam, select

from hubkeep.db.lookups import Lookup
from hubkeep.db.tables import repo_aliases, repos
from hubkeep.kit.text import storable
from hubkeep.repos.types import InfoRow, Repo, RepoType

# In the order of InfoRow, then what only a Repo has.
INFO_COLUMNS = tuple(repos.c[name] for name in InfoRow.__struct_fields__)
_COLUMNS = (
    *INFO_COLUMNS,
    repos.c.id,
    repos.c.owner_id,
    repos.c.creator_id,
    repos.c.default_branch,
    repos.c.facts_id,
)
_BY_PATH = Lookup(
    select(*_COLUMNS).where(repos.c.type == bindparam("type"), repos.c.path_key == bindparam("key"))
)
_BY_ALIAS = (
    select(*_COLUMNS)
    .join(repo_aliases, repo_aliases.c.repo_id == repos.c.id)
    .where(repo_aliases.c.type == bindparam("type"), repo_aliases.c.path_key == bindparam("key"))
)


def find_repo(conn: Connection, kind: RepoType, path: str) -> tuple[Repo, bool] | None:
    """Return the repository of this name, whatever its case, and whether the name is an old one.

    Nothing is checked, and the role in it is unknown: only `access` calls this, and commands.
    """
    if not storable(path):
        return None
    key = {"type": kind.value, "key": path.lower()}
    row = _BY_PATH.first(conn, key)
    moved = row is None
    if row is None:
        row = conn.execute(_BY_ALIAS, key).first()
    if row is None:
        return None
    found, owner, creator, branch, facts = row[len(INFO_COLUMNS) :]
    repo = Repo(
        *row[: len(INFO_COLUMNS)],
        type=kind,
        id=found,
        owner_id=owner,
        creator_id=creator,
        default_branch=branch,
        facts_id=facts,
        role=None,
    )
    return repo, moved
