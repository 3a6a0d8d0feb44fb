# SPDX-License-Identifier: Apache-2.0
"""What is in a shard, read where it lies.

Everything in a shard is made of records of 48 bytes. One of 64 MiB can hold 700,000 terms, or as
many xorbs of a chunk each; so the sequences here hold no objects, but make one when asked for it.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar, overload

from hubkeep.xet.hashes import HASH_SIZE, swapped

RECORD = struct.Struct("<32s4I")
"""A hash and four numbers: what these are depends on where the record stands."""
WITH_CHECKS = 1 << 31
WITH_SHA256 = 1 << 30

_HASH = struct.Struct("<32s16x")
_SIZE = RECORD.size
_NOTHING_CLAIMED = bytes(HASH_SIZE)

One = TypeVar("One")


class Term(NamedTuple):
    """A run of a file's bytes: the chunks from `start` up to, not including, `end` of a xorb."""

    xorb: bytes
    start: int
    end: int
    raw_size: int


class Lazy(Sequence[One], Generic[One]):
    """Things in a shard, each read from its place when it is asked for."""

    __slots__ = ("_starts", "_view")

    def __init__(self, view: memoryview, starts: Sequence[int]) -> None:
        self._view = view
        self._starts = starts

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, place: int) -> One: ...
    @overload
    def __getitem__(self, place: slice) -> list[One]: ...
    def __getitem__(self, place: int | slice) -> One | list[One]:
        if isinstance(place, slice):
            return [self._read(start) for start in self._starts[place]]
        return self._read(self._starts[place])

    def __iter__(self) -> Iterator[One]:
        return map(self._read, self._starts)

    def _read(self, start: int) -> One:
        raise NotImplementedError


class Terms(Lazy[Term]):
    """The terms of a file: records one after the other."""

    __slots__ = ()

    def __init__(self, view: memoryview) -> None:
        super().__init__(view, range(0, len(view), _SIZE))

    def __iter__(self) -> Iterator[Term]:
        for xorb, _flags, raw_size, start, end in RECORD.iter_unpack(self._view):
            yield Term(xorb, start, end, raw_size)

    def _read(self, start: int) -> Term:
        xorb, _flags, raw_size, first, end = RECORD.unpack_from(self._view, start)
        return Term(xorb, first, end, raw_size)


class Hashes(Lazy[bytes]):
    """The hashes with which records begin that stand one after the other."""

    __slots__ = ()

    def __init__(self, view: memoryview) -> None:
        super().__init__(view, range(0, len(view), _SIZE))

    def __iter__(self) -> Iterator[bytes]:
        return (one for (one,) in _HASH.iter_unpack(self._view))

    def _read(self, start: int) -> bytes:
        return bytes(self._view[start : start + HASH_SIZE])


class Chunks(Hashes):
    """The hashes of a xorb's chunks, and what else is said of these."""

    __slots__ = ()

    def raw_sizes(self) -> list[int]:
        """The raw bytes of each chunk."""
        return [raw_size for _hash, _start, raw_size, _, _ in RECORD.iter_unpack(self._view)]


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
    """A xorb that a shard tells of: what the client says of it."""

    hash: bytes
    raw_size: int
    stored_size: int
    """Clients that have not built the xorb yet when they write the shard say 0."""
    chunks: Chunks

    @property
    def hashes(self) -> bytes:
        """The hashes of its chunks, joined; made anew whenever it is asked for."""
        return b"".join(self.chunks)


class Files(Lazy[ShardFile]):
    """The files of a shard whose section has been checked."""

    __slots__ = ()

    def _read(self, start: int) -> ShardFile:
        file_hash, flags, count, _, _ = RECORD.unpack_from(self._view, start)
        terms = start + _SIZE
        checks = terms + count * _SIZE
        end = checks + count * _SIZE
        sha256 = None
        if flags & WITH_SHA256:
            # It is stored as Xet stores hashes: groups of eight bytes turned round. Of a file
            # without bytes, clients write zeros.
            stored = bytes(self._view[end : end + HASH_SIZE])
            sha256 = swapped(stored) if stored != _NOTHING_CLAIMED else None
        return ShardFile(
            file_hash, Terms(self._view[terms:checks]), Hashes(self._view[checks:end]), sha256
        )


class Xorbs(Lazy[ShardXorb]):
    """The xorbs of a shard whose section has been checked."""

    __slots__ = ()

    def _read(self, start: int) -> ShardXorb:
        name, _flags, count, raw_size, stored_size = RECORD.unpack_from(self._view, start)
        chunks = self._view[start + _SIZE : start + (count + 1) * _SIZE]
        return ShardXorb(name, raw_size, stored_size, Chunks(chunks))
