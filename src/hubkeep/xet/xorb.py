# SPDX-License-Identifier: Apache-2.0
"""Xorbs: containers of chunks, named by the tree over the hashes of these.

The chunks may be followed by a footer that repeats what can be read off them. Clients of today
send none; where one comes, it must say what the chunks say, and it is not stored.
"""

import struct
from array import array
from collections.abc import Iterable

from blake3 import blake3

from hubkeep.xet.chunks import (
    HEADER_SIZE,
    MAX_CHUNK,
    BadXorb,
    Buffer,
    Decoder,
    Scheme,
    decode_chunks,
    encode_chunk,
    parse_header,
)
from hubkeep.xet.hashes import DATA_KEY, Merkle
from hubkeep.xet.index import XorbIndex

__all__ = [
    "MAX_CHUNK",
    "MAX_CHUNKS",
    "MAX_XORB",
    "BadXorb",
    "Scheme",
    "XorbReader",
    "check_xorb",
    "decode_chunks",
    "encode_xorb",
    "read_xorb",
]

MAX_CHUNKS = 8192
_FOOTER_FIXED = 96
_FOOTER_PER_CHUNK = 40
# Clients fill 64 MiB and then write headers: bodies of 67.12 MB come in practice.
MAX_XORB = 64 * 2**20 * 101 // 100 + _FOOTER_FIXED + MAX_CHUNKS * _FOOTER_PER_CHUNK
"""Bytes of a xorb's body, at most."""

_FOOTER_MARK = b"XETBLOB"
# 16 bytes before the length at the end are the sender's own, and no reader looks at them.
_FOOTER_OWN = slice(-20, -4)


class XorbReader:
    """Checks a xorb as it comes, in pieces of any size.

    It holds a piece of a chunk, and the hash and the ends of each. It is of no use after an error.
    """

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._rest = bytearray()
        self._footer: bytearray | None = None
        self._hashes = bytearray()
        self._sizes: list[int] = []
        self._ends = array("I")
        self._stored = 0
        self._raw = 0
        self._fed = 0

    @property
    def stored_size(self) -> int:
        """Bytes of the whole chunks so far."""
        return self._stored

    @property
    def footer_size(self) -> int:
        """Bytes of the footer so far: as many at the end of what was fed are not to be stored."""
        return 0 if self._footer is None else len(self._footer)

    def feed(self, piece: Buffer) -> None:
        """Take the next bytes. Raises BadXorb as soon as anything in them is wrong."""
        view = memoryview(piece)
        self._fed += len(view)
        if self._fed > MAX_XORB:
            raise BadXorb(f"a xorb has at most {MAX_XORB} bytes")
        place = self._complete(view) if self._rest else 0
        if not self._rest and self._footer is None:
            place = self._take(view, place)
        if self._footer is not None:
            self._footer += view[place:]
            self._check_footer_start(self._footer)
        else:
            self._rest += view[place:]

    def finish(self) -> tuple[bytes, XorbIndex]:
        """The xorb's name and index. Raises BadXorb for one that is empty or cut short."""
        if self._rest:
            raise BadXorb("the last chunk is cut short")
        if not self._sizes:
            raise BadXorb("a xorb has at least one chunk")
        tree = Merkle()
        tree.add_chunks(bytes(self._hashes), self._sizes)
        name = tree.root()
        index = XorbIndex(bytes(self._hashes), _little(self._ends))
        if self._footer is not None and not _agrees(self._footer, footer(name, index)):
            raise BadXorb("the footer says something else than the chunks")
        return name, index

    def _complete(self, view: memoryview) -> int:
        """Complete the chunk that an earlier piece began; where the next one starts."""
        rest, place = self._rest, 0
        needed = HEADER_SIZE
        while True:
            if len(rest) >= HEADER_SIZE:
                needed = HEADER_SIZE + parse_header(rest, 0)[0]
            more = view[place : place + needed - len(rest)]
            rest += more
            place += len(more)
            if len(rest) < needed:
                return place
            if needed > HEADER_SIZE:
                break
        self._rest = bytearray()
        self._take(memoryview(rest), 0)
        return place

    def _take(self, view: memoryview, place: int) -> int:
        """Check the whole chunks that stand at `place` and after; where the last one ends."""
        decode = self._decoder.decode
        end = len(view)
        while place < end:
            if view[place] == _FOOTER_MARK[0]:
                self._footer = bytearray()
                break
            if end - place < HEADER_SIZE:
                break
            payload, scheme, raw_size = parse_header(view, place)
            start = place + HEADER_SIZE
            if start + payload > end:
                break
            if len(self._sizes) == MAX_CHUNKS:
                raise BadXorb(f"a xorb has at most {MAX_CHUNKS} chunks")
            raw = decode(scheme, view[start : start + payload], raw_size)
            self._hashes += blake3(raw, key=DATA_KEY).digest()
            self._sizes.append(raw_size)
            self._stored += HEADER_SIZE + payload
            self._raw += raw_size
            self._ends.append(self._stored)
            self._ends.append(self._raw)
            place = start + payload
        return place

    def _check_footer_start(self, footer: bytearray) -> None:
        if not _FOOTER_MARK.startswith(footer[: len(_FOOTER_MARK)]):
            raise BadXorb(f"a chunk of version {footer[0]} is not known")
        if len(footer) > _FOOTER_FIXED + len(self._sizes) * _FOOTER_PER_CHUNK:
            raise BadXorb("the footer is longer than its chunks explain")


def read_xorb(body: Buffer) -> tuple[bytes, XorbIndex]:
    """The name and the index of a xorb that is at hand as a whole. Raises BadXorb."""
    reader = XorbReader()
    reader.feed(body)
    return reader.finish()


def check_xorb(body: Buffer, name: bytes) -> XorbIndex:
    """The index of a xorb. Raises BadXorb unless it is whole and its name is `name`."""
    found, index = read_xorb(body)
    if found != name:
        raise BadXorb("the xorb has another hash than its name says")
    return index


def encode_xorb(chunks: Iterable[bytes], scheme: Scheme, *, write_footer: bool = False) -> bytes:
    """A xorb of these chunks, all in one scheme: what tools and tests send."""
    body = b"".join(encode_chunk(chunk, scheme) for chunk in chunks)
    return body + footer(*read_xorb(body)) if write_footer else body


def footer(name: bytes, index: XorbIndex) -> bytes:
    """What may follow the chunks of a xorb."""
    count = struct.pack("<I", index.count)
    numbers = struct.unpack(f"<{2 * index.count}I", index.ends)
    ends = struct.pack(f"<{2 * index.count}I", *numbers[::2], *numbers[1::2])
    tail = 28
    of_ends = b"XBLBBND\x01" + count + ends
    of_hashes = b"XBLBHSH\x00" + count + index.hashes
    from_end = len(of_ends) + tail
    info = b"".join([
        _FOOTER_MARK + b"\x01" + name,
        of_hashes,
        of_ends,
        count,
        struct.pack("<II", len(of_hashes) + from_end, from_end),
        bytes(16),
    ])  # fmt: skip
    return info + struct.pack("<I", len(info))


def _agrees(given: bytearray, made: bytes) -> bool:
    if len(given) != len(made):
        return False
    given = bytearray(given)
    given[_FOOTER_OWN] = made[_FOOTER_OWN]
    return given == made


def _little(numbers: "array[int]") -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)
