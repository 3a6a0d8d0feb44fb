# SPDX-License-Identifier: Apache-2.0
"""A picture for each account, drawn from a hash of its name: nothing that users wrote is in it."""

import hashlib
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.identity.names import BadName, check_name, key

if TYPE_CHECKING:
    from hubkeep.app import App

_SUFFIX = ".svg"
_HALF = 3  # columns that are drawn; the other two mirror them
_HEADERS = {
    "Cache-Control": "public, max-age=604800",
    "Content-Security-Policy": "default-src 'none'",
}


async def avatar(_app: "App", request: Request) -> Response:
    """Answer `/avatars/{name}.svg`, for any name that an account may have: it tells of none."""
    file = request.path_params["file"]
    name = file.removesuffix(_SUFFIX)
    try:
        check_name(name)
    except BadName as bad:
        raise errors.not_found(str(bad)) from bad
    if name == file:
        raise errors.not_found("Pictures end in .svg")
    return Response(identicon(name), 200, _HEADERS, "image/svg+xml")


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
