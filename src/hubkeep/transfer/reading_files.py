# SPDX-License-Identifier: Apache-2.0
"""Parts of a repository's file for the hub itself, however the hub keeps it."""

from contextlib import aclosing
from typing import TYPE_CHECKING

from hubkeep.blobs import whole_key
from hubkeep.kit.ranges import ByteRange
from hubkeep.transfer.cas.reading import file_bytes
from hubkeep.transfer.queries import LinkedFile

if TYPE_CHECKING:
    from hubkeep.app import App


async def read_part(app: "App", sha256: str, file: LinkedFile, span: ByteRange) -> bytes:
    """Return some bytes of a file that its repository knows by this hash, fewer at its end.

    They are held in memory: ask for what is known to be little. What is in no store raises
    BlobMissing, what is damaged errors.damaged, and a store that fails StoreUnavailable.
    """
    end = min(span.end, file.size)
    if end <= span.start:
        return b""
    if file.whole or file.xet_hash is None:
        return await app.blobs.read(whole_key(sha256), span.start, end - span.start)
    async with aclosing(file_bytes(app, file.xet_hash, ByteRange(span.start, end))) as pieces:
        return b"".join([piece async for piece in pieces])
