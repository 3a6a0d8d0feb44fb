# SPDX-License-Identifier: Apache-2.0
"""The hashes of Xet: 32 bytes of keyed BLAKE3, and the tree over the chunks of a xorb or a file.

https://huggingface.co/docs/xet/hashing says all but where the nodes of the tree are cut: a node
has at least two children where two are left, ends with the first child from the third on whose
hash is divisible by 4, and has nine at most.
"""

import re
import struct
from array import array
from collections.abc import Iterable, Iterator

from blake3 import blake3

HASH_SIZE = 32
EMPTY_FILE = bytes(HASH_SIZE)
"""The hash of the file without bytes."""

DATA_KEY = bytes.fromhex("6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229")
_NODE_KEY = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
_RANGE_KEY = bytes.fromhex("7f1857d6ce56ed66127ff913e7a5c3f3a4cd26d5b5db49e64124987f28fb94c3")
_FILE_KEY = bytes(32)

_TEXT = re.compile(r"[0-9a-f]{64}")
_LITTLE = struct.Struct("<4Q")
_BIG = struct.Struct(">4Q")
_U64 = struct.Struct("<Q")
_ELIGIBLE_EVERY = 1024
_MIN_CHILDREN = 3
_MAX_CHILDREN = 9


class BadHash(ValueError):
    """The text is not that of a hash."""


def to_text(raw: bytes) -> str:
    """A hash as it stands in addresses and JSON: four little-endian u64 in hexadecimal."""
    return swapped(raw).hex()


def from_text(text: str) -> bytes:
    """The hash that a text stands for. Raises BadHash unless it is 64 lower-case digits."""
    if _TEXT.fullmatch(text) is None:
        raise BadHash("a hash is 64 lower-case hexadecimal digits")
    return swapped(bytes.fromhex(text))


def swapped(raw: bytes) -> bytes:
    """The 32 bytes with each group of eight turned round."""
    return _BIG.pack(*_LITTLE.unpack(raw))


def chunk_hash(data: bytes | bytearray | memoryview) -> bytes:
    """The hash of a chunk's raw bytes."""
    return blake3(data, key=DATA_KEY).digest()


def range_hash(hashes: bytes | memoryview) -> bytes:
    """The hash that proves that a client knows the chunks of a term: over their hashes, joined."""
    return blake3(hashes, key=_RANGE_KEY).digest()


def keyed(hash: bytes, key: bytes) -> bytes:  # noqa: A002 -- what it is
    """A chunk's hash as a dedup answer tells it: only who has the chunk can recognise it."""
    return blake3(hash, key=key).digest()


def eligible(hashes: bytes | memoryview) -> Iterator[int]:
    """The places of those chunks that clients may ask for, about one in a thousand.

    The first chunk of every file is asked for as well; it is not among these.
    """
    view = memoryview(hashes)
    # The low byte of the last u64 decides for all but one in 256.
    for place, low in enumerate(view[24::HASH_SIZE]):
        if low == 0 and _U64.unpack_from(view, place * HASH_SIZE + 24)[0] % _ELIGIBLE_EVERY == 0:
            yield place


class Merkle:
    """The tree over chunks, built as they come: it holds at most nine nodes of each level."""

    def __init__(self) -> None:
        self._levels = [_Level()]

    def add(self, hash: bytes, size: int) -> None:  # noqa: A002 -- what it is
        """Take the next chunk: its hash and its raw bytes."""
        self._add(0, hash, size)

    def add_chunks(self, hashes: bytes | memoryview, sizes: Iterable[int]) -> None:
        """Take the next chunks: their hashes, joined, and the raw bytes of each."""
        words = array("Q", bytes(hashes))
        words.byteswap()
        text = words.tobytes().hex()
        leaves = self._levels[0]
        places = range(0, len(text), 2 * HASH_SIZE)
        for place, low, size in zip(places, hashes[24::HASH_SIZE], sizes, strict=True):
            leaves.lines.append(f"{text[place : place + 64]} : {size}\n")
            leaves.size += size
            count = len(leaves.lines)
            if count >= _MIN_CHILDREN and (low & 3 == 0 or count == _MAX_CHILDREN):
                self._add(1, *leaves.close())

    def root(self) -> bytes:
        """The name of the xorb that has these chunks. Raises ValueError for none."""
        if self._is_empty():
            raise ValueError("no chunks")
        rest: tuple[bytes, int] | None = None
        for level in self._levels:
            top = level is self._levels[-1]
            lines = [*level.lines, _line(*rest)] if rest else level.lines
            if top and len(lines) == 1:
                return rest[0] if rest else level.only()
            if lines:
                rest = _node(lines), level.size + (rest[1] if rest else 0)
        assert rest is not None
        return rest[0]

    def file_hash(self) -> bytes:
        """The hash of the file that these chunks make, one after the other."""
        if self._is_empty():
            return EMPTY_FILE
        return blake3(self.root(), key=_FILE_KEY).digest()

    def _is_empty(self) -> bool:
        return len(self._levels) == 1 and not self._levels[0].lines

    def _add(self, depth: int, hash: bytes, size: int) -> None:  # noqa: A002 -- what it is
        while True:
            if depth == len(self._levels):
                self._levels.append(_Level())
            level = self._levels[depth]
            level.lines.append(_line(hash, size))
            level.size += size
            count = len(level.lines)
            if count < _MIN_CHILDREN or (hash[24] & 3 and count < _MAX_CHILDREN):
                return
            hash, size = level.close()  # noqa: A001 -- what it is
            depth += 1


class _Level:
    """The nodes of one level that have no parent yet, as the lines that their parent hashes."""

    __slots__ = ("lines", "size")

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.size = 0

    def close(self) -> tuple[bytes, int]:
        """The parent of these nodes; the next ones will have another."""
        parent = _node(self.lines), self.size
        self.lines, self.size = [], 0
        return parent

    def only(self) -> bytes:
        """The hash of the one node that is there."""
        return from_text(self.lines[0].partition(" ")[0])


def _line(hash: bytes, size: int) -> str:  # noqa: A002 -- what it is
    return f"{to_text(hash)} : {size}\n"


def _node(lines: list[str]) -> bytes:
    return blake3("".join(lines).encode(), key=_NODE_KEY).digest()
