# SPDX-License-Identifier: Apache-2.0
"""Bodies that bound and check themselves, and bytes that take the place of others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import pairwise

import pytest

from hubkeep.blobs import BadKey, BlobStore, HashMismatch, SizeMismatch, xorb_key
from tests.blobs.bodies import Body, body, content, sha256_of, stored_keys, whole

pytestmark = pytest.mark.anyio

MIB = 1 << 20
EDGES = [0, 1, MIB, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 17 * MIB + 3]


async def pieces_of(data: bytes, size: int = 300_000) -> AsyncGenerator[bytes, None]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


class TestUnknownSize:
    @pytest.mark.parametrize("size", EDGES)
    async def test_all_that_comes_is_stored(self, store: BlobStore, size: int) -> None:
        data = content(size)
        await store.put("a", pieces_of(data), size=None, sha256=None)
        assert await store.size("a") == size
        assert await whole(store, "a") == data

    @pytest.mark.parametrize("size", EDGES)
    async def test_a_known_size_stores_the_same(self, store: BlobStore, size: int) -> None:
        data = content(size)
        await store.put("a", pieces_of(data, 70_001), size=size, sha256=sha256_of(data))
        assert await whole(store, "a") == data

    @pytest.mark.parametrize("size", [10, 9 * MIB])
    async def test_a_hash_is_checked_all_the_same(self, store: BlobStore, size: int) -> None:
        data = content(size)
        with pytest.raises(HashMismatch):
            await store.put("a", pieces_of(data), size=None, sha256="0" * 64)
        assert await stored_keys(store) == []
        await store.put("a", pieces_of(data), size=None, sha256=sha256_of(data))
        assert await whole(store, "a") == data

    @pytest.mark.parametrize("size", [0, 10, 9 * MIB])
    async def test_a_body_that_refuses_itself_leaves_nothing(
        self, store: BlobStore, size: int
    ) -> None:
        refused = Body(content(size), breaks=True)
        with pytest.raises(ConnectionResetError):
            await store.put("a", refused, size=None, sha256=None)
        assert await stored_keys(store) == []

    @pytest.mark.parametrize("size", [10, 9 * MIB])
    async def test_a_cancelled_put_leaves_nothing(self, store: BlobStore, size: int) -> None:
        hanging = Body(content(size), hangs=True)
        task = asyncio.create_task(store.put("a", hanging, size=None, sha256=None))
        await hanging.drained.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await stored_keys(store) == []

    async def test_pieces_that_meet_no_edge(self, store: BlobStore) -> None:
        data = content(20 * MIB)
        cuts = [0, 8 * MIB - 7, 8 * MIB + 9, 16 * MIB, 16 * MIB, 16 * MIB + 1, len(data)]
        pieces = [data[a:b] for a, b in pairwise(cuts)]
        await store.put("a", body(*pieces), size=None, sha256=sha256_of(data))
        assert await whole(store, "a") == data


@pytest.mark.parametrize("size", [3, 9 * MIB])
async def test_without_a_hash_nothing_is_hashed(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("hubkeep.blobs.body.hashlib", None)
    await store.put("a", body(content(size)), size=size, sha256=None)
    await store.put("b", body(content(size)), size=None, sha256=None)
    assert await store.size("b") == size


class TestWhoseBytesAreStored:
    @pytest.mark.parametrize("size", [0, 100, 9 * MIB])
    async def test_the_first_ones(self, store: BlobStore, size: int) -> None:
        first, other = content(size), b"o" * (9 * MIB)
        assert await store.put("a", pieces_of(first), size=None, sha256=None)
        assert not await store.put("a", pieces_of(other), size=None, sha256=None)
        assert not await store.put("a", body(b"x"), size=1, sha256=None)
        assert await whole(store, "a") == first

    @pytest.mark.parametrize("size", [0, 100, 9 * MIB])
    async def test_those_that_replace_them(self, store: BlobStore, size: int) -> None:
        for data in (content(size), b"other"):
            assert await store.put("a", pieces_of(data), size=None, sha256=None, replace=True)
            assert await whole(store, "a") == data


class TestReplace:
    @pytest.mark.parametrize("size", [0, 100, 9 * MIB])
    @pytest.mark.parametrize("known", [True, False])
    async def test_the_key_gets_these_bytes(self, store: BlobStore, size: int, known: bool) -> None:
        await store.put("a/b", body(b"first"), size=5, sha256=None)
        data = content(size)
        await store.put(
            "a/b", pieces_of(data), size=size if known else None, sha256=None, replace=True
        )
        assert await whole(store, "a/b") == data
        assert [stored.size for stored in await stored_keys(store)] == [size]

    async def test_a_key_that_was_not_there(self, store: BlobStore) -> None:
        await store.put("a/b", body(b"new"), size=3, sha256=None, replace=True)
        assert await whole(store, "a/b") == b"new"

    @pytest.mark.parametrize("size", [100, 9 * MIB])
    async def test_a_failure_keeps_the_old_bytes(self, store: BlobStore, size: int) -> None:
        await store.put("a", body(b"first"), size=5, sha256=None)
        data = content(size)
        with pytest.raises(HashMismatch):
            await store.put("a", body(data), size=size, sha256="0" * 64, replace=True)
        with pytest.raises(SizeMismatch):
            await store.put("a", body(data), size=size + 1, sha256=None, replace=True)
        with pytest.raises(ConnectionResetError):
            await store.put("a", Body(data, breaks=True), size=None, sha256=None, replace=True)
        hanging = Body(data, hangs=True)
        task = asyncio.create_task(store.put("a", hanging, size=None, sha256=None, replace=True))
        await hanging.drained.wait()
        task.cancel()
        await asyncio.wait([task])
        assert await whole(store, "a") == b"first"

    async def test_who_reads_sees_the_old_or_the_new(self, store: BlobStore) -> None:
        """A reader never meets a mixture, nor a key that is gone."""
        old, new = b"o" * (3 * MIB), b"n" * (2 * MIB)
        await store.put("a", body(old), size=None, sha256=None)
        replaced = asyncio.Event()

        async def read_on() -> set[bytes]:
            seen = set()
            while not replaced.is_set():
                seen.add(await whole(store, "a"))
            return seen

        readers = [asyncio.create_task(read_on()) for _ in range(2)]
        for data in (new, old, new, old, new):
            await store.put("a", body(data), size=len(data), sha256=None, replace=True)
        replaced.set()
        for seen in await asyncio.gather(*readers):
            assert seen <= {old, new}
        assert await whole(store, "a") == new

    async def test_one_who_has_it_open_reads_the_old_bytes_to_their_end(
        self, store: BlobStore
    ) -> None:
        old = content(3 * MIB)
        await store.put("a", body(old), size=None, sha256=None)
        async with aclosing(store.open("a")) as pieces:
            first = await anext(pieces)
            await store.put("a", body(b"new"), size=3, sha256=None, replace=True)
            rest = [piece async for piece in pieces]
        assert first + b"".join(rest) == old
        assert await whole(store, "a") == b"new"

    async def test_at_the_same_time(self, store: BlobStore) -> None:
        some = [bytes([number]) * MIB for number in range(6)]
        await asyncio.gather(
            *[store.put("a", body(d), size=None, sha256=None, replace=True) for d in some]
        )
        assert await whole(store, "a") in some

    @pytest.mark.parametrize("key", ["", "..", "../a", "a/../../b", "A", "a/"])
    async def test_keys_that_are_none(self, store: BlobStore, key: str) -> None:
        with pytest.raises(BadKey):
            await store.put(key, body(b"x"), size=None, sha256=None, replace=True)


def test_the_key_of_a_xorb() -> None:
    text_hash = "0123456789abcdef" * 4
    assert xorb_key(text_hash) == f"xorbs/01/23/{text_hash}"
    for wrong in ("", "0123", text_hash.upper(), text_hash[:-1], text_hash + "0", "../" + "0" * 61):
        with pytest.raises(ValueError, match="not a Xet hash"):
            xorb_key(wrong)
    with pytest.raises(ValueError, match="not a Xet hash"):
        xorb_key(text_hash[:-1] + "\n")


class Dropping:
    """Stores no comma; refuses a body that ends without a full stop."""

    def __init__(self) -> None:
        self._last = b""

    def take(self, batch):
        kept = [bytes(piece).replace(b",", b"") for piece in batch]
        self._last = b"".join(kept)[-1:] or self._last
        return kept

    def finish(self) -> None:
        if self._last != b".":
            raise LookupError("no full stop")


class TestChecks:
    async def test_a_check_says_what_is_stored(self, store: BlobStore) -> None:
        sent = body(b"one, ", b"two,", b" three.,,")
        assert await store.put("a", sent, size=None, sha256=None, check=Dropping())
        assert await whole(store, "a") == b"one two three."

    async def test_what_a_check_refuses_is_not_stored(self, store: BlobStore) -> None:
        sent = body(b"one, ", b"two")
        with pytest.raises(LookupError, match="full stop"):
            await store.put("a", sent, size=None, sha256=None, check=Dropping())
        assert await store.size("a") is None

    async def test_nothing_is_stored_of_what_follows_the_content(self, store: BlobStore) -> None:
        # On S3 the last parts are all comma: there is nothing of them to send.
        line = b"x" * 999_999 + b","
        sent = body(*[line] * 20, b".", *[b"," * MIB] * 20)
        assert await store.put("a", sent, size=None, sha256=None, check=Dropping())
        assert await store.size("a") == 20 * 999_999 + 1
