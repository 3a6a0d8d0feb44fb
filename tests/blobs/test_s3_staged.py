# SPDX-License-Identifier: Apache-2.0
"""Bytes that clients put into S3 by themselves: what is published is what was checked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from hubkeep.blobs import BlobStore, SignedPut, SizeMismatch, StoreUnavailable, UploadMissing
from hubkeep.blobs.s3 import S3Store
from tests.blobs.bodies import body, content, whole
from tests.blobs.conftest import opened
from tests.blobs.s3_clients import objects, send

pytestmark = pytest.mark.anyio

MIB = 1 << 20
DATA = content(2 * MIB + 17)
OTHER = bytes(len(DATA))


async def read_all(pieces: AsyncGenerator[bytes, None]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def staged(store: BlobStore, data: bytes = DATA, size: int | None = None) -> SignedPut:
    """An address that these bytes were put to, as a client does."""
    signed = await store.signed_put(size=len(data) if size is None else size, seconds=60)
    assert signed is not None
    await put(signed, data)
    return signed


async def put(signed: SignedPut, data: bytes) -> None:
    await asyncio.to_thread(send, signed.url, data)


async def test_what_passes_is_published_and_forgotten(
    s3: BlobStore, s3_client, s3_prefix: str
) -> None:
    signed = await staged(s3)
    assert await s3.size("a") is None
    assert await s3.publish_staged(signed.id, "a", read_all) == (DATA, True)
    assert await whole(s3, "a") == DATA
    await s3.close()
    assert objects(s3_client, s3_prefix) == ["blobs/a"]


async def test_pieces_are_bounded(s3: BlobStore) -> None:
    async def sizes(pieces: AsyncGenerator[bytes, None]) -> list[int]:
        return [len(piece) async for piece in pieces]

    signed = await staged(s3)
    assert max((await s3.publish_staged(signed.id, "a", sizes))[0]) <= MIB


async def test_it_outlives_the_process(s3: BlobStore, s3_url: str) -> None:
    signed = await staged(s3)
    async with opened(s3_url) as other:
        await other.publish_staged(signed.id, "a", read_all)
    with pytest.raises(UploadMissing):
        await s3.publish_staged(signed.id, "a", read_all)
    assert await whole(s3, "a") == DATA


async def test_a_key_that_is_there_keeps_its_bytes(s3: BlobStore) -> None:
    await s3.put("a", body(b"first"), size=5, sha256=None)
    signed = await staged(s3)
    assert await s3.publish_staged(signed.id, "a", read_all) == (DATA, False)
    assert await whole(s3, "a") == b"first"


async def test_what_does_not_pass_is_forgotten(s3: BlobStore, s3_client, s3_prefix: str) -> None:
    async def refuse(pieces: AsyncGenerator[bytes, None]) -> None:
        await anext(pieces)
        raise ValueError("bad xorb")

    signed = await staged(s3)
    with pytest.raises(ValueError, match="bad xorb"):
        await s3.publish_staged(signed.id, "a", refuse)
    with pytest.raises(UploadMissing):
        await s3.publish_staged(signed.id, "a", read_all)
    await s3.close()
    assert objects(s3_client, s3_prefix) == []


async def test_what_was_not_read_to_its_end_is_not_published(s3: BlobStore) -> None:
    async def trusting(pieces: AsyncGenerator[bytes, None]) -> None:
        await anext(pieces)

    signed = await staged(s3)
    with pytest.raises(SizeMismatch):
        await s3.publish_staged(signed.id, "a", trusting)
    assert await s3.size("a") is None


@pytest.mark.parametrize("when", ["before", "midway", "after"])
async def test_a_client_that_puts_again_changes_nothing(s3: BlobStore, when: str) -> None:
    """It puts other bytes while the first ones are being checked."""
    signed = await staged(s3)

    async def overtaken(pieces: AsyncGenerator[bytes, None]) -> bytes:
        if when == "before":
            await put(signed, OTHER)
        first = await anext(pieces)
        if when == "midway":
            await put(signed, OTHER)
        rest = await read_all(pieces)
        if when == "after":
            await put(signed, OTHER)
        return first + rest

    assert await s3.publish_staged(signed.id, "a", overtaken) == (DATA, True)
    assert await whole(s3, "a") == DATA


async def test_a_client_that_puts_longer_bytes_behind_the_check_of_the_size(
    s3: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes a service that does not hold a client to the length that was signed."""
    signed = await staged(s3)
    assert isinstance(s3, S3Store)
    size, seen = s3._objects.size, []

    async def size_too_early(path: str) -> int | None:
        got = await size(path)
        await put(signed, DATA + b"x")
        return got

    async def counting(pieces: AsyncGenerator[bytes, None]) -> None:
        seen.append(len(await read_all(pieces)))

    monkeypatch.setattr(s3._objects, "size", size_too_early)
    with pytest.raises(SizeMismatch):
        await s3.publish_staged(signed.id, "a", counting)
    monkeypatch.undo()
    assert seen[0] <= len(DATA)
    assert await s3.size("a") is None


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"x", b""])
async def test_another_size_than_was_signed(
    s3: BlobStore, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused before S3 copies anything, were it a terabyte."""
    signed = await staged(s3, data, size=len(DATA))
    assert isinstance(s3, S3Store)
    monkeypatch.setattr(s3._parts, "copy", None)
    with pytest.raises(SizeMismatch):
        await s3.publish_staged(signed.id, "a", read_all)
    with pytest.raises(UploadMissing):
        await s3.publish_staged(signed.id, "a", read_all)
    assert await s3.size("a") is None


async def test_an_id_with_another_size_is_another_id(s3: BlobStore) -> None:
    signed = await staged(s3)
    name, _, size = signed.id.partition("-")
    with pytest.raises(UploadMissing):
        await s3.publish_staged(f"{name}-{int(size) + 1}", "a", read_all)
    assert await s3.publish_staged(signed.id, "a", read_all) == (DATA, True)


async def test_publishing_at_the_same_time(s3: BlobStore, s3_client, s3_prefix: str) -> None:
    """Some may come too late; none publishes anything else, or takes from another what it reads."""
    signed = await staged(s3)
    outcomes = await asyncio.gather(
        *[s3.publish_staged(signed.id, "a", read_all) for _ in range(5)], return_exceptions=True
    )
    assert (DATA, True) in outcomes
    known = [(DATA, True), (DATA, False)]
    assert all(what in known or isinstance(what, UploadMissing) for what in outcomes)
    assert await whole(s3, "a") == DATA
    await s3.close()
    assert objects(s3_client, s3_prefix) == ["blobs/a"]


async def test_a_caller_that_leaves_can_come_back(s3: BlobStore, s3_client, s3_prefix: str) -> None:
    signed = await staged(s3)
    begun = asyncio.Event()

    async def hang(pieces: AsyncGenerator[bytes, None]) -> None:
        await anext(pieces)
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(s3.publish_staged(signed.id, "a", hang))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await s3.size("a") is None
    assert await s3.publish_staged(signed.id, "a", read_all) == (DATA, True)
    await s3.close()
    assert objects(s3_client, s3_prefix) == ["blobs/a"]


async def test_a_service_that_fails_costs_the_client_nothing(
    s3: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: str) -> AsyncGenerator[bytes, None]:
        yield b"x"
        raise StoreUnavailable("gone")

    signed = await staged(s3)
    assert isinstance(s3, S3Store)
    with monkeypatch.context() as patch:
        patch.setattr(s3._objects, "stream", broken)
        with pytest.raises(StoreUnavailable):
            await s3.publish_staged(signed.id, "a", read_all)
    assert await s3.publish_staged(signed.id, "a", read_all) == (DATA, True)


async def test_a_key_deleted_meanwhile_is_there_again(s3: BlobStore) -> None:
    await s3.put("a", body(b"first"), size=5, sha256=None)
    signed = await staged(s3)

    async def delete(pieces: AsyncGenerator[bytes, None]) -> None:
        await read_all(pieces)
        await s3.delete("a")

    await s3.publish_staged(signed.id, "a", delete)
    assert await whole(s3, "a") == DATA


async def test_sweeping_takes_what_was_never_published(
    s3: BlobStore, s3_client, s3_prefix: str
) -> None:
    signed = await staged(s3)
    await s3.publish_staged(signed.id, "a", read_all)
    await put(signed, OTHER)  # the address is still good, and leads nowhere
    other = await staged(s3)
    s3_client.put_object(
        Bucket="blobs", Key=f"{s3_prefix}/staging/{other.id}.{'0' * 16}", Body=b"x"
    )
    assert await s3.sweep(timedelta(days=1)) == 0
    await s3.sweep(timedelta(days=-1))
    assert objects(s3_client, s3_prefix) == ["blobs/a"]
    assert await whole(s3, "a") == DATA


async def test_clients_that_cannot_reach_s3(s3_url: str) -> None:
    async with opened(s3_url + "&direct=no") as store:
        assert await store.signed_put(size=1, seconds=60) is None


async def test_clients_that_reach_s3_by_another_name(s3_url: str) -> None:
    async with opened(s3_url + "&public=https://files.example.org") as store:
        signed = await store.signed_put(size=1, seconds=60)
    assert signed is not None
    assert signed.url.startswith("https://files.example.org/blobs/test/")
