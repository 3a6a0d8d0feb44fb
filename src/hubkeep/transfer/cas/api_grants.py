# SPDX-License-Identifier: Apache-2.0
"""Upload grants: hf_xet asks before each xorb whether, and where, it is to be sent.

200 says that it is there, and the client sends nothing; so that is said only of what its shard may
then name. 201 sends the client to S3, where the hub looks at the bytes when the client is done.
404 has it POST the xorb to the hub.
"""

from collections.abc import AsyncGenerator
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.blobs import SizeMismatch, UploadMissing, xorb_key
from hubkeep.errors import HubError
from hubkeep.http import empty_answer, json_answer, read_json
from hubkeep.kit.time import Millis
from hubkeep.transfer.cas.access import CasToken, cas_token, check_token
from hubkeep.transfer.cas.api_xorbs import xorb_named
from hubkeep.transfer.cas.queries_shards import nameable_xorbs
from hubkeep.transfer.cas.queries_xorbs import is_to_be_replaced, keep_xorb
from hubkeep.transfer.cas.receiving import announce, index_of, not_this_xorb, record, too_long
from hubkeep.transfer.cas.wire import GrantRequest, UploadGrant, XorbTaken
from hubkeep.transfer.signing import BadSignature
from hubkeep.xet.hashes import to_text
from hubkeep.xet.index import XorbIndex
from hubkeep.xet.xorb import MAX_XORB, BadXorb

if TYPE_CHECKING:
    from hubkeep.app import App

GRANT_SECONDS = 3600
"""How long a client may take to send a xorb to S3 and say so."""

_PURPOSE = "cas-grant"


class _Staged(msgspec.Struct, frozen=True, array_like=True):
    """The right to have what was put at an address on S3 looked at as a xorb."""

    repo_id: int
    user_id: int | None
    xorb: bytes
    staged: str
    """The store's name for what was put; its length is signed there."""


async def grant_upload(app: "App", request: Request) -> Response:
    """Say whether a xorb is there (200), where to put it (201), or that the hub takes it (404)."""
    token = cas_token(app, request, writing=True)
    xorb = xorb_named(request)
    asked = await read_json(request, GrantRequest)
    if asked.length > MAX_XORB:
        raise too_long()
    is_there, through_hub = await app.db.read(partial(_look, app, token, xorb))
    if is_there and await app.db.write(partial(_keep, app, token, xorb, now=app.clock())):
        return empty_answer()
    signed = None
    if not through_hub:
        signed = await app.blobs.signed_put(size=asked.length, seconds=GRANT_SECONDS)
    if signed is None:
        raise errors.not_found("Send the xorb to the hub itself")
    staged = _Staged(token.repo_id, token.user_id, xorb, signed.id)
    grant = app.signer.sign(_PURPOSE, staged, seconds=GRANT_SECONDS)
    return json_answer(UploadGrant(grant, "PUT", signed.url, signed.headers), 201)


async def commit_upload(app: "App", request: Request) -> Response:
    """Take a xorb that the client has put into S3, if its bytes are those of its name.

    404 has the client ask for a new grant.
    """
    token = cas_token(app, request, writing=True)
    xorb = xorb_named(request)
    staged = _staged(app, request, token, xorb)
    announced = await announce(app, token, xorb)
    if announced.is_damaged:
        raise _void("the xorb has to go through the hub")

    async def check(pieces: AsyncGenerator[bytes, None]) -> XorbIndex:
        return await index_of(app, xorb, pieces)

    try:
        index, is_stored = await app.blobs.publish_staged(staged, xorb_key(to_text(xorb)), check)
    except UploadMissing as missing:
        raise _void("nothing came") from missing
    except BadXorb as bad:
        raise not_this_xorb(xorb, bad) from bad
    except SizeMismatch as bad:
        raise errors.bad_request(f"The size is wrong: {bad}") from bad
    known = index if is_stored else None
    return json_answer(XorbTaken(await record(app, token, xorb, announced, known)))


def _look(app: "App", token: CasToken, xorb: bytes, conn: Connection) -> tuple[bool, bool]:
    """Whether the xorb is there for the client to name, and whether only the hub can take it."""
    actor = check_token(conn, token)
    hub_wide = app.config.xet_dedup == "hub"
    found = nameable_xorbs(conn, actor, token.repo_id, [xorb], hub_wide=hub_wide)
    return xorb in found, is_to_be_replaced(conn, xorb)


def _keep(app: "App", token: CasToken, xorb: bytes, conn: Connection, *, now: Millis) -> bool:
    actor = check_token(conn, token)
    hub_wide = app.config.xet_dedup == "hub"
    return keep_xorb(conn, actor, token.repo_id, xorb, now, hub_wide=hub_wide)


def _staged(app: "App", request: Request, token: CasToken, xorb: bytes) -> str:
    """Return what was put where the grant in the address said, if it is for this and who asks."""
    try:
        staged = app.signer.open(_PURPOSE, request.path_params["grant"], _Staged)
    except BadSignature as bad:
        raise _void(str(bad)) from bad
    if (staged.repo_id, staged.user_id, staged.xorb) != (token.repo_id, token.user_id, xorb):
        raise _void("it was made for something else")
    return staged.staged


def _void(why: str) -> HubError:
    return errors.not_found(f"This grant does not hold ({why}); ask for a new one")
