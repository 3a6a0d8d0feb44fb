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
_LZ4_MAGIC = b"\x04\x22\x4d\x18"
_NEEDS_DICTIONARY = 1


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
        # Dictionaries, skippable and old frames are read by no other client: they would make a
        # xorb that the hub believes to be good and nobody can read.
        if payload[:4] != _LZ4_MAGIC or len(payload) < 5 or payload[4] & _NEEDS_DICTIONARY:
            raise BadXorb("a compressed chunk is not an LZ4 frame")
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
