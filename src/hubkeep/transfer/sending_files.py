# SPDX-License-Identifier: Apache-2.0
"""A repository's file on its way out, however the hub keeps it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.blobs import whole_key
from hubkeep.transfer.cas.plain import chunked_response
from hubkeep.transfer.queries import LinkedFile
from hubkeep.transfer.sending import Redirect, blob_response

if TYPE_CHECKING:
    from hubkeep.app import App


async def file_response(
    app: "App",
    request: Request,
    oid: str,
    file: LinkedFile,
    *,
    headers: Mapping[str, str],
    redirect: Redirect | None = None,
    by_proxy: bool = True,
) -> Response:
    """Return the answer that sends a file, which its repository knows as `oid`, to GET and HEAD.

    A whole copy is preferred: its bytes do not pass through Python. See `blob_response` for the
    headers, conditions and errors. What is known to be damaged is not sent: raises damaged.
    """
    if file.is_damaged and request.method != "HEAD":
        raise errors.damaged()
    if not file.whole:
        return await chunked_response(app, request, file, headers=headers)
    key = whole_key(oid)
    return await blob_response(
        app, request, key, file.size, headers=headers, redirect=redirect, by_proxy=by_proxy
    )
