# SPDX-License-Identifier: Apache-2.0
import struct
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubkeep.xet.index import Offsets, XorbIndex

from .made import PATIENT

SIZES = st.lists(st.integers(1, 131072), min_size=1, max_size=40)


def index_of(sizes: list[int]) -> XorbIndex:
    ends = zip(accumulate(size + 8 for size in sizes), accumulate(sizes), strict=True)
    hashes = b"".join(bytes([k]) * 32 for k in range(len(sizes)))
    return XorbIndex(hashes=hashes, ends=b"".join(struct.pack("<II", *end) for end in ends))


@PATIENT
@given(SIZES, st.data())
def test_index_says_where_chunks_lie(sizes, data):
    index = index_of(sizes)
    for known in (index, Offsets(index.ends)):
        assert known.count == len(sizes)
        assert known.raw_size == sum(sizes)
        assert known.stored_size == sum(sizes) + 8 * len(sizes)
        for k in range(len(sizes) + 1):
            assert known.raw_offset(k) == sum(sizes[:k])
            assert known.stored_offset(k) == sum(sizes[:k]) + 8 * k
        raw = data.draw(st.integers(0, sum(sizes) - 1))
        chunk = known.chunk_at(raw)
        assert known.raw_offset(chunk) <= raw < known.raw_offset(chunk + 1)
        start = data.draw(st.integers(0, len(sizes)))
        end = data.draw(st.integers(start, len(sizes)))
        assert known.raw_sizes(start, end) == sizes[start:end]


def test_hashes_of_a_run():
    index = index_of([1, 2, 3])
    assert index.hashes_of(1, 3) == bytes([1]) * 32 + bytes([2]) * 32
    assert index.hashes_of(2, 2) == b""


def test_first_and_last_byte_of_a_chunk_are_in_it():
    index = index_of([10, 20, 30])
    assert [index.chunk_at(raw) for raw in (0, 9, 10, 29, 30, 59)] == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("raw", [-1, 60, 2**40])
def test_no_chunk_holds_what_is_outside(raw):
    with pytest.raises(IndexError):
        index_of([10, 20, 30]).chunk_at(raw)


@pytest.mark.parametrize("chunk", [-1, 4])
def test_chunks_that_are_not_there_have_no_place(chunk):
    index = index_of([10, 20, 30])
    for ask in (index.raw_offset, index.stored_offset):
        with pytest.raises(IndexError):
            ask(chunk)


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (2, 1), (0, 4)])
def test_runs_that_are_not_there_are_refused(start, end):
    index = index_of([10, 20, 30])
    for ask in (index.hashes_of, index.raw_sizes):
        with pytest.raises(IndexError):
            ask(start, end)


def test_index_of_different_chunks_is_refused():
    with pytest.raises(ValueError, match="same chunks"):
        XorbIndex(hashes=bytes(64), ends=bytes(8))
    with pytest.raises(ValueError, match="half an end"):
        Offsets(bytes(9))
