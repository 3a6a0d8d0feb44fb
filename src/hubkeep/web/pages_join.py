# SPDX-License-Identifier: Apache-2.0
"""Signing up: for everybody, by invitation, or not at all, as the setting `sign_up` has it."""

import asyncio
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.identity import faults as say
from hubkeep.identity.access import actor_of
from hubkeep.identity.actor import ANONYMOUS, Account, Actor
from hubkeep.identity.commands import Refused
from hubkeep.identity.own import Newcomer, UsedUp, begin_session, sign_up
from hubkeep.identity.passwords import hash_password
from hubkeep.identity.queries import account
from hubkeep.identity.queries_invitations import is_invitation
from hubkeep.identity.sessions import session_secret, set_session
from hubkeep.web.account_fields import email, fullname
from hubkeep.web.fields import NONE, Faults, Field, FormPage, only_faults, password
from hubkeep.web.forms import go_to, own_path, read_form
from hubkeep.web.repo_head import Link
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown

if TYPE_CHECKING:
    from hubkeep.app import App

CLOSED = "Nobody signs up here by themselves: ask who runs this hub for an account."
BY_INVITATION = "One signs up here by invitation: open the link that you were sent."
USED_UP = "This invitation has been used, or its time is over: ask for another one."


class Join(msgspec.Struct):
    """What the form sends."""

    name: str = ""
    fullname: str = ""
    email: str = ""
    password: str = ""
    invitation: str = ""
    next: str = ""


class NotWelcome(Exception):
    """Nobody can sign up like this; the text says why."""


async def join_page(app: "App", request: Request) -> Response:
    """Show the form, or why there is none."""
    asked = request.query_params
    form = Join(invitation=asked.get("invitation", ""), next=asked.get("next", ""))

    def work(conn: Connection) -> tuple[Actor, str]:
        return actor_of(conn, request, app.clock()), _closed_by(app, conn, form)

    actor, closed = await app.db.read(work)
    if actor.session is not None:
        return go_to(own_path(form.next))
    page = _page(form, {"": closed}, is_open=False) if closed else _page(form, NONE)
    return shown(app, request, page, shell_for(app, request, actor))


async def join(app: "App", request: Request) -> Response:
    """Make an account and sign it in."""
    form = await read_form(request, Join)
    form.name, form.fullname, form.email = (
        text.strip() for text in (form.name, form.fullname, form.email)
    )
    found = _faults(form)
    try:
        await app.db.read(lambda conn: _look(app, conn, form, found))
        if found:
            return _refused(app, request, form, found)
        made, secret = await _make(app, request, form)
    except NotWelcome as closed:
        return _refused(app, request, form, {"": str(closed)}, status=403)
    except UsedUp:
        return _refused(app, request, form, {"": USED_UP}, status=403)
    except Refused as refused:
        return _refused(app, request, form, {"name": str(refused)})
    answer = go_to(own_path(form.next, f"/{made.name}"))
    set_session(request, answer, secret)
    return answer


async def _make(app: "App", request: Request, form: Join) -> tuple[Account, str]:
    before = session_secret(request)
    # Hashing takes 64 MiB: one at a time, as where passwords are looked at.
    async with app.password_gate:
        loop = asyncio.get_running_loop()
        stored = await loop.run_in_executor(app.crunch, hash_password, form.password)
    invitation = form.invitation if app.config.sign_up == "invitation" else None
    who = Newcomer(form.name, form.fullname, form.email or None, stored, invitation)

    def work(conn: Connection) -> tuple[Account, str]:
        made = sign_up(conn, who, app.clock())
        agent = request.headers.get("user-agent", "")
        return made, begin_session(conn, made.id, agent, app.clock(), instead_of=before)

    return await app.db.write(work)


def _look(app: "App", conn: Connection, form: Join, found: dict[str, str]) -> None:
    """Look before the password is hashed, which is dear; what counts is looked at again."""
    closed = _closed_by(app, conn, form)
    if closed:
        raise NotWelcome(closed)
    if "name" not in found and account(conn, form.name) is not None:
        found["name"] = f"the name {form.name!r} is taken by a user or an organisation"


def _closed_by(app: "App", conn: Connection, form: Join) -> str:
    if app.config.sign_up == "open":
        return ""
    if app.config.sign_up == "closed":
        return CLOSED
    if not form.invitation:
        return BY_INVITATION
    return "" if is_invitation(conn, form.invitation, app.clock()) else USED_UP


def _faults(form: Join) -> dict[str, str]:
    return only_faults(
        name=say.name_fault(form.name),
        fullname=say.fullname_fault(form.fullname),
        email=say.email_fault(form.email),
        password=say.password_fault(form.password, form.name),
    )


def _refused(
    app: "App", request: Request, form: Join, found: Faults, status: int = 422
) -> Response:
    page = _page(form, found, is_open=status != 403)
    shell = shell_for(app, request, ANONYMOUS)
    return shown(app, request, page, shell, status=status)


def _page(form: Join, found: Faults, *, is_open: bool = True) -> FormPage:
    return FormPage(
        title="Make an account",
        action="/join",
        submit="Make the account",
        hidden={"invitation": form.invitation, "next": own_path(form.next, "")},
        error=found.get("", ""),
        fields=_fields(form, found) if is_open else (),
        links=[Link("Sign in instead", "/login")],
    )


def _fields(form: Join, found: Faults) -> list[Field]:
    return [
        Field(
            name="name",
            label="Name",
            value=form.name,
            hint="Letters, digits, '-', '_' and '.': it stands in all your addresses.",
            error=found.get("name", ""),
            autocomplete="username",
            required=True,
        ),
        fullname(form.fullname, found, autocomplete="name"),
        email(form.email, found),
        password(
            "password",
            "Password",
            "new-password",
            hint=say.PASSWORD_RULES,
            error=found.get("password", ""),
        ),
    ]
