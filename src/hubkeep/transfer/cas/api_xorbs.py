# SPDX-License-Identifier: Apache-2.0
"""Xorbs: clients send them before the shard that says which files they make."""

from contextlib import aclosing
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.blobs import xorb_key
from hubkeep.http import json_answer
from hubkeep.transfer.cas.access import cas_token, check_token
from hubkeep.transfer.cas.queries_shards import nameable_xorbs
from hubkeep.transfer.cas.receiving import (
    XorbCheck,
    announce,
    bounded,
    not_this_xorb,
    record,
    too_long,
)
from hubkeep.transfer.cas.wire import XorbTaken
from hubkeep.xet.hashes import BadHash, from_text, to_text
from hubkeep.xet.xorb import MAX_XORB, BadXorb

if TYPE_CHECKING:
    from hubkeep.app import App

_PREFIX = "default"


async def post_xorb(app: "App", request: Request) -> Response:
    """Take a xorb; 200 when it is durable, checked and known. It may be sent again."""
    token = cas_token(app, request, writing=True)
    xorb = xorb_named(request)
    _check_length(request)
    announced = await announce(app, token, xorb)
    check = XorbCheck(xorb)
    try:
        async with aclosing(bounded(request.stream())) as body:
            is_stored = await app.blobs.put(
                xorb_key(to_text(xorb)),
                body,
                size=None,
                sha256=None,
                check=check,
                replace=announced.is_damaged,
            )
    except BadXorb as bad:
        raise not_this_xorb(xorb, bad) from bad
    index = check.index if is_stored else None
    return json_answer(XorbTaken(await record(app, token, xorb, announced, index)))


async def xorb_size(app: "App", request: Request) -> Response:
    """Say in `Content-Length`, to HEAD, how many bytes a xorb has that the caller may name."""
    token = cas_token(app, request)
    xorb = xorb_named(request)
    hub_wide = app.config.xet_dedup == "hub"

    def work(conn: Connection) -> int | None:
        actor = check_token(conn, token)
        found = nameable_xorbs(conn, actor, token.repo_id, [xorb], hub_wide=hub_wide)
        return found[xorb].size if xorb in found else None

    size = await app.db.read(work)
    if size is None:
        raise errors.not_found(f"There is no xorb {to_text(xorb)}")
    return Response(headers={"Content-Length": str(size)})


def xorb_named(request: Request) -> bytes:
    """Return the xorb that the address names. 400 for what is no hash, 404 for another prefix."""
    if request.path_params["prefix"] != _PREFIX:
        raise errors.not_found(f"Xorbs have the prefix {_PREFIX!r}")
    try:
        return from_text(request.path_params["hash"])
    except BadHash as bad:
        raise errors.bad_request(str(bad)) from bad


def _check_length(request: Request) -> None:
    """Refuse a body that is too long before it is read."""
    declared = request.headers.get("content-length")
    if declared is not None and declared.isdigit() and int(declared) > MAX_XORB:
        raise too_long()
