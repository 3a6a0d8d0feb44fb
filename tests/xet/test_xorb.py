# SPDX-License-Identifier: Apache-2.0
import struct
import tracemalloc
from contextlib import suppress
from random import Random

import lz4.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubkeep.xet import xorb
from hubkeep.xet.chunks import MAX_CHUNK, BadXorb, Scheme, decode_chunks, encode_chunk
from hubkeep.xet.hashes import Merkle, chunk_hash, from_text
from hubkeep.xet.xorb import MAX_CHUNKS, MAX_XORB, XorbReader, check_xorb, encode_xorb, read_xorb

from .made import PATIENT, some_chunks, some_xorb

SCHEMES = st.sampled_from(list(Scheme))
CHUNKS = st.lists(
    st.one_of(
        st.binary(min_size=1, max_size=300),
        st.builds(lambda b, n: b * n, st.binary(min_size=1, max_size=9), st.integers(1, 2000)),
    ),
    min_size=1,
    max_size=12,
)


def chunk(payload: bytes, scheme: int, raw_size: int, version: int = 0) -> bytes:
    """A chunk with a header that says so, true or not."""
    return struct.pack("<II", version | len(payload) << 8, scheme | raw_size << 8) + payload


def fed(body: bytes, *cuts: int) -> XorbReader:
    reader = XorbReader()
    for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
        reader.feed(body[start:end])
    return reader


@PATIENT
@given(CHUNKS, SCHEMES, st.booleans())
def test_what_is_encoded_is_read_back(chunks, scheme, write_footer):
    body = encode_xorb(chunks, scheme, write_footer=write_footer)
    name, index = read_xorb(body)
    tree = Merkle()
    for one in chunks:
        tree.add(chunk_hash(one), len(one))
    assert name == tree.root()
    assert index.hashes == b"".join(map(chunk_hash, chunks))
    assert index.raw_sizes(0, index.count) == list(map(len, chunks))
    stored = body[: index.stored_size]
    assert list(map(bytes, decode_chunks(stored))) == chunks
    for k, one in enumerate(chunks):
        alone = stored[index.stored_offset(k) : index.stored_offset(k + 1)]
        assert list(map(bytes, decode_chunks(alone))) == [one]


@PATIENT
@given(CHUNKS, st.lists(SCHEMES, min_size=12, max_size=12))
def test_schemes_may_be_mixed(chunks, schemes):
    body = b"".join(map(encode_chunk, chunks, schemes))
    assert read_xorb(body)[0] == read_xorb(encode_xorb(chunks, Scheme.NONE))[0]
    assert list(map(bytes, decode_chunks(body))) == chunks


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 65535, MAX_CHUNK - 1, MAX_CHUNK])
def test_chunks_of_all_sizes(scheme, size):
    raw = Random(size).randbytes(size)
    assert [bytes(one) for one in decode_chunks(encode_chunk(raw, scheme))] == [raw]


@pytest.mark.parametrize("size", [0, MAX_CHUNK + 1])
def test_chunks_of_other_sizes_are_not_made(size):
    with pytest.raises(ValueError, match="cannot have"):
        encode_chunk(bytes(size), Scheme.NONE)


def test_floats_are_grouped_by_the_place_of_their_bytes():
    payload = lz4.frame.compress(bytes([0, 4, 8, 1, 5, 9, 2, 6, 3, 7]))
    assert [*decode_chunks(chunk(payload, Scheme.BG4, 10))] == [bytes(range(10))]


def test_frame_made_by_hand_is_read():
    """So that it is for what was made wrong of them that those below are refused."""
    assert [*decode_chunks(chunk(frame(0x60, b""), Scheme.LZ4, 4))] == [b"good"]
    blocks = b"\x02\x00\x00\x80so" * 9
    several = chunk(frame(0x60, b"", blocks), Scheme.LZ4, 22)
    assert [*decode_chunks(several)] == [b"so" * 9 + b"good"]
    sized = frame(0x68, struct.pack("<Q", 4))
    assert [*decode_chunks(chunk(sized, Scheme.LZ4, 4))] == [b"good"]


def test_frames_of_all_kinds_that_clients_write_are_read():
    raw = some_chunks(count=1, size=100_000)[0]
    for options in (
        {"block_linked": False},
        {"block_size": lz4.frame.BLOCKSIZE_MAX64KB},
        {"block_size": lz4.frame.BLOCKSIZE_MAX4MB, "content_checksum": True},
        {"block_checksum": True, "store_size": True},
        {"compression_level": 9},
    ):
        payload = lz4.frame.compress(raw, **options)
        assert [*decode_chunks(chunk(payload, Scheme.LZ4, len(raw)))] == [raw]


def test_uncompressed_chunks_are_views_of_what_was_given():
    body = encode_xorb(some_chunks(), Scheme.NONE)
    for one in decode_chunks(body):
        assert isinstance(one, memoryview)
        assert one.obj is body


@PATIENT
@given(CHUNKS, SCHEMES, st.booleans(), st.data())
def test_pieces_may_be_cut_anywhere(chunks, scheme, write_footer, data):
    body = encode_xorb(chunks, scheme, write_footer=write_footer)
    expected = read_xorb(body)
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=8).map(sorted))
    kept, footer = b"", 0
    reader = XorbReader()
    for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
        reader.feed(memoryview(body)[start:end])
        kept += body[start : end - (reader.footer_size - footer)]
        footer = reader.footer_size
    assert reader.finish() == expected
    assert reader.stored_size == expected[1].stored_size == len(kept)
    assert kept == body[: len(kept)]
    assert len(kept) + footer == len(body)


def test_bytes_may_come_one_by_one():
    body, *expected = some_xorb()
    body += xorb.footer(*expected)
    reader = fed(body, *range(1, len(body)))
    assert reader.finish() == tuple(expected)


def test_reader_keeps_nothing_of_the_buffers_that_it_is_given():
    body, *expected = some_xorb()
    reader, buffer = XorbReader(), bytearray(700)
    for start in range(0, len(body), len(buffer)):
        piece = body[start : start + len(buffer)]
        buffer[: len(piece)] = piece
        reader.feed(memoryview(buffer)[: len(piece)])
        buffer[:] = bytes(len(buffer))
    assert reader.finish() == tuple(expected)


def test_reader_holds_a_chunk_and_the_index_only():
    one = encode_chunk(Random(1).randbytes(100_000), Scheme.NONE)
    reader = XorbReader()
    tracemalloc.start()
    try:
        for _ in range(400):
            reader.feed(one[:60_000])
            reader.feed(one[60_000:])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reader.stored_size == 400 * len(one)
    assert peak < 1_000_000


def test_xorb_under_another_name_is_refused():
    body, name, index = some_xorb()
    assert check_xorb(body, name) == index
    with pytest.raises(BadXorb, match="another hash"):
        check_xorb(body, some_xorb(seed=2)[1])


GOOD = encode_chunk(b"good" * 100, Scheme.LZ4)
FRAME = lz4.frame.compress(b"good" * 100)


def frame(flags: int, fields: bytes, blocks: bytes = b"", *, check: bool = True) -> bytes:
    """A frame of the bytes "good" after other blocks, of which the header says what is given."""
    start = b"\x04\x22\x4d\x18" + bytes([flags, 0x40]) + fields
    rest = blocks + b"\x04\x00\x00\x80good\x00\x00\x00\x00"
    for checksum in range(256):
        made = start + bytes([checksum]) + rest
        with suppress(RuntimeError):
            lz4.frame.get_frame_info(made)
            return made
    assert not check
    return start + b"\x00" + rest


HOSTILE = {
    "nothing": b"",
    "half a header": GOOD[:5],
    "header alone": GOOD[:8],
    "payload cut short": GOOD[:-1],
    "second chunk cut short": GOOD + GOOD[:-1],
    "version 1": chunk(b"x", 0, 1, version=1),
    "version 88, no footer": chunk(b"x", 0, 1, version=ord("X")),
    "scheme 3": chunk(b"x", 3, 1),
    "scheme 99, which clients choose by": chunk(b"x", 99, 1),
    "no raw bytes": chunk(b"", 0, 0),
    "no raw bytes, compressed": chunk(lz4.frame.compress(b""), 1, 0),
    "no payload": chunk(b"", 1, 1),
    "too many raw bytes": chunk(bytes(MAX_CHUNK + 1), 0, MAX_CHUNK + 1),
    "2**24 - 1 raw bytes": chunk(FRAME, 1, 2**24 - 1),
    "too long a payload": chunk(bytes(2 * MAX_CHUNK + 1), 1, MAX_CHUNK),
    "uncompressed, says more": chunk(b"xx", 0, 3),
    "uncompressed, says fewer": chunk(b"xx", 0, 1),
    "compressed, says more": chunk(FRAME, 1, 401),
    "compressed, says fewer": chunk(FRAME, 1, 399),
    "bomb": chunk(lz4.frame.compress(bytes(50_000_000)), 1, MAX_CHUNK),
    "bomb that claims a byte": chunk(lz4.frame.compress(bytes(50_000_000)), 1, 1),
    "grouped bomb": chunk(lz4.frame.compress(bytes(50_000_000)), 2, MAX_CHUNK),
    "not a frame": chunk(b"\x00" * 30, 1, 30),
    "magic alone": chunk(FRAME[:4], 1, 400),
    "frame cut short": chunk(FRAME[:-1], 1, 400),
    "frame without its end mark": chunk(FRAME[:-4], 1, 400),
    "bytes after the frame": chunk(FRAME + b"x", 1, 400),
    "a second frame": chunk(FRAME + FRAME, 1, 800),
    "a second, empty frame": chunk(FRAME + lz4.frame.compress(b""), 1, 400),
    "skippable frame": chunk(b"\x50\x2a\x4d\x18\x04\x00\x00\x00good", 1, 4),
    "skippable frame first": chunk(b"\x50\x2a\x4d\x18\x00\x00\x00\x00" + FRAME, 1, 400),
    "old frame": chunk(b"\x02\x21\x4c\x18\x05\x00\x00\x00\x40good", 1, 4),
    "frame that claims 2**60 bytes": chunk(frame(0x68, struct.pack("<Q", 2**60)), 1, 4),
    "frame that claims a byte": chunk(frame(0x68, struct.pack("<Q", 1)), 1, 4),
    "frame with a dictionary": chunk(frame(0x61, bytes(4)), 1, 4),
    "frame of an unknown kind": chunk(frame(0x62, b"", check=False), 1, 4),
    "wrong checksum": chunk(frame(0x64, b"")[:-4] + bytes(8), 1, 4),
    "a block of nothing": chunk(frame(0x60, b"", b"\x01\x00\x00\x00\x00"), 1, 4),
    "a block of nothing, not compressed": chunk(frame(0x60, b"", b"\x00\x00\x00\x80"), 1, 4),
    "thousands of blocks": chunk(frame(0x60, b"", b"\x01\x00\x00\x80x" * 20_000), 1, 20_004),
    "block of 2**31 - 1 bytes": chunk(frame(0x60, b"", b"\xff\xff\xff\xff"), 1, 4),
    "too many chunks": encode_chunk(b"x", Scheme.NONE) * (MAX_CHUNKS + 1),
    "too many bytes": encode_chunk(bytes(MAX_CHUNK), Scheme.NONE) * 520,
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_xorbs_are_refused(what):
    body = HOSTILE[what]
    with pytest.raises(BadXorb):
        read_xorb(body)
    with pytest.raises(BadXorb):
        # What is wrong is no different in small pieces.
        fed(body, *range(1, min(len(body), 3000))).finish()


@pytest.mark.parametrize(
    "what", [w for w in HOSTILE if w not in {"nothing", "too many chunks", "too many bytes"}]
)
def test_hostile_chunks_are_not_decoded(what):
    with pytest.raises(BadXorb):
        list(decode_chunks(HOSTILE[what]))


@pytest.mark.parametrize("what", ["bomb", "bomb that claims a byte", "grouped bomb"])
def test_bombs_take_no_memory(what):
    body = HOSTILE[what]
    tracemalloc.start()
    try:
        with suppress(BadXorb):
            read_xorb(body)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_what_is_wrong_is_said_before_all_has_come():
    reader = XorbReader()
    reader.feed(GOOD)
    with pytest.raises(BadXorb, match="scheme 7"):
        reader.feed(chunk(b"", 7, 1)[:8])


def test_as_many_chunks_and_bytes_as_clients_send_are_taken():
    assert read_xorb(encode_chunk(b"x", Scheme.NONE) * MAX_CHUNKS)[1].count == MAX_CHUNKS
    assert MAX_XORB > 67_120_000


def with_footer() -> tuple[bytes, int]:
    body, name, index = some_xorb()
    return body + xorb.footer(name, index), len(body)


def test_footer_may_carry_bytes_of_the_senders_own():
    body, at = with_footer()
    own = body[:-20] + bytes(range(16)) + body[-4:]
    reader = fed(own)
    assert reader.finish() == read_xorb(body)
    assert (reader.stored_size, reader.footer_size) == (at, len(body) - at)


def test_footer_that_says_something_else_is_refused():
    body, at = with_footer()
    for place in [*range(at, len(body) - 20, 7), *range(len(body) - 4, len(body))]:
        other = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        with pytest.raises(BadXorb):
            read_xorb(other)


def test_footer_is_refused_where_it_is_cut_short_or_followed_by_more():
    body, at = with_footer()
    for size in (1, 7, 8, 100, len(body) - at - 1):
        with pytest.raises(BadXorb):
            read_xorb(body[: at + size])
    for more in (b"x", GOOD, body[at:]):
        with pytest.raises(BadXorb):
            read_xorb(body + more)
    with pytest.raises(BadXorb):
        read_xorb(body[at:])


def test_endless_footer_is_cut_off():
    body, at = with_footer()
    reader = fed(body)
    with pytest.raises(BadXorb, match="longer"):
        reader.feed(b"x")
    reader = fed(body[: at + 10])
    with pytest.raises(BadXorb):
        reader.feed(bytes(1_000_000))


@PATIENT
@given(SCHEMES, st.booleans(), st.data())
def test_changed_xorbs_are_refused_or_stay_what_they_were(scheme, write_footer, data):
    """Bytes that were altered are never taken for those that have the name."""
    chunks = some_chunks(count=3, size=200)
    body = bytearray(encode_xorb(chunks, scheme, write_footer=write_footer))
    name, _ = read_xorb(body)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body) - 1))
        end = min(len(body), place + data.draw(st.integers(0, 12)))
        body[place:end] = data.draw(st.binary(max_size=12))
    try:
        index = check_xorb(bytes(body), name)
    except BadXorb:
        return
    assert list(map(bytes, decode_chunks(body[: index.stored_size]))) == chunks


@PATIENT
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(junk):
    with suppress(BadXorb):
        read_xorb(junk)
    with suppress(BadXorb):
        list(decode_chunks(junk))


def test_name_of_no_xorb_matches_nothing():
    with pytest.raises(BadXorb):
        check_xorb(b"", from_text("0" * 64))
