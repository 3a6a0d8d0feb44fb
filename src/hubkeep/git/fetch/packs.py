# SPDX-License-Identifier: Apache-2.0
"""Packs and their indexes, written from objects that are deflated already.

https://git-scm.com/docs/gitformat-pack. No object is a delta here: git finds those later.
"""

import hashlib
import os
import zlib
from bisect import bisect_left
from collections.abc import Iterable
from io import FileIO
from itertools import islice
from pathlib import Path
from struct import Struct
from types import TracebackType

from hubkeep.git.errors import ObjectMissing

_BUFFER = 1 << 20
_SLAB = 1 << 15
_FAR = 1 << 31  # offsets from here on stand in a table of their own
_OID = slice(0, 20)
_CRC = slice(20, 24)
_OFFSET = Struct(">I Q")


class PackWriter:
    """One pack of a known number of objects on its way to a folder; see `finish`.

    Holds about 80 bytes an object. To be used in a `with`, which removes what was not finished.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._draft = folder / "draft.pack"
        self._count = count
        self._out = _Hashing(self._draft)
        self._records: list[bytes] = []  # id, crc32 and offset: what the index is made of
        self._out.write(b"PACK" + (2).to_bytes(4, "big") + count.to_bytes(4, "big"))

    def __enter__(self) -> "PackWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._out.close()
        self._draft.unlink(missing_ok=True)

    def add(self, oid: bytes, kind: int, size: int, data: bytes) -> None:
        """Write an object: `size` is the inflated one, `data` a whole zlib stream."""
        entry = _entry_head(kind, size) + data
        self._records.append(oid + _OFFSET.pack(zlib.crc32(entry), self._out.size))
        self._out.write(entry)

    def finish(self) -> Path:
        """Put the pack and its index into the folder, durable and in the order in which git looks
        for them, and return the pack's path. ObjectMissing if there are fewer than were to come.
        """
        if len(self._records) != self._count:
            raise ObjectMissing(f"A pack of {self._count} objects has {len(self._records)}")
        checksum = self._out.finish()
        pack = self._folder / f"pack-{checksum.hex()}.pack"
        index = self._folder / "draft.idx"
        self._records.sort()
        _write_index(index, self._records, checksum)
        self._draft.rename(pack)
        index.rename(pack.with_suffix(".idx"))
        return pack


def _entry_head(kind: int, size: int) -> bytes:
    """Kind and size as packs have them: four bits of the size first, then seven a byte."""
    byte = (kind << 4) | (size & 15)
    size >>= 4
    if not size:
        return bytes((byte,))
    head = bytearray()
    while size:
        head.append(byte | 0x80)
        byte = size & 0x7F
        size >>= 7
    head.append(byte)
    return bytes(head)


def _write_index(path: Path, records: list[bytes], checksum: bytes) -> None:
    """Write version 2 of git's index; the records are sorted."""
    out = _Hashing(path)
    try:
        out.write(b"\xfftOc" + (2).to_bytes(4, "big"))
        for first in range(256):
            above = bisect_left(records, bytes((first + 1,))) if first < 255 else len(records)
            out.write(above.to_bytes(4, "big"))
        for column in (_OID, _CRC):
            _write_column(out, (record[column] for record in records))
        far: list[bytes] = []
        _write_column(out, (_near(record[24:32], far) for record in records))
        _write_column(out, far)
        out.write(checksum)
        out.finish()
    finally:
        out.close()


def _near(offset: bytes, far: list[bytes]) -> bytes:
    """Return four bytes for an offset, which goes to the second table if it does not fit."""
    if int.from_bytes(offset, "big") < _FAR:
        return offset[4:]
    far.append(offset)
    return (_FAR | (len(far) - 1)).to_bytes(4, "big")


def _write_column(out: "_Hashing", values: Iterable[bytes]) -> None:
    left = iter(values)
    while slab := b"".join(islice(left, _SLAB)):
        out.write(slab)


class _Hashing:
    """A file that ends in the SHA-1 of what stands before."""

    def __init__(self, path: Path) -> None:
        self._file = FileIO(path, "wb")
        self._digest = hashlib.sha1(usedforsecurity=False)
        self._held: list[bytes] = []
        self._written = 0
        self.size = 0

    def write(self, data: bytes) -> None:
        self._held.append(data)
        self.size += len(data)
        if self.size - self._written >= _BUFFER:
            self._flush()

    def _flush(self) -> None:
        data = b"".join(self._held)
        self._held.clear()
        self._digest.update(data)
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        self._written = self.size

    def finish(self) -> bytes:
        """Make it durable and return the checksum: after a power cut it is whole or not there."""
        self._flush()
        checksum = self._digest.digest()
        self._file.write(checksum)
        os.fsync(self._file.fileno())
        self._file.close()
        return checksum

    def close(self) -> None:
        self._file.close()
