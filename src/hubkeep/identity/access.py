# SPDX-License-Identifier: Apache-2.0
"""Who sends a request."""

from sqlalchemy import Connection
from starlette.requests import Request

from hubkeep import errors
from hubkeep.identity.actor import Account, Actor
from hubkeep.identity.queries import authenticate
from hubkeep.kit.time import Millis


def actor_of(conn: Connection, request: Request, now: Millis) -> Actor:
    """Return who sends the request; bad_credentials for a token that is not in force."""
    return authenticate(conn, request.headers.get("authorization"), now)


def signed_in(conn: Connection, request: Request, now: Millis) -> tuple[Actor, Account]:
    """Return the actor and its account; sign_in_required for an anonymous caller."""
    actor = actor_of(conn, request, now)
    if actor.user is None:
        raise errors.sign_in_required()
    return actor, actor.user
