# SPDX-License-Identifier: Apache-2.0
"""Values that are written to a file as they are found, and read back one at a time.

What is known of a quarter of a million objects does not have to be in memory.
"""

import os
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from hubkeep.git.push.types import TOO_MUCH, Refused

T = TypeVar("T")


class SpoolFile:
    """A file that grows up to a limit. It belongs to one push, which deletes it."""

    def __init__(self, path: Path, limit: int) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._limit = limit
        self.size = 0

    def add(self, data: bytes) -> int:
        """Write data at the end and return where it begins. Refused past the limit."""
        start = self.size
        self.size += len(data)
        if self.size > self._limit:
            raise Refused("The push brings more history than is taken at once", TOO_MUCH)
        written = 0
        while written < len(data):
            written += os.pwrite(self._descriptor, data[written:], start + written)
        return start

    def read(self, start: int, length: int) -> bytes:
        """Return what was written there."""
        return os.pread(self._descriptor, length, start)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)


class Spooled(Mapping[bytes, T], Generic[T]):
    """Values by object ids, in the order that they were put, which are in memory while asked for
    alone.
    """

    def __init__(self, file: SpoolFile, kind: type[T]) -> None:
        self._file = file
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._places: dict[bytes, int] = {}
        self._starts = array("Q")
        self._lengths = array("Q")

    def put(self, oid: bytes, value: T) -> None:
        """Keep a value for an id that has none yet."""
        data = self._encode(value)
        self._starts.append(self._file.add(data))
        self._lengths.append(len(data))
        self._places[oid] = len(self._lengths) - 1

    def __getitem__(self, oid: bytes) -> T:
        place = self._places[oid]
        return self._decode(self._file.read(self._starts[place], self._lengths[place]))

    def __contains__(self, oid: object) -> bool:
        return oid in self._places

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
