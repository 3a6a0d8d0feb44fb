# SPDX-License-Identifier: Apache-2.0
"""How git is spoken to: errors as plain text, which it shows to its user, and no caching."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.errors import HubError
from hubkeep.git.program import GitMissing

if TYPE_CHECKING:
    from hubkeep.app import App

NOT_CACHED = {"Cache-Control": "no-cache, max-age=0, must-revalidate"}

_Handler = Callable[["App", Request], Awaitable[Response]]


def speaking_git(handler: _Handler) -> _Handler:
    """Answer a handler's errors as git reads them: it prints a plain text, and only such a one.

    With 401 it asks for a user name and a password, if it is told to.
    """

    @wraps(handler)
    async def spoken(app: "App", request: Request) -> Response:
        try:
            return await handler(app, request)
        except GitMissing:
            return _told(errors.not_implemented("Git over HTTP (git is not installed here)"))
        except HubError as error:
            return _told(error)

    return spoken


def _told(error: HubError) -> Response:
    if error.status == 401:
        error.headers.setdefault("WWW-Authenticate", 'Basic realm="Hubkeep", charset="UTF-8"')
    answer = errors.render(error)
    answer.body = f"{error.message}\n".encode()
    answer.headers["Content-Length"] = str(len(answer.body))
    answer.headers["Content-Type"] = "text/plain; charset=utf-8"
    answer.headers.update(NOT_CACHED)
    return answer
