# SPDX-License-Identifier: Apache-2.0
"""Headers of model files, read once when the bytes have come."""

import asyncio
import logging
from typing import TYPE_CHECKING

import msgspec

from hubkeep.blobs import BlobError
from hubkeep.cards.headers import Format
from hubkeep.cards.model_files import read_file_header
from hubkeep.cards.safetensors import MAX_HEADER_BYTES

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.transfer")

_START = 9


def sniffed(start: bytes) -> Format | None:
    """Say by its first nine bytes which format a file has; nobody knows its name yet."""
    if start.startswith(b"GGUF"):
        return "gguf"
    length = int.from_bytes(start[:8], "little")
    is_safetensors = start[8:_START] == b"{" and length < MAX_HEADER_BYTES
    return "safetensors" if is_safetensors else None


async def stored_header(app: "App", key: str, size: int) -> str | None:
    """Return the `cards.FileHeader` of a stored file as JSON, None for a file without one.

    Reads the header alone. A store that fails here costs the header and not the upload.
    """
    try:
        kind = sniffed(await app.blobs.read(key, 0, min(_START, size)))
        return await _parsed(app, key, size, kind) if kind else None
    except BlobError as error:
        log.warning("the header of %s could not be read: %s", key, error)
        return None


async def _parsed(app: "App", key: str, size: int, kind: Format) -> str:
    loop = asyncio.get_running_loop()

    def read(offset: int, length: int) -> bytes:
        reading = app.blobs.read(key, offset, length)
        return asyncio.run_coroutine_threadsafe(reading, loop).result()

    def parse() -> str:
        return msgspec.json.encode(read_file_header(kind, read, size)).decode()

    return await loop.run_in_executor(app.crunch, parse)
