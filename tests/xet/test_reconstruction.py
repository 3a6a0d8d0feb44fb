# SPDX-License-Identifier: Apache-2.0
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubkeep.kit.ranges import ByteRange
from hubkeep.xet.chunks import BadXorb, Scheme
from hubkeep.xet.index import Offsets
from hubkeep.xet.reconstruction import Fetch, Piece, decode, fetches, plan
from hubkeep.xet.shard import Term
from hubkeep.xet.xorb import encode_xorb, read_xorb

from .made import PATIENT


class Store:
    """Xorbs, and files made of them."""

    def __init__(self, seed: int, xorbs: int = 3, most: int = 6) -> None:
        self.random = Random(seed)
        self.stored: dict[bytes, bytes] = {}
        self.chunks: dict[bytes, list[bytes]] = {}
        self.offsets: dict[bytes, Offsets] = {}
        for _ in range(xorbs):
            sizes = [self.random.randrange(1, 60) for _ in range(self.random.randint(1, most))]
            chunks = [self.random.randbytes(size) for size in sizes]
            self.put(chunks, self.random.choice(list(Scheme)))

    def put(self, chunks: list[bytes], scheme: Scheme) -> bytes:
        body = encode_xorb(chunks, scheme)
        name, index = read_xorb(body)
        self.stored[name], self.chunks[name] = body, chunks
        self.offsets[name] = Offsets(index.ends)
        return name

    def file(self, terms: int) -> tuple[list[Term], bytes]:
        """Terms at random, and the file that they make."""
        made, content = [], b""
        for _ in range(terms):
            name = self.random.choice(list(self.stored))
            count = len(self.chunks[name])
            start = self.random.randrange(count)
            end = self.random.randint(start + 1, count)
            raw = b"".join(self.chunks[name][start:end])
            made.append(Term(name, start, end, len(raw)))
            content += raw
        return made, content

    def read(self, piece: Piece) -> bytes:
        return self.stored[piece.xorb][piece.stored_start : piece.stored_end]


@PATIENT
@given(st.integers(), st.integers(1, 6), st.data())
def test_any_range_is_exactly_the_bytes_of_the_file(seed, count, data):
    store = Store(seed)
    terms, content = store.file(count)
    start = data.draw(st.integers(0, len(content) - 1))
    end = data.draw(st.integers(start + 1, len(content)))
    made = plan(terms, store.offsets, 0, ByteRange(start, end))
    got = b"".join(
        bytes(part)
        for piece, skip, take in made.portions(end - start)
        for part in decode(store.read(piece), piece, skip, take)
    )
    assert got == content[start:end]
    raw = b"".join(bytes(part) for p in made.pieces for part in decode(store.read(p), p))
    assert raw[made.skip : made.skip + end - start] == content[start:end]
    # No chunk is read that holds nothing of the range.
    first, last = made.pieces[0], made.pieces[-1]
    assert made.skip < len(store.chunks[first.xorb][first.start])
    spare = len(raw) - made.skip - (end - start)
    assert spare < len(store.chunks[last.xorb][last.end - 1])


@PATIENT
@given(st.integers(), st.data())
def test_plan_may_be_made_of_a_part_of_the_terms(seed, data):
    """As they are stored: in rows, each with the offset of its first byte."""
    store = Store(seed)
    terms, content = store.file(6)
    start = data.draw(st.integers(0, len(content) - 1))
    wanted = ByteRange(start, data.draw(st.integers(start + 1, len(content))))
    whole = plan(terms, store.offsets, 0, wanted)
    head = sum(term.raw_size for term in terms[:3])
    parts = [
        plan(terms[:3], store.offsets, 0, wanted),
        plan(terms[3:], store.offsets, head, wanted),
    ]
    assert [piece for part in parts for piece in part.pieces] == whole.pieces
    assert parts[0 if start < head else 1].skip == whole.skip


def test_only_xorbs_that_are_needed_are_asked_for():
    store = Store(1)
    terms, content = store.file(4)
    asked: list[bytes] = []

    def offsets(name: bytes) -> Offsets:
        asked.append(name)
        return store.offsets[name]

    first = terms[0].raw_size
    plan(terms, offsets, 0, ByteRange(first, first + terms[1].raw_size))
    assert asked == [terms[1].xorb]
    assert plan(terms, offsets, 0, ByteRange(len(content), len(content) + 9)).pieces == []


def test_whole_terms_are_not_trimmed():
    store = Store(2)
    terms, content = store.file(3)
    made = plan(terms, store.offsets.__getitem__, 0, ByteRange(0, len(content)))
    assert made.skip == 0
    assert [Term(p.xorb, p.start, p.end, p.raw_size) for p in made.pieces] == terms


def piece(xorb: bytes, start: int, end: int) -> Piece:
    return Piece(xorb, start, end, start * 10, end * 10, (end - start) * 9)


def test_runs_of_a_xorb_that_touch_or_overlap_are_read_at_once():
    a, b = b"a" * 32, b"b" * 32
    pieces = [piece(a, 6, 8), piece(b, 0, 1), piece(a, 0, 2), piece(a, 2, 4), piece(a, 7, 9)]
    pieces += [piece(a, 1, 2), piece(a, 6, 8)]
    assert fetches(pieces) == {
        a: [Fetch(0, 4, 0, 40), Fetch(6, 9, 60, 90)],
        b: [Fetch(0, 1, 0, 10)],
    }
    assert fetches([]) == {}


@PATIENT
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)), max_size=12))
def test_fetches_hold_every_piece_once_and_no_other_chunk(runs):
    pieces = [piece(b"a" * 32, start, start + size) for start, size in runs]
    fetched = fetches(pieces).get(b"a" * 32, [])
    chunks = [chunk for fetch in fetched for chunk in range(fetch.start, fetch.end)]
    assert chunks == sorted({chunk for p in pieces for chunk in range(p.start, p.end)})
    assert all(one.end < other.start for one, other in pairwise(fetched))


def test_damage_is_noticed_where_lengths_tell():
    store = Store(3, xorbs=1, most=1)
    name = store.put([b"a" * 50, b"b" * 50], Scheme.LZ4)
    term = Term(name, 0, 2, 100)
    (one,) = plan([term], store.offsets, 0, ByteRange(0, 100)).pieces
    good = store.read(one)
    assert b"".join(map(bytes, decode(good, one))) == b"a" * 50 + b"b" * 50
    other = encode_xorb([b"a" * 50, b"c" * 49], Scheme.LZ4)
    assert len(other) == len(good)
    for bad in (good[:-1], good + b"x", b"", bytes(len(good)), other):
        with pytest.raises(BadXorb):
            list(decode(bad, one))


@pytest.mark.parametrize(("skip", "take"), [(0, 101), (101, None), (60, 50)])
def test_more_than_a_piece_has_is_not_given(skip, take):
    store = Store(3, xorbs=1, most=1)
    name = store.put([b"a" * 50, b"b" * 50], Scheme.NONE)
    (one,) = plan([Term(name, 0, 2, 100)], store.offsets, 0, ByteRange(0, 100)).pieces
    with pytest.raises(BadXorb):
        list(decode(store.read(one), one, skip, take))


def test_uncompressed_chunks_are_not_copied():
    store = Store(4, xorbs=1)
    name = store.put([b"a" * 50, b"b" * 50], Scheme.NONE)
    (one,) = plan([Term(name, 0, 2, 100)], store.offsets, 0, ByteRange(10, 90)).pieces
    stored = store.read(one)
    for part in decode(stored, one, 10, 80):
        assert isinstance(part, memoryview)
        assert part.obj is stored
