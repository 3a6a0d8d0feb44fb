# SPDX-License-Identifier: Apache-2.0
"""Access tokens: the list, a new one that is shown once, and how to revoke one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.identity import commands
from hubkeep.identity.access import signed_in_here
from hubkeep.identity.actor import Account, Actor, TokenRole
from hubkeep.identity.commands import Refused
from hubkeep.identity.queries_admin import delete_token, list_tokens
from hubkeep.identity.wire_admin import NewToken, TokenLine
from hubkeep.kit.time import DAY, Millis
from hubkeep.web.fields import NONE, Choice, Faults, Field
from hubkeep.web.forms import go_to, read_form
from hubkeep.web.settings_tabs import TabbedPage, said, settings_tabs
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown

if TYPE_CHECKING:
    from hubkeep.app import App

_LASTS = (
    Choice("30", "30 days"),
    Choice("90", "90 days"),
    Choice("365", "one year"),
    Choice("", "for ever"),
)
_ROLES = (
    Choice("read", "Read", "Downloads what you may see."),
    Choice("write", "Write", "Changes, uploads and deletes what you may, too."),
)


class MakeToken(msgspec.Struct):
    """What the form sends; `days` is empty for a token that does not expire."""

    name: str = ""
    role: str = "read"
    days: str = "90"


class Which(msgspec.Struct):
    """A token by its id."""

    token: str = ""


class TokensPage(TabbedPage, kw_only=True):
    """The tokens of who looks. `made` is there once, in the answer to the form that made it."""

    template: ClassVar[str] = "tokens.html"
    tokens: Sequence[TokenLine]
    fields: Sequence[Field]
    made: NewToken | None = None


async def tokens_page(app: "App", request: Request) -> Response:
    """List the tokens of who looks."""

    def work(conn: Connection) -> tuple[Actor, list[TokenLine]]:
        actor, user = signed_in_here(conn, request, app.clock())
        return actor, list_tokens(conn, user.id)

    actor, tokens = await app.db.read(work)
    page = _page(tokens, MakeToken(), NONE)
    page.done = said(request, revoked="The token is revoked.")
    return shown(app, request, page, shell_for(app, request, actor))


async def make_token(app: "App", request: Request) -> Response:
    """Make a token and show it, this once: the hub keeps its hash alone."""
    form = await read_form(request, MakeToken)
    form.name = form.name.strip()
    found = _faults(form)

    def work(conn: Connection) -> tuple[Actor, list[TokenLine], NewToken | None]:
        actor, user = signed_in_here(conn, request, app.clock())
        made = None if found else _made(conn, user, form, app.clock())
        return actor, list_tokens(conn, user.id), made

    try:
        actor, tokens, made = await app.db.write(work)
    except Refused as refused:
        found = {"name": str(refused)}
        actor, tokens, made = await app.db.write(work)
    page = _page(tokens, MakeToken() if made else form, found)
    page.made = made
    headers = {"Cache-Control": "no-store"}
    status = 422 if found else 200
    shell = shell_for(app, request, actor)
    return shown(app, request, page, shell, status=status, headers=headers)


async def revoke(app: "App", request: Request) -> Response:
    """Revoke a token: it fails from the next request on."""
    form = await read_form(request, Which)

    def work(conn: Connection) -> None:
        _, user = signed_in_here(conn, request, app.clock())
        if not delete_token(conn, user.id, form.token):
            raise errors.not_found("There is no such token any more")

    await app.db.write(work)
    return go_to("/settings/tokens?revoked")


def _made(conn: Connection, user: Account, form: MakeToken, now: Millis) -> NewToken:
    ends_at = now + int(form.days) * DAY if form.days else None
    role = TokenRole(form.role)
    return commands.create_token(conn, user.name, role, now, name=form.name, expires_at=ends_at)


def _faults(form: MakeToken) -> dict[str, str]:
    found = {}
    if not form.name:
        found["name"] = "Choose a name, to tell it from others."
    for name, value, choices in (("role", form.role, _ROLES), ("days", form.days, _LASTS)):
        if value not in {one.value for one in choices}:
            found[name] = "Choose one of these."
    return found


def _page(tokens: Sequence[TokenLine], form: MakeToken, found: Faults) -> TokensPage:
    return TokensPage(
        title="Access tokens",
        tabs=settings_tabs("tokens"),
        tokens=tokens,
        fields=[
            Field(
                name="name",
                label="Name",
                value=form.name,
                hint="What it is for: a laptop, a training job.",
                error=found.get("name", ""),
                required=True,
            ),
            Field(
                name="role",
                label="What it may do",
                kind="choice",
                value=form.role,
                choices=_ROLES,
                error=found.get("role", ""),
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
