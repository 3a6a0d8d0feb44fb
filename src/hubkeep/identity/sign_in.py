# SPDX-License-Identifier: Apache-2.0
"""Signing in with an account's password, where that is taken at all.

Passwords can be guessed, other than tokens. So wrong ones are counted by the name that they are
given for, whether somebody is called so or not, in the database that all processes share.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.errors import HubError
from hubkeep.identity.names import BadName, check_name
from hubkeep.identity.passwords import could_be, fingerprint, is_password
from hubkeep.identity.proofs import PasswordProof, give_password, read_basic
from hubkeep.identity.queries_sign_in import closed_for, count_failure, password_of
from hubkeep.kit.time import Millis

if TYPE_CHECKING:
    from hubkeep.app import App

TOKEN_PREFIX = "hf_"  # noqa: S105
"""All tokens begin so, and what does is never taken for a password."""

_Handler = Callable[["App", Request], Awaitable[Response]]


def taking_passwords(handler: _Handler) -> _Handler:
    """Let a handler's callers sign in by `Basic` with name and password, if the setting allows it.

    A wrong one is refused by the first line of the handler's unit of work, like a wrong token, so
    that the handler says it in its own way.
    """

    @wraps(handler)
    async def taking(app: "App", request: Request) -> Response:
        basic = read_basic(request.headers.get("authorization"))
        if basic is not None and not basic.secret.startswith(TOKEN_PREFIX):
            give_password(request, await _looked_at(app, basic.user, basic.secret))
        return await handler(app, request)

    return taking


async def _looked_at(app: "App", name: str, password: str) -> PasswordProof | HubError:
    if not app.config.git_passwords:
        return errors.use_a_token()
    try:
        return await prove_password(app, name, password)
    except HubError as error:
        return error


async def prove_password(app: "App", name: str, password: str) -> PasswordProof:
    """Return the proof that this is the password of the account of this name.

    Raises wrong_password, which takes as long whether there is such an account or not, and
    too_many_wrong_passwords. Who acts on the proof asks `queries.of_password` in the same
    transaction whether it still holds.
    """
    try:
        check_name(name)
    except BadName as bad:
        raise errors.wrong_password() from bad
    if not could_be(password):
        raise errors.wrong_password()
    # One at a time, so that of many guesses that come at once each sees the count of those before.
    async with app.password_gate:
        found = await app.db.read(lambda conn: _stored(conn, name, app.clock()))
        stored = found[1] if found else None
        loop = asyncio.get_running_loop()
        is_right = await loop.run_in_executor(app.crunch, is_password, stored, password)
        if found is not None and is_right:
            return PasswordProof(found[0], fingerprint(found[1]))
        await app.db.write(lambda conn: count_failure(conn, name, app.clock()))
    raise errors.wrong_password()


def _stored(conn: Connection, name: str, now: Millis) -> tuple[int, str] | None:
    closed = closed_for(conn, name, now)
    if closed:
        raise errors.too_many_wrong_passwords(-(-closed // 1000))
    return password_of(conn, name)
