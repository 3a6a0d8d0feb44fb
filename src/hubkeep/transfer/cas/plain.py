# SPDX-License-Identifier: Apache-2.0
"""Files that are stored as chunks, sent as plain bytes to whoever asks by HTTP."""

from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.kit.ranges import ByteRange
from hubkeep.transfer.cas.reading import file_bytes
from hubkeep.transfer.queries import LinkedFile
from hubkeep.transfer.sending import (
    MEDIA_TYPE,
    HeadersOnly,
    Pieces,
    is_unchanged,
    measure,
    wanted_range,
)

if TYPE_CHECKING:
    from hubkeep.app import App


async def chunked_response(
    app: "App", request: Request, file: LinkedFile, *, headers: Mapping[str, str]
) -> Response:
    """Return the answer that sends a file from its chunks, on the conditions of `blob_response`.

    Looks first, and reads the first megabyte, since afterwards no error can be told: damaged if a
    xorb is missing or damaged. Where that shows later the connection is cut.
    """
    assert file.xet_hash is not None
    given = MutableHeaders(headers=dict(headers))
    given.setdefault("Accept-Ranges", "bytes")
    if is_unchanged(request, given):
        return Response(status_code=304, headers=given)
    given.setdefault("Content-Type", MEDIA_TYPE)
    part = wanted_range(request, given, file.size)
    if request.method == "HEAD":
        return HeadersOnly(given, file.size, part)
    pieces = file_bytes(app, file.xet_hash, part or ByteRange(0, file.size))
    begun = _Begun(await anext(pieces, b""), pieces)
    return Pieces(begun, measure(given, file.size, part), given)


class _Begun:
    """A source of which the first piece is there already."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes, None]) -> None:
        self._first = first
        self._rest = rest

    def __aiter__(self) -> "_Begun":
        return self

    async def __anext__(self) -> bytes:
        first, self._first = self._first, b""
        return first or await anext(self._rest)

    async def aclose(self) -> None:
        """Close the rest, be it begun or not."""
        await self._rest.aclose()
