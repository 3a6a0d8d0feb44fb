# SPDX-License-Identifier: Apache-2.0
"""SQL of a repository's life: made, renamed, given away, opened and closed, deleted."""

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from hubkeep.db.tables import downloads_daily, likes, repo_aliases, repos
from hubkeep.identity.actor import Account
from hubkeep.kit.ids import new_id
from hubkeep.kit.time import Millis
from hubkeep.observatory.queries_concealed import conceal, conceal_repo, reveal
from hubkeep.repos.types import DELETED, Repo, RepoType

DEFAULT_BRANCH = "main"


class NameTaken(Exception):
    """A repository has this name, in this or another case; `path` is how it writes itself."""

    def __init__(self, path: str, public_id: str) -> None:
        super().__init__(path)
        self.path = path
        self.public_id = public_id


class Elsewhere(Exception):
    """The repository was renamed or deleted since its row was read."""


def make_repo(
    conn: Connection,
    kind: RepoType,
    owner: Account,
    name: str,
    *,
    creator: Account,
    private: bool,
    now: Millis,
) -> Repo:
    """Make an empty repository. NameTaken.

    The name may be one that a moved repository had: it leads to the new one from now on.
    """
    path = f"{owner.name}/{name}"
    _refuse_taken(conn, kind, path)
    _forget_alias(conn, kind, path)
    public_id = new_id()
    row = {
        "public_id": public_id,
        "type": kind.value,
        "owner_id": owner.id,
        "creator_id": creator.id,
        "path": path,
        "path_key": path.lower(),
        "private": private,
        "default_branch": DEFAULT_BRANCH,
        "created_at": now,
        "last_modified": now,
    }
    try:
        made = conn.execute(insert(repos).values(row).returning(repos.c.id)).scalar_one()
    except IntegrityError as lost:  # PostgreSQL: somebody else made it since we looked
        raise NameTaken(path, "") from lost
    return Repo(
        id=made,
        public_id=public_id,
        type=kind,
        path=path,
        owner_id=owner.id,
        creator_id=creator.id,
        private=private,
        gated="",
        disabled=False,
        default_branch=DEFAULT_BRANCH,
        head=None,
        facts_id=None,
        library_name=None,
        created_at=now,
        last_modified=now,
        role=None,
    )


def move_repo(conn: Connection, repo: Repo, owner: Account, name: str, now: Millis) -> str:
    """Give a repository another name, in another namespace or the same; return `namespace/name`.

    The old name leads to it until that name is given to another. A name that it had before is
    its own again. NameTaken; Elsewhere.
    """
    path = f"{owner.name}/{name}"
    standing = conn.execute(
        select(repos.c.path, repos.c.private).where(repos.c.id == repo.id).with_for_update()
    ).first()
    # PostgreSQL: somebody else did something since we looked
    if standing is None or standing.path != repo.path:
        raise Elsewhere
    if path.lower() != repo.path.lower():
        _refuse_taken(conn, repo.type, path)
        _forget_alias(conn, repo.type, path)
        conn.execute(
            insert(repo_aliases).values(
                type=repo.type.value, path_key=repo.path.lower(), repo_id=repo.id
            )
        )
        if not standing.private:
            conceal(conn, repo.id, repo.type.value, [repo.path], now)
            reveal(conn, repo.id, repo.type.value, path)
    try:
        conn.execute(
            update(repos)
            .where(repos.c.id == repo.id)
            .values(owner_id=owner.id, path=path, path_key=path.lower())
        )
    except IntegrityError as lost:
        raise NameTaken(path, "") from lost
    return path


def set_private(conn: Connection, repo_id: int, private: bool, now: Millis) -> bool:
    """Close or open a repository; False where it is deleted."""
    change = update(repos).where(repos.c.id == repo_id, repos.c.type != DELETED)
    named = conn.execute(
        change.values(private=private).returning(repos.c.type, repos.c.path)
    ).first()
    if named is None:
        return False
    if private:
        conceal_repo(conn, repo_id, named.type, named.path, now)
    else:
        reveal(conn, repo_id, named.type, named.path)
    return True


def bury_repo(conn: Connection, repo_id: int, now: Millis) -> None:
    """Take a repository out of sight at once and free its name; `queries_purge` clears it away.

    What lists and counts read goes now. The row stays until nothing refers to it: with a type that
    is asked for nowhere, a name that no address can hold, and private.
    """
    seen = select(repos.c.type, repos.c.path).where(
        repos.c.id == repo_id, repos.c.type != DELETED, repos.c.private.is_(False)
    )
    if (named := conn.execute(seen.with_for_update()).first()) is not None:
        conceal_repo(conn, repo_id, named.type, named.path, now)
    for table in (repo_aliases, likes, downloads_daily):
        conn.execute(delete(table).where(table.c.repo_id == repo_id))
    public_id = select(repos.c.public_id).where(repos.c.id == repo_id).scalar_subquery()
    conn.execute(
        update(repos)
        .where(repos.c.id == repo_id)
        .values(
            type=DELETED,
            path=public_id,
            path_key=public_id,
            private=True,
            head=None,
            facts_id=None,
            used_storage=0,
            downloads=0,
            trending=0.0,
        )
    )


def _refuse_taken(conn: Connection, kind: RepoType, path: str) -> None:
    found = conn.execute(
        select(repos.c.path, repos.c.public_id).where(
            repos.c.type == kind.value, repos.c.path_key == path.lower()
        )
    ).first()
    if found is not None:
        raise NameTaken(*found)


def _forget_alias(conn: Connection, kind: RepoType, path: str) -> None:
    conn.execute(
        delete(repo_aliases).where(
            repo_aliases.c.type == kind.value, repo_aliases.c.path_key == path.lower()
        )
    )
