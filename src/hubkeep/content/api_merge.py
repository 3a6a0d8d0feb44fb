# SPDX-License-Identifier: Apache-2.0
"""Merging one branch into another, and taking a commit back."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors

if TYPE_CHECKING:
    from hubkeep.app import App


async def merge(_app: "App", request: Request) -> Response:
    """Not there yet."""
    raise errors.not_implemented(f"{request.method} {request.url.path}")


async def revert(_app: "App", request: Request) -> Response:
    """Not there yet."""
    raise errors.not_implemented(f"{request.method} {request.url.path}")

