# SPDX-License-Identifier: Apache-2.0
"""Likes: given and taken back by a button, who gave them, and what somebody likes."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import urlencode

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.errors import HubError
from hubkeep.http import read_cursor, read_query
from hubkeep.identity.access import account_at, actor_of
from hubkeep.identity.actor import Account, Actor
from hubkeep.identity.rules import Action
from hubkeep.kit.cursors import encode_cursor
from hubkeep.kit.time import Millis, unwire, wire
from hubkeep.repos import queries_likes
from hubkeep.repos.access import visit
from hubkeep.repos.queries_likes import LikeAt, LikedAs, Liker
from hubkeep.repos.types import RepoType
from hubkeep.web.forms import go_to, own_path, read_form
from hubkeep.web.people import Person
from hubkeep.web.repo_head import RepoHead, repo_head
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.visits import PageVisit, look
from hubkeep.web.wants import wants_html

if TYPE_CHECKING:
    from hubkeep.app import App

ROWS = 60


class LikeForm(msgspec.Struct):
    """What the button sends: the page that it stands on."""

    next: str = ""


class LikesQuery(msgspec.Struct, frozen=True):
    """Where a page of a list of likes begins."""

    cursor: str | None = None
    format: Literal["html", "json"] | None = None


class LikersPage(Page, kw_only=True):
    """Who likes a repository, newest likes first; `next` and `first` are addresses."""

    template: ClassVar[str] = "likers.html"
    repo: RepoHead
    people: Sequence[Person]
    first: str | None
    next: str | None


class Liked(msgspec.Struct, rename="camel"):
    """A repository that somebody likes, and since when."""

    id: str
    kind: str
    web_path: str
    liked_at: str

    @property
    def at(self) -> Millis:
        """The same as templates reckon with."""
        return unwire(self.liked_at)


class LikesPage(Page, kw_only=True):
    """What somebody likes, of what the visitor may see, newest first."""

    template: ClassVar[str] = "likes.html"
    name: str
    likes: Sequence[Liked]
    first: str | None
    next: str | None


async def like(app: "App", request: Request) -> Response:
    """Like a repository, and go back to where the button is."""
    return await _change(app, request, lambda *which: queries_likes.like(*which, app.clock()))


async def unlike(app: "App", request: Request) -> Response:
    """Take a like back, and go back to where the button is."""
    return await _change(app, request, queries_likes.unlike)


async def _change(
    app: "App", request: Request, change: Callable[[Connection, int, int], bool]
) -> Response:
    form = await read_form(request, LikeForm)

    def work(conn: Connection) -> str:
        visitor = visit(conn, request, Action.LIKE, app.clock())
        assert visitor.actor.user is not None, "the policy lets only users like"
        change(conn, visitor.repo.id, visitor.actor.user.id)
        return f"/{visitor.repo.web_path}"

    try:
        page = await app.db.write(work)
    except HubError as error:
        # Whose session is over signs in again, whether there is such a repository or not.
        if error.status != 401 or not wants_html(request):
            raise
        here = own_path(form.next, request.url.path.rpartition("/")[0])
        return go_to(f"/login?{urlencode({'next': here})}")
    return go_to(own_path(form.next, page))


async def likers(app: "App", request: Request) -> Response:
    """List who likes a repository."""
    query = read_query(request, LikesQuery)
    after = read_cursor(query.cursor, LikeAt)

    def work(conn: Connection) -> tuple[PageVisit, Sequence[Liker]]:
        visitor = look(conn, request, app.clock())
        return visitor, queries_likes.likers_of(conn, visitor.repo.id, after, ROWS + 1)

    visitor, found = await app.db.read(work)
    here = f"/{visitor.repo.web_path}/likers"
    page = LikersPage(
        title=f"Who likes {visitor.repo.path}",
        repo=repo_head(visitor, "likers"),
        people=[Person(one.name, one.fullname) for one in found[:ROWS]],
        first=here if after else None,
        next=_next(here, [one.at for one in found]),
    )
    return shown(app, request, page, shell_for(app, request, visitor.actor))


async def likes(app: "App", request: Request) -> Response:
    """List what a user likes."""
    query = read_query(request, LikesQuery)
    after = read_cursor(query.cursor, LikeAt)

    def work(conn: Connection) -> tuple[Actor, Account, Sequence[LikedAs]]:
        viewer = actor_of(conn, request, app.clock())
        user = account_at(conn, request, "user")
        return viewer, user, queries_likes.likes_of(conn, user.id, viewer, after, ROWS + 1)

    viewer, user, found = await app.db.read(work)
    here = f"/{user.name}/activity/likes"
    page = LikesPage(
        title=f"What {user.name} likes",
        name=user.name,
        likes=[_liked(one) for one in found[:ROWS]],
        first=here if after else None,
        next=_next(here, [one.at for one in found]),
    )
    return shown(app, request, page, shell_for(app, request, viewer))


def _liked(one: LikedAs) -> Liked:
    prefix = RepoType(one.type).web_prefix
    return Liked(one.path, one.type, prefix + one.path, wire(one.at.created_at))


def _next(here: str, positions: Sequence[LikeAt]) -> str | None:
    if len(positions) <= ROWS:
        return None
    return f"{here}?{urlencode({'cursor': encode_cursor(positions[ROWS - 1])})}"
