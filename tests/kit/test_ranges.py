# SPDX-License-Identifier: Apache-2.0
"""Byte ranges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubkeep.kit.ranges import BadRange, ByteRange, Unsatisfiable, parse_range, parse_ranges


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-", 0, 10),
        ("bytes=0-0", 0, 1),
        ("bytes=2-4", 2, 5),
        ("bytes=2-99", 2, 10),
        ("bytes=9-9", 9, 10),
        ("bytes=-3", 7, 10),
        ("bytes=-99", 0, 10),
        ("bytes= 2 - 4 ", 2, 5),
    ],
)
def test_ranges(header: str, start: int, end: int):
    assert parse_range(header, 10) == ByteRange(start, end)


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes=", "bytes=-", "bytes=4-2", "bytes=0-1,3-4", "items=0-1", "bytes=a-b",
     "bytes=0-" + "9" * 30],
)  # fmt: skip
def test_what_is_no_range_asks_for_everything(header: str | None):
    assert parse_range(header, 10) is None


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0)])
def test_unsatisfiable(header: str, size: int):
    with pytest.raises(Unsatisfiable):
        parse_range(header, size)


@given(st.text(max_size=30), st.integers(0, 1000))
def test_any_text_gives_a_part_of_the_body_or_a_refusal(text: str, size: int):
    for header in (text, f"bytes={text}"):
        try:
            found = parse_range(header, size)
        except Unsatisfiable:
            continue
        assert found is None or 0 <= found.start < found.end <= size


def test_content_range():
    assert ByteRange(2, 5).content_range(10) == "bytes 2-4/10"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-", [(0, 10)]),
        ("bytes=2-4", [(2, 5)]),
        ("bytes=2-99", [(2, 10)]),
        ("bytes=-3", [(7, 10)]),
        ("bytes=-99", [(0, 10)]),
        ("bytes=0-1,2-3,5-5", [(0, 2), (2, 4), (5, 6)]),
        ("bytes=5-5, 0-1", [(5, 6), (0, 2)]),
        ("bytes=0-1,-2", [(0, 2), (8, 10)]),
    ],
)
def test_several_ranges(header: str, found: list[tuple[int, int]]):
    assert parse_ranges(header, 10, 3) == [ByteRange(*one) for one in found]


@pytest.mark.parametrize(
    "header",
    [
        *["", "bytes", "bytes=", "bytes=-", "bytes=4-2", "items=0-1", "BYTES=0-1", "bytes=a-b"],
        *["bytes=0-1,", "bytes=,0-1", "bytes=0-1;3-4", "bytes=0 -1", "bytes=\t0-1", "bytes=0-1-2"],
        *["bytes=1-1,1-1", "bytes=0-5,5-6", "bytes=0-,9-9", "bytes=-1,0-9", "bytes=+1-2"],
        *["bytes=0-0,1-1,2-2,3-3", "bytes=0-" + "9" * 19, "bytes=\u0662-\u0663", "bytes==0-1"],
    ],
)
def test_what_is_no_list_of_ranges(header: str):
    with pytest.raises(BadRange):
        parse_ranges(header, 10, 3)


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=0-1,10-", "bytes=-0"])
def test_any_range_outside_makes_the_list_unsatisfiable(header: str):
    with pytest.raises(Unsatisfiable):
        parse_ranges(header, 10, 3)


def test_nothing_is_empty_of_ranges():
    for header in ("bytes=0-", "bytes=-5", "bytes=0-0"):
        with pytest.raises(Unsatisfiable):
            parse_ranges(header, 0, 3)


@given(st.text() | st.from_regex(r"bytes=[0-9 ,-]{0,30}", fullmatch=True), st.integers(0, 40))
def test_ranges_of_a_list_never_meet_and_lie_inside(header: str, size: int):
    try:
        found = parse_ranges(header, size, 5)
    except (BadRange, Unsatisfiable):
        return
    assert 1 <= len(found) <= 5
    taken = [place for one in found for place in range(one.start, one.end)]
    assert len(taken) == len(set(taken))
    assert all(0 <= place < size for place in taken)
