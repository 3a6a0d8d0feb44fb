# SPDX-License-Identifier: Apache-2.0
"""Byte ranges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubkeep.kit.ranges import ByteRange, Unsatisfiable, parse_range


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
