# SPDX-License-Identifier: Apache-2.0
"""A pack whose entries are all whole objects, read by its index without git.

git has checked it: that sizes and ids are true, and that nothing lies between the entries.
https://git-scm.com/docs/gitformat-pack
"""

import os
import struct
import sys
from array import array
from bisect import bisect_right
from pathlib import Path

from hubkeep.git.objects import OID_BYTES, Kind, inflate
from hubkeep.git.push.types import Refused

_TREE_BYTES = 16 << 20
_OTHER_BYTES = 1 << 20
_MOST = {Kind.COMMIT: _OTHER_BYTES, Kind.TREE: _TREE_BYTES, Kind.TAG: _OTHER_BYTES}
_DELTAS = (6, 7)
_PADDED = 4096  # bytes that an object may have more, deflated, than twice its size
_HEAD = 16  # bytes that hold the kind and size of any entry
_TRAILER = 20
_HELD_BYTES = 8 << 20  # packs up to this size are in memory: a call for each object is slower
_FANOUT = 8 + 256 * 4
_NO_INDEX = bytes(_FANOUT + 2 * OID_BYTES)
_LARGE_OFFSET = 1 << 31


class Pack:
    """Objects by their position among the ids, sorted. About 150 bytes of memory for each."""

    def __init__(self, path: Path | None) -> None:
        """Open a pack that has its index beside it; None for one without objects."""
        index = path.with_suffix(".idx").read_bytes() if path else _NO_INDEX
        self._oids, self._starts = _read_index(index)
        self._positions: dict[bytes, int] = {}
        for position in range(len(self._starts)):
            self._positions[self.oid(position)] = position
        self._descriptor = os.open(path or os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self.file_bytes = os.fstat(self._descriptor).st_size
        self._held: bytes | None = None
        if self.file_bytes <= _HELD_BYTES:
            self._held = os.pread(self._descriptor, self.file_bytes, 0)
        self._ends = array("Q", [*sorted(self._starts), max(self.file_bytes - _TRAILER, 0)])
        self.kinds = bytearray(len(self))
        """The kind of each object; the numbers of deltas, 6 and 7, where it is not whole."""
        self.sizes = array("Q", bytes(8 * len(self)))
        self._read_heads()

    def __len__(self) -> int:
        return len(self._starts)

    def oid(self, position: int) -> bytes:
        """The id of an object."""
        return self._oids[position * OID_BYTES : (position + 1) * OID_BYTES]

    def find(self, oid: bytes) -> int | None:
        """The position of an object, None if it is not in the pack."""
        return self._positions.get(oid)

    @property
    def has_deltas(self) -> bool:
        """Whether some object is not there as a whole."""
        return any(kind in self.kinds for kind in _DELTAS)

    def check_sizes(self) -> None:
        """Refuse commits, trees and tags that are too large to be read, and what is deflated to
        much more than it holds: reading objects together is bounded by their sizes.
        """
        for position, kind in enumerate(self.kinds):
            size = self.sizes[position]
            start, end = self._place(position)
            if end - start > 2 * size + _PADDED:
                raise Refused(
                    f"The object {self.oid(position).hex()} has {size} bytes, but {end - start} in"
                    " the pack",
                    "Write the packs anew: git repack -a -d -F, then push again",
                )
            if kind != Kind.BLOB and size > _MOST[Kind(kind)]:
                word = Kind(kind).name.lower()
                most = _MOST[Kind(kind)] >> 20
                raise Refused(
                    f"The {word} {self.oid(position).hex()} has {size} bytes;"
                    f" {most} MiB are the most that a {word} may have"
                )

    def data(self, position: int) -> bytes:
        """The deflated bytes of an object."""
        start, end = self._place(position)
        return self._read(start + _head_length(self.sizes[position]), end)

    def payload(self, position: int) -> bytes:
        """The bytes of an object, as many as `sizes` says: ask there first."""
        return inflate(self.data(position), self.sizes[position])

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)

    def _place(self, position: int) -> tuple[int, int]:
        """Where an object begins and ends in the file."""
        start = self._starts[position]
        return start, self._ends[bisect_right(self._ends, start)]

    def _read(self, start: int, end: int) -> bytes:
        if self._held is not None:
            return self._held[start:end]
        return os.pread(self._descriptor, end - start, start)

    def _read_heads(self) -> None:
        for position, start in enumerate(self._starts):
            head = self._read(start, start + _HEAD)
            byte = head[0]
            size = byte & 15
            self.kinds[position] = byte >> 4 & 7
            at, shift = 1, 4
            while byte & 0x80:
                byte = head[at]
                size |= (byte & 0x7F) << shift
                at += 1
                shift += 7
            self.sizes[position] = size


def _head_length(size: int) -> int:
    """How many bytes the head of an entry has: four bits of the size first, then seven a byte."""
    return 1 + max(0, (size.bit_length() - 4 + 6) // 7)


def oids_of(index: bytes) -> bytes:
    """Return all ids of an index, sorted, 20 bytes each."""
    (count,) = struct.unpack_from(">I", index, _FANOUT - 4)
    return index[_FANOUT : _FANOUT + count * OID_BYTES]


def _read_index(data: bytes) -> tuple[bytes, array]:
    """Return ids, sorted, and offsets from an index of version 2."""
    oids = oids_of(data)
    count = len(oids) // OID_BYTES
    at = _FANOUT + count * (OID_BYTES + 4)
    small = array("I", data[at : at + count * 4])
    large = array("Q", data[at + count * 4 : -2 * OID_BYTES])
    if sys.byteorder == "little":
        small.byteswap()
        large.byteswap()
    offsets = array("Q", small)
    if large:
        for position, offset in enumerate(small):
            if offset >= _LARGE_OFFSET:
                offsets[position] = large[offset - _LARGE_OFFSET]
    return oids, offsets
