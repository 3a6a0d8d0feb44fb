# SPDX-License-Identifier: Apache-2.0
"""A revision's files as one archive."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors

if TYPE_CHECKING:
    from hubkeep.app import App


async def archive(_app: "App", request: Request) -> Response:
    """Not there yet."""
    raise errors.not_implemented(f"{request.method} {request.url.path}")

