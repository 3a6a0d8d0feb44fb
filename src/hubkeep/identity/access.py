# SPDX-License-Identifier: Apache-2.0
"""Who sends a request, and which account its address names."""

from typing import Literal

from sqlalchemy import Connection
from starlette.requests import Request

from hubkeep import errors
from hubkeep.errors import HubError
from hubkeep.http import raw_path
from hubkeep.identity.actor import Account, Actor
from hubkeep.identity.proofs import PasswordProof, given_password
from hubkeep.identity.queries import account, authenticate, of_password, role_in
from hubkeep.identity.queries_sessions import of_session
from hubkeep.identity.rules import Action, HubResource, can
from hubkeep.identity.sessions import NOTED_EVERY, counted_session, note_use, session_secret
from hubkeep.kit.time import Millis


def actor_of(conn: Connection, request: Request, now: Millis) -> Actor:
    """Return who sends the request; bad_credentials for a token that is not in force.

    Where passwords are taken (`sign_in.taking_passwords`) one may have been given: it is looked at
    again whether it still holds, as a token is. Who sends neither may have a browser's session:
    one that is over is as good as none.
    """
    given = given_password(request)
    if isinstance(given, PasswordProof):
        return of_password(conn, given)
    if given is not None:
        raise given
    authorization = request.headers.get("authorization")
    secret = None if authorization else counted_session(request)
    if secret is not None:
        actor = of_session(conn, secret, now)
        if actor.session is not None and actor.session_seen_at <= now - NOTED_EVERY:
            note_use(request, actor.session)
        return actor
    return authenticate(conn, authorization, now)


def signed_in(conn: Connection, request: Request, now: Millis) -> tuple[Actor, Account]:
    """Return the actor and its account; sign_in_required for an anonymous caller."""
    actor = actor_of(conn, request, now)
    if actor.user is None:
        raise errors.sign_in_required()
    return actor, actor.user


def signed_in_here(conn: Connection, request: Request, now: Millis) -> tuple[Actor, Account]:
    """Return the actor and its account, which must have come by a session of a browser.

    For what no token may do, whatever its role: change how its user signs in, or make other tokens.
    """
    actor, user = signed_in(conn, request, now)
    if actor.session is None:
        raise errors.forbidden("This is done in a browser that is signed in, not by a token")
    return actor, user


def administrator(conn: Connection, request: Request, now: Millis) -> tuple[Actor, Account]:
    """Return the actor and its account, which must be an administrator who is signed in here.

    For everybody else nothing is at this address, whatever they send: not even a refusal of what
    they sign in with.
    """
    try:
        actor = actor_of(conn, request, now)
    except HubError as refused:
        raise errors.nothing_at(raw_path(request)) from refused
    if actor.user is None or not can(actor, Action.ADMINISTER_HUB, HubResource()):
        raise errors.nothing_at(raw_path(request))
    return actor, actor.user


def may_administer(conn: Connection, request: Request, now: Millis) -> bool:
    """Say whether the browser is an administrator's, before its form has proven where it is from.

    Only for choosing the refusal: nothing is done on the word of a cookie alone.
    """
    secret = session_secret(request)
    if secret is None or request.headers.get("authorization"):
        return False
    return can(of_session(conn, secret, now), Action.ADMINISTER_HUB, HubResource())


def sees_private(conn: Connection, viewer: Actor, owner: Account) -> bool:
    """Whether the viewer reads everything in a namespace, as the policy has it for repositories."""
    if viewer.user is None:
        return False
    if viewer.user.is_admin or viewer.user.id == owner.id:
        return True
    return role_in(conn, owner.id, viewer.user.id) is not None


def account_at(conn: Connection, request: Request, kind: Literal["user", "org"]) -> Account:
    """Return the account that the address names, under the parameter called as its kind; 404."""
    name = request.path_params[kind]
    found = account(conn, name)
    if found is None or found.kind != kind:
        what = "User" if kind == "user" else "Organization"
        raise errors.not_found(f"{what} not found: {name[:100]}")
    return found
