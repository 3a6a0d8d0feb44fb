# SPDX-License-Identifier: Apache-2.0
"""Invitations to sign up, for administrators: a link each that works once and is shown once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.identity import commands
from hubkeep.identity.access import administrator
from hubkeep.identity.actor import Account, Actor
from hubkeep.identity.commands import Refused
from hubkeep.identity.queries_invitations import delete_invitation, list_invitations
from hubkeep.identity.wire_admin import InvitationLine, NewInvitation
from hubkeep.kit.time import DAY
from hubkeep.web.fields import NONE, Choice, Faults, Field
from hubkeep.web.forms import go_to, read_form
from hubkeep.web.pages_admin import AdminPage, admin_tabs, for_administrators, noted
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown

if TYPE_CHECKING:
    from hubkeep.app import App

PATH = "/admin/invitations"

_LASTS = (Choice("1", "one day"), Choice("7", "7 days"), Choice("30", "30 days"))
_SHOWN = 500


class Invite(msgspec.Struct):
    """What the form sends."""

    note: str = ""
    days: str = "7"


class Which(msgspec.Struct):
    """An invitation by its id."""

    invitation: str = ""


class InvitationsPage(AdminPage, kw_only=True):
    """Invitations that are not used or over, 500 at most. `made` is there once, in the answer to
    the form that made it.
    """

    template: ClassVar[str] = "admin_invitations.html"
    sign_up: str
    invitations: Sequence[InvitationLine]
    fields: Sequence[Field]
    made: NewInvitation | None = None


@for_administrators
async def invitations(app: "App", request: Request) -> Response:
    """List the invitations that somebody may still sign up by."""

    def work(conn: Connection) -> tuple[Actor, Sequence[InvitationLine]]:
        actor, _ = administrator(conn, request, app.clock())
        return actor, list_invitations(conn, app.clock(), _SHOWN)

    actor, found = await app.db.read(work)
    page = _page(app, found, Invite(), NONE)
    page.done = "The invitation is revoked." if "revoked" in request.query_params else ""
    return shown(app, request, page, shell_for(app, request, actor))


@for_administrators
async def invite(app: "App", request: Request) -> Response:
    """Make an invitation and show its link, this once: the hub keeps its hash alone."""
    form = await read_form(request, Invite)
    found: dict[str, str] = {}
    if form.days not in {one.value for one in _LASTS}:
        found["days"] = "Choose one of these."
    base = app.base_url(request)

    def work(conn: Connection) -> NewInvitation:
        now = app.clock()
        _, admin = administrator(conn, request, now)
        ends_at, note = now + int(form.days) * DAY, form.note.strip()
        return commands.invite(conn, base, now, expires_at=ends_at, note=note, made_by=admin.id)

    made = None
    if not found:
        try:
            made = await app.db.write(work)
        except Refused as refused:
            found = {"note": str(refused)}

    def look(conn: Connection) -> tuple[Actor, Account, Sequence[InvitationLine]]:
        actor, admin = administrator(conn, request, app.clock())
        return actor, admin, list_invitations(conn, app.clock(), _SHOWN)

    actor, admin, listed = await app.db.read(look)
    page = _page(app, listed, form if found else Invite(), found)
    page.made = made
    if made is not None:
        noted(admin, f"made the invitation {made.id}")
    shell = shell_for(app, request, actor)
    headers = {"Cache-Control": "no-store"}
    return shown(app, request, page, shell, status=422 if found else 200, headers=headers)


@for_administrators
async def revoke(app: "App", request: Request) -> Response:
    """Take an invitation back: its link leads nowhere from now on."""
    form = await read_form(request, Which)

    def work(conn: Connection) -> Account:
        _, admin = administrator(conn, request, app.clock())
        if not delete_invitation(conn, form.invitation):
            raise errors.not_found("There is no such invitation any more")
        return admin

    noted(await app.db.write(work), f"revoked the invitation {form.invitation}")
    return go_to(f"{PATH}?revoked")


def _page(
    app: "App", listed: Sequence[InvitationLine], form: Invite, found: Faults
) -> InvitationsPage:
    return InvitationsPage(
        title="Invitations",
        tabs=admin_tabs("invitations"),
        sign_up=app.config.sign_up,
        invitations=listed,
        fields=[
            Field(
                name="note",
                label="Whom it is for",
                value=form.note,
                hint="Shown to administrators alone.",
                error=found.get("note", ""),
            ),
            Field(
                name="days",
                label="How long it works",
                kind="select",
                value=form.days,
                choices=_LASTS,
                error=found.get("days", ""),
            ),
        ],
    )
