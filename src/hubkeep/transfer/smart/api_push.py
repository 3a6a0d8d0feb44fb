# SPDX-License-Identifier: Apache-2.0
"""Push."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors

if TYPE_CHECKING:
    from hubkeep.app import App


async def advertise_for_push(_app: "App", request: Request) -> Response:
    """Not there yet."""
    raise errors.not_implemented(f"{request.method} {request.url.path}")


async def receive_pack(_app: "App", request: Request) -> Response:
    """Not there yet."""
    raise errors.not_implemented(f"{request.method} {request.url.path}")

