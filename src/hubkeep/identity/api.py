# SPDX-License-Identifier: Apache-2.0
"""Handlers about the caller."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.http import json_answer
from hubkeep.identity.access import signed_in
from hubkeep.identity.actor import Account, Role, Token
from hubkeep.identity.queries import organisations_of
from hubkeep.identity.wire import AccessToken, Auth, OwnOrg, WhoAmI, avatar_url
from hubkeep.kit.time import wire

if TYPE_CHECKING:
    from hubkeep.app import App

Membership = tuple[Account, Role]


async def whoami(app: "App", request: Request) -> Response:
    """Tell the caller who it is, by which token, and which organisations it belongs to."""

    def work(conn: Connection) -> tuple[Account, Token | None, Sequence[Membership]]:
        actor, user = signed_in(conn, request, app.clock())
        return user, actor.token, organisations_of(conn, user.id)

    user, token, orgs = await app.db.read(work)
    base = app.base_url(request)
    me = WhoAmI(
        id=user.public_id,
        name=user.name,
        fullname=user.fullname or user.name,
        email=user.email,
        avatar_url=avatar_url(base, user.name),
        orgs=[_own_org(base, org, role) for org, role in orgs],
    )
    if token is not None:
        me.auth = _auth(token)
    return json_answer(me, headers={"Cache-Control": "no-store"})


def _own_org(base: str, org: Account, role: Role) -> OwnOrg:
    return OwnOrg(
        id=org.public_id,
        name=org.name,
        fullname=org.fullname or org.name,
        avatar_url=avatar_url(base, org.name),
        role_in_org=role,
    )


def _auth(token: Token) -> Auth:
    shown = AccessToken(token.name, token.role, wire(token.created_at))
    return Auth("access_token", shown, wire(token.expires_at) if token.expires_at else None)
