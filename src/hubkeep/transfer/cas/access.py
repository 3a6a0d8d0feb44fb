# SPDX-License-Identifier: Apache-2.0
"""Who may speak to the chunk store: tokens that the hub signs for one repository, to read or write.

The store's address carries an epoch, because clients remember for weeks, by this address, which
chunks they need not send. Where the hub's data goes back in time (a restore), the epoch is renewed
and with it the address, so that no client builds on chunks that are gone.
"""

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request

from hubkeep import errors
from hubkeep.identity.actor import Actor
from hubkeep.identity.rules import Action
from hubkeep.transfer.cas.queries_epoch import current_epoch
from hubkeep.transfer.cas.wire import StoreAccess
from hubkeep.transfer.queries_uploads import check_grant
from hubkeep.transfer.signing import BadSignature, sign_in_of

if TYPE_CHECKING:
    from hubkeep.app import App

TOKEN_SECONDS = 3600
"""How long a token holds; clients ask for the next one half a minute before."""

_PURPOSE = "cas"


class CasToken(msgspec.Struct, frozen=True, array_like=True):
    """The right to a repository's chunks, as one user with one token of the hub got it."""

    repo_id: int
    user_id: int | None
    user: str | None
    """The account, the token and the browser's session by their public ids: an id of a row may be
    given again.
    """
    token: str | None
    password: str | None
    """The fingerprint of the password that the user signed in with."""
    session: str | None
    may_write: bool
    epoch: str


def sign_token(
    app: "App",
    actor: Actor,
    repo_id: int,
    epoch: str,
    *,
    may_write: bool,
    seconds: int = TOKEN_SECONDS,
) -> str:
    """Return a token of `actor`'s for a repository; who asks checks the right."""
    claims = CasToken(repo_id, actor.user_id, *sign_in_of(actor), may_write, epoch)
    return app.signer.sign(_PURPOSE, claims, seconds=seconds)


def store_access(
    app: "App", request: Request, actor: Actor, repo_id: int, epoch: str, *, may_write: bool
) -> StoreAccess:
    """Return where a repository's chunks are, and a token of `actor`'s; see `sign_token`."""
    token = sign_token(app, actor, repo_id, epoch, may_write=may_write)
    expires = app.clock() // 1000 + TOKEN_SECONDS
    return StoreAccess(token, expires, f"{app.base_url(request)}/cas/{epoch}")


def access_headers(given: StoreAccess) -> dict[str, str]:
    """Return the same as headers, which some clients read instead of a body."""
    return {
        "X-Xet-Cas-Url": given.cas_url,
        "X-Xet-Access-Token": given.access_token,
        "X-Xet-Token-Expiration": str(given.exp),
    }


def cas_token(app: "App", request: Request, *, writing: bool = False) -> CasToken:
    """Return what the request's bearer token allows, before anything of the body is read.

    401 without a token of this hub's that still holds, 403 for one that only reads, 404 at the
    address of another epoch.
    """
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise errors.bad_cas_token("there is none")
    try:
        token = app.signer.open(_PURPOSE, text.strip(), CasToken)
    except BadSignature as bad:
        raise errors.bad_cas_token(str(bad)) from bad
    if token.epoch != request.path_params["epoch"]:
        raise errors.other_epoch()
    if writing and not token.may_write:
        raise errors.forbidden("This token only reads; ask for one at xet-write-token")
    return token


def check_token(conn: Connection, token: CasToken) -> Actor:
    """Check in the database that the token's right still exists; return whose it is.

    To be called in each transaction that acts on it. 403, 404.
    """
    if token.epoch != current_epoch(conn):
        raise errors.other_epoch()
    return check_grant(conn, token, Action.WRITE if token.may_write else Action.READ)
