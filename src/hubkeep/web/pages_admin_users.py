# SPDX-License-Identifier: Apache-2.0
"""Users for administrators: the list, and a new one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.http import read_cursor, read_query
from hubkeep.identity import commands
from hubkeep.identity import faults as say
from hubkeep.identity.access import administrator
from hubkeep.identity.actor import Account, Actor
from hubkeep.identity.commands import Refused
from hubkeep.identity.passwords import hash_password, new_password
from hubkeep.identity.queries_admin_lists import Found, Which, find_accounts
from hubkeep.web.account_fields import fullname, new_name
from hubkeep.web.admin_lists import (
    ROWS,
    AccountRow,
    AccountsQuery,
    AfterName,
    account_row,
    address,
    cursor_behind,
)
from hubkeep.web.fields import NONE, Choice, Faults, Field, only_faults
from hubkeep.web.forms import read_form
from hubkeep.web.pages_admin import AdminPage, admin_tabs, for_administrators, noted
from hubkeep.web.repo_head import Link
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown

if TYPE_CHECKING:
    from hubkeep.app import App

PATH = "/admin/users"
DONE = {"deleted": "The user is deleted."}

_FILTERS = (
    ("All", Which.ALL),
    ("Administrators", Which.ADMINISTRATORS),
    ("Disabled", Which.DISABLED),
)
_PASSWORDS = (
    Choice("make", "A generated password", "It is shown once, to be handed over."),
    Choice("", "None yet", "There is no signing in here without one; tokens work."),
)


class UsersPage(AdminPage, kw_only=True):
    """Users by name; `next` and `first` are addresses."""

    template: ClassVar[str] = "admin_users.html"
    search: str
    which: Which
    filters: Sequence[Link]
    users: Sequence[AccountRow]
    first: str | None
    next: str | None


class MadeUser(msgspec.Struct, rename="camel"):
    """A user who was just made; the password is there this once, and empty if there is none."""

    name: str
    password: str


class NewUserPage(AdminPage, kw_only=True):
    """The form for a new user, and who was made by it."""

    template: ClassVar[str] = "admin_user_new.html"
    fields: Sequence[Field]
    made: MadeUser | None = None


class NewUser(msgspec.Struct):
    """What the form sends."""

    name: str = ""
    fullname: str = ""
    email: str = ""
    password: str = ""
    admin: bool = False


@dataclass(frozen=True, slots=True)
class Secret:
    """A password at the only moment when it is known, and what is stored of it."""

    text: str
    stored: str


@for_administrators
async def users(app: "App", request: Request) -> Response:
    """List users by name: all, administrators, or those who are disabled."""
    query = read_query(request, AccountsQuery)
    after = read_cursor(query.cursor, AfterName)
    search = query.search.strip()

    def work(conn: Connection) -> tuple[Actor, list[Found]]:
        actor, _ = administrator(conn, request, app.clock())
        behind = after.name if after else ""
        return actor, list(find_accounts(conn, "user", search, query.which, ROWS + 1, behind))

    actor, found = await app.db.read(work)
    here = {"search": search, "which": query.which.value}
    following = cursor_behind(found)
    page = UsersPage(
        title="Users",
        tabs=admin_tabs("users"),
        done=DONE.get(query.done, ""),
        search=search,
        which=query.which,
        filters=[
            Link(name, address(PATH, {**here, "which": which.value}), which is query.which)
            for name, which in _FILTERS
        ],
        users=[account_row(one) for one in found[:ROWS]],
        first=address(PATH, here) if after else None,
        next=address(PATH, {**here, "cursor": following}) if following else None,
    )
    return shown(app, request, page, shell_for(app, request, actor))


@for_administrators
async def new_user_page(app: "App", request: Request) -> Response:
    """Ask how the user is called."""
    actor, _ = await app.db.read(lambda conn: administrator(conn, request, app.clock()))
    page = _form(NewUser(password="make"), NONE)  # noqa: S106 - the choice, not a password
    return shown(app, request, page, shell_for(app, request, actor))


@for_administrators
async def new_user(app: "App", request: Request) -> Response:
    """Make a user, and show the password this once where one was wanted."""
    form = await read_form(request, NewUser)
    form.name, form.fullname, form.email = (
        text.strip() for text in (form.name, form.fullname, form.email)
    )
    found = only_faults(
        name=say.name_fault(form.name),
        fullname=say.fullname_fault(form.fullname),
        email=say.email_fault(form.email),
    )
    actor, admin = await app.db.read(lambda conn: administrator(conn, request, app.clock()))
    made = None
    if not found:
        try:
            made = await _make(app, request, form)
        except Refused as refused:
            found = {"name": str(refused)}
    page = _form(form if found else NewUser(password=form.password), found)
    if made is not None:
        page.made = made
        noted(admin, f"made the user {made.name}{' an administrator' * form.admin}")
    shell = shell_for(app, request, actor)
    headers = {"Cache-Control": "no-store"}
    return shown(app, request, page, shell, status=422 if found else 200, headers=headers)


async def generated(app: "App") -> Secret:
    """Return a password that nobody can guess."""
    text = new_password()
    # Hashing takes 64 MiB: one at a time, as where passwords are looked at.
    async with app.password_gate:
        loop = asyncio.get_running_loop()
        return Secret(text, await loop.run_in_executor(app.crunch, hash_password, text))


async def _make(app: "App", request: Request, form: NewUser) -> MadeUser:
    secret = await generated(app) if form.password else None

    def work(conn: Connection) -> Account:
        administrator(conn, request, app.clock())
        return commands.create_user(
            conn,
            form.name,
            app.clock(),
            fullname=form.fullname,
            email=form.email or None,
            is_admin=form.admin,
            password_hash=secret.stored if secret else None,
        )

    made = await app.db.write(work)
    return MadeUser(made.name, secret.text if secret else "")


def _form(form: NewUser, found: Faults) -> NewUserPage:
    return NewUserPage(
        title="New user",
        tabs=admin_tabs("users"),
        fields=[
            new_name(form.name, found, "all addresses of the user"),
            fullname(form.fullname, found),
            Field(
                name="email",
                label="E-mail",
                kind="email",
                value=form.email,
                hint="Shown to the user and to administrators.",
                error=found.get("email", ""),
            ),
            Field(
                name="password",
                label="Password",
                kind="choice",
                value=form.password,
                choices=_PASSWORDS,
            ),
            Field(
                name="admin",
                label="Administers this hub",
                kind="check",
                value="true" if form.admin else "",
                hint="Sees and changes everything.",
            ),
        ],
    )
