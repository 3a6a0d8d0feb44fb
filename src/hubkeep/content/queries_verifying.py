# SPDX-License-Identifier: Apache-2.0
"""SQL of what a repository is said to be, to be held against what it is."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from hubkeep.db.tables import git_objects, repos
from hubkeep.git.fsck import Expected
from hubkeep.repos.types import DELETED


@dataclass(frozen=True, slots=True)
class Subject:
    """A repository that is to be looked through."""

    repo_type: str
    repo: str
    expected: Expected


def all_repositories(conn: Connection) -> list[int]:
    """Return the ids of all repositories that stand."""
    query = select(repos.c.id).where(repos.c.type != DELETED).order_by(repos.c.id)
    return list(conn.execute(query).scalars())


def count_all_objects(conn: Connection) -> int:
    """Count the git objects of all repositories."""
    return conn.execute(select(func.count()).select_from(git_objects)).scalar_one()


def subject(conn: Connection, repo_id: int) -> Subject | None:
    """Return what a repository is said to be, None if it has gone."""
    query = select(repos.c.type, repos.c.path, repos.c.default_branch, repos.c.head).where(
        repos.c.id == repo_id, repos.c.type != DELETED
    )
    row = conn.execute(query).first()
    return Subject(row[0], row[1], Expected(row[2], row[3])) if row else None
