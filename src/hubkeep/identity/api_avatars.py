# SPDX-License-Identifier: Apache-2.0
"""A picture for each account: its own, or one drawn from a hash of its name."""

import hashlib
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.identity.names import BadName, check_name, key
from hubkeep.identity.queries_avatars import picture_of

if TYPE_CHECKING:
    from hubkeep.app import App

_SUFFIX = ".svg"
_HALF = 3  # columns that are drawn; the other two mirror them
_HEADERS = {
    "Cache-Control": "public, max-age=60",  # who changes theirs sees that soon, everywhere
    "Content-Security-Policy": "default-src 'none'",
}


async def avatar(app: "App", request: Request) -> Response:
    """Answer `/avatars/{name}.svg`, for any name that an account may have.

    A PNG where the account has a picture of its own, whatever the address ends in; else it tells
    nothing of whether there is such an account.
    """
    file = request.path_params["file"]
    name = file.removesuffix(_SUFFIX)
    try:
        check_name(name)
    except BadName as bad:
        raise errors.not_found(str(bad)) from bad
    if name == file:
        raise errors.not_found("Pictures end in .svg")
    own = await app.db.read(lambda conn: picture_of(conn, name))
    body, kind = (identicon(name), "image/svg+xml") if own is None else (own, "image/png")
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": etag}
    if etag in request.headers.get("if-none-match", ""):
        return Response(None, 304, headers)
    return Response(body, 200, headers, kind)


def identicon(name: str) -> bytes:
    """Draw five by five squares, symmetric, in one colour: the same for a name in any case."""
    digest = hashlib.sha256(key(name).encode()).digest()
    squares = "".join(
        f"M{x} {row}h1v1h-1z"
        for row in range(5)
        for column in range(_HALF)
        if digest[row * _HALF + column] & 1
        for x in {column, 4 - column}
    )
    hue = int.from_bytes(digest[-2:]) % 360
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 7 7" width="96" height="96">'
        f'<rect x="-1" y="-1" width="7" height="7" fill="hsl({hue},40%,92%)"/>'
        f'<path fill="hsl({hue},55%,45%)" d="{squares}"/></svg>'
    ).encode()
