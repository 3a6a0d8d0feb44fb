# SPDX-License-Identifier: Apache-2.0
"""Reading a file forward through a small window, in few and bounded reads."""

import struct

from hubkeep.cards.headers import BadHeader, Read

_FIRST_READ = 128 * 1024
_LARGEST_READ = 8 * 1024 * 1024


class Window:
    """A cursor over the start of a file.

    Holds one block at a time; blocks double from 128 KiB to 8 MiB, so that a header of n bytes
    costs O(log n + n / 8 MiB) reads. Going past `limit` or the end of the file is a `BadHeader`.
    """

    def __init__(self, read: Read, size: int, limit: int) -> None:
        self._read = read
        self._size = size
        self._limit = limit
        self._block = b""
        self._block_start = 0
        self._at = 0
        self._next_read = _FIRST_READ

    @property
    def offset(self) -> int:
        """The position of the cursor in the file."""
        return self._block_start + self._at

    def unpack(self, layout: struct.Struct) -> tuple[int | float | bool, ...]:
        """The next values, after which the cursor stands behind them."""
        self._need(layout.size)
        values = layout.unpack_from(self._block, self._at)
        self._at += layout.size
        return values

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        self._need(length)
        taken = self._block[self._at : self._at + length]
        self._at += length
        return taken

    def skip(self, length: int) -> None:
        """Move on by `length` bytes, reading none of them that are not read yet."""
        target = self.offset + length
        self._check(target)
        if target <= self._block_start + len(self._block):
            self._at += length
        else:
            self._block, self._block_start, self._at = b"", target, 0

    def _need(self, length: int) -> None:
        if self._at + length <= len(self._block):
            return
        end = self.offset + length
        self._check(end)
        rest = self._block[self._at :]
        start = self.offset
        wanted = max(length - len(rest), self._next_read)
        wanted = min(wanted, min(self._size, self._limit) - start - len(rest))
        self._next_read = min(2 * self._next_read, _LARGEST_READ)
        self._block = rest + self._read(start + len(rest), wanted)
        self._block_start, self._at = start, 0
        if len(self._block) < length:
            raise BadHeader("file ends within its header")

    def _check(self, end: int) -> None:
        if end > self._size:
            raise BadHeader("header does not fit into the file")
        if end > self._limit:
            raise BadHeader(f"header is larger than {self._limit} bytes")
