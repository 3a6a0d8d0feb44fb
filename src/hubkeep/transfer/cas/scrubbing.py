# SPDX-License-Identifier: Apache-2.0
"""Reading what is stored again, and hashing it: disks change bits and say nothing.

Clients of Xet check lengths only, so a flipped bit would reach them as a good file. Of a xorb, all
chunks are decoded and hashed up to the xorb's name, and compared with what is known of them; of a
whole copy, the sha256; of a file in chunks, that its terms fit together and make its hash.

What is damaged is marked, and the mark taken away once it is found good again. A damaged xorb
counts as missing: files that need it are not sent, and its chunks are asked for and stored anew
when a client has them. So it is with a damaged whole copy, unless the file has chunks too: then
these are sent. What is known of a xorb's chunks follows from its bytes: where only that is wrong,
it is written anew.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection

from hubkeep.blobs import BlobMissing, NoSpace, StoreUnavailable, whole_key, xorb_key
from hubkeep.kit.batches import batches
from hubkeep.kit.time import DAY, Millis
from hubkeep.transfer.cas.queries_scrubbing import (
    Due,
    FileRow,
    XorbRow,
    due_files,
    due_xorbs,
    forgo_copy,
    index_of,
    indexes_of,
    mend_index,
    note_file,
    note_xorb,
    terms_from,
    xorb_row,
)
from hubkeep.transfer.cas.queries_storage import latest_totals
from hubkeep.xet.hashes import Merkle, to_text
from hubkeep.xet.index import XorbIndex
from hubkeep.xet.shard import TERM_SIZE, Term, unpack_terms
from hubkeep.xet.xorb import BadXorb, XorbReader

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.transfer")

T = TypeVar("T")
Row = TypeVar("Row", XorbRow, FileRow)

SCRUB_EVERY = 60_000
"""Milliseconds from one run of the background job to the next."""
LEAST_A_RUN = 64 << 20
MOST_A_RUN = 4 << 30
"""Bytes of xorbs that a run reads, and as many of whole copies."""

_ROWS = 64
_BATCH = 256 << 20
_XORBS_HELD = 16
_PROBE = "probes/scrub"
_MISSING = "the bytes are missing"


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of reading a xorb or a file; `problem` is what is wrong, None for nothing."""

    row: XorbRow | FileRow
    problem: str | None = None
    is_mended: bool = False
    """The problem was, and is not any more."""
    index: XorbIndex | None = None
    """What the bytes say of their chunks, where the hub knew it wrongly."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return name_of(self.row)

    @property
    def size(self) -> int:
        """Bytes that were read for it in the blob store."""
        return self.row.size if isinstance(self.row, XorbRow) or self.row.whole else 0


def name_of(row: XorbRow | FileRow) -> str:
    """Return what a xorb or a file is called in messages."""
    if isinstance(row, XorbRow):
        return f"xorb {to_text(row.hash)}"
    if row.sha256 is not None:
        return f"file {row.sha256.hex()}"
    assert row.xet_hash is not None, "a file has one hash or the other"
    return f"file {to_text(row.xet_hash)}"


class _Wrong(Exception):
    """What is stored is not what it should be; the text says how."""


class _BadCopy(_Wrong):
    """It is the whole copy of a file."""


async def scrub_some(app: "App") -> list[Checked]:
    """Read a part of what is due by `scrub_days`; return what is damaged, which is logged too.

    As much as makes for reading everything twice in that time: what is due comes in lumps.
    """
    if app.config.scrub_days == 0:
        return []
    totals = await app.db.read(latest_totals)
    due = Due(app.clock() - app.config.scrub_days * DAY)
    runs = app.config.scrub_days * DAY // SCRUB_EVERY
    stored = (totals.xorbs.size, totals.whole.size) if totals else (0, 0)
    damaged: list[Checked] = []
    for checking, size in zip((scrub_xorbs(app, due), scrub_files(app, due)), stored, strict=True):
        budget = min(max(2 * size // runs, LEAST_A_RUN), MOST_A_RUN)
        async with aclosing(checking) as found:
            async for one in found:
                if one.problem:
                    log.error("%s: %s", one.name, one.problem)
                    damaged.append(one)
                budget -= max(one.size, one.row.size >> 10, 1024)
                if budget <= 0:
                    break
    return damaged


async def scrub_xorbs(app: "App", due: Due) -> AsyncGenerator[Checked, None]:
    """Read the xorbs that are due, those first that were not read for the longest time.

    Each is given out once it is marked. Raises StoreUnavailable where the whole store is.
    """
    while rows := await app.db.read(lambda conn: due_xorbs(conn, due, _ROWS)):
        for some in _together(rows):
            checked = [await _check(app, xorb, _check_xorb) for xorb in some]
            for one in await app.db.write(partial(_note_xorbs, checked=checked, now=app.clock())):
                yield one


async def scrub_files(app: "App", due: Due) -> AsyncGenerator[Checked, None]:
    """Like `scrub_xorbs`, for files: their whole copies, and the terms that they are made of."""
    while rows := await app.db.read(lambda conn: due_files(conn, due, _ROWS)):
        for some in _together(rows):
            checked = [await _check(app, file, _check_file) for file in some]
            for one in await app.db.write(partial(_note_files, checked=checked, now=app.clock())):
                yield one


async def scrub_xorb(app: "App", xorb: bytes) -> Checked | None:
    """Read a xorb that somebody has found to be damaged, and mark it if so.

    None where the hub does not count it as stored any more.
    """
    row = await app.db.read(partial(xorb_row, xorb_hash=xorb))
    if row is None:
        return None
    checked = [await _check(app, row, _check_xorb)]
    noted = await app.db.write(partial(_note_xorbs, checked=checked, now=app.clock()))
    return noted[0] if noted else None


def _together(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows of which it is noted at once what came of them: many small ones, or few large ones."""
    some: list[Row] = []
    size = 0
    for row in rows:
        some.append(row)
        size += row.size
        if size >= _BATCH:
            yield some
            some, size = [], 0
    if some:
        yield some


async def _check(
    app: "App", row: Row, check: Callable[["App", Row], Awaitable[Checked]]
) -> Checked:
    """Read a xorb or a file. One that cannot be read, twice, in a store that works, is damaged."""
    try:
        return await check(app, row)
    except StoreUnavailable:
        await _try_store(app)
    try:
        return await check(app, row)
    except StoreUnavailable as error:
        log.warning("%s cannot be read: %s", name_of(row), error)
        return Checked(row, "the bytes cannot be read")


async def _try_store(app: "App") -> None:
    """Store a byte and read it. Raises StoreUnavailable."""

    async def byte() -> AsyncGenerator[bytes, None]:
        yield b"!"

    with suppress(NoSpace):  # reading goes on
        await app.blobs.put(_PROBE, byte(), size=1, sha256=None)
        await app.blobs.read(_PROBE, 0, 1)


async def _check_xorb(app: "App", xorb: XorbRow) -> Checked:
    known = await app.db.read(lambda conn: index_of(conn, xorb.id))
    reader = XorbReader()
    try:
        await _read(app, xorb_key(to_text(xorb.hash)), reader.feed)
        name, index = await _in_thread(app, reader.finish)
    except BlobMissing:
        return Checked(xorb, _MISSING)
    except BadXorb as bad:
        return Checked(xorb, str(bad))
    if name != xorb.hash:
        return Checked(xorb, "the bytes are those of another xorb")
    told = (xorb.size, xorb.raw_size, xorb.chunks)
    if known != (index.ends, index.hashes) or told != (
        reader.stored_size,
        index.raw_size,
        index.count,
    ):
        known_wrongly = "the hub knew its chunks wrongly, and wrote them down anew"
        return Checked(xorb, known_wrongly, is_mended=True, index=index)
    return Checked(xorb)


async def _check_file(app: "App", file: FileRow) -> Checked:
    try:
        if file.xet_hash is not None:
            await _check_terms(app, file)
        if file.whole:
            await _check_copy(app, file)
    except _BadCopy as bad:
        if file.xet_hash is not None:
            return Checked(file, f"{bad}: of the whole copy, and it has chunks too", is_mended=True)
        return Checked(file, str(bad))
    except _Wrong as wrong:
        return Checked(file, str(wrong))
    return Checked(file)


async def _check_copy(app: "App", file: FileRow) -> None:
    assert file.sha256 is not None, "a whole copy lies under its sha256"
    hashed = hashlib.sha256()
    try:
        size = await _read(app, whole_key(file.sha256.hex()), hashed.update)
    except BlobMissing as missing:
        raise _BadCopy(_MISSING) from missing
    if size != file.size:
        raise _BadCopy(f"there are {size} bytes instead of {file.size}")
    if hashed.digest() != file.sha256:
        raise _BadCopy("the bytes have another sha256")


async def _check_terms(app: "App", file: FileRow) -> None:
    """Whether a file's terms fit together and make its hash, going by what is known of chunks."""
    tree = Merkle()
    known: dict[bytes, XorbIndex] = {}
    at = 0
    while at < file.size:
        for terms in batches(await _terms_at(app, file.id, at), _XORBS_HELD):
            wanted = {term.xorb for term in terms}
            known = {name: index for name, index in known.items() if name in wanted}
            known |= await _indexes(app, wanted - known.keys())
            await _in_thread(app, partial(_add_terms, tree, terms, known))
            at += sum(term.raw_size for term in terms)
    if at != file.size or tree.file_hash() != file.xet_hash:
        raise _Wrong("its chunks make another file")


async def _terms_at(app: "App", file_id: int, at: int) -> list[Term]:
    row = await app.db.read(lambda conn: terms_from(conn, file_id, at))
    if row is None or row[0] != at or not row[1] or len(row[1]) % TERM_SIZE:
        raise _Wrong(f"nobody knows which chunks its byte {at} is made of")
    return unpack_terms(row[1])


async def _indexes(app: "App", wanted: set[bytes]) -> dict[bytes, XorbIndex]:
    if not wanted:
        return {}
    try:
        found = await app.db.read(lambda conn: indexes_of(conn, wanted))
    except ValueError as bad:
        raise _Wrong("what is known of its chunks is damaged") from bad
    if missing := wanted - found.keys():
        raise _Wrong(f"it needs the xorb {to_text(min(missing))}, which is missing")
    return found


def _add_terms(tree: Merkle, terms: Sequence[Term], known: Mapping[bytes, XorbIndex]) -> None:
    for term in terms:
        index = known[term.xorb]
        if not term.start < term.end <= index.count:
            raise _Wrong(f"it needs chunks that the xorb {to_text(term.xorb)} does not have")
        sizes = index.raw_sizes(term.start, term.end)
        if sum(sizes) != term.raw_size or min(sizes) < 1:
            raise _Wrong(f"it takes other bytes of {to_text(term.xorb)} than this has")
        tree.add_chunks(index.hashes_of(term.start, term.end), sizes)


def _note_xorbs(conn: Connection, checked: Sequence[Checked], now: Millis) -> list[Checked]:
    """Write down what was found; return that which is still so."""
    noted = []
    for one in checked:
        assert isinstance(one.row, XorbRow)
        is_damaged = one.problem is not None and not one.is_mended
        if not note_xorb(conn, one.row, now, is_damaged=is_damaged):
            continue
        if one.index is not None:
            mend_index(conn, one.row.id, one.index)
        noted.append(one)
    return noted


def _note_files(conn: Connection, checked: Sequence[Checked], now: Millis) -> list[Checked]:
    """Like `_note_xorbs`. A bad copy of a file that has all its chunks is not needed."""
    noted = []
    for one in checked:
        assert isinstance(one.row, FileRow)
        if not note_file(conn, one.row, now, is_damaged=one.problem is not None):
            continue
        is_mended = one.is_mended and forgo_copy(conn, one.row.id, now)
        noted.append(replace(one, is_mended=is_mended))
    return noted


async def _read(app: "App", key: str, take: Callable[[bytes], object]) -> int:
    """Hand all bytes of a blob to `take`, in a thread; return how many they were."""
    size = 0
    async with aclosing(app.blobs.open(key)) as pieces:
        async for piece in pieces:
            size += len(piece)
            await _in_thread(app, partial(take, piece))
    return size


async def _in_thread(app: "App", call: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(app.crunch, call)
