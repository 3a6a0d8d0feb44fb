# SPDX-License-Identifier: Apache-2.0
"""What the pages of administration have in common: who finds them, their tabs, what is noted."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.http import raw_path
from hubkeep.identity.access import may_administer
from hubkeep.identity.actor import Account
from hubkeep.web.repo_head import Link
from hubkeep.web.site import Page

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.admin")

_Handler = Callable[["App", Request], Awaitable[Response]]
_TABS = (
    ("Overview", ""),
    ("Users", "users"),
    ("Organisations", "organisations"),
    ("Repositories", "repositories"),
    ("Storage", "storage"),
    ("Jobs", "jobs"),
    ("Invitations", "invitations"),
    ("Settings", "settings"),
)


class AdminPage(Page, kw_only=True):
    """A page of administration; `done` and `error` say what came of the form before."""

    tabs: Sequence[Link]
    done: str = ""
    error: str = ""


def admin_tabs(current: str) -> Sequence[Link]:
    """Return where one can go, with the page that is looked at marked."""
    return [
        Link(name, f"/admin/{page}" if page else "/admin", page == current) for name, page in _TABS
    ]


def for_administrators(handler: _Handler) -> _Handler:
    """Answer everybody else as where nothing is, before anything that they sent is looked at.

    The handler looks again (`access.administrator`), in the unit of work that does something.
    """

    @wraps(handler)
    async def found(app: "App", request: Request) -> Response:
        if not await app.db.read(lambda conn: may_administer(conn, request, app.clock())):
            raise errors.nothing_at(raw_path(request))
        return await handler(app, request)

    return found


def noted(who: Account, what: str) -> None:
    """Write into the log what an administrator did; nothing in `what` is users' free text."""
    log.info("administrator %s %s", who.name, what)
