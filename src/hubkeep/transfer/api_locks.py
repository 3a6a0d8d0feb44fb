# SPDX-License-Identifier: Apache-2.0
"""Locks of git-lfs."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors

if TYPE_CHECKING:
    from hubkeep.app import App


async def list_locks(_app: "App", request: Request) -> Response:
    """Not there yet."""
    raise errors.not_implemented(f"{request.method} {request.url.path}")


async def create_lock(_app: "App", request: Request) -> Response:
    """Not there yet."""
    raise errors.not_implemented(f"{request.method} {request.url.path}")


async def verify_locks(_app: "App", request: Request) -> Response:
    """Not there yet."""
    raise errors.not_implemented(f"{request.method} {request.url.path}")


async def unlock(_app: "App", request: Request) -> Response:
    """Not there yet."""
    raise errors.not_implemented(f"{request.method} {request.url.path}")

