# SPDX-License-Identifier: Apache-2.0
"""What the signed addresses of large files say: who may move which bytes, in or out of where."""

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request

from hubkeep import errors
from hubkeep.identity.actor import Actor
from hubkeep.transfer.signing import BadSignature, sign_in_of

if TYPE_CHECKING:
    from hubkeep.app import App

UPLOAD_SECONDS = 24 * 3600
"""How long the address of an upload holds; what runs when it ends may finish."""
DOWNLOAD_SECONDS = 3600


class Purpose(StrEnum):
    """What a signed address is for; one made for one thing is no good for another."""

    PUT = "lfs-put"
    PARTS = "lfs-parts"
    VERIFY = "lfs-verify"
    GET = "lfs-get"


class Grant(msgspec.Struct, frozen=True, array_like=True):
    """The right to one file of one repository, as one user with one token got it."""

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
    oid: str
    """The sha256 in hex."""
    size: int
    upload: str | None = None
    """The upload in parts that it is for."""

    @property
    def sha256(self) -> bytes:
        return bytes.fromhex(self.oid)


def grant_for(actor: Actor, repo_id: int, oid: str, size: int, upload: str | None = None) -> Grant:
    """Return the right of `actor` to a file, to be signed; who asks checks that there is one."""
    return Grant(repo_id, actor.user_id, *sign_in_of(actor), oid, size, upload)


def granted(app: "App", request: Request, purpose: Purpose) -> Grant:
    """Return what the token in the request's address allows; 403 if it is not one of this hub's."""
    try:
        return app.signer.open(purpose, request.path_params["token"], Grant)
    except BadSignature as bad:
        raise errors.forbidden(f"This address does not hold ({bad}); ask for a new one") from bad
