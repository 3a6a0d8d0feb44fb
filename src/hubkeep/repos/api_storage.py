# SPDX-License-Identifier: Apache-2.0
"""Handlers that list the repositories of a namespace with what they store, for those who own it."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.http import read_query
from hubkeep.identity.access import account_at, signed_in
from hubkeep.identity.actor import Account, Actor, Role
from hubkeep.identity.queries import role_in
from hubkeep.kit.cursors import AfterId
from hubkeep.kit.time import wire
from hubkeep.repos.paging import page_answer, page_limit, position
from hubkeep.repos.queries_storage import Stored, stored_by
from hubkeep.repos.wire import PageQuery, RepoStorage

if TYPE_CHECKING:
    from hubkeep.app import App


async def own_repositories(app: "App", request: Request) -> Response:
    """List the caller's own repositories."""
    return await _answer(app, request, of_org=False)


async def organisation_repositories(app: "App", request: Request) -> Response:
    """List an organisation's repositories, for its administrators."""
    return await _answer(app, request, of_org=True)


async def _answer(app: "App", request: Request, *, of_org: bool) -> Response:
    query = read_query(request, PageQuery)
    after, limit = position(query, AfterId) or AfterId(), page_limit(query)

    def work(conn: Connection) -> list[Stored]:
        actor, user = signed_in(conn, request, app.clock())
        owner = _administered(conn, request, actor) if of_org else user
        return list(stored_by(conn, owner.id, after.id, limit + 1))

    found = await app.db.read(work)
    shown = [
        RepoStorage(
            id=one.path,
            type=one.type,
            updated_at=wire(one.last_modified),
            visibility="private" if one.private else "public",
            storage=one.used_storage,
        )
        for one in found
    ]
    return page_answer(app, request, shown, [AfterId(one.id) for one in found], limit)


def _administered(conn: Connection, request: Request, actor: Actor) -> Account:
    org = account_at(conn, request, "org")
    is_hub_admin = actor.user is not None and actor.user.is_admin
    if not is_hub_admin and role_in(conn, org.id, actor.user_id) is not Role.ADMIN:
        raise errors.forbidden(f"Only administrators of {org.name} see what it stores")
    return org
