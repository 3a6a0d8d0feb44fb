# SPDX-License-Identifier: Apache-2.0
"""What people say of themselves, and the password that they sign in with."""

import asyncio
from typing import TYPE_CHECKING, ClassVar

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.errors import HubError
from hubkeep.identity import faults as say
from hubkeep.identity.access import signed_in, signed_in_here
from hubkeep.identity.actor import Account, Actor
from hubkeep.identity.own import change_password
from hubkeep.identity.passwords import hash_password
from hubkeep.identity.queries import of_password
from hubkeep.identity.queries_admin import update_account
from hubkeep.identity.sessions import set_session
from hubkeep.identity.sign_in import prove_password
from hubkeep.web.account_fields import Picture, about, email, fullname, picture
from hubkeep.web.fields import NONE, Faults, FormPage, only_faults, password
from hubkeep.web.forms import go_to, read_form
from hubkeep.web.pages_login import too_often
from hubkeep.web.settings_tabs import said, settings_tabs
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown

if TYPE_CHECKING:
    from hubkeep.app import App


class Profile(msgspec.Struct):
    """What the form sends."""

    fullname: str = ""
    email: str = ""
    about: str = ""


class NewPassword(msgspec.Struct):
    """What the form sends."""

    old: str = ""
    new: str = ""
    again: str = ""


async def settings(_app: "App", _request: Request) -> Response:
    """Go on to the first page of the settings."""
    return go_to("/settings/profile")


class ProfilePage(FormPage, kw_only=True):
    """What is told of an account, and its picture, which has a form of its own."""

    template: ClassVar[str] = "profile.html"
    picture: Picture


async def profile_page(app: "App", request: Request) -> Response:
    """Show what is told of the account."""

    def work(conn: Connection) -> tuple[Actor, ProfilePage]:
        actor, user = signed_in(conn, request, app.clock())
        return actor, _profile(conn, user, _profile_of(user), NONE)

    actor, page = await app.db.read(work)
    page.done = said(request, saved="Saved.")
    return shown(app, request, page, shell_for(app, request, actor))


async def change_profile(app: "App", request: Request) -> Response:
    """Change what is told of the account."""
    form = await read_form(request, Profile)
    form.fullname, form.email = form.fullname.strip(), form.email.strip()
    form.about = form.about.replace("\r\n", "\n").strip()
    found = only_faults(
        fullname=say.fullname_fault(form.fullname),
        email=say.email_fault(form.email),
        about=say.about_fault(form.about),
    )

    def work(conn: Connection) -> tuple[Actor, ProfilePage]:
        actor, user = signed_in_here(conn, request, app.clock())
        if not found:
            update_account(
                conn,
                user.id,
                fullname=form.fullname,
                email=form.email or None,
                details=form.about,
            )
        return actor, _profile(conn, user, form, found)

    actor, page = await app.db.write(work)
    if found:
        return shown(app, request, page, shell_for(app, request, actor), status=422)
    return go_to("/settings/profile?saved")


async def profile_with_fault(app: "App", request: Request, fault: str) -> Response:
    """Show the profile again to who sent a picture that cannot be taken."""

    def work(conn: Connection) -> tuple[Actor, ProfilePage]:
        actor, user = signed_in_here(conn, request, app.clock())
        return actor, _profile(conn, user, _profile_of(user), NONE, fault)

    actor, page = await app.db.read(work)
    return shown(app, request, page, shell_for(app, request, actor), status=422)


async def password_page(app: "App", request: Request) -> Response:
    """Ask for the old password and a new one."""
    actor, _ = await app.db.read(lambda conn: signed_in(conn, request, app.clock()))
    page = _password(NONE)
    page.done = said(request, saved="The password is changed. You are signed out everywhere else.")
    return shown(app, request, page, shell_for(app, request, actor))


async def change_password_of(app: "App", request: Request) -> Response:
    """Change the password; all other sessions are over, and this one has a new secret."""
    form = await read_form(request, NewPassword)
    actor, user = await app.db.read(lambda conn: signed_in_here(conn, request, app.clock()))
    found = only_faults(
        new=say.password_fault(form.new, user.name),
        again="" if form.new == form.again else "This is not what you wrote above.",
    )
    secret, status = "", 422
    if not found:
        try:
            secret = await _changed(app, request, user, form)
        except HubError as error:
            if error.status not in (401, 429):
                raise
            is_closed = error.status == 429
            found = {"old": too_often(error) if is_closed else "This is not your password."}
            status = 429 if is_closed else 422
    if found:
        shell = shell_for(app, request, actor)
        return shown(app, request, _password(found), shell, status=status)
    answer = go_to("/settings/password?saved")
    set_session(request, answer, secret)
    return answer


async def _changed(app: "App", request: Request, user: Account, form: NewPassword) -> str:
    proof = await prove_password(app, user.name, form.old)
    async with app.password_gate:
        loop = asyncio.get_running_loop()
        stored = await loop.run_in_executor(app.crunch, hash_password, form.new)

    def work(conn: Connection) -> str:
        now = app.clock()
        _, still = signed_in_here(conn, request, now)
        of_password(conn, proof)
        return change_password(conn, still.id, stored, request.headers.get("user-agent", ""), now)

    return await app.db.write(work)


def _profile_of(user: Account) -> Profile:
    return Profile(user.fullname, user.email or "", user.details)


def _profile(
    conn: Connection, user: Account, form: Profile, found: Faults, picture_fault: str = ""
) -> ProfilePage:
    return ProfilePage(
        title="Profile",
        tabs=settings_tabs("profile"),
        picture=picture(conn, user, "/settings/picture", picture_fault),
        action="/settings/profile",
        submit="Save",
        intro=f"What others see at /{user.name}. The name itself stays as it is.",
        fields=[
            fullname(form.fullname, found, autocomplete="name"),
            email(form.email, found),
            about(form.about, found),
        ],
    )


def _password(found: Faults) -> FormPage:
    return FormPage(
        title="Password",
        tabs=settings_tabs("password"),
        action="/settings/password",
        submit="Change the password",
        intro="Signs you out in all other browsers. Access tokens stay.",
        fields=[
            password("old", "Password of now", "current-password", error=found.get("old", "")),
            password(
                "new",
                "New password",
                "new-password",
                hint=say.PASSWORD_RULES,
                error=found.get("new", ""),
            ),
            password("again", "New password again", "new-password", error=found.get("again", "")),
        ],
    )
