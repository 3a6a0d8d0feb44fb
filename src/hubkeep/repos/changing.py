# SPDX-License-Identifier: Apache-2.0
"""How a repository is renamed, opened, closed and deleted, whoever asks for it: a client of the API
or a form of a page.

Each is a function of a connection, to be run in one transaction of its caller's, who has looked
whether the actor administers the repository.
"""

from sqlalchemy import Connection

from hubkeep import errors
from hubkeep.identity.actor import Actor
from hubkeep.kit.time import Millis
from hubkeep.repos.access import namespace_to_fill
from hubkeep.repos.creating import already_exists
from hubkeep.repos.queries_lifecycle import Elsewhere, NameTaken, bury_repo, move_repo, set_private
from hubkeep.repos.search_index import reindex
from hubkeep.repos.types import Repo


def rename(
    conn: Connection,
    actor: Actor,
    repo: Repo,
    namespace: str,
    name: str,
    *,
    base: str,
    now: Millis,
) -> str:
    """Give a repository another name, in a namespace that the actor may make repositories in.

    Returns `namespace/name`; the name has been checked. 403 for another namespace, 409 where the
    name is taken, or the repository was renamed or deleted since the caller looked.
    """
    owner = namespace_to_fill(conn, actor, namespace, repo.type)
    try:
        path = move_repo(conn, repo, owner, name, now)
    except NameTaken as taken:
        raise already_exists(base, repo.type, taken) from taken
    except Elsewhere as gone:
        raise _changed_meanwhile() from gone
    reindex(conn, repo.id)
    return path


def open_or_close(conn: Connection, repo: Repo, private: bool, now: Millis) -> None:
    """Make a repository private or public; 409 where it was deleted since the caller looked."""
    if private is repo.private:
        return
    if not set_private(conn, repo.id, private, now):
        raise _changed_meanwhile()
    reindex(conn, repo.id)


def delete_repo(conn: Connection, repo: Repo, now: Millis) -> None:
    """Delete a repository: its name is free at once, what it held is cleared away by a job."""
    bury_repo(conn, repo.id, now)
    reindex(conn, repo.id)


def _changed_meanwhile() -> errors.HubError:
    return errors.conflict("The repository was renamed or deleted just now: look at it again")
