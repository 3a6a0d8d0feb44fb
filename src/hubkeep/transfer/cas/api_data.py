# SPDX-License-Identifier: Apache-2.0
"""Stored chunks on their way out, at the signed addresses that reconstructions give."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.blobs import xorb_key
from hubkeep.kit.ranges import BadRange, ByteRange, Unsatisfiable, parse_ranges
from hubkeep.transfer.cas.access import check_token
from hubkeep.transfer.cas.addresses import DataGrant, data_grant
from hubkeep.transfer.cas.multipart import multipart_response
from hubkeep.transfer.cas.queries_files import StoredXorb, readable_xorbs
from hubkeep.transfer.sending import HeadersOnly, check_stored, stored_response
from hubkeep.xet.hashes import to_text

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.transfer")

MOST_RANGES = 1000
"""Ranges that are answered at once; no address is for as many."""


async def get_data(app: "App", request: Request) -> Response:
    """Send stored bytes of a xorb: those spans that the address was signed for, or parts of them.

    As long as who it was signed for may read the repository. Several ranges are one
    `multipart/byteranges`.
    """
    grant = data_grant(app, request)

    def work(conn: Connection) -> StoredXorb | None:
        check_token(conn, grant.right)
        return readable_xorbs(conn, [grant.xorb]).get(grant.xorb)

    stored = await app.db.read(work)
    if stored is None:
        log.error("somebody was sent to the xorb %s, which cannot be read", to_text(grant.xorb))
        raise errors.damaged()
    if stored.size != grant.size:
        raise errors.forbidden("This is stored in another way now; ask for a new address")
    ranges = _ranges(request, grant)
    headers = MutableHeaders(
        {
            "Content-Type": "application/octet-stream",
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-store",
        }
    )
    return await _answer(app, request, grant, ranges, headers)


async def _answer(
    app: "App",
    request: Request,
    grant: DataGrant,
    ranges: Sequence[ByteRange],
    headers: MutableHeaders,
) -> Response:
    key = xorb_key(to_text(grant.xorb))
    only_head = request.method == "HEAD"
    prefix = app.config.accel_prefix
    if prefix and not only_head and app.blobs.local_path(key) is not None:
        # nginx reads `Range` once more, and sends what has just been found to be allowed.
        return Response(headers={**headers, "X-Accel-Redirect": f"{prefix.rstrip('/')}/{key}"})
    if len(ranges) > 1:
        await check_stored(app.blobs, key, grant.size)
        return multipart_response(app.blobs, key, grant.size, ranges, headers, only_head=only_head)
    part = ranges[0] if ranges else None
    if only_head:
        return HeadersOnly(headers, grant.size, part)
    return await stored_response(app.blobs, request, key, grant.size, part, headers)


def _ranges(request: Request, grant: DataGrant) -> Sequence[ByteRange]:
    """What is asked for, all of which is allowed; nothing where that is the whole xorb.

    With `If-Range` it may be the whole, whatever the range: there is no version that it could name.
    """
    asked = request.headers.getlist("range")
    if not asked or "if-range" in request.headers:
        if not grant.covers(0, grant.size):
            raise errors.forbidden("This address holds for parts that a Range has to name")
        return ()
    try:
        ranges = parse_ranges(",".join(asked), grant.size, MOST_RANGES)
    except BadRange as bad:
        raise errors.bad_request(f"This Range cannot be answered: {bad}") from bad
    except Unsatisfiable as bad:
        raise errors.unsatisfiable_range(grant.size) from bad
    if not all(grant.covers(part.start, part.end) for part in ranges):
        raise errors.forbidden("This address does not hold for this range")
    return ranges
