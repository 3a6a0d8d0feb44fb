# SPDX-License-Identifier: Apache-2.0
"""One address of the table: what it looks like, who answers, and the action that it needs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from hubkeep.app import App
from hubkeep.errors import not_implemented
from hubkeep.identity.rules import Action

Handler = Callable[[App, Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """One address: `area` is the section of the wire contract that describes it."""

    method: str
    pattern: str
    handler: Handler
    action: Action
    area: str

    @property
    def is_implemented(self) -> bool:
        return self.handler is not later


async def later(_app: App, request: Request) -> Response:
    """Answer for a part of the contract that this hub does not have yet."""
    raise not_implemented(f"{request.method} {request.url.path}")
