# SPDX-License-Identifier: Apache-2.0
"""The bytes of files that are stored as chunks: read and decoded a bounded piece at a time.

A piece is made while the one before it is sent. Of a store that keeps files on this machine, it is
read and decoded in one step; any other sends a stream of each run of chunks.
"""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hubkeep import errors
from hubkeep.blobs import BlobMissing, xorb_key
from hubkeep.blobs.local_files import disk_errors, open_blob
from hubkeep.kit.ranges import ByteRange
from hubkeep.transfer.cas.plans import Part, parts_of
from hubkeep.transfer.cas.queries_files import StoredXorb
from hubkeep.transfer.cas.queries_reading import mark_damaged, needs_damaged
from hubkeep.xet.chunks import BadXorb, Buffer
from hubkeep.xet.hashes import to_text
from hubkeep.xet.index import Offsets
from hubkeep.xet.reconstruction import Piece, Portion, decode

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.transfer")

AT_ONCE = 1 << 20
"""Bytes that are read, or made of what is read, in one step; what it takes of the other kind may be
more by what compression gains.
"""


class _Damaged(Exception):
    """The stored bytes of a xorb are not those that came."""

    def __init__(self, xorb: bytes, why: str) -> None:
        super().__init__(why)
        self.xorb = xorb


async def file_bytes(app: "App", xet_hash: bytes, span: ByteRange) -> AsyncGenerator[bytes, None]:
    """The bytes of a part of a file, or of all of it, in pieces of about AT_ONCE.

    Before the first piece it looks whether what is needed is known to be damaged; where that is
    much, whether any of the file is. Raises damaged then, and where it turns out to be: a xorb that
    cannot be read is marked, and whoever asks next is told at once. Raises StoreUnavailable also.
    Close it (`aclosing`) when leaving early.
    """
    async with aclosing(_parts(app, xet_hash, span)) as parts:
        async for part in parts:
            try:
                async with aclosing(_ahead(app, _calls(app, part))) as pieces:
                    async for piece in pieces:
                        yield piece
            except _Damaged as damage:
                await _mark(app, part.xorbs[damage.xorb], damage)
                raise errors.damaged() from damage


async def _mark(app: "App", xorb: StoredXorb, damage: _Damaged) -> None:
    log.error("the xorb %s is damaged: %s", to_text(xorb.hash), damage)
    await app.db.write(partial(mark_damaged, xorb=xorb, now=app.clock()))


async def _parts(app: "App", xet_hash: bytes, span: ByteRange) -> AsyncGenerator[Part, None]:
    """What to read; a file that takes more than one part of it is looked at as a whole first."""
    async with aclosing(parts_of(app, xet_hash, span)) as parts:
        async for part in parts:
            is_one_of_many = part.span.start == span.start and part.span.end < span.end
            if is_one_of_many and await app.db.read(partial(needs_damaged, xet_hash=xet_hash)):
                raise errors.damaged()
            yield part


async def _ahead(
    app: "App", calls: AsyncGenerator[Callable[[], bytes], None]
) -> AsyncGenerator[bytes, None]:
    """What calls give in turn: each runs in a thread while the piece before is in use."""
    loop = asyncio.get_running_loop()
    coming: asyncio.Future[bytes] | None = None
    try:
        async with aclosing(calls):
            async for call in calls:
                piece = await coming if coming else b""
                coming = loop.run_in_executor(app.crunch, call)
                if piece:
                    yield piece
        if coming:
            yield await coming
    finally:
        if coming:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


def _calls(app: "App", part: Part) -> AsyncGenerator[Callable[[], bytes], None]:
    """What to call for the bytes of a part."""
    if app.blobs.local_path(_key(part.plan.pieces[0])) is None:
        return _decoding(app, part)
    return _reading(app, part)


async def _reading(app: "App", part: Part) -> AsyncGenerator[Callable[[], bytes], None]:
    """Read xorbs that are files on this machine."""

    def path(piece: Piece) -> Path:
        found = app.blobs.local_path(_key(piece))
        assert found is not None
        return found

    room = Room()
    for portions in _together(part):
        yield partial(_read_files, path, portions, room)


class Room:
    """Memory for stored bytes, used again and again: new one each time costs more than reading."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def take(self, size: int) -> memoryview:
        """As much of it; what was there before is gone."""
        if len(self._bytes) < size:
            self._bytes = bytearray(size)
        return memoryview(self._bytes)[:size]


def _read_files(path: Callable[[Piece], Path], portions: Sequence[Portion], room: Room) -> bytes:
    stored = room.take(sum(_stored_size(portion.piece) for portion in portions))
    chunks: list[Buffer] = []
    at = 0
    for portion in portions:
        piece = portion.piece
        place = stored[at : at + _stored_size(piece)]
        at += len(place)
        try:
            found = read_file(path(piece), _key(piece), piece.stored_start, place)
            chunks += decode(place[:found], *portion)
        except (BlobMissing, BadXorb) as bad:
            raise _Damaged(piece.xorb, str(bad)) from bad
    return b"".join(chunks)


def read_file(path: Path, key: str, start: int, place: memoryview) -> int:
    """Read what a file has from `start` on; return how much that was. BlobMissing."""
    with disk_errors():
        fd = open_blob(path, key)
        try:
            return os.preadv(fd, [place], start)
        finally:
            os.close(fd)


def _stored_size(piece: Piece) -> int:
    return piece.stored_end - piece.stored_start


async def _decoding(app: "App", part: Part) -> AsyncGenerator[Callable[[], bytes], None]:
    """Decode what comes of xorbs from another machine: one request for each run of chunks."""
    for whole in part.plan.portions(part.length):
        piece = whole.piece
        stored = app.blobs.open(_key(piece), piece.stored_start, piece.stored_end)
        async with aclosing(stored):
            held = _Held(stored)
            for portion in _cut(whole, part.offsets[piece.xorb]):
                try:
                    taken = await held.take(_stored_size(portion.piece))
                except BlobMissing as missing:
                    raise _Damaged(piece.xorb, str(missing)) from missing
                yield partial(_decoded, taken, portion)


def _decoded(stored: bytes, portion: Portion) -> bytes:
    try:
        return b"".join(decode(stored, *portion))
    except BadXorb as bad:
        raise _Damaged(portion.piece.xorb, str(bad)) from bad


class _Held:
    """A stream from which exactly as many bytes are taken as are wanted."""

    def __init__(self, stream: AsyncGenerator[bytes, None]) -> None:
        self._stream = stream
        self._rest = memoryview(b"")

    async def take(self, size: int) -> bytes:
        """The next `size` bytes; fewer at the end."""
        taken: list[memoryview] = []
        while size:
            if not self._rest:
                self._rest = memoryview(await anext(self._stream, b""))
                if not self._rest:
                    break
            taken.append(self._rest[:size])
            size -= len(taken[-1])
            self._rest = self._rest[len(taken[-1]) :]
        return b"".join(taken)


def _together(part: Part) -> Iterator[list[Portion]]:
    """What to read at once: as much as makes AT_ONCE bytes, be it of many xorbs."""
    some: list[Portion] = []
    size = 0
    for whole in part.plan.portions(part.length):
        for portion in _cut(whole, part.offsets[whole.piece.xorb]):
            more = max(portion.piece.raw_size, _stored_size(portion.piece))
            if some and size + more > AT_ONCE:
                yield some
                some, size = [], 0
            some.append(portion)
            size += more
    if some:
        yield some


def _cut(whole: Portion, offsets: Offsets) -> Iterator[Portion]:
    """A portion in several ones of at most AT_ONCE raw bytes each, or one chunk."""
    piece, skip, take = whole
    start = piece.start
    while start < piece.end:
        raw_start = offsets.raw_offset(start)
        end = piece.end
        if offsets.raw_offset(end) - raw_start > AT_ONCE:
            end = max(start + 1, offsets.chunk_at(raw_start + AT_ONCE))
        raw_size = offsets.raw_offset(end) - raw_start
        stored = offsets.stored_offset(start), offsets.stored_offset(end)
        some = min(raw_size - skip, take)
        yield Portion(Piece(piece.xorb, start, end, *stored, raw_size), skip, some)
        start, skip, take = end, 0, take - some


def _key(piece: Piece) -> str:
    return xorb_key(to_text(piece.xorb))
