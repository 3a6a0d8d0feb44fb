# SPDX-License-Identifier: Apache-2.0
"""Signing in and out."""

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.errors import HubError
from hubkeep.identity.access import actor_of
from hubkeep.identity.actor import ANONYMOUS
from hubkeep.identity.own import begin_session
from hubkeep.identity.queries import of_password
from hubkeep.identity.queries_sessions import end_session_of
from hubkeep.identity.sessions import drop_session, session_secret, set_session
from hubkeep.identity.sign_in import prove_password
from hubkeep.web.fields import NONE, Faults, Field, FormPage, password
from hubkeep.web.forms import go_to, own_path, read_form
from hubkeep.web.repo_head import Link
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown

if TYPE_CHECKING:
    from hubkeep.app import App

WRONG = "The name or the password is wrong."


class Login(msgspec.Struct):
    """What the form sends."""

    name: str = ""
    password: str = ""
    next: str = ""


class Nothing(msgspec.Struct):
    """A form that is only a button."""


async def login_page(app: "App", request: Request) -> Response:
    """Ask for name and password; who is signed in already goes on."""
    target = own_path(request.query_params.get("next"))
    actor = await app.db.read(lambda conn: actor_of(conn, request, app.clock()))
    if actor.session is not None:
        return go_to(target)
    page = _page(app, Login(next=target), NONE)
    return shown(app, request, page, shell_for(app, request, actor))


async def login(app: "App", request: Request) -> Response:
    """Sign in with a password, and go on to where one came from."""
    form = await read_form(request, Login)
    form.name = form.name.strip()
    before = session_secret(request)

    try:
        proof = await prove_password(app, form.name, form.password)

        def work(conn: Connection) -> str:
            actor = of_password(conn, proof)
            assert actor.user is not None, "a password is somebody's"
            agent = request.headers.get("user-agent", "")
            return begin_session(conn, actor.user.id, agent, app.clock(), instead_of=before)

        secret = await app.db.write(work)
    except HubError as error:
        return _refused(app, request, form, error)
    answer = go_to(own_path(form.next))
    set_session(request, answer, secret)
    return answer


async def logout(app: "App", request: Request) -> Response:
    """End this browser's session."""
    await read_form(request, Nothing)
    secret = session_secret(request)
    if secret is not None:
        await app.db.write(lambda conn: end_session_of(conn, secret))
    answer = go_to("/")
    drop_session(request, answer)
    return answer


def too_often(error: HubError) -> str:
    """Say in a page for how long no password is taken for a name."""
    minutes = -(-int(error.headers.get("Retry-After", "60")) // 60)
    return (
        "Too many wrong passwords were given for this name. "
        f"Try again in {minutes} minute{'' if minutes == 1 else 's'}."
    )


def _refused(app: "App", request: Request, form: Login, error: HubError) -> Response:
    kept = {name: value for name, value in error.headers.items() if name == "Retry-After"}
    if error.status == 429:
        page, status = _page(app, form, {"": too_often(error)}), 429
    elif error.status == 401:
        page, status = _page(app, form, {"": WRONG}), 422
    else:
        raise error
    shell = shell_for(app, request, ANONYMOUS)
    return shown(app, request, page, shell, status=status, headers=kept)


def _page(app: "App", form: Login, faults: Faults) -> FormPage:
    target = own_path(form.next)
    links = []
    if app.config.sign_up == "open":
        onward = "" if target == "/" else "?" + urlencode({"next": target})
        links.append(Link("Make an account", f"/join{onward}"))
    return FormPage(
        title="Sign in",
        action="/login",
        submit="Sign in",
        hidden={"next": target},
        error=faults.get("", ""),
        fields=[
            Field(
                name="name", label="Name", value=form.name, autocomplete="username", required=True
            ),
            password("password", "Password", "current-password"),
        ],
        links=links,
    )
