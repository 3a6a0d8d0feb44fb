# SPDX-License-Identifier: Apache-2.0
"""Batches, cursors, header text, ids, time, the cache."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubkeep.kit.batches import batches
from hubkeep.kit.cache import ByteCache
from hubkeep.kit.cursors import BadCursor, decode_cursor, encode_cursor
from hubkeep.kit.ids import new_id
from hubkeep.kit.text import HEADER_LIMIT, header_safe
from hubkeep.kit.time import day_of, now, wire

POSITIONS = st.tuples(st.text(st.characters(codec="utf-8"), max_size=50), st.integers(0, 2**62))


@given(st.lists(st.integers(), max_size=30), st.integers(1, 10))
def test_batches_are_full_but_the_last_and_lose_nothing(items: list[int], size: int):
    found = list(batches(iter(items), size))
    assert [item for batch in found for item in batch] == items
    assert all(len(batch) == size for batch in found[:-1])
    assert all(0 < len(batch) <= size for batch in found)


@given(POSITIONS)
def test_cursors_come_back_and_fit_into_an_address(position: tuple[str, int]):
    cursor = encode_cursor(position)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
    assert decode_cursor(cursor, tuple[str, int]) == position


@given(st.text(max_size=60))
def test_other_texts_are_no_cursors(text: str):
    with pytest.raises(BadCursor):
        decode_cursor(text + "!", tuple[str, int])


def test_a_cursor_of_another_list_or_too_long_is_refused():
    with pytest.raises(BadCursor):
        decode_cursor(encode_cursor({"other": 1}), tuple[str, int])
    with pytest.raises(BadCursor):
        decode_cursor("A" * 10_000, str)


@given(st.text())
def test_header_text_is_one_printable_line(text: str):
    safe = header_safe(text)
    assert re.fullmatch(r"[\x20-\x7e]*", safe)
    assert len(safe) <= HEADER_LIMIT
    assert safe == safe.strip()


def test_ids():
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"[0-9a-f]{24}", each) for each in ids)


@given(st.integers(0, 32_000_000_000_000))
def test_time_on_the_wire(millis: int):
    exact = datetime.fromtimestamp(millis // 1000, UTC) + timedelta(milliseconds=millis % 1000)
    written = wire(millis)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", written)
    assert datetime.fromisoformat(written) == exact
    assert day_of(millis) == (exact - datetime(1970, 1, 1, tzinfo=UTC)).days


def test_now_is_in_milliseconds():
    assert abs(now() - datetime.now(UTC).timestamp() * 1000) < 5000


def test_the_cache_keeps_what_was_used_last():
    cache = ByteCache(4000)
    for key in "abc":
        cache.put(key, key.encode() * 500)
    assert cache.get("a") == b"a" * 500
    for key in "defg":
        cache.put(key, b"x" * 500)
        assert cache.get("a") is not None
    assert cache.get("b") is None


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3000)), max_size=60))
def test_the_cache_never_holds_more_than_its_limit(puts: list[tuple[int, int]]):
    cache = ByteCache(8000)
    for key, size in puts:
        cache.put((key, size), bytes(size))
        assert 0 <= cache.used <= 8000
        assert cache.get((key, size)) in (bytes(size), None)


def test_the_cache_does_not_take_what_would_empty_it():
    cache = ByteCache(4000)
    cache.put("small", b"x")
    cache.put("large", bytes(1001))
    assert cache.get("large") is None
    assert cache.get("small") == b"x"
