# SPDX-License-Identifier: Apache-2.0
"""Whether what a shard says is true: held against the xorbs that are stored, and against itself.

A client shows by the verification hash of each term that it has the chunks; the file's hash is
computed from all of them. A shard may have 700,000 terms, and the index of a xorb is up to 320 KiB:
so terms are looked at a bounded number at a time, with the indexes that these need.
"""

import asyncio
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from sqlalchemy import Connection

from hubkeep import errors
from hubkeep.kit.batches import batches
from hubkeep.transfer.cas.access import CasToken, check_token
from hubkeep.transfer.cas.queries_shards import NamedXorb, indexes_of, nameable_xorbs
from hubkeep.transfer.rules import MAX_SIZE
from hubkeep.xet.hashes import HASH_SIZE, Merkle, eligible, range_hash, to_text
from hubkeep.xet.index import END_SIZE, XorbIndex
from hubkeep.xet.shard import Shard, ShardFile, ShardXorb, Term

if TYPE_CHECKING:
    from hubkeep.app import App

MOST_CHUNKS = 1 << 27
"""Chunks of all files of a shard, each counted as often as it is needed: 8 TiB in usual ones. Who
repeats tiny ones could otherwise have the hub hash for hours what takes a second to send.
"""
TERMS_AT_ONCE = 1024
_XORBS_AT_ONCE = 64
_CHUNKS_AT_ONCE = 1 << 16
_INDEX_BYTES_AT_ONCE = 8 << 20
_INDEX_BYTES = HASH_SIZE + END_SIZE

Report = Callable[[int, int], None]
"""Is told how much of a shard has been checked, and how much there is."""


class FirstChunk(NamedTuple):
    """Which chunk a file begins with, and where its xorb has it."""

    hash: bytes
    stored_start: int
    stored_end: int


class Checked:
    """What the check of a shard found out. Files go by their place in the shard."""

    def __init__(self) -> None:
        self.named: dict[bytes, NamedXorb] = {}
        """The xorbs that the shard names, by hash."""
        self.eligible: dict[bytes, list[bytes]] = {}
        """Of those that no file needed before: the chunks that clients may ask for."""
        self.sizes = array("Q")
        # Apart and packed: a shard may have 400,000 files.
        self._first_hashes = bytearray()
        self._first_spans = array("I")

    def add_file(self, size: int, first: FirstChunk | None) -> None:
        """Note the next file; `first` is None for one without any bytes."""
        self.sizes.append(size)
        chunk, start, end = first or (bytes(HASH_SIZE), 0, 0)
        self._first_hashes += chunk
        self._first_spans.extend((start, end))

    def first_chunk(self, place: int) -> FirstChunk | None:
        """What a file begins with; None if it is empty."""
        if not self.sizes[place]:
            return None
        chunk = bytes(self._first_hashes[place * HASH_SIZE : (place + 1) * HASH_SIZE])
        return FirstChunk(chunk, *self._first_spans[2 * place : 2 * place + 2])


class _Item(Protocol):
    """A part of a shard that is checked against the index of one xorb."""

    @property
    def xorb(self) -> bytes | None: ...
    @property
    def chunks(self) -> int: ...


class _Listed(NamedTuple):
    """A xorb that the shard tells of."""

    xorb: bytes
    chunks: int
    said: ShardXorb


class _Step(NamedTuple):
    """A term of a file; of a file without terms, its end alone."""

    xorb: bytes | None
    chunks: int
    file: ShardFile
    place: int
    term: Term | None
    check: bytes
    is_last: bool


Item = TypeVar("Item", bound=_Item)
T = TypeVar("T")
Indexes = Mapping[bytes, XorbIndex]


async def check_shard(app: "App", token: CasToken, shard: Shard, report: Report) -> Checked:
    """Check all that a shard says, but for the sha256 that it claims of its files.

    Raises xorb_not_found where it names a xorb that is not there for its sender, whatever else is
    wrong with that one; bad_request that says which file or xorb is wrong and why; too_large.
    """
    check = _Check(app, token)
    total = await check.crunch(partial(_work_of, shard))
    report(0, total)
    done = 0
    for some in batches(shard.xorbs, _XORBS_AT_ONCE):
        await check.run([_Listed(one.hash, len(one.chunks), one) for one in some], _check_listed)
        done += len(some)
        report(done, total)
    for steps in batches(_steps(shard), TERMS_AT_ONCE):
        await check.run(steps, check.take)
        done += len(steps)
        report(done, total)
    return check.checked


class _Check:
    """A check under way: what is known of the xorbs, and the file that is being put together."""

    def __init__(self, app: "App", token: CasToken) -> None:
        self.checked = Checked()
        self._app = app
        self._token = token
        self._chunks = 0
        self._tree = Merkle()
        self._size = 0
        self._first: FirstChunk | None = None

    async def crunch(self, work: Callable[[], T]) -> T:
        """Call a function in one of the threads for this, as soon as it is this shard's turn."""
        async with self._app.shard_gate:
            return await asyncio.get_running_loop().run_in_executor(self._app.crunch, work)

    async def run(
        self, items: Sequence[Item], verify: Callable[[Sequence[Item], Indexes], None]
    ) -> None:
        """Check items in order, as many at once as need a bounded number of indexes."""
        await self._learn(items)
        for lot in self._lots(items):
            needed = {item.xorb for item in lot if item.xorb is not None}
            async with self._app.shard_gate:
                indexes = await self._app.db.read(partial(self._load, needed))
                work = partial(self._verify, verify, lot, indexes)
                await asyncio.get_running_loop().run_in_executor(self._app.crunch, work)

    def take(self, steps: Sequence[_Step], indexes: Indexes) -> None:
        """Check the next terms, and each file that ends with one of them."""
        for step in steps:
            if step.term is not None:
                self._take_term(step, step.term, indexes[step.term.xorb])
            if step.is_last:
                if self._tree.file_hash() != step.file.hash:
                    raise _wrong(step.file, "its chunks make a file of another hash")
                self.checked.add_file(self._size, self._first)
                self._tree, self._size, self._first = Merkle(), 0, None

    def _take_term(self, step: _Step, term: Term, index: XorbIndex) -> None:
        if term.end > index.count:
            raise _wrong_term(step, f"that xorb has {index.count} chunks")
        start = index.raw_offset(term.start)
        if index.raw_offset(term.end) - start != term.raw_size:
            raise _wrong_term(step, f"these chunks do not have {term.raw_size} bytes")
        hashes = index.hashes_of(term.start, term.end)
        if range_hash(hashes) != step.check:
            raise _wrong_term(step, "the verification hash is not that of these chunks")
        self._size += term.raw_size
        if self._size > MAX_SIZE:
            raise errors.too_large(f"Files may have at most {MAX_SIZE} bytes")
        if self._first is None:
            first = term.start
            stored = index.stored_offset(first), index.stored_offset(first + 1)
            self._first = FirstChunk(bytes(hashes[:HASH_SIZE]), *stored)
        self._tree.add_chunks(hashes, index.raw_sizes(term.start, term.end))

    async def _learn(self, items: Sequence[Item]) -> None:
        """Find the xorbs of the items, all of which the sender must be allowed to name."""
        known = self.checked.named
        unknown = {item.xorb for item in items if item.xorb is not None} - known.keys()
        if unknown:
            known |= await self._app.db.read(partial(self._look_up, unknown))
        for item in items:
            if item.xorb is not None and item.xorb not in known:
                raise errors.xorb_not_found(to_text(item.xorb))
            self._chunks += item.chunks
        if self._chunks > MOST_CHUNKS:
            raise errors.too_large(f"The files of a shard may have {MOST_CHUNKS} chunks in all")

    def _look_up(self, hashes: Collection[bytes], conn: Connection) -> dict[bytes, NamedXorb]:
        actor = check_token(conn, self._token)
        hub_wide = self._app.config.xet_dedup == "hub"
        return nameable_xorbs(conn, actor, self._token.repo_id, hashes, hub_wide=hub_wide)

    def _lots(self, items: Sequence[Item]) -> Iterator[list[Item]]:
        lot: list[Item] = []
        needed: set[bytes] = set()
        chunks = index_bytes = 0
        for item in items:
            more = 0
            if item.xorb is not None and item.xorb not in needed:
                more = self.checked.named[item.xorb].chunks * _INDEX_BYTES
            chunks += item.chunks
            index_bytes += more
            if lot and (chunks > _CHUNKS_AT_ONCE or index_bytes > _INDEX_BYTES_AT_ONCE):
                yield lot
                lot, needed, chunks, index_bytes = [], set(), item.chunks, more
            lot.append(item)
            if item.xorb is not None:
                needed.add(item.xorb)
        yield lot

    def _load(self, hashes: Collection[bytes], conn: Connection) -> dict[bytes, XorbIndex]:
        """The indexes of xorbs, from the cache where it has them."""
        found: dict[bytes, XorbIndex] = {}
        unknown: dict[int, NamedXorb] = {}
        for xorb in map(self.checked.named.__getitem__, hashes):
            packed = self._app.cache.get(_cache_key(xorb))
            if packed is None:
                unknown[xorb.id] = xorb
            else:
                ends = xorb.chunks * END_SIZE
                found[xorb.hash] = XorbIndex(packed[ends:], packed[:ends])
        for xorb_id, index in (indexes_of(conn, unknown.keys()) if unknown else {}).items():
            xorb = unknown[xorb_id]
            self._app.cache.put(_cache_key(xorb), index.ends + index.hashes)
            found[xorb.hash] = index
        for one in hashes:
            if one not in found:  # collected this moment
                raise errors.xorb_not_found(to_text(one))
        return found

    def _verify(
        self,
        verify: Callable[[Sequence[Item], Indexes], None],
        lot: Sequence[Item],
        indexes: Indexes,
    ) -> None:
        for one, index in indexes.items():
            if self.checked.named[one].is_unlinked and one not in self.checked.eligible:
                chunks = [bytes(index.hashes_of(k, k + 1)) for k in eligible(index.hashes)]
                self.checked.eligible[one] = chunks
        verify(lot, indexes)


def _check_listed(listed: Sequence[_Listed], indexes: Indexes) -> None:
    """Check that xorbs have the chunks that the shard says they have."""
    for one in listed:
        index = indexes[one.xorb]
        if one.said.hashes != index.hashes:
            raise errors.bad_request(f"xorb {to_text(one.xorb)} has other chunks")
        sizes = index.raw_sizes(0, index.count)
        if one.said.raw_size != index.raw_size or one.said.chunks.raw_sizes() != sizes:
            raise errors.bad_request(f"xorb {to_text(one.xorb)} has chunks of other sizes")


def _steps(shard: Shard) -> Iterator[_Step]:
    for file in shard.files:
        last = len(file.terms) - 1
        if last < 0:
            yield _Step(None, 0, file, 0, None, b"", is_last=True)
        for place, (term, check) in enumerate(zip(file.terms, file.checks, strict=True)):
            chunks = term.end - term.start
            yield _Step(term.xorb, chunks, file, place, term, check, is_last=place == last)


def _work_of(shard: Shard) -> int:
    return len(shard.xorbs) + sum(max(1, len(file.terms)) for file in shard.files)


def _cache_key(xorb: NamedXorb) -> tuple[object, ...]:
    # By all that is known of it: the same chunks may be stored in another way once they are healed.
    return ("xorb-index", xorb.hash, xorb.id, xorb.size, xorb.checked_at)


def _wrong_term(step: _Step, why: str) -> errors.HubError:
    assert step.term is not None
    start, end, xorb = step.term.start, step.term.end, to_text(step.term.xorb)
    return _wrong(step.file, f"its term {step.place} (chunks {start} to {end} of {xorb}): {why}")


def _wrong(file: ShardFile, why: str) -> errors.HubError:
    return errors.bad_request(f"The shard is wrong about file {to_text(file.hash)}: {why}")
