# SPDX-License-Identifier: Apache-2.0
"""Who looks at a page of a repository, and what they may do there."""

from dataclasses import dataclass

from msgspec import structs
from sqlalchemy import Connection
from starlette.requests import Request

from hubkeep.identity.actor import Actor
from hubkeep.identity.queries import role_in
from hubkeep.identity.rules import Action, can
from hubkeep.kit.time import Millis
from hubkeep.repos.access import resource, visit
from hubkeep.repos.queries_likes import likes_it
from hubkeep.repos.types import Repo


@dataclass(frozen=True, slots=True)
class PageVisit:
    """A visitor and a repository that they may see; the repository carries their role in it."""

    actor: Actor
    repo: Repo
    is_liked: bool

    @property
    def may_write(self) -> bool:
        """Whether the page may offer to change what is in the repository."""
        return can(self.actor, Action.WRITE, resource(self.repo))

    @property
    def may_administer(self) -> bool:
        """Whether the page may offer the repository's settings."""
        return can(self.actor, Action.ADMINISTER, resource(self.repo))


def look(
    conn: Connection, request: Request, now: Millis, action: Action = Action.READ
) -> PageVisit:
    """Return who opens the page of a repository, or refuse as `visit` does.

    The first line of each page of a repository, inside its unit of work.
    """
    visitor = visit(conn, request, action, now)
    actor, repo = visitor.actor, visitor.repo
    if actor.user is None:
        return PageVisit(actor, repo, is_liked=False)
    role = repo.role or role_in(conn, repo.owner_id, actor.user_id)
    repo = repo if role is None else structs.replace(repo, role=role)
    return PageVisit(actor, repo, is_liked=likes_it(conn, repo.id, actor.user.id))
