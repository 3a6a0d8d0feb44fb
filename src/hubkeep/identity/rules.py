# SPDX-License-Identifier: Apache-2.0
"""The one policy: may this actor do this to that? Pure; what it needs to know is in its
arguments.
"""

from dataclasses import dataclass
from enum import StrEnum

from hubkeep.identity.actor import Actor, Role


class Action(StrEnum):
    """What a route does. Every route names one; a test walks all routes with all kinds of
    actors.
    """

    ANYONE = "anyone"  # says nothing that is not public: health, the tag list, card validation
    LIST = "list"  # lists and searches: shows to each caller what that caller may see
    SIGNED = "signed"  # the address itself carries the right (uploads, signed by the hub)
    CAS = "cas"  # a token for the chunk store, signed by the hub, carries the right
    OPERATE = "operate"  # metrics
    ACT_AS_USER = "act-as-user"  # needs somebody signed in: whoami, likes
    READ = "read"  # see a repository and its files
    LIKE = "like"  # likes: a signed-in user who may read it
    WRITE = "write"  # change what is in a repository
    # Of a repository: settings, move, delete, permanent deletion of files. Of an organisation: its
    # settings and members.
    ADMINISTER = "administer"
    CREATE_IN = "create-in"  # make a repository in a namespace
    # The hub itself: its accounts, jobs and settings. For who is signed in here, never by a token:
    # whoever finds an administrator's token could make themselves at home with it.
    ADMINISTER_HUB = "administer-hub"


@dataclass(frozen=True, slots=True)
class RepoResource:
    """A repository, as far as the policy looks at it; `role` is the actor's in its namespace."""

    owner_id: int
    creator_id: int | None
    private: bool
    disabled: bool = False
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class NamespaceResource:
    """A namespace that things are made in; `role` is the actor's in it, if it is an
    organisation.
    """

    account_id: int
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class HubResource:
    """The hub as a whole."""


Resource = RepoResource | NamespaceResource | HubResource

_WRITING = frozenset({Action.LIKE, Action.WRITE, Action.ADMINISTER, Action.CREATE_IN})


def can(actor: Actor, action: Action, resource: Resource) -> bool:
    """Say whether `actor` may do `action` to `resource`; what is not allowed here is denied.

    A token's role limits what its user may do and never adds to it. Administrators of the hub may
    do everything that their token's role allows.
    """
    if action in (Action.ANYONE, Action.LIST, Action.SIGNED, Action.CAS, Action.OPERATE):
        return isinstance(resource, HubResource)
    if action is Action.ADMINISTER_HUB:
        return isinstance(resource, HubResource) and _administers(actor)
    if action in _WRITING and not actor.may_write:
        return False
    if action is Action.ACT_AS_USER:
        return not actor.is_anonymous
    if isinstance(resource, RepoResource):
        return _can_in_repo(actor, action, resource)
    if isinstance(resource, NamespaceResource):
        return _can_in_namespace(actor, action, resource)
    return False


def _administers(actor: Actor) -> bool:
    return actor.session is not None and actor.user is not None and actor.user.is_admin


def _can_in_namespace(actor: Actor, action: Action, place: NamespaceResource) -> bool:
    owns = _is_owner_or_admin(actor, place.account_id)
    if action is Action.CREATE_IN:
        return owns or place.role in (Role.ADMIN, Role.WRITE, Role.CONTRIBUTOR)
    return action is Action.ADMINISTER and (owns or place.role is Role.ADMIN)


def _can_in_repo(actor: Actor, action: Action, repo: RepoResource) -> bool:
    owns = _is_owner_or_admin(actor, repo.owner_id)
    if action is Action.READ:
        return not repo.private or owns or repo.role is not None
    if action is Action.LIKE:
        return can(actor, Action.READ, repo)
    is_creator = repo.creator_id is not None and repo.creator_id == actor.user_id
    contributes = repo.role is Role.CONTRIBUTOR and is_creator
    if action is Action.WRITE:
        return owns or repo.role in (Role.ADMIN, Role.WRITE) or contributes
    if action is Action.ADMINISTER:
        return owns or repo.role is Role.ADMIN or contributes
    return False


def _is_owner_or_admin(actor: Actor, owner_id: int) -> bool:
    return actor.user is not None and (actor.user.is_admin or actor.user.id == owner_id)
