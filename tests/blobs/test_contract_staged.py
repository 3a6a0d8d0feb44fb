# SPDX-License-Identifier: Apache-2.0
"""Addresses for a part of a blob, and for bytes that clients put by themselves: what is refused."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from hubkeep.blobs import BadKey, BlobStore, UploadMissing

pytestmark = pytest.mark.anyio

HOSTILE = ("", "x", "..", "../../etc", "0" * 32, "0" * 31 + "/-1", "0" * 32 + "-01")
MORE_HOSTILE = ("0" * 32 + "-1/../a", "0" * 32 + "-" + "9" * 30, "A" * 32 + "-1", "0" * 32 + "-1\n")


async def never(_: AsyncGenerator[bytes, None]) -> None:
    raise AssertionError("nothing came that could be checked")


@pytest.mark.parametrize("staged", [*HOSTILE, *MORE_HOSTILE, "0" * 32 + "-1"])
async def test_what_nobody_put_is_not_published(store: BlobStore, staged: str) -> None:
    with pytest.raises(UploadMissing):
        await store.publish_staged(staged, "a", never)
    assert await store.size("a") is None


async def test_an_upload_in_parts_is_not_published(store: BlobStore, part_size: int) -> None:
    upload = await store.begin_upload("a", size=1, part_size=part_size)
    with pytest.raises(UploadMissing):
        await store.publish_staged(upload, "a", never)


@pytest.mark.parametrize("key", ["", "..", "../a", "A", "a/"])
async def test_no_key_leads_out_of_the_store(store: BlobStore, key: str) -> None:
    with pytest.raises(BadKey):
        await store.publish_staged("0" * 32 + "-1", key, never)


@pytest.mark.parametrize("size", [0, -1, (5 << 30) + 1])
async def test_sizes_that_no_put_takes(store: BlobStore, size: int) -> None:
    with pytest.raises(ValueError, match="one PUT"):
        await store.signed_put(size=size, seconds=60)


@pytest.mark.parametrize("span", [(0, 0), (5, 5), (5, 4), (-1, 4)])
async def test_spans_that_are_none(store: BlobStore, span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not a span"):
        await store.signed_get("a", seconds=60, span=span)
