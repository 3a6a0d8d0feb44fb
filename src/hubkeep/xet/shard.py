# SPDX-License-Identifier: Apache-2.0
"""Shards: the messages that tell of files and xorbs.

A client sends a shard to register files; the hub answers with one where a client asks whether a
chunk is known. Both are a header and two sections of records of 48 bytes: of files, with the terms
that they are put together from, and of xorbs, with their chunks. https://huggingface.co/docs/xet
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, overload

from hubkeep.xet.chunks import MAX_CHUNK
from hubkeep.xet.hashes import EMPTY_FILE, HASH_SIZE, keyed, swapped
from hubkeep.xet.index import XorbIndex
from hubkeep.xet.xorb import MAX_CHUNKS

MAX_SHARD = 64 * 2**20
"""Bytes of a shard, at most."""
TERM_SIZE = 44
"""Bytes of a term as `pack_terms` makes it."""

_TAG = b"HFRepoMetaData\0" + bytes.fromhex("55696745 6a7b8157 83a5bdd9 5ccdd14a a9")
_VERSION = 2
_HEADER = struct.Struct("<32sQQ")
_RECORD = struct.Struct("<32s4I")
_HASH = struct.Struct("<32s16x")
_STORED_TERM = struct.Struct("<32s3I")
_FOOTER = struct.Struct("<9Q32sQQ48x4Q")
_SIZE = _RECORD.size
_BOOKEND = b"\xff" * 32 + bytes(16)
_WITH_CHECKS = 1 << 31
_WITH_SHA256 = 1 << 30
_FILE_LOOKUP, _CHUNK_LOOKUP = 12, 16


class BadShard(ValueError):
    """The bytes are not a shard that the hub can take."""


class Term(NamedTuple):
    """A run of a file's bytes: the chunks from `start` up to, not including, `end` of a xorb."""

    xorb: bytes
    start: int
    end: int
    raw_size: int


def pack_terms(terms: Iterable[Term]) -> bytes:
    """Terms as the hub stores them, TERM_SIZE bytes each."""
    pack = _STORED_TERM.pack
    return b"".join([pack(*term) for term in terms])


def unpack_terms(packed: bytes | memoryview) -> list[Term]:
    """The terms that `pack_terms` packed."""
    return [Term._make(fields) for fields in _STORED_TERM.iter_unpack(packed)]


class _Records:
    """Records in a shard's body, which stay there until they are looked at."""

    __slots__ = ("_view",)

    def __init__(self, view: memoryview) -> None:
        self._view = view

    def __len__(self) -> int:
        return len(self._view) // _SIZE


class Terms(_Records, Sequence[Term]):
    """The terms of a file in a shard."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Term]:
        for xorb, _flags, raw_size, start, end in _RECORD.iter_unpack(self._view):
            yield Term(xorb, start, end, raw_size)

    @overload
    def __getitem__(self, place: int) -> Term: ...
    @overload
    def __getitem__(self, place: slice) -> list[Term]: ...
    def __getitem__(self, place: int | slice) -> Term | list[Term]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        at = range(len(self))[place] * _SIZE
        xorb, _flags, raw_size, start, end = _RECORD.unpack_from(self._view, at)
        return Term(xorb, start, end, raw_size)


class Hashes(_Records, Sequence[bytes]):
    """The hashes with which records of a shard begin."""

    __slots__ = ()

    def __iter__(self) -> Iterator[bytes]:
        return (fields[0] for fields in _HASH.iter_unpack(self._view))

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> list[bytes]: ...
    def __getitem__(self, place: int | slice) -> bytes | list[bytes]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        at = range(len(self))[place] * _SIZE
        return bytes(self._view[at : at + HASH_SIZE])

    def joined(self) -> bytes:
        """All of them, one after the other."""
        return b"".join(self)


@dataclass(frozen=True, slots=True)
class ShardFile:
    """A file that a shard registers: what the client says of it, none of which is checked yet."""

    hash: bytes
    terms: Sequence[Term]
    checks: Sequence[bytes]
    """For each term the `range_hash` of its chunks."""
    sha256: bytes | None
    """The digest that the client claims, in its usual byte order."""


@dataclass(frozen=True, slots=True)
class ShardXorb:
    """A xorb that a shard tells of."""

    hash: bytes
    raw_size: int
    stored_size: int
    chunks: Hashes

    @property
    def hashes(self) -> bytes:
        """The hashes of its chunks, joined; made anew whenever it is asked for."""
        return self.chunks.joined()


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard as it was sent."""

    files: Sequence[ShardFile]
    xorbs: Sequence[ShardXorb]


def parse_shard(body: bytes | memoryview) -> Shard:
    """Read a shard that a client uploads.

    No file and no xorb is in it twice, every term is within what a xorb can be, every file has its
    verification hashes. The sequences look into `body`, which must not change. Raises BadShard.
    """
    view = memoryview(body)
    if len(view) > MAX_SHARD:
        raise BadShard(f"a shard has at most {MAX_SHARD} bytes")
    if len(view) < _HEADER.size:
        raise BadShard("the shard is cut short")
    tag, version, footer_size = _HEADER.unpack_from(view)
    if tag != _TAG:
        raise BadShard("these bytes are not a shard")
    if version != _VERSION:
        raise BadShard(f"shards of version {version} are not known")
    parser = _Parser(view)
    files = parser.files()
    xorbs_at = parser.place
    xorbs = parser.xorbs()
    if footer_size or parser.place != len(view):
        _check_footer(view, footer_size, xorbs_at, parser.place, Shard(files, xorbs))
    return Shard(files, xorbs)


class _Parser:
    def __init__(self, view: memoryview) -> None:
        self._view = view
        self.place = _HEADER.size

    def files(self) -> list[ShardFile]:
        """The section of files."""
        found: dict[bytes, ShardFile] = {}
        while (header := self._header()) is not None:
            file_hash, flags, count, _, _ = header
            if flags & ~(_WITH_CHECKS | _WITH_SHA256):
                raise BadShard(f"flags {flags:#x} of a file are not known")
            if not flags & _WITH_CHECKS:
                raise BadShard("a file has no verification hashes")
            if file_hash in found:
                raise BadShard("a file is in the shard twice")
            if (count == 0) is not (file_hash == EMPTY_FILE):
                raise BadShard(f"a file of this hash cannot have {count} terms")
            terms = self._take(count)
            _check_terms(terms)
            checks = Hashes(self._take(count))
            sha256 = None
            if flags & _WITH_SHA256:
                # It is stored as Xet stores hashes: groups of eight bytes turned round.
                sha256 = swapped(bytes(self._take(1)[:HASH_SIZE]))
            found[file_hash] = ShardFile(file_hash, Terms(terms), checks, sha256)
        return list(found.values())

    def xorbs(self) -> list[ShardXorb]:
        """The section of xorbs."""
        found: dict[bytes, ShardXorb] = {}
        while (header := self._header()) is not None:
            name, _flags, count, raw_size, stored_size = header
            if name in found:
                raise BadShard("a xorb is in the shard twice")
            if not 0 < count <= MAX_CHUNKS:
                raise BadShard(f"a xorb cannot have {count} chunks")
            found[name] = ShardXorb(name, raw_size, stored_size, Hashes(self._take(count)))
        return list(found.values())

    def _header(self) -> tuple[bytes, int, int, int, int] | None:
        """The next record, which begins a file or a xorb; None at the end of the section."""
        record = self._take(1)
        if record == _BOOKEND:
            return None
        name, first, second, third, fourth = _RECORD.unpack(record)
        if name == _BOOKEND[:HASH_SIZE]:
            raise BadShard("a section ends in an unknown way")
        return name, first, second, third, fourth

    def _take(self, count: int) -> memoryview:
        """The next records."""
        end = self.place + count * _SIZE
        if end > len(self._view):
            raise BadShard("the shard is cut short")
        taken = self._view[self.place : end]
        self.place = end
        return taken


def _check_terms(records: memoryview) -> None:
    for _xorb, _flags, raw_size, start, end in _RECORD.iter_unpack(records):
        if not (start < end <= MAX_CHUNKS and end - start <= raw_size <= (end - start) * MAX_CHUNK):
            raise BadShard(f"a term cannot have {raw_size} bytes in chunks {start} to {end}")


def _check_footer(view: memoryview, size: int, xorbs_at: int, end: int, shard: Shard) -> None:
    """Refuse what follows the sections, unless it is what clients of 2025 wrote there.

    That is three tables to look up places in the shard, which are not read, and a footer that
    says where all this is.
    """
    if size != _FOOTER.size or len(view) - end < size:
        raise BadShard("something follows the shard that does not belong to it")
    at = len(view) - size
    version, files_at, said_xorbs_at, *tables, key, _created, _expires, _, _, _, said_at = (
        _FOOTER.unpack_from(view, at)
    )
    known = (1, _HEADER.size, xorbs_at, bytes(32), at)
    if (version, files_at, said_xorbs_at, key, said_at) != known:
        raise BadShard("the shard's footer does not belong to it")
    starts, counts = tables[::2], tables[1::2]
    most = (len(shard.files), len(shard.xorbs), sum(len(xorb.chunks) for xorb in shard.xorbs))
    widths = (_FILE_LOOKUP, _FILE_LOOKUP, _CHUNK_LOOKUP)
    sizes = [count * width for count, width in zip(counts, widths, strict=True)]
    laid_out = [end, *starts[1:], at]
    if any(map(int.__gt__, counts, most)) or (starts[0], *sizes) != (
        end,
        *(after - before for before, after in pairwise(laid_out)),
    ):
        raise BadShard("the shard's tables do not belong to it")


def dedup_shard(
    xorbs: Iterable[tuple[bytes, XorbIndex]], key: bytes, created: int, expires: int
) -> bytes:
    """The answer to whether a chunk is known: what is in some xorbs, the hashes keyed with `key`.

    `created` and `expires` are seconds since the epoch; clients forget the answer at the latter.
    """
    parts = [_HEADER.pack(_TAG, _VERSION, _FOOTER.size), _BOOKEND]
    place = xorbs_at = _HEADER.size + _SIZE
    raw_total = stored_total = 0
    for name, index in xorbs:
        count, raw_size, stored_size = index.count, index.raw_size, index.stored_size
        parts.append(_RECORD.pack(name, 0, count, raw_size, stored_size))
        at = 0
        for (chunk,), size in zip(
            struct.iter_unpack("32s", index.hashes), index.raw_sizes(0, count), strict=True
        ):
            parts.append(_RECORD.pack(keyed(chunk, key), at, size, 0, 0))
            at += size
        place += (count + 1) * _SIZE
        raw_total += raw_size
        stored_total += stored_size
    parts.append(_BOOKEND)
    place += _SIZE
    # Clients take the first of the three tables, which are empty, for the end of the xorbs.
    tables = (place, 0) * 3
    totals = (stored_total, 0, raw_total)
    parts.append(
        _FOOTER.pack(1, _HEADER.size, xorbs_at, *tables, key, created, expires, *totals, place)
    )
    return b"".join(parts)
