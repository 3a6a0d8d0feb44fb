# SPDX-License-Identifier: Apache-2.0
"""What every blob store guarantees, run against each of them."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubkeep.blobs import (
    BadKey,
    BadParts,
    BlobMissing,
    BlobStore,
    HashMismatch,
    SizeMismatch,
    UploadMissing,
    whole_key,
)
from tests.blobs.bodies import Body, body, content, put, put_parts, sha256_of, stored_keys, whole

pytestmark = pytest.mark.anyio

MIB = 1 << 20


class TestPut:
    @pytest.mark.parametrize("size", [0, 1, MIB, 3 * MIB + 7, 9 * MIB + 1])
    async def test_what_was_put_can_be_read(self, store: BlobStore, size: int) -> None:
        data = content(size)
        key = await put(store, data)
        assert await whole(store, key) == data
        assert await store.size(key) == size

    async def test_pieces_of_any_size_make_one_blob(self, store: BlobStore) -> None:
        data = content(2 * MIB + 100)
        cuts = [0, 1, 1, 300, 70_000, 70_001, MIB + 70_000, len(data)]
        pieces = [data[a:b] for a, b in pairwise(cuts)]
        await store.put("a/b", body(*pieces), size=len(data), sha256=sha256_of(data))
        assert await whole(store, "a/b") == data

    async def test_many_tiny_pieces(self, store: BlobStore) -> None:
        data = content(5000)
        pieces = [data[at : at + 2] for at in range(0, len(data), 2)]
        await store.put("tiny", body(*pieces), size=len(data), sha256=sha256_of(data))
        assert await whole(store, "tiny") == data

    async def test_without_a_hash_only_the_size_counts(self, store: BlobStore) -> None:
        await store.put("free", body(b"abc"), size=3, sha256=None)
        assert await whole(store, "free") == b"abc"

    @pytest.mark.parametrize("size", [10, 9 * MIB])
    async def test_a_wrong_hash_leaves_nothing(self, store: BlobStore, size: int) -> None:
        data = content(size)
        with pytest.raises(HashMismatch) as error:
            await store.put("a", body(data), size=size, sha256="0" * 64)
        assert error.value.got == sha256_of(data)
        await assert_empty(store)

    @pytest.mark.parametrize("size", [10, 9 * MIB])
    async def test_a_short_body_leaves_nothing(self, store: BlobStore, size: int) -> None:
        with pytest.raises(SizeMismatch) as error:
            await store.put("a", body(content(size)), size=size + 1, sha256=None)
        assert (error.value.expected, error.value.got) == (size + 1, size)
        await assert_empty(store)

    async def test_a_long_body_is_not_read_on(self, store: BlobStore) -> None:
        endless = Body(b"x" * 1000, times=1000)
        with pytest.raises(SizeMismatch):
            await store.put("a", endless, size=2500, sha256=None)
        assert endless.given == 3
        await assert_empty(store)

    @pytest.mark.parametrize("size", [100, 9 * MIB])
    async def test_a_body_that_breaks_off_leaves_nothing(self, store: BlobStore, size: int) -> None:
        with pytest.raises(ConnectionResetError):
            await store.put("a", Body(content(size), breaks=True), size=size + 1, sha256=None)
        await assert_empty(store)

    @pytest.mark.parametrize("size", [100, 9 * MIB])
    async def test_the_first_content_stays(self, store: BlobStore, size: int) -> None:
        await store.put("a", body(b"first"), size=5, sha256=None)
        await store.put("a", body(content(size)), size=size, sha256=None)
        assert await whole(store, "a") == b"first"

    @pytest.mark.parametrize("size", [100, 9 * MIB])
    async def test_a_second_body_is_checked_too(self, store: BlobStore, size: int) -> None:
        await store.put("a", body(b"first"), size=5, sha256=None)
        with pytest.raises(HashMismatch):
            await store.put("a", body(content(size)), size=size, sha256="0" * 64)
        with pytest.raises(SizeMismatch):
            await store.put("a", body(content(size)), size=size + 1, sha256=None)
        assert await whole(store, "a") == b"first"

    async def test_many_puts_of_one_key_at_once(self, store: BlobStore) -> None:
        data = content(MIB + 5)
        await asyncio.gather(*[put(store, data) for _ in range(8)])
        assert await whole(store, whole_key(sha256_of(data))) == data
        assert [stored.size for stored in await stored_keys(store)] == [len(data)]

    @pytest.mark.parametrize("size", [MIB, 9 * MIB])
    async def test_a_cancelled_put_leaves_nothing(self, store: BlobStore, size: int) -> None:
        hanging = Body(content(size), hangs=True)
        task = asyncio.create_task(store.put("a", hanging, size=size + 1, sha256=None))
        await hanging.drained.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await assert_empty(store)


class TestRead:
    async def test_a_missing_blob(self, store: BlobStore) -> None:
        with pytest.raises(BlobMissing):
            await whole(store, "no/such")
        with pytest.raises(BlobMissing):
            _ = [piece async for piece in store.open("no/such", 5, 5)]
        with pytest.raises(BlobMissing):
            await store.read("no/such", 0, 1)
        assert await store.size("no/such") is None

    async def test_a_folder_of_keys_is_no_blob(self, store: BlobStore) -> None:
        await store.put("folder/a", body(b"x"), size=1, sha256=None)
        assert await store.size("folder") is None
        with pytest.raises(BlobMissing):
            await whole(store, "folder")

    async def test_pieces_are_bounded(self, store: BlobStore) -> None:
        key = await put(store, content(5 * MIB + 1))
        sizes = [len(piece) async for piece in store.open(key)]
        assert max(sizes) <= MIB
        assert sum(sizes) == 5 * MIB + 1

    async def test_leaving_early(self, store: BlobStore) -> None:
        data = content(3 * MIB)
        key = await put(store, data)
        async with aclosing(store.open(key, 10)) as pieces:
            first = await anext(pieces)
        assert data[10:].startswith(first)

    @pytest.mark.parametrize(("start", "end"), [(-1, None), (5, 4), (0, -1)])
    async def test_a_range_must_be_one(self, store: BlobStore, start: int, end: int | None) -> None:
        key = await put(store, b"0123456789")
        with pytest.raises(ValueError, match="not a range"):
            _ = [piece async for piece in store.open(key, start, end)]

    async def test_every_range_is_the_slice(self, store: BlobStore) -> None:
        data = content(2 * MIB + 3)
        key = await put(store, data)
        edges = [0, 1, MIB - 1, MIB, MIB + 1, len(data) - 1, len(data), len(data) + 5]
        for start in edges:
            assert await whole(store, key, start) == data[start:]
            for end in (edge for edge in edges if edge >= start):
                assert await whole(store, key, start, end) == data[start:end], (start, end)
                assert await store.read(key, start, end - start) == data[start:end]

    async def test_ranges_of_an_empty_blob(self, store: BlobStore) -> None:
        key = await put(store, b"")
        assert await whole(store, key) == b""
        assert await whole(store, key, 0, 10) == b""
        assert await store.read(key, 0, 10) == b""


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.binary(max_size=300), start=st.integers(0, 320), length=st.integers(0, 320))
async def test_open_equals_the_slice(
    store: BlobStore, data: bytes, start: int, length: int
) -> None:
    key = await put(store, data)
    assert await whole(store, key, start, start + length) == data[start : start + length]
    assert await store.read(key, start, length) == data[start : start + length]


class TestKeys:
    BAD = ("", "/", "/a", "a/", "a//b", "..", "a/../b", "../a", ".a", "a/.b", "A", "a b", "a\\b")
    MORE_BAD = ("a\0b", "ä", "a\n", "x" * 201, "/".join(["abcdefgh"] * 60), "a/./b", "%2e%2e/a")

    @pytest.mark.parametrize("key", [*BAD, *MORE_BAD])
    async def test_no_key_leads_out_of_the_store(self, store: BlobStore, key: str) -> None:
        with pytest.raises(BadKey):
            await store.put(key, body(b"x"), size=1, sha256=None)
        with pytest.raises(BadKey):
            await whole(store, key)
        with pytest.raises(BadKey):
            await store.read(key, 0, 1)
        with pytest.raises(BadKey):
            await store.size(key)
        with pytest.raises(BadKey):
            await store.delete(key)
        with pytest.raises(BadKey):
            store.local_path(key)
        with pytest.raises(BadKey):
            await store.signed_get(key, seconds=60)
        with pytest.raises(BadKey):
            await store.begin_upload(key, size=1, part_size=1)

    async def test_listing(self, store: BlobStore) -> None:
        before = datetime.now(UTC) - timedelta(seconds=1)
        for key in ("a", "b/c", "b/d/e", "bb/f"):
            await store.put(key, body(b"x" * len(key)), size=len(key), sha256=None)
        listed = {stored.key: stored for stored in await stored_keys(store)}
        assert {key: stored.size for key, stored in listed.items()} == {
            "a": 1,
            "b/c": 3,
            "b/d/e": 5,
            "bb/f": 4,
        }
        now = datetime.now(UTC) + timedelta(seconds=1)
        assert all(before <= stored.modified <= now for stored in listed.values())

    async def test_listing_a_folder(self, store: BlobStore) -> None:
        for key in ("a", "b/c", "b/d/e", "bb/f"):
            await store.put(key, body(b"x"), size=1, sha256=None)
        assert {stored.key async for stored in store.keys("b")} == {"b/c", "b/d/e"}
        assert {stored.key async for stored in store.keys("b/d/")} == {"b/d/e"}
        assert [stored.key async for stored in store.keys("nothing")] == []

    async def test_deleting(self, store: BlobStore) -> None:
        key = await put(store, b"x")
        await store.delete(key)
        assert await store.size(key) is None
        await store.delete(key)
        await put(store, b"x")
        assert await whole(store, key) == b"x"


class TestParts:
    async def test_in_order(self, store: BlobStore, part_size: int) -> None:
        data = content(2 * part_size + 10)
        upload = await store.begin_upload("a/b", size=len(data), part_size=part_size)
        etags = await put_parts(store, upload, data, part_size, [1, 2, 3])
        assert await store.size("a/b") is None
        assert await store.parts(upload) == etags
        await store.finish_upload(upload, etags, sha256=sha256_of(data))
        assert sha256_of(await whole(store, "a/b")) == sha256_of(data)

    @pytest.mark.parametrize("order", [[3, 1, 2], [1, 3, 2], [1, 2, 3, 1], [1, 1, 2, 3, 3]])
    async def test_in_any_order_and_again(
        self, store: BlobStore, part_size: int, order: list[int]
    ) -> None:
        data = content(2 * part_size + 10)
        upload = await store.begin_upload("a", size=len(data), part_size=part_size)
        etags = await put_parts(store, upload, data, part_size, order)
        await store.finish_upload(upload, etags, sha256=sha256_of(data))
        assert sha256_of(await whole(store, "a")) == sha256_of(data)

    async def test_at_the_same_time(self, store: BlobStore, part_size: int) -> None:
        data = content(3 * part_size)
        upload = await store.begin_upload("a", size=len(data), part_size=part_size)
        sent = [put_parts(store, upload, data, part_size, [n]) for n in (2, 1, 3, 1)]
        etags: dict[int, str] = {}
        for some in await asyncio.gather(*sent):
            etags |= some
        await store.finish_upload(upload, etags, sha256=sha256_of(data))
        assert sha256_of(await whole(store, "a")) == sha256_of(data)

    async def test_finishing_again_and_at_the_same_time(
        self, store: BlobStore, part_size: int
    ) -> None:
        data = content(part_size + 1)
        upload = await store.begin_upload("a", size=len(data), part_size=part_size)
        etags = await put_parts(store, upload, data, part_size, [1, 2])
        sha256 = sha256_of(data)
        quoted = {number: f'"{etag}"' for number, etag in etags.items()}
        await store.finish_upload(upload, quoted, sha256=sha256)
        await asyncio.gather(*[store.finish_upload(upload, etags, sha256=sha256) for _ in range(4)])
        assert sha256_of(await whole(store, "a")) == sha256
        with pytest.raises(HashMismatch):
            await store.finish_upload(upload, etags, sha256="0" * 64)
        await store.delete("a")
        with pytest.raises(BlobMissing):
            await store.finish_upload(upload, etags, sha256=sha256)

    async def test_over_means_over(self, store: BlobStore, part_size: int) -> None:
        upload = await store.begin_upload("a", size=3, part_size=part_size)
        etags = await put_parts(store, upload, b"abc", part_size, [1])
        await store.finish_upload(upload, etags, sha256=sha256_of(b"abc"))
        with pytest.raises(UploadMissing):
            await store.put_part(upload, 1, body(b"xyz"), size=3)
        with pytest.raises(UploadMissing):
            await store.signed_part(upload, 1, seconds=60)
        with pytest.raises(UploadMissing):
            await store.parts(upload)
        assert [going async for going in store.uploads()] == []
        assert await whole(store, "a") == b"abc"

    async def test_the_first_content_stays(self, store: BlobStore, part_size: int) -> None:
        await store.put("a", body(b"first"), size=5, sha256=None)
        upload = await store.begin_upload("a", size=3, part_size=part_size)
        etags = await put_parts(store, upload, b"abc", part_size, [1])
        await store.finish_upload(upload, etags, sha256=sha256_of(b"abc"))
        assert await whole(store, "a") == b"first"

    async def test_a_wrong_hash_ends_the_upload(self, store: BlobStore, part_size: int) -> None:
        upload = await store.begin_upload("a", size=3, part_size=part_size)
        etags = await put_parts(store, upload, b"abc", part_size, [1])
        with pytest.raises(HashMismatch):
            await store.finish_upload(upload, etags, sha256="0" * 64)
        with pytest.raises(UploadMissing):
            await store.finish_upload(upload, etags, sha256=sha256_of(b"abc"))
        await assert_empty(store)

    async def test_missing_and_wrong_parts(self, store: BlobStore, part_size: int) -> None:
        data = content(part_size + 4)
        upload = await store.begin_upload("a", size=len(data), part_size=part_size)
        etags = await put_parts(store, upload, data, part_size, [1])
        sha256 = sha256_of(data)
        with pytest.raises(BadParts) as error:
            await store.finish_upload(upload, {**etags, 2: "x"}, sha256=sha256)
        assert error.value.numbers == (2,)
        etags |= await put_parts(store, upload, data, part_size, [2])
        for wrong in ({1: etags[1]}, {**etags, 3: "x"}, {**etags, 2: "x"}, {}):
            with pytest.raises(BadParts):
                await store.finish_upload(upload, wrong, sha256=sha256)
        await store.finish_upload(upload, etags, sha256=sha256)
        assert sha256_of(await whole(store, "a")) == sha256

    async def test_the_size_of_parts(self, store: BlobStore, part_size: int) -> None:
        upload = await store.begin_upload("a", size=part_size + 4, part_size=part_size)
        with pytest.raises(SizeMismatch):
            await store.put_part(upload, 2, body(b"12345"), size=5)
        with pytest.raises(SizeMismatch):
            await store.put_part(upload, 2, body(b"12345"), size=4)
        with pytest.raises(SizeMismatch):
            await store.put_part(upload, 2, body(b"123"), size=4)
        for number in (0, 3, -1):
            with pytest.raises(BadParts):
                await store.put_part(upload, number, body(b"1234"), size=4)
            with pytest.raises(BadParts):
                await store.signed_part(upload, number, seconds=60)
        assert await store.parts(upload) == {}

    async def test_a_broken_part_is_not_there(self, store: BlobStore, part_size: int) -> None:
        data = content(part_size + 4)
        upload = await store.begin_upload("a", size=len(data), part_size=part_size)
        broken = Body(data[: part_size // 2], breaks=True)
        with pytest.raises(ConnectionResetError):
            await store.put_part(upload, 1, broken, size=part_size)
        assert await store.parts(upload) == {}
        etags = await put_parts(store, upload, data, part_size, [2, 1])
        await store.finish_upload(upload, etags, sha256=sha256_of(data))

    async def test_aborting(self, store: BlobStore, part_size: int) -> None:
        upload = await store.begin_upload("a", size=3, part_size=part_size)
        etags = await put_parts(store, upload, b"abc", part_size, [1])
        await store.abort_upload(upload)
        await store.abort_upload(upload)
        with pytest.raises(UploadMissing):
            await store.put_part(upload, 1, body(b"abc"), size=3)
        with pytest.raises(UploadMissing):
            await store.finish_upload(upload, etags, sha256=sha256_of(b"abc"))
        await assert_empty(store)

    async def test_listing(self, store: BlobStore, part_size: int) -> None:
        before = datetime.now(UTC)
        ids = {await store.begin_upload("a", size=3, part_size=part_size) for _ in range(2)}
        assert len(ids) == 2
        going = [upload async for upload in store.uploads()]
        assert {upload.upload for upload in going} == ids
        assert {upload.key for upload in going} == {"a"}
        assert all(before <= upload.started <= datetime.now(UTC) for upload in going)

    @pytest.mark.parametrize("upload", ["", "x", "..", "../../etc", "0" * 32, "0" * 31 + "/"])
    async def test_ids_that_are_none(self, store: BlobStore, upload: str) -> None:
        with pytest.raises(UploadMissing):
            await store.put_part(upload, 1, body(b"x"), size=1)
        with pytest.raises(UploadMissing):
            await store.parts(upload)
        with pytest.raises(UploadMissing):
            await store.finish_upload(upload, {}, sha256="0" * 64)

    @pytest.mark.parametrize(("size", "part"), [(0, 10), (10, 0), (-1, 5), (10**9, 10)])
    async def test_sizes_that_are_none(self, store: BlobStore, size: int, part: int) -> None:
        with pytest.raises(ValueError, match="part"):
            await store.begin_upload("a", size=size, part_size=part)

    async def test_sweeping_spares_open_uploads_and_blobs(
        self, store: BlobStore, part_size: int
    ) -> None:
        upload = await store.begin_upload("a", size=3, part_size=part_size)
        etags = await put_parts(store, upload, b"abc", part_size, [1])
        await store.sweep(timedelta(days=-1))
        await store.finish_upload(upload, etags, sha256=sha256_of(b"abc"))
        assert await store.sweep(timedelta(days=1)) == 0
        assert await store.sweep(timedelta(days=-1)) == 1
        assert await whole(store, "a") == b"abc"
        with pytest.raises(UploadMissing):
            await store.finish_upload(upload, etags, sha256=sha256_of(b"abc"))


def test_the_key_of_a_whole_file() -> None:
    sha256 = hashlib.sha256(b"").hexdigest()
    assert whole_key(sha256) == f"sha256/e3/b0/{sha256}"
    for wrong in ("", "E3B0", sha256.upper(), sha256[:-1], "../" + sha256[3:]):
        with pytest.raises(ValueError, match="not a sha256"):
            whole_key(wrong)


async def assert_empty(store: BlobStore) -> None:
    """Nothing is visible, and nothing broken is left for ever."""
    assert await stored_keys(store) == []
    assert [going.upload async for going in store.uploads()] == []
