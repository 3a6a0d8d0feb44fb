# SPDX-License-Identifier: Apache-2.0
"""How git-lfs is spoken to: its media type, and errors in the shape that it shows to people.

https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md#response-errors
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.errors import HubError

if TYPE_CHECKING:
    from hubkeep.app import App

MEDIA_TYPE = "application/vnd.git-lfs+json"

_Handler = Callable[["App", Request], Awaitable[Response]]


def lfs_answer(value: object, status: int = 200) -> Response:
    """Write a struct as git-lfs reads it."""
    return Response(msgspec.json.encode(value), status, media_type=MEDIA_TYPE)


def speaking_lfs(handler: _Handler) -> _Handler:
    """Add to a handler's errors what git-lfs reads: `message`, and where to send a password."""

    @wraps(handler)
    async def spoken(app: "App", request: Request) -> Response:
        try:
            return await handler(app, request)
        except HubError as error:
            error.extra.setdefault("message", error.message)
            if error.status == 401:
                error.headers.setdefault("LFS-Authenticate", 'Basic realm="Hubkeep"')
            if error.status == 429:
                # git-lfs would wait for as long as it is told to, without a word to its user.
                error.headers.pop("Retry-After", None)
            raise

    return spoken
