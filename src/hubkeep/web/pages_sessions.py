# SPDX-License-Identifier: Apache-2.0
"""The browsers that somebody is signed in with, and how to sign them out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.identity.access import signed_in_here
from hubkeep.identity.actor import Actor
from hubkeep.identity.queries_sessions import Session, end_session, end_sessions, sessions_of
from hubkeep.identity.sessions import drop_session
from hubkeep.kit.time import Millis, unwire, wire
from hubkeep.web.browsers import browser_name
from hubkeep.web.forms import go_to, read_form
from hubkeep.web.settings_tabs import TabbedPage, said, settings_tabs
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown

if TYPE_CHECKING:
    from hubkeep.app import App


class SessionRow(msgspec.Struct, rename="camel"):
    """A browser that somebody is signed in with."""

    id: str
    browser: str
    agent: str
    created_at: str
    seen_at: str
    is_this: bool

    @property
    def created(self) -> Millis:
        """When it began, as templates reckon with."""
        return unwire(self.created_at)

    @property
    def seen(self) -> Millis:
        """When it was last used, as templates reckon with."""
        return unwire(self.seen_at)


class SessionsPage(TabbedPage, kw_only=True):
    """The sessions that are not over, the one used last first."""

    template: ClassVar[str] = "sessions.html"
    sessions: Sequence[SessionRow]


class Which(msgspec.Struct):
    """A session by its id; empty for all but the browser's own."""

    session: str = ""


async def sessions_page(app: "App", request: Request) -> Response:
    """List the sessions of who looks."""

    def work(conn: Connection) -> tuple[Actor, Sequence[Session]]:
        now = app.clock()
        actor, user = signed_in_here(conn, request, now)
        return actor, sessions_of(conn, user.id, now)

    actor, found = await app.db.read(work)
    page = SessionsPage(
        title="Sessions",
        tabs=settings_tabs("sessions"),
        sessions=[_row(one, actor) for one in found],
        done=said(request, ended="Signed out there."),
    )
    return shown(app, request, page, shell_for(app, request, actor))


async def end(app: "App", request: Request) -> Response:
    """End one session, or all but the browser's own."""
    form = await read_form(request, Which)

    def work(conn: Connection) -> bool:
        actor, user = signed_in_here(conn, request, app.clock())
        if not form.session:
            end_sessions(conn, user.id, keep=actor.session)
            return False
        if not end_session(conn, user.id, form.session):
            raise errors.not_found("There is no such session any more")
        return form.session == actor.session

    if await app.db.write(work):
        answer = go_to("/")
        drop_session(request, answer)
        return answer
    return go_to("/settings/sessions?ended")


def _row(one: Session, actor: Actor) -> SessionRow:
    return SessionRow(
        id=one.public_id,
        browser=browser_name(one.agent),
        agent=one.agent,
        created_at=wire(one.created_at),
        seen_at=wire(one.seen_at),
        is_this=one.public_id == actor.session,
    )
