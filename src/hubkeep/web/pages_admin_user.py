# SPDX-License-Identifier: Apache-2.0
"""One user for administrators: what is known of them, and what can be done about them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.identity import commands
from hubkeep.identity.access import administrator
from hubkeep.identity.actor import Account, Actor
from hubkeep.identity.commands import Refused
from hubkeep.identity.queries_admin import delete_tokens, list_tokens
from hubkeep.identity.queries_admin_lists import (
    count_keys,
    found_account,
    holdings_of,
    organisations_with,
)
from hubkeep.identity.queries_overviews import count_repos
from hubkeep.identity.queries_sessions import end_sessions, sessions_of
from hubkeep.identity.wire_admin import TokenLine
from hubkeep.kit.time import Millis
from hubkeep.repos.types import DELETED
from hubkeep.web.admin_lists import AccountRow, account_row
from hubkeep.web.browsers import browser_name
from hubkeep.web.forms import go_to, read_form
from hubkeep.web.pages_admin import AdminPage, admin_tabs, for_administrators, noted
from hubkeep.web.pages_admin_users import Secret, generated
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown

if TYPE_CHECKING:
    from hubkeep.app import App

Deed = Literal[
    "disable",
    "enable",
    "promote",
    "demote",
    "password",
    "end-sessions",
    "revoke-tokens",
    "delete",
]

DONE: dict[str, str] = {
    "disable": "The user is shut out: tokens, password and sessions fail from now on.",
    "enable": "The user is let in again.",
    "promote": "The user administers this hub now.",
    "demote": "The user does not administer this hub any more.",
    "end-sessions": "All sessions are over.",
    "revoke-tokens": "All tokens are revoked.",
}
_NOTED: dict[str, str] = {
    "disable": "disabled the user",
    "enable": "enabled the user",
    "promote": "made an administrator of the user",
    "demote": "took administration from the user",
    "password": "gave another password to the user",
    "end-sessions": "ended the sessions of the user",
    "revoke-tokens": "revoked the tokens of the user",
    "delete": "deleted the user",
}
_SHOWN = 100


class Do(msgspec.Struct):
    """What is to be done; deleting wants the name once more."""

    do: Deed
    name: str = ""


class Membership(msgspec.Struct, rename="camel"):
    """An organisation of the user's, or a member of an organisation."""

    name: str
    fullname: str
    role: str
    disabled: bool


class SessionLine(msgspec.Struct, rename="camel"):
    """A browser that the user is signed in with."""

    browser: str
    created_at: Millis
    seen_at: Millis


class UserPage(AdminPage, kw_only=True):
    """A user. Lists end at a hundred lines, `tokenCount` and `sessionCount` do not. `storage` is of
    the first repositories alone where `storageIsPartial`. `password` is there once, in the answer
    to the form that made it.
    """

    template: ClassVar[str] = "admin_user.html"
    user: AccountRow
    is_you: bool
    organisations: Sequence[Membership]
    repositories: dict[str, int]
    storage: int
    storage_is_partial: bool
    tokens: Sequence[TokenLine]
    token_count: int
    sessions: Sequence[SessionLine]
    session_count: int
    seen_at: Millis | None
    password: str = ""


@for_administrators
async def user_page(app: "App", request: Request) -> Response:
    """Show what is known of a user."""
    actor, page = await app.db.read(lambda conn: _look(app, conn, request))
    page.done = DONE.get(request.query_params.get("done", ""), "")
    return shown(app, request, page, shell_for(app, request, actor))


@for_administrators
async def change_user(app: "App", request: Request) -> Response:
    """Do one thing about a user, as the commands do."""
    form = await read_form(request, Do)
    secret = await generated(app) if form.do == "password" else None

    def work(conn: Connection) -> tuple[Account, Account]:
        now = app.clock()
        _, admin = administrator(conn, request, now)
        user = _user_at(conn, request)
        _act(conn, admin, user, form, secret, now)
        return admin, user

    try:
        admin, user = await app.db.write(work)
    except Refused as refused:
        return await _again(app, request, 422, error=str(refused))
    noted(admin, f"{_NOTED[form.do]} {user.name}")
    if form.do == "delete":
        return go_to("/admin/users?done=deleted")
    if form.do == "demote" and user.id == admin.id:
        return go_to("/")
    if secret is not None:
        return await _again(app, request, 200, password=secret.text)
    return go_to(f"/admin/users/{user.name}?done={form.do}")


def _act(
    conn: Connection, admin: Account, user: Account, form: Do, secret: Secret | None, now: Millis
) -> None:
    if form.do in ("disable", "delete"):
        if user.id == admin.id:
            raise Refused("This is yourself: let another administrator do it.")
        commands.keep_an_administrator(conn, user)
    match form.do:
        case "disable" | "enable":
            commands.set_disabled(conn, user.name, form.do == "disable", now)
        case "promote" | "demote":
            commands.set_admin(conn, user.name, form.do == "promote")
        case "password":
            assert secret is not None
            commands.set_password(conn, user.name, secret.stored)
        case "end-sessions":
            end_sessions(conn, user.id)
        case "revoke-tokens":
            delete_tokens(conn, user.id)
        case "delete":
            if form.name.strip() != user.name:
                raise Refused(f"Type the name {user.name} to delete this user.")
            commands.delete_account(conn, "user", user.name, now)


async def _again(
    app: "App", request: Request, status: int, *, error: str = "", password: str = ""
) -> Response:
    actor, page = await app.db.read(lambda conn: _look(app, conn, request))
    page.error, page.password = error, password
    shell = shell_for(app, request, actor)
    headers = {"Cache-Control": "no-store"}
    return shown(app, request, page, shell, status=status, headers=headers)


def _user_at(conn: Connection, request: Request) -> Account:
    try:
        return commands.find(conn, "user", request.path_params["user"], with_disabled=True)
    except Refused as missing:
        raise errors.not_found("There is no such user") from missing


def _look(app: "App", conn: Connection, request: Request) -> tuple[Actor, UserPage]:
    now = app.clock()
    actor, admin = administrator(conn, request, now)
    found = found_account(conn, "user", request.path_params["user"])
    if found is None:
        raise errors.not_found("There is no such user")
    held = holdings_of(conn, found.id)
    counts = count_repos(conn, found.id, with_private=True)
    token_count, session_count, seen_at = count_keys(conn, found.id, now)
    page = UserPage(
        title=found.name,
        tabs=admin_tabs("users"),
        user=account_row(found),
        is_you=found.id == admin.id,
        organisations=[
            Membership(one.name, one.fullname, one.role.value, one.disabled)
            for one in organisations_with(conn, found.id, _SHOWN)
        ],
        repositories={kind: count for kind, count in counts.items() if kind != DELETED},
        storage=held.storage,
        storage_is_partial=held.is_partial,
        tokens=list_tokens(conn, found.id, _SHOWN),
        token_count=token_count,
        sessions=[
            SessionLine(browser_name(one.agent), one.created_at, one.seen_at)
            for one in sessions_of(conn, found.id, now)[:_SHOWN]
        ],
        session_count=session_count,
        seen_at=seen_at,
    )
    return actor, page
