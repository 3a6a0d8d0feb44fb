# SPDX-License-Identifier: Apache-2.0
"""Several ranges of a blob in one answer: `multipart/byteranges` (RFC 9110, section 14.6)."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from secrets import token_hex

from starlette.datastructures import MutableHeaders
from starlette.responses import Response

from hubkeep.blobs import BlobStore
from hubkeep.kit.ranges import ByteRange
from hubkeep.transfer.sending import Pieces


def multipart_response(
    blobs: BlobStore,
    key: str,
    size: int,
    ranges: Sequence[ByteRange],
    headers: MutableHeaders,
    *,
    only_head: bool,
) -> Response:
    """Return the answer that sends these ranges of the blob `key` of `size` bytes, in this order.

    Each is introduced by the `Content-Type` in `headers`, which gets those of the whole.
    """
    boundary = token_hex(16)  # by chance in none of what is sent
    kind = headers["Content-Type"]
    heads = [
        f"\r\n--{boundary}\r\nContent-Type: {kind}\r\n"
        f"Content-Range: {part.content_range(size)}\r\n\r\n".encode()
        for part in ranges
    ]
    last = f"\r\n--{boundary}--\r\n".encode()
    sent = sum(part.end - part.start for part in ranges) + sum(map(len, heads)) + len(last)
    headers["Content-Type"] = f"multipart/byteranges; boundary={boundary}"
    headers["Content-Length"] = str(sent)
    if only_head:
        return Response(None, 206, headers)

    async def body() -> AsyncGenerator[bytes]:
        for head, part in zip(heads, ranges, strict=True):
            yield head
            async with aclosing(blobs.open(key, part.start, part.end)) as pieces:
                async for piece in pieces:
                    yield piece
        yield last

    return Pieces(body(), 206, headers)
