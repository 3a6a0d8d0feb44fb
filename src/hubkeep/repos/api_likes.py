# SPDX-License-Identifier: Apache-2.0
"""Handlers of likes."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.http import empty_answer, read_query
from hubkeep.identity.access import account_at, actor_of
from hubkeep.identity.rules import Action
from hubkeep.identity.wire import Person, avatar_url
from hubkeep.kit.time import wire
from hubkeep.repos import queries_likes
from hubkeep.repos.access import visit
from hubkeep.repos.paging import page_answer, page_limit, position
from hubkeep.repos.queries_likes import LikeAt, LikedAs, Liker
from hubkeep.repos.wire import Like, LikedRepo, PageQuery

if TYPE_CHECKING:
    from hubkeep.app import App


async def like(app: "App", request: Request) -> Response:
    """Like a repository; once is enough."""

    def work(conn: Connection) -> None:
        now = app.clock()
        visitor = visit(conn, request, Action.LIKE, now)
        assert visitor.actor.user is not None, "the policy lets only users like"
        queries_likes.like(conn, visitor.repo.id, visitor.actor.user.id, now)

    await app.db.write(work)
    return empty_answer()


async def unlike(app: "App", request: Request) -> Response:
    """Take a like back; also fine where there was none."""

    def work(conn: Connection) -> None:
        visitor = visit(conn, request, Action.LIKE, app.clock())
        assert visitor.actor.user is not None, "the policy lets only users like"
        queries_likes.unlike(conn, visitor.repo.id, visitor.actor.user.id)

    await app.db.write(work)
    return empty_answer()


async def likers(app: "App", request: Request) -> Response:
    """List who likes a repository."""
    query = read_query(request, PageQuery)
    after, limit = position(query, LikeAt), page_limit(query)

    def work(conn: Connection) -> list[Liker]:
        repo = visit(conn, request, Action.READ, app.clock()).repo
        return list(queries_likes.likers_of(conn, repo.id, after, limit + 1))

    found = await app.db.read(work)
    base = app.base_url(request)
    people = [Person(one.name, one.fullname, avatar_url(base, one.name)) for one in found]
    return page_answer(app, request, people, [one.at for one in found], limit)


async def user_likes(app: "App", request: Request) -> Response:
    """List what a user likes, of what the caller may see."""
    query = read_query(request, PageQuery)
    after, limit = position(query, LikeAt), page_limit(query)

    def work(conn: Connection) -> list[LikedAs]:
        viewer = actor_of(conn, request, app.clock())
        user = account_at(conn, request, "user")
        return list(queries_likes.likes_of(conn, user.id, viewer, after, limit + 1))

    found = await app.db.read(work)
    liked = [Like(wire(one.at.created_at), LikedRepo(one.path, one.type)) for one in found]
    return page_answer(app, request, liked, [one.at for one in found], limit)
