# SPDX-License-Identifier: Apache-2.0
"""Errors as pages, for people: what happened, and where to go from here."""

from typing import TYPE_CHECKING, ClassVar

from starlette.requests import Request
from starlette.responses import Response

from hubkeep.db import DatabaseError
from hubkeep.errors import HubError, render
from hubkeep.identity.access import actor_of
from hubkeep.identity.actor import ANONYMOUS, Actor
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.wants import wants_html

if TYPE_CHECKING:
    from hubkeep.app import App

_TITLES = {
    400: "This address is not right",
    403: "You may not do this",
    404: "Nothing is here",
    409: "This is in the way",
    413: "This is too large",
    422: "This cannot be taken",
    429: "Too often",
    500: "Something went wrong",
    501: "This is not built yet",
    503: "The hub is busy",
    507: "The hub's disk is full",
}


class LostPage(Page, kw_only=True):
    """What went wrong; `mayBePrivate` where signing in could show what is there."""

    template: ClassVar[str] = "lost.html"
    status: int
    error: str
    may_be_private: bool = False


async def who_is_lost(app: "App", request: Request) -> Actor:
    """Return who looks at the page of an error: nobody where that cannot be told."""
    if not wants_html(request):
        return ANONYMOUS
    try:
        return await app.db.read(lambda conn: actor_of(conn, request, app.clock()))
    except (HubError, DatabaseError):
        return ANONYMOUS


def error_page(
    app: "App", request: Request, error: HubError, actor: Actor = ANONYMOUS
) -> Response | None:
    """Return an error as a page if a browser asked; None for other clients.

    A stranger is told that nothing is there, whether that is so or not, and never asked for a
    password by the browser itself.
    """
    if not wants_html(request):
        return None
    try:
        shell = shell_for(app, request, actor)
    except HubError as unknown:  # pages say how the hub is called, and by this name it is not
        return render(unknown)
    status = 404 if error.status == 401 else error.status
    page = LostPage(
        title=_TITLES.get(status, "Something went wrong"),
        status=status,
        error="" if status == 404 else error.message,
        may_be_private=error.status == 401,
    )
    kept = {
        name: value for name, value in error.headers.items() if name in ("Allow", "Retry-After")
    }
    return shown(app, request, page, shell, status=status, headers=kept)
