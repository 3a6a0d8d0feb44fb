# SPDX-License-Identifier: Apache-2.0
"""Handlers about users and organisations: overviews, members, followers, pictures."""

from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.http import json_answer, read_query
from hubkeep.identity.access import account_at, actor_of, sees_private
from hubkeep.identity.actor import Account
from hubkeep.identity.queries import organisations_of
from hubkeep.identity.queries_overviews import count_members, count_repos, members_of
from hubkeep.identity.wire import OrgOverview, OrgSummary, Person, UserOverview, avatar_url
from hubkeep.kit.cursors import AfterId
from hubkeep.kit.time import wire
from hubkeep.repos.paging import page_answer, page_limit, position
from hubkeep.repos.queries_likes import count_likes_of
from hubkeep.repos.types import RepoType
from hubkeep.repos.wire import PageQuery

if TYPE_CHECKING:
    from hubkeep.app import App


async def user_overview(app: "App", request: Request) -> Response:
    """Describe a user, with counts of what the caller may see."""
    base = app.base_url(request)

    def work(conn: Connection) -> UserOverview:
        viewer = actor_of(conn, request, app.clock())
        user = account_at(conn, request, "user")
        counts = count_repos(conn, user.id, with_private=sees_private(conn, viewer, user))
        return UserOverview(
            id=user.public_id,
            user=user.name,
            fullname=user.fullname or user.name,
            avatar_url=avatar_url(base, user.name),
            details=user.details,
            created_at=wire(user.created_at),
            num_models=counts.get(RepoType.MODEL, 0),
            num_datasets=counts.get(RepoType.DATASET, 0),
            num_spaces=counts.get(RepoType.SPACE, 0),
            num_kernels=counts.get(RepoType.KERNEL, 0),
            num_likes=count_likes_of(conn, user.id, viewer),
            orgs=[_summary(base, org) for org, _ in organisations_of(conn, user.id)],
        )

    return json_answer(await app.db.read(work))


async def organisation_overview(app: "App", request: Request) -> Response:
    """Describe an organisation, with counts of what the caller may see."""
    base = app.base_url(request)

    def work(conn: Connection) -> OrgOverview:
        viewer = actor_of(conn, request, app.clock())
        org = account_at(conn, request, "org")
        counts = count_repos(conn, org.id, with_private=sees_private(conn, viewer, org))
        return OrgOverview(
            id=org.public_id,
            name=org.name,
            fullname=org.fullname or org.name,
            avatar_url=avatar_url(base, org.name),
            org_type=org.org_type,
            details=org.details,
            created_at=wire(org.created_at),
            num_users=count_members(conn, org.id),
            num_models=counts.get(RepoType.MODEL, 0),
            num_datasets=counts.get(RepoType.DATASET, 0),
            num_spaces=counts.get(RepoType.SPACE, 0),
            num_kernels=counts.get(RepoType.KERNEL, 0),
        )

    return json_answer(await app.db.read(work))


async def members(app: "App", request: Request) -> Response:
    """List an organisation's users; their roles are shown to members alone."""
    query = read_query(request, PageQuery)
    after, limit = position(query, AfterId) or AfterId(), page_limit(query)
    base = app.base_url(request)

    def work(conn: Connection) -> tuple[list[Person], list[AfterId]]:
        viewer = actor_of(conn, request, app.clock())
        org = account_at(conn, request, "org")
        shows_roles = sees_private(conn, viewer, org)
        found = members_of(conn, org.id, after.id, limit + 1)
        people = [
            Person(one.name, one.fullname or one.name, avatar_url(base, one.name)) for one in found
        ]
        if shows_roles:
            for person, member in zip(people, found, strict=True):
                person.role = member.role
        return people, [AfterId(one.id) for one in found]

    people, positions = await app.db.read(work)
    return page_answer(app, request, people, positions, limit)


async def nobody_of_user(app: "App", request: Request) -> Response:
    """Followers of a user and whom it follows: nobody, since this hub has no following."""
    return await _nobody(app, request, "user")


async def nobody_of_organisation(app: "App", request: Request) -> Response:
    """Followers of an organisation: nobody, since this hub has no following."""
    return await _nobody(app, request, "org")


async def user_avatar(app: "App", request: Request) -> Response:
    """Say where a user's picture is."""
    return await _avatar(app, request, "user")


async def organisation_avatar(app: "App", request: Request) -> Response:
    """Say where an organisation's picture is."""
    return await _avatar(app, request, "org")


async def _nobody(app: "App", request: Request, kind: Literal["user", "org"]) -> Response:
    read_query(request, PageQuery)
    await _known(app, request, kind)
    return json_answer([])


async def _avatar(app: "App", request: Request, kind: Literal["user", "org"]) -> Response:
    found = await _known(app, request, kind)
    return json_answer({"avatarUrl": avatar_url(app.base_url(request), found.name)})


async def _known(app: "App", request: Request, kind: Literal["user", "org"]) -> Account:
    def work(conn: Connection) -> Account:
        actor_of(conn, request, app.clock())
        return account_at(conn, request, kind)

    return await app.db.read(work)


def _summary(base: str, org: Account) -> OrgSummary:
    return OrgSummary(org.public_id, org.name, org.fullname or org.name, avatar_url(base, org.name))
