# SPDX-License-Identifier: Apache-2.0
"""Headers of the model files in a shard, read from its xorbs before the files are registered.

Nobody knows the files' names yet, so the first chunk of each is looked at. Those of small files lie
side by side in a xorb and are read together.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from hubkeep.blobs import BlobError, xorb_key
from hubkeep.cards.headers import Format
from hubkeep.cards.model_files import read_file_header
from hubkeep.kit.ranges import ByteRange
from hubkeep.transfer.cas.queries_files import ends_of_xorbs
from hubkeep.transfer.cas.shards import Checked
from hubkeep.transfer.headers import sniffed
from hubkeep.xet.chunks import BadXorb, decode_chunks
from hubkeep.xet.hashes import to_text
from hubkeep.xet.index import Offsets
from hubkeep.xet.reconstruction import Portion, decode, plan
from hubkeep.xet.shard import Shard, Term

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.transfer")

_SHORTEST = 9
_GAP = 64 << 10
_READ_AT_ONCE = 4 << 20
_MOST_TERMS = 2048
"""Terms of which a header may consist, as far as it is read at once. Each is read for itself, in
one of the few threads that all uploads share; clients make some 50 of the largest header.
"""


class _Start(NamedTuple):
    """Where in a xorb the first chunk of a file is stored."""

    start: int
    end: int
    place: int


async def headers_of(
    app: "App", shard: Shard, checked: Checked, places: Iterable[int]
) -> dict[int, str]:
    """Return the `cards.FileHeader`, as JSON, of those of the files that have one.

    `places` and what is returned go by the files' places in the shard. What cannot be read costs
    the header and not the upload.
    """
    found: dict[int, str] = {}
    for xorb, starts in _starts(shard, checked, places).items():
        for run in _runs(starts):
            try:
                for place, kind in (await _sniff(app, xorb, run)).items():
                    reader = _Reader(app, checked, shard.files[place].terms)
                    found[place] = await reader.header(kind, checked.sizes[place])
            except (BlobError, BadXorb) as error:
                log.warning("headers in the xorb %s cannot be read: %s", to_text(xorb), error)
    return found


def _starts(shard: Shard, checked: Checked, places: Iterable[int]) -> dict[bytes, list[_Start]]:
    """Where the files begin, by xorb, in the order in which it has them."""
    by_xorb: dict[bytes, list[_Start]] = {}
    for place in places:
        first = checked.first_chunk(place)
        if first is not None and checked.sizes[place] >= _SHORTEST:
            start = _Start(first.stored_start, first.stored_end, place)
            by_xorb.setdefault(shard.files[place].terms[0].xorb, []).append(start)
    for starts in by_xorb.values():
        starts.sort()
    return by_xorb


def _runs(starts: Sequence[_Start]) -> Iterator[list[_Start]]:
    """Starts that are worth reading at once."""
    run: list[_Start] = []
    for one in starts:
        if run and (one.start > run[-1].end + _GAP or one.end > run[0].start + _READ_AT_ONCE):
            yield run
            run = []
        run.append(one)
    if run:
        yield run


async def _sniff(app: "App", xorb: bytes, run: Sequence[_Start]) -> dict[int, Format]:
    """Which of the files that begin here have a header."""
    first = run[0].start
    stored = await app.blobs.read(xorb_key(to_text(xorb)), first, run[-1].end - first)

    def sniff() -> dict[int, Format]:
        view = memoryview(stored)
        kinds: dict[int, Format] = {}
        for start, end, place in run:
            chunk = next(decode_chunks(view[start - first : end - first]), b"")
            kind = sniffed(bytes(chunk[:_SHORTEST]))
            if kind is not None:
                kinds[place] = kind
        return kinds

    return await asyncio.get_running_loop().run_in_executor(app.crunch, sniff)


class _Reader:
    """Reads a file that is not registered yet by what the shard says of it."""

    def __init__(self, app: "App", checked: Checked, terms: Sequence[Term]) -> None:
        self._app = app
        self._checked = checked
        self._terms = terms
        self._loop = asyncio.get_running_loop()

    async def header(self, kind: Format, size: int) -> str:
        """The header of a file of this format and `size` bytes. Raises BlobError, BadXorb."""

        def parse() -> str:
            return msgspec.json.encode(read_file_header(kind, self._read, size)).decode()

        return await self._loop.run_in_executor(self._app.crunch, parse)

    def _read(self, offset: int, length: int) -> bytes:
        """Some of the file's bytes; called in another thread than the loop's."""
        fetching = self._fetch(ByteRange(offset, offset + length))
        fetched = asyncio.run_coroutine_threadsafe(fetching, self._loop).result()
        return b"".join(
            chunk
            for portion, stored in fetched
            for chunk in decode(stored, portion.piece, portion.skip, portion.take)
        )

    async def _fetch(self, span: ByteRange) -> list[tuple[Portion, bytes]]:
        first, terms = self._terms_at(span)
        if len(terms) > _MOST_TERMS:
            raise BadXorb(f"it is scattered over more than {_MOST_TERMS} terms")
        xorbs = {self._checked.named[term.xorb].id: term.xorb for term in terms}
        ends = await self._app.db.read(partial(ends_of_xorbs, ids=xorbs.keys()))
        offsets = {xorbs[xorb_id]: Offsets(packed) for xorb_id, packed in ends.items()}
        found = plan(terms, offsets, first, span)
        size = sum(piece.raw_size for piece in found.pieces) - found.skip
        return [
            (portion, await self._stored(portion))
            for portion in found.portions(min(size, span.end - span.start))
        ]

    def _terms_at(self, span: ByteRange) -> tuple[int, list[Term]]:
        """The terms that hold some bytes, and where in the file they begin."""
        at = first = 0
        terms: list[Term] = []
        for term in self._terms:
            if at >= span.end:
                break
            if at + term.raw_size > span.start:
                if not terms:
                    first = at
                terms.append(term)
                if len(terms) > _MOST_TERMS:
                    break
            at += term.raw_size
        return first, terms

    async def _stored(self, portion: Portion) -> bytes:
        start, end = portion.piece.stored_start, portion.piece.stored_end
        key = xorb_key(to_text(portion.piece.xorb))
        return await self._app.blobs.read(key, start, end - start)
