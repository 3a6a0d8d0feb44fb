# SPDX-License-Identifier: Apache-2.0
"""How a repository is made, whoever asks for it: a client of the API or a form of a page."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from hubkeep import errors
from hubkeep.content.commits import as_answers, write_first_commit
from hubkeep.errors import HubError
from hubkeep.identity.actor import Account, Actor
from hubkeep.kit.time import Millis
from hubkeep.repos.access import namespace_to_fill
from hubkeep.repos.queries_lifecycle import NameTaken, make_repo
from hubkeep.repos.search_index import reindex
from hubkeep.repos.types import Repo, RepoType


@dataclass(frozen=True, slots=True)
class NewRepo:
    """A repository that is asked for, its name checked; `private` is None where that is left to
    the namespace.
    """

    kind: RepoType
    namespace: str
    name: str
    private: bool | None
    files: Mapping[str, bytes]
    """What the first commit holds besides `.gitattributes`."""


def create_repo(
    conn: Connection, actor: Actor, user: Account, new: NewRepo, base: str, now: Millis
) -> Repo:
    """Make a repository with its first commit.

    401 or 403 where the actor may not make it there, 409 where there is one of this name.
    """
    owner = namespace_to_fill(conn, actor, new.namespace, new.kind)
    closed = owner.default_private if new.private is None else new.private
    try:
        made = make_repo(conn, new.kind, owner, new.name, creator=user, private=closed, now=now)
    except NameTaken as taken:
        raise already_exists(base, new.kind, taken) from taken
    with as_answers():
        write_first_commit(conn, made, actor, new.files, now)
    reindex(conn, made.id)
    return made


def already_exists(base: str, kind: RepoType, taken: NameTaken) -> HubError:
    """409 with the address of the repository that has the name: clients read it with `exist_ok`."""
    return errors.conflict(
        f"A {kind.value} repository called {taken.path} already exists",
        url=repo_url(base, kind, taken.path),
        id=taken.public_id,
    )


def repo_url(base: str, kind: RepoType, path: str) -> str:
    """Return the address of a repository's page."""
    return f"{base}/{kind.web_prefix}{path}"
