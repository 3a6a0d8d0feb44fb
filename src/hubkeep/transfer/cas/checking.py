# SPDX-License-Identifier: Apache-2.0
"""Computing the sha256 of files that came as chunks.

Until then their uploaders' claims hold in their own repositories alone; whoever could make the hub
believe them elsewhere could give any oid other bytes. Where nobody has said what comes out, each
chunk is hashed as well: what a disk has changed must not make a liar of the uploader.
"""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hubkeep.blobs import BlobMissing, StoreUnavailable, xorb_key
from hubkeep.jobs import Job
from hubkeep.kit.batches import batches
from hubkeep.transfer.cas.queries_checking import (
    UncheckedFile,
    forgotten_files,
    is_confirmed,
    settle,
    unchecked_files,
)
from hubkeep.transfer.cas.queries_scrubbing import indexes_of, terms_from
from hubkeep.transfer.cas.reading import Room, read_file
from hubkeep.transfer.cas.scrubbing import scrub_xorb
from hubkeep.xet.chunks import HEADER_SIZE, BadXorb, Decoder, parse_header
from hubkeep.xet.hashes import HASH_SIZE, chunk_hash, to_text
from hubkeep.xet.index import XorbIndex
from hubkeep.xet.shard import Term, unpack_terms

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.transfer")

FORGOTTEN = 60 * 60_000
"""Milliseconds after which an unchecked file is looked for, whatever became of its job."""

_READ_AT_ONCE = 2 << 20
_XORBS_AT_ONCE = 16
_FILES_AT_ONCE = 100


class CheckFiles(Job["App"], frozen=True):
    """A file's sha256 is what its uploader claims until the hub has computed it itself."""

    KIND: ClassVar[str] = "cas.check-files"

    file_ids: tuple[int, ...]

    async def run(self, context: "App") -> None:
        """Check those that are not checked yet."""
        await check_files(context, self.file_ids)


class _Unreadable(Exception):
    """A file cannot be put together; `xorb` is the one that is to blame, where one is."""

    def __init__(self, why: str, xorb: bytes | None = None) -> None:
        super().__init__(why)
        self.xorb = xorb


async def check_files(app: "App", ids: Sequence[int]) -> None:
    """Compute the sha256 of files and settle who was right about it.

    A file that cannot be read stays unchecked, with an error in the log, and is tried again by
    `check_forgotten`; the xorb that is to blame is marked as damaged. Raises StoreUnavailable where
    the whole store is.
    """
    for file in await app.db.read(partial(unchecked_files, ids=ids)):
        try:
            sha256 = await _sha256_of(app, file, by_chunk=False)
            if not await app.db.read(partial(is_confirmed, file_id=file.id, sha256=sha256)):
                sha256 = await _sha256_of(app, file, by_chunk=True)
        except _Unreadable as error:
            await _suspect(app, file, error)
            continue
        settled = partial(settle, checked=file, sha256=sha256, now=app.clock())
        for lie in await app.db.write(settled):
            log.warning(
                "the file %s was removed from %s: %s said that its sha256 is %s, but it is %s",
                to_text(file.xet_hash),
                lie.repo,
                lie.user or "somebody",
                lie.sha256.hex(),
                sha256.hex(),
            )


async def check_forgotten(app: "App") -> None:
    """Check all files that have waited for it for an hour, and can be read as far as is known."""
    before, after = app.clock() - FORGOTTEN, 0
    look = partial(forgotten_files, before=before, limit=_FILES_AT_ONCE)
    while ids := await app.db.read(partial(look, after=after)):
        await check_files(app, ids)
        after = ids[-1]


async def _sha256_of(app: "App", file: UncheckedFile, *, by_chunk: bool) -> bytes:
    """The digest of the file's bytes, read in pieces; `by_chunk`, of those that once came.

    Raises _Unreadable.
    """
    hashed = _Hashed(by_chunk=by_chunk)
    while hashed.size < file.size:
        row = await app.db.read(partial(terms_from, file_id=file.id, raw_start=hashed.size))
        if row is None or row[0] != hashed.size:
            raise _Unreadable(f"nothing is known of its byte {hashed.size}")
        for terms in batches(unpack_terms(row[1]), _XORBS_AT_ONCE):
            wanted = {term.xorb for term in terms}
            indexes = await app.db.read(partial(indexes_of, hashes=wanted))
            for term in terms:
                if term.xorb not in indexes:
                    raise _Unreadable("a xorb is not there", term.xorb)
                await _hash_term(app, hashed, term, indexes[term.xorb])
    return hashed.digest()


async def _hash_term(app: "App", hashed: "_Hashed", term: Term, index: XorbIndex) -> None:
    loop = asyncio.get_running_loop()
    key = xorb_key(to_text(term.xorb))
    path = app.blobs.local_path(key)
    at, end = index.stored_offset(term.start), index.stored_offset(term.end)
    hashes = index.hashes_of(term.start, term.end)
    try:
        while at < end:
            size = min(_READ_AT_ONCE, end - at)
            if path is None:
                stored = await app.blobs.read(key, at, size)
                take = partial(hashed.take, stored, hashes)
            else:
                take = partial(hashed.take_from, path, key, at, size, hashes)
            used, chunks = await loop.run_in_executor(app.crunch, take)
            if not chunks:
                raise _Unreadable("a chunk is cut short", term.xorb)
            at += used
            hashes = hashes[chunks * HASH_SIZE :]
    except (BadXorb, BlobMissing, StoreUnavailable) as error:
        # A sector that cannot be read must not keep other files from being checked.
        raise _Unreadable(str(error), term.xorb) from error
    if hashes:
        raise _Unreadable("chunks are missing", term.xorb)


class _Hashed:
    """A file's bytes on their way into its digest; `size` of them so far."""

    def __init__(self, *, by_chunk: bool) -> None:
        self.size = 0
        self._by_chunk = by_chunk
        self._sha256 = hashlib.sha256()
        self._decoder = Decoder()
        self._room = Room()

    def take_from(
        self, path: Path, key: str, at: int, size: int, hashes: memoryview
    ) -> tuple[int, int]:
        """Like `take`, of a file on this machine: read and hashed in one step. BlobMissing."""
        stored = self._room.take(size)
        return self.take(stored[: read_file(path, key, at, stored)], hashes)

    def take(self, stored: bytes | memoryview, hashes: memoryview) -> tuple[int, int]:
        """Take the whole chunks at the start of `stored`; return their bytes and their number.

        `hashes` are those that they and the ones after have. Raises BadXorb.
        """
        view, place, chunks = memoryview(stored), 0, 0
        while place + HEADER_SIZE <= len(view) and chunks * HASH_SIZE < len(hashes):
            payload, scheme, raw_size = parse_header(view, place)
            start = place + HEADER_SIZE
            if start + payload > len(view):
                break
            raw = self._decoder.decode(scheme, view[start : start + payload], raw_size)
            expected = hashes[chunks * HASH_SIZE : (chunks + 1) * HASH_SIZE]
            if self._by_chunk and chunk_hash(raw) != expected:
                raise BadXorb("a chunk has other bytes than its hash says")
            self._sha256.update(raw)
            self.size += raw_size
            place = start + payload
            chunks += 1
        return place, chunks

    def digest(self) -> bytes:
        """The sha256 of all that was taken."""
        return self._sha256.digest()


async def _suspect(app: "App", file: UncheckedFile, error: _Unreadable) -> None:
    """Log that a file cannot be read, and have the xorb that is to blame read as a whole."""
    if not await app.db.read(partial(unchecked_files, ids=[file.id])):
        return  # collected meanwhile, or checked by somebody else
    xorb = f" (xorb {to_text(error.xorb)})" if error.xorb else ""
    log.error("the file %s cannot be checked: %s%s", to_text(file.xet_hash), error, xorb)
    if error.xorb:
        await scrub_xorb(app, error.xorb)
