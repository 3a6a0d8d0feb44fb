# SPDX-License-Identifier: Apache-2.0
"""Shards: the messages that tell of files and xorbs.

A client sends a shard to register files; the hub answers with one where a client asks whether a
chunk is known. Both are a header and two sections of records: of files, with the terms that they
are put together from, and of xorbs, with their chunks. https://huggingface.co/docs/xet/shard
"""

import struct
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from hubkeep.xet.chunks import MAX_CHUNK
from hubkeep.xet.hashes import EMPTY_FILE, HASH_SIZE, keyed
from hubkeep.xet.index import XorbIndex
from hubkeep.xet.records import (
    RECORD,
    WITH_CHECKS,
    WITH_SHA256,
    Files,
    ShardFile,
    ShardXorb,
    Term,
    Xorbs,
)
from hubkeep.xet.xorb import MAX_CHUNKS

__all__ = [
    "MAX_SHARD",
    "TERM_SIZE",
    "BadShard",
    "Shard",
    "ShardFile",
    "ShardXorb",
    "Term",
    "dedup_shard",
    "pack_terms",
    "parse_shard",
    "unpack_terms",
]

MAX_SHARD = 64 * 2**20
"""Bytes of a shard, at most."""
TERM_SIZE = 44
"""Bytes of a term as `pack_terms` makes it."""

_TAG = b"HFRepoMetaData\0" + bytes.fromhex("556967456a7b815783a5bdd95ccdd14aa9")
_VERSION = 2
_FOOTER_VERSION = 1
_HEADER = struct.Struct("<32sQQ")
_STORED_TERM = struct.Struct("<32s3I")
_CHUNK = struct.Struct("<32s")
_FOOTER = struct.Struct("<9Q32sQQ48x4Q")
_SIZE = RECORD.size
_BOOKEND = b"\xff" * HASH_SIZE + bytes(_SIZE - HASH_SIZE)
_NO_KEY = bytes(HASH_SIZE)
_LOOKUP_WIDTHS = (12, 12, 16)


class BadShard(ValueError):
    """The bytes are not a shard that the hub can take."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard as it was sent. What it says is looked up in its body, which must not change."""

    files: Files
    xorbs: Xorbs


def pack_terms(terms: Iterable[Term]) -> bytes:
    """Terms as the hub stores them, TERM_SIZE bytes each."""
    pack = _STORED_TERM.pack
    return b"".join([pack(*term) for term in terms])


def unpack_terms(packed: bytes | memoryview) -> list[Term]:
    """The terms that `pack_terms` packed."""
    return [Term._make(fields) for fields in _STORED_TERM.iter_unpack(packed)]


def parse_shard(body: bytes | memoryview) -> Shard:
    """Read a shard that a client uploads.

    No file and no xorb is in it twice, every term is within what a xorb can be, every file has its
    verification hashes; nothing else of what it says is checked. Raises BadShard.
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
    shard = Shard(parser.files(), parser.xorbs())
    if footer_size or parser.place != len(view):
        _check_footer(view, footer_size, parser, shard)
    return shard


class _Parser:
    """Walks over the sections and checks how they are made."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self.place = _HEADER.size
        self.xorbs_at = 0
        self.chunks = 0

    def files(self) -> Files:
        """The section of files."""
        starts, seen = array("I"), set[bytes]()
        while True:
            start = self.place
            name, flags, count, *_ = self._header()
            if name == _BOOKEND[:HASH_SIZE]:
                break
            if flags & ~(WITH_CHECKS | WITH_SHA256):
                raise BadShard(f"flags {flags:#x} of a file are not known")
            if not flags & WITH_CHECKS:
                raise BadShard("a file has no verification hashes")
            if (count == 0) is not (name == EMPTY_FILE):
                raise BadShard(f"a file of this hash cannot have {count} terms")
            _check_terms(self._take(count))
            self._take(count)
            self._take(1 if flags & WITH_SHA256 else 0)
            seen.add(name)
            starts.append(start)
        if len(seen) != len(starts):
            raise BadShard("a file is in the shard twice")
        self.xorbs_at = self.place
        return Files(self._view, starts)

    def xorbs(self) -> Xorbs:
        """The section of xorbs."""
        starts, seen = array("I"), set[bytes]()
        while True:
            start = self.place
            name, _flags, count, *_ = self._header()
            if name == _BOOKEND[:HASH_SIZE]:
                break
            if not 0 < count <= MAX_CHUNKS:
                raise BadShard(f"a xorb cannot have {count} chunks")
            self._take(count)
            self.chunks += count
            seen.add(name)
            starts.append(start)
        if len(seen) != len(starts):
            raise BadShard("a xorb is in the shard twice")
        return Xorbs(self._view, starts)

    def _header(self) -> tuple[bytes, int, int, int, int]:
        """The next record, which begins a file or a xorb, or is the end of the section."""
        record = self._take(1)
        name, first, second, third, fourth = RECORD.unpack(record)
        if name == _BOOKEND[:HASH_SIZE] and record != _BOOKEND:
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
    for _xorb, _flags, raw_size, start, end in RECORD.iter_unpack(records):
        if not (start < end <= MAX_CHUNKS and end - start <= raw_size <= (end - start) * MAX_CHUNK):
            raise BadShard(f"a term cannot have {raw_size} bytes in chunks {start} to {end}")


def _check_footer(view: memoryview, size: int, parser: _Parser, shard: Shard) -> None:
    """Refuse what follows the sections, unless it is the footer that some clients write there.

    It says where the sections are, and may be preceded by three tables by which to look up places
    in the shard, which nobody reads here: hf_xet wrote them in 2025, @huggingface/hub writes none.
    """
    if size != _FOOTER.size or len(view) - parser.place < size:
        raise BadShard("something follows the shard that does not belong to it")
    at = len(view) - size
    version, files_at, xorbs_at, *tables, key, _created, _expires, _, _, _, said_at = (
        _FOOTER.unpack_from(view, at)
    )
    said = (version, files_at, xorbs_at, key, said_at)
    if said != (_FOOTER_VERSION, _HEADER.size, parser.xorbs_at, _NO_KEY, at):
        raise BadShard("the shard's footer does not belong to it")
    known = (len(shard.files), len(shard.xorbs), parser.chunks)
    place = parser.place
    for start, count, most, width in zip(
        tables[::2], tables[1::2], known, _LOOKUP_WIDTHS, strict=True
    ):
        # A table that is not there may be said to be anywhere.
        if count and (start != place or count > most):
            raise BadShard("the shard's tables do not belong to it")
        place += count * width
    if place != at:
        raise BadShard("something follows the shard that does not belong to it")


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
        parts.append(RECORD.pack(name, 0, count, raw_size, stored_size))
        sizes, at = index.raw_sizes(0, count), 0
        for (chunk,), size in zip(_CHUNK.iter_unpack(index.hashes), sizes, strict=True):
            parts.append(RECORD.pack(keyed(chunk, key), at, size, 0, 0))
            at += size
        place += (count + 1) * _SIZE
        raw_total += raw_size
        stored_total += stored_size
    parts.append(_BOOKEND)
    place += _SIZE
    # Clients take the start of the first of the three tables, all empty, for the end of the xorbs.
    tables = (place, 0) * 3
    totals = (stored_total, 0, raw_total)
    footer = (_HEADER.size, xorbs_at, *tables, key, created, expires, *totals, place)
    parts.append(_FOOTER.pack(_FOOTER_VERSION, *footer))
    return b"".join(parts)
