# SPDX-License-Identifier: Apache-2.0
"""The picture of one's own account, or of an organisation that one administers."""

from functools import partial
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.identity.access import signed_in_here
from hubkeep.identity.pictures import MOST_BYTES, NotAPicture, redraw
from hubkeep.identity.queries_avatars import drop_picture, set_picture
from hubkeep.web.apart import apart
from hubkeep.web.forms import go_to, read_form
from hubkeep.web.forms_with_files import read_form_with_file
from hubkeep.web.pages_organisation import administered, settings_with_fault
from hubkeep.web.pages_profile import profile_with_fault

if TYPE_CHECKING:
    from hubkeep.app import App


class Nothing(msgspec.Struct):
    """A form of which only the file counts, or that is only a button."""


async def change_own(app: "App", request: Request) -> Response:
    """Take another picture for one's own account."""
    content, fault = await _drawn(app, request)
    if content is None:
        return await profile_with_fault(app, request, fault)

    def work(conn: Connection) -> None:
        now = app.clock()
        _, user = signed_in_here(conn, request, now)
        set_picture(conn, user.id, content, now)

    await app.db.write(work)
    return go_to("/settings/profile?saved")


async def remove_own(app: "App", request: Request) -> Response:
    """Go back to the picture that is drawn from one's name."""
    await read_form(request, Nothing)

    def work(conn: Connection) -> None:
        _, user = signed_in_here(conn, request, app.clock())
        drop_picture(conn, user.id)

    await app.db.write(work)
    return go_to("/settings/profile?saved")


async def change_of_organisation(app: "App", request: Request) -> Response:
    """Take another picture for an organisation."""
    content, fault = await _drawn(app, request)
    if content is None:
        return await settings_with_fault(app, request, fault)

    def work(conn: Connection) -> str:
        now = app.clock()
        _, org = administered(conn, request, *signed_in_here(conn, request, now))
        set_picture(conn, org.id, content, now)
        return org.name

    name = await app.db.write(work)
    return go_to(f"/organizations/{name}/settings?saved")


async def remove_of_organisation(app: "App", request: Request) -> Response:
    """Go back to the picture that is drawn from the organisation's name."""
    await read_form(request, Nothing)

    def work(conn: Connection) -> str:
        _, org = administered(conn, request, *signed_in_here(conn, request, app.clock()))
        drop_picture(conn, org.id)
        return org.name

    name = await app.db.write(work)
    return go_to(f"/organizations/{name}/settings?saved")


async def _drawn(app: "App", request: Request) -> tuple[bytes | None, str]:
    """What was sent, drawn anew; or nothing, and what was wrong with it."""
    form = await read_form_with_file(request, Nothing, MOST_BYTES)
    if form.content is None:
        return None, f"At most {MOST_BYTES // 1_000_000} MB."
    if not form.content:
        return None, "Choose a file."
    # Before the work: it is done for who may have it done.
    await app.db.read(lambda conn: signed_in_here(conn, request, app.clock()))
    try:
        return await apart(app, partial(redraw, form.content)), ""
    except NotAPicture as fault:
        return None, str(fault)
