# SPDX-License-Identifier: Apache-2.0
"""Chunks as they are stored: a header of eight bytes, then the chunk in one of three schemes.

The header: version 0, the stored bytes (u24), the scheme, the raw bytes (u24). Decoding allocates
no more than the raw bytes that a header declares, whatever the stored bytes would make.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum

import lz4.frame

MAX_CHUNK = 131072
"""Raw bytes of a chunk, at most."""
HEADER_SIZE = 8
# What LZ4 can make of bytes that do not compress, and then some: longer ones are padded.
MAX_PAYLOAD = 2 * MAX_CHUNK

Buffer = bytes | bytearray | memoryview

_HEADER = struct.Struct("<II")
_U32 = struct.Struct("<I")
_LZ4_MAGIC = b"\x04\x22\x4d\x18"
# Bits of a frame's fifth byte.
_WITH_DICTIONARY, _WITH_CHECKSUM, _WITH_SIZE, _WITH_BLOCK_CHECKSUMS = 1, 4, 8, 16
_NOT_COMPRESSED = 1 << 31
# A chunk fills two blocks of the smallest kind; encoders that flush make a few more.
_MAX_BLOCKS = 64


class BadXorb(ValueError):
    """The bytes are not a xorb, or not the one that they are said to be."""


class Scheme(IntEnum):
    """How the raw bytes of a chunk are stored."""

    NONE = 0
    LZ4 = 1
    BG4 = 2
    """Bytes grouped by their place modulo 4, which suits floats, then LZ4."""


class Decoder:
    """Decodes chunks one after the other, for one thread at a time."""

    __slots__ = ("_lz4",)

    def __init__(self) -> None:
        self._lz4 = lz4.frame.create_decompression_context()

    def decode(self, scheme: int, payload: memoryview, raw_size: int) -> Buffer:
        """The raw bytes of a chunk, which for Scheme.NONE are `payload` itself.

        `raw_size` has been bounded by the caller. Raises BadXorb unless the payload is whole,
        decodes to exactly as many bytes, and nothing follows.
        """
        if scheme == Scheme.NONE:
            if len(payload) != raw_size:
                raise BadXorb("an uncompressed chunk has another length than its header says")
            return payload
        raw = self._unpack(payload, raw_size)
        return _ungroup(raw) if scheme == Scheme.BG4 else raw

    def _unpack(self, payload: memoryview, raw_size: int) -> bytes:
        _check_frame(payload)
        try:
            # With room for a byte more than there should be, the end of the frame is read as well.
            raw, used, ended = lz4.frame.decompress_chunk(
                self._lz4, payload, max_length=raw_size + 1
            )
        except RuntimeError as error:
            self._lz4 = lz4.frame.create_decompression_context()
            raise BadXorb("a compressed chunk cannot be decoded") from error
        if not ended or used != len(payload) or len(raw) != raw_size:
            self._lz4 = lz4.frame.create_decompression_context()
            raise BadXorb("a compressed chunk has another length than its header says")
        return raw


def _check_frame(payload: memoryview) -> None:
    """Refuse a frame that the library reads and clients do not, or not in the same way.

    A xorb is kept as whoever came first encoded it. One that the hub believes to be good and
    clients cannot read would take the place of a good one. They know no dictionaries, skippable or
    old frames, and take a block that makes nothing for the end of the frame.
    """
    size = len(payload)
    if size < 15 or payload[:4] != _LZ4_MAGIC or payload[4] & _WITH_DICTIONARY:
        raise BadXorb("a compressed chunk is not an LZ4 frame as clients write it")
    flags = payload[4]
    place = 15 if flags & _WITH_SIZE else 7
    after_block = 4 if flags & _WITH_BLOCK_CHECKSUMS else 0
    after_end = 4 if flags & _WITH_CHECKSUM else 0
    for _ in range(_MAX_BLOCKS + 1):
        if place + 4 > size:
            break
        (block,) = _U32.unpack_from(payload, place)
        place += 4
        if block == 0:
            if place + after_end != size:
                break
            return
        # The one block that is compressed and makes nothing has a single byte.
        if block & ~_NOT_COMPRESSED < (1 if block & _NOT_COMPRESSED else 2):
            break
        place += (block & ~_NOT_COMPRESSED) + after_block
    raise BadXorb("a compressed chunk is not an LZ4 frame as clients write it")


def parse_header(view: Buffer, place: int) -> tuple[int, int, int]:
    """The payload's bytes, the scheme and the raw bytes that the header at `place` declares.

    Raises BadXorb where they are out of bounds.
    """
    first, second = _HEADER.unpack_from(view, place)
    payload, scheme, raw = first >> 8, second & 0xFF, second >> 8
    if first & 0xFF:
        raise BadXorb(f"a chunk of version {first & 0xFF} is not known")
    if scheme > Scheme.BG4:
        raise BadXorb(f"compression scheme {scheme} is not known")
    if not 0 < raw <= MAX_CHUNK or not 0 < payload <= MAX_PAYLOAD:
        raise BadXorb(f"a chunk cannot have {raw} bytes, stored as {payload}")
    return payload, scheme, raw


def decode_chunks(stored: Buffer) -> Iterator[Buffer]:
    """The raw bytes of consecutive stored chunks; views into `stored` of those not compressed.

    Raises BadXorb where a chunk is damaged or cut short. Whether they are the chunks that were
    once sent, only their hashes say.
    """
    view = memoryview(stored)
    decoder = Decoder()
    place, end = 0, len(view)
    while place < end:
        if end - place < HEADER_SIZE:
            raise BadXorb("a chunk is cut short")
        payload, scheme, raw = parse_header(view, place)
        place += HEADER_SIZE + payload
        if place > end:
            raise BadXorb("a chunk is cut short")
        yield decoder.decode(scheme, view[place - payload : place], raw)


def encode_chunk(raw: bytes, scheme: Scheme) -> bytes:
    """A chunk as it is stored, in the scheme that is asked for, be it longer than the raw bytes."""
    if not 0 < len(raw) <= MAX_CHUNK:
        raise ValueError(f"a chunk cannot have {len(raw)} bytes")
    payload = raw
    if scheme is not Scheme.NONE:
        grouped = b"".join(raw[k::4] for k in range(4)) if scheme is Scheme.BG4 else raw
        payload = lz4.frame.compress(grouped, store_size=False)
    return _HEADER.pack(len(payload) << 8, len(raw) << 8 | scheme) + payload


def _ungroup(grouped: bytes) -> bytearray:
    """Put bytes back that were grouped by their place modulo 4."""
    view = memoryview(grouped)
    raw = bytearray(len(view))
    start = 0
    for k in range(4):
        end = start + (len(view) - k + 3) // 4
        raw[k::4] = view[start:end]
        start = end
    return raw
