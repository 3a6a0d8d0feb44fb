# SPDX-License-Identifier: Apache-2.0
"""The one way to a repository or a namespace: found by name, checked by the policy, or refused."""

from dataclasses import dataclass

from msgspec import structs
from sqlalchemy import Connection
from starlette.requests import Request

from hubkeep import errors
from hubkeep.errors import HubError, Moved
from hubkeep.identity.access import actor_of
from hubkeep.identity.actor import Account, Actor
from hubkeep.identity.queries import account, role_in
from hubkeep.identity.rules import Action, NamespaceResource, RepoResource, can
from hubkeep.kit.time import Millis
from hubkeep.repos.queries import find_repo
from hubkeep.repos.types import Repo, RepoType


@dataclass(frozen=True, slots=True)
class Visit:
    """Who came, and the repository that they may act on."""

    actor: Actor
    repo: Repo


def visit(conn: Connection, request: Request, action: Action, now: Millis) -> Visit:
    """Say who sends the request and return the repository that its address names; see `reach`.

    This is the first line of every handler of a repository, inside its unit of work.
    """
    actor = actor_of(conn, request, now)
    kind, path = repo_named(request)
    return Visit(actor, reach(conn, actor, kind, path, action))


def repo_named(request: Request) -> tuple[RepoType, str]:
    """Return type and id that the address names; `.git`, which git clients append, is dropped."""
    params = request.path_params
    name = params["name"].removesuffix(".git")
    path = f"{params['ns']}/{name}" if "ns" in params else name
    return RepoType(params["type"]), path


def reach(conn: Connection, actor: Actor, kind: RepoType, path: str, action: Action) -> Repo:
    """Return the repository if `actor` may do `action` to it.

    Raises Moved for an old name, repo_not_found for what is missing or may not be seen, and 401 or
    403 for what may be seen but not done.
    """
    found = find_repo(conn, kind, path)
    if found is None:
        raise errors.repo_not_found(anonymous=actor.is_anonymous)
    repo, moved = found
    # The role decides nothing on a public repository that is only read: one query less.
    if (repo.private or action is not Action.READ) and actor.user_id != repo.owner_id:
        role = role_in(conn, repo.owner_id, actor.user_id)
        repo = repo if role is None else structs.replace(repo, role=role)
    if not can(actor, Action.READ, resource(repo)):
        raise errors.repo_not_found(anonymous=actor.is_anonymous)
    if moved:
        raise Moved(path, repo.path)
    if not can(actor, action, resource(repo)):
        raise refusal(actor, action, repo.path)
    return repo


def reach_named(conn: Connection, actor: Actor, kind: RepoType, path: str, action: Action) -> Repo:
    """Like `reach`, for a repository that a body names; 404 for an old name: no address leads on.

    What is done by such a body is not undone, so the caller has to know the name that it has now.
    """
    try:
        return reach(conn, actor, kind, path, action)
    except Moved as moved:
        raise errors.repo_moved(moved.old, moved.new) from moved


def namespace_to_fill(conn: Connection, actor: Actor, name: str, kind: RepoType) -> Account:
    """Return the namespace if `actor` may make repositories in it; 401 or 403, missing or not."""
    if actor.is_anonymous:
        raise errors.sign_in_required()
    if not actor.may_write:
        raise errors.read_only_token()
    owner = account(conn, name)
    if owner is not None:
        place = NamespaceResource(owner.id, role_in(conn, owner.id, actor.user_id))
        if can(actor, Action.CREATE_IN, place):
            return owner
    raise errors.forbidden(
        f"You don't have the rights to create a {kind.value} under the namespace {name[:100]!r}"
    )


def resource(repo: Repo) -> RepoResource:
    """Return the repository as the policy looks at it."""
    return RepoResource(repo.owner_id, repo.creator_id, repo.private, repo.disabled, repo.role)


def refusal(actor: Actor, action: Action, path: str) -> HubError:
    """Return the error for something that the actor may see but not do."""
    if actor.is_anonymous:
        return errors.sign_in_required()
    if not actor.may_write:
        return errors.read_only_token()
    return errors.forbidden(f"You don't have the right to {action.value} {path}")
