# SPDX-License-Identifier: Apache-2.0
"""Pages for people who are signed in: who is not, is led to the page where one signs in."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from hubkeep.errors import HubError
from hubkeep.web.forms import go_to
from hubkeep.web.wants import wants_html

if TYPE_CHECKING:
    from hubkeep.app import App

_Handler = Callable[["App", Request], Awaitable[Response]]


def for_people(handler: _Handler) -> _Handler:
    """Lead browsers that are not signed in to the page where one does, and back afterwards.

    Only for pages that are there for everybody who signs in: where something may be hidden, a
    stranger is told that nothing is there.
    """

    @wraps(handler)
    async def led(app: "App", request: Request) -> Response:
        try:
            return await handler(app, request)
        except HubError as error:
            if error.status != 401 or not wants_html(request):
                raise
            return go_to(sign_in_path(request))

    return led


def sign_in_path(request: Request) -> str:
    """Return where one signs in to come back to this page."""
    query = request.url.query if request.method in ("GET", "HEAD") else ""
    here = request.url.path + (f"?{query}" if query else "")
    return f"/login?{urlencode({'next': here})}"
