# SPDX-License-Identifier: Apache-2.0
"""Where the chunks of a stored xorb lie, and what they are."""

import struct
from bisect import bisect_right
from dataclasses import dataclass
from operator import sub

from hubkeep.xet.hashes import HASH_SIZE

END_SIZE = 8
_END = struct.Struct("<II")


class _Placed:
    """What can be said of chunks from their ends alone.

    `ends` has two little-endian u32 for each chunk: where it ends in the stored bytes (which hold
    its header too), and where in the raw bytes, which are all chunks decoded and joined.
    """

    __slots__ = ()
    ends: bytes

    @property
    def count(self) -> int:
        """How many chunks there are."""
        return len(self.ends) // END_SIZE

    @property
    def stored_size(self) -> int:
        """Bytes of all chunks as stored."""
        return self.stored_offset(self.count)

    @property
    def raw_size(self) -> int:
        """Bytes of all chunks decoded."""
        return self.raw_offset(self.count)

    def stored_offset(self, chunk: int) -> int:
        """Where a chunk starts in the stored bytes; that of `count` is where the last one ends."""
        return self._before(chunk)[0]

    def raw_offset(self, chunk: int) -> int:
        """Where a chunk starts in the raw bytes; that of `count` is where the last one ends."""
        return self._before(chunk)[1]

    def chunk_at(self, raw: int) -> int:
        """The chunk that holds the byte at a raw offset. Raises IndexError past the end."""
        if not 0 <= raw < self.raw_size:
            raise IndexError(f"no chunk holds byte {raw} of {self.raw_size}")
        return bisect_right(range(1, self.count + 1), raw, key=self.raw_offset)

    def raw_sizes(self, start: int, end: int) -> list[int]:
        """The raw bytes of each of the chunks from `start` up to, not including, `end`."""
        if not 0 <= start <= end <= self.count:
            raise IndexError(f"no chunks {start} to {end} among {self.count}")
        numbers = struct.unpack_from(f"<{2 * (end - start)}I", self.ends, start * END_SIZE)
        ends = numbers[1::2]
        return list(map(sub, ends, (self.raw_offset(start), *ends)))

    def _before(self, chunk: int) -> tuple[int, int]:
        if not 0 <= chunk <= self.count:
            raise IndexError(f"no chunk {chunk} among {self.count}")
        return _END.unpack_from(self.ends, (chunk - 1) * END_SIZE) if chunk else (0, 0)


@dataclass(frozen=True, slots=True)
class Offsets(_Placed):
    """Where the chunks of a xorb lie: all that putting a file together needs."""

    ends: bytes

    def __post_init__(self) -> None:
        if len(self.ends) % END_SIZE:
            raise ValueError("half an end")


@dataclass(frozen=True, slots=True)
class XorbIndex(_Placed):
    """Where the chunks of a xorb lie, and the hash of each."""

    hashes: bytes
    ends: bytes

    def __post_init__(self) -> None:
        if len(self.hashes) != self.count * HASH_SIZE or len(self.ends) % END_SIZE:
            raise ValueError("hashes and ends are not of the same chunks")

    def hashes_of(self, start: int, end: int) -> memoryview:
        """The hashes, joined, of the chunks from `start` up to, not including, `end`."""
        if not 0 <= start <= end <= self.count:
            raise IndexError(f"no chunks {start} to {end} among {self.count}")
        return memoryview(self.hashes)[start * HASH_SIZE : end * HASH_SIZE]
