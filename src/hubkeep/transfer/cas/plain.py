# SPDX-License-Identifier: Apache-2.0
"""Files that are stored as chunks, sent as plain bytes to whoever asks by HTTP."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.transfer.queries import LinkedFile

if TYPE_CHECKING:
    from hubkeep.app import App


async def chunked_response(
    app: "App", request: Request, file: LinkedFile, *, headers: Mapping[str, str]
) -> Response:
    """Return the answer that sends a file from its chunks, on the conditions of `blob_response`."""
    raise errors.not_implemented("reading chunks")
