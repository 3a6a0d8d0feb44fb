# SPDX-License-Identifier: Apache-2.0
"""The body of a push on its way in: unpacked where it comes packed, and not waited for for ever."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

from starlette.requests import ClientDisconnect, Request

from hubkeep import errors

_PIECE = 1 << 20
_IN_MEMORY = 1 << 20
_GZIP = 31  # zlib's way to ask for gzip's header
_SILENCE_SECONDS = 60.0
_DRAIN_BYTES = 16 << 30
_DRAIN_SECONDS = 600.0


class PushBody:
    """A request's body in pieces of a bounded size, to be gone through once.

    A client that is silent for a minute is cut off. Raises 400 for what is no gzip where that is
    said, 408, ClientDisconnect.
    """

    def __init__(self, request: Request) -> None:
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("gzip", "x-gzip", "identity", ""):
            raise errors.HubError(415, f"The encoding {encoding[:50]!r} is not known here")
        self._raw = self._coming(request)
        self._pieces = _unpacked(self._raw) if "gzip" in encoding else self._raw
        self.over = asyncio.Event()
        """Set once all of it has come."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces

    async def drain(self) -> None:
        """Read on after a refusal that did not wait for the end: a client that still sends may not
        look at the answer before, and would find its connection reset.
        """
        left = _DRAIN_BYTES
        with suppress(TimeoutError, ClientDisconnect, errors.HubError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                async for piece in self._raw:
                    left -= len(piece)
                    if left <= 0:
                        return

    async def _coming(self, request: Request) -> AsyncGenerator[bytes]:
        stream = aiter(request.stream())
        while True:
            try:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    piece = await anext(stream, None)
            except TimeoutError as silent:
                raise errors.HubError(408, "Nothing came for a minute; try again") from silent
            if piece is None:
                self.over.set()
                return
            if piece:
                yield piece


@asynccontextmanager
async def kept(
    pieces: AsyncIterator[bytes], folder: Path, most: int
) -> AsyncGenerator[AsyncIterator[bytes]]:
    """Keep all that comes, to be gone through once it is there; hardly more than `most` bytes.

    So what works on it does not wait for a slow client, nor does what waits for its turn after it.
    """
    with SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(folder)) as file:
        size = 0
        async for piece in pieces:
            size += len(piece)
            await _write(file, piece, size)
            if size > most:
                break
        file.seek(0)
        yield _read(file)


async def _write(file: IO[bytes], piece: bytes, size: int) -> None:
    if size > _IN_MEMORY:
        await asyncio.to_thread(file.write, piece)
    else:
        file.write(piece)


async def _read(file: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(file.read, _PIECE):
        yield piece


async def _unpacked(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    stream = zlib.decompressobj(_GZIP)
    async for piece in pieces:
        packed = piece
        while not stream.eof:
            try:
                plain = stream.decompress(packed, _PIECE)
            except zlib.error as bad:
                raise errors.bad_request(f"The body is not in gzip: {bad}") from bad
            if plain:
                yield plain
            packed = stream.unconsumed_tail
            if not packed and len(plain) < _PIECE:
                break
    if not stream.eof:
        raise errors.bad_request("The body ends within its gzip stream")
