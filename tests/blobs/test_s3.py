# SPDX-License-Identifier: Apache-2.0
"""S3: what clients are handed, what stays in the bucket, and a service that is not there."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from boto3.s3.transfer import TransferConfig

from hubkeep.blobs import (
    BadParts,
    BlobStore,
    HashMismatch,
    StoreUnavailable,
    open_store,
)
from hubkeep.blobs.s3 import S3Store
from tests.blobs.bodies import Body, body, content, put, put_parts, sha256_of, whole
from tests.blobs.conftest import CREDENTIALS
from tests.blobs.s3_clients import expect_refusal, fetch, multiparts, objects, send

pytestmark = pytest.mark.anyio

MIB = 1 << 20


async def test_a_signed_address_serves_the_blob(s3: BlobStore) -> None:
    data = content(1000)
    url = await s3.signed_get(await put(s3, data), seconds=60)
    assert url is not None
    assert await asyncio.to_thread(fetch, url)
    status, got, _ = await asyncio.to_thread(fetch, url, Range="bytes=10-19")
    assert (status, got) == (206, data[10:20])


async def test_a_signed_address_says_name_and_type(s3: BlobStore) -> None:
    key = await put(s3, b"abc")
    name = 'größe "1"\r\nX: y.bin'
    url = await s3.signed_get(key, seconds=60, filename=name, content_type="text/plain")
    assert url is not None
    query = parse_qs(urlsplit(url).query)
    assert query["response-content-type"] == ["text/plain"]
    plain = 'attachment; filename="gr__e _1___X: y.bin"; '
    exact = "filename*=UTF-8''gr%C3%B6%C3%9Fe%20%221%22%0D%0AX%3A%20y.bin"
    assert query["response-content-disposition"] == [plain + exact]
    assert query["X-Amz-Expires"] == ["60"]


async def test_parts_go_to_signed_addresses(s3: BlobStore) -> None:
    part_size = 5 * MIB
    data = content(part_size + 100)
    upload = await s3.begin_upload("a", size=len(data), part_size=part_size)
    etags = {}
    for number, part in ((2, data[part_size:]), (1, data[:part_size])):
        url = await s3.signed_part(upload, number, seconds=60)
        assert url is not None
        assert "content-length" in parse_qs(urlsplit(url).query)["X-Amz-SignedHeaders"][0]
        etags[number] = await asyncio.to_thread(send, url, part)
    assert {n: etag.strip('"') for n, etag in etags.items()} == await s3.parts(upload)
    await s3.finish_upload(upload, etags, sha256=sha256_of(data))
    assert await whole(s3, "a") == data
    late = await asyncio.to_thread(expect_refusal, url, b"x" * part_size)
    assert late >= 400
    assert await whole(s3, "a") == data


async def test_a_signed_part_of_another_size_does_not_count(s3: BlobStore) -> None:
    upload = await s3.begin_upload("a", size=100, part_size=5 * MIB)
    url = await s3.signed_part(upload, 1, seconds=60)
    assert url is not None
    etag = await asyncio.to_thread(send, url, b"x" * 101)
    assert await s3.parts(upload) == {}
    with pytest.raises(BadParts):
        await s3.finish_upload(upload, {1: etag}, sha256="0" * 64)


async def test_parts_too_small_for_s3_are_refused_at_once(s3: BlobStore) -> None:
    with pytest.raises(ValueError, match="part"):
        await s3.begin_upload("a", size=10 * MIB, part_size=MIB)


async def test_the_upload_outlives_the_process(s3: BlobStore, s3_url: str) -> None:
    part_size = 5 * MIB
    data = content(part_size + 100)
    upload = await s3.begin_upload("a", size=len(data), part_size=part_size)
    etags = await put_parts(s3, upload, data, part_size, [2])
    other = open_store(s3_url, credentials=CREDENTIALS)
    assert await other.parts(upload) == etags
    etags |= await put_parts(other, upload, data, part_size, [1])
    await other.finish_upload(upload, etags, sha256=sha256_of(data))
    await s3.finish_upload(upload, etags, sha256=sha256_of(data))
    assert await whole(other, "a") == data
    await other.close()


async def test_another_process_is_quicker_to_finish(
    s3: BlobStore, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await s3.begin_upload("a", size=3, part_size=5 * MIB)
    etags = await put_parts(s3, upload, b"abc", 5 * MIB, [1])
    other = open_store(s3_url, credentials=CREDENTIALS)
    assert isinstance(s3, S3Store)
    loop, copy = asyncio.get_running_loop(), s3._parts.copy

    def copy_too_late(source: str, target: str) -> None:
        finish = other.finish_upload(upload, etags, sha256=sha256_of(b"abc"))
        asyncio.run_coroutine_threadsafe(finish, loop).result(20)
        copy(source, target)

    monkeypatch.setattr(s3._parts, "copy", copy_too_late)
    await s3.finish_upload(upload, etags, sha256=sha256_of(b"abc"))
    assert await whole(s3, "a") == b"abc"
    await other.close()


async def test_a_finish_that_broke_off_after_joining(
    s3: BlobStore, s3_client, s3_prefix: str
) -> None:
    upload = await s3.begin_upload("a", size=3, part_size=5 * MIB)
    etags = await put_parts(s3, upload, b"abc", 5 * MIB, [1])
    (begun,) = s3_client.list_multipart_uploads(Bucket="blobs", Prefix=s3_prefix + "/")["Uploads"]
    s3_client.complete_multipart_upload(
        Bucket="blobs",
        Key=begun["Key"],
        UploadId=begun["UploadId"],
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etags[1]}]},
    )
    await s3.finish_upload(upload, etags, sha256=sha256_of(b"abc"))
    assert await whole(s3, "a") == b"abc"


async def test_what_stays_in_the_bucket(s3: BlobStore, s3_client, s3_prefix: str) -> None:
    key = await put(s3, content(9 * MIB))
    upload = await s3.begin_upload("a", size=3, part_size=5 * MIB)
    etags = await put_parts(s3, upload, b"abc", 5 * MIB, [1])
    await s3.finish_upload(upload, etags, sha256=sha256_of(b"abc"))
    assert objects(s3_client, s3_prefix) == ["blobs/a", f"blobs/{key}", f"finished/{upload}"]
    assert multiparts(s3_client, s3_prefix) == []
    aborted = await s3.begin_upload("b", size=3, part_size=5 * MIB)
    await s3.abort_upload(aborted)
    wrong = await s3.begin_upload("b", size=3, part_size=5 * MIB)
    etags = await put_parts(s3, wrong, b"abc", 5 * MIB, [1])
    with pytest.raises(HashMismatch):
        await s3.finish_upload(wrong, etags, sha256="0" * 64)
    assert objects(s3_client, s3_prefix) == ["blobs/a", f"blobs/{key}", f"finished/{upload}"]
    assert multiparts(s3_client, s3_prefix) == []


async def test_a_body_without_a_size_is_held_in_bounds(
    s3: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two parts at most: one that is sent while the next one comes."""
    assert isinstance(s3, S3Store)
    coming, send_part = Body(content(MIB), times=50), s3._parts.send
    held: list[int] = []

    def watched(path: str, s3_id: str, number: int, part: bytes) -> str:
        etag = send_part(path, s3_id, number, part)
        held.append(coming.given * MIB - (number - 1) * 8 * MIB)
        assert len(part) <= 8 * MIB
        return etag

    monkeypatch.setattr(s3._parts, "send", watched)
    await s3.put("a", coming, size=None, sha256=None)
    assert await s3.size("a") == 50 * MIB
    assert len(held) == 7
    assert max(held) <= 20 * MIB  # and what a batch and the piece in hand take


async def test_a_large_object_is_copied_in_parts(
    s3: BlobStore, s3_client, s3_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_parts = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    monkeypatch.setattr("hubkeep.blobs.s3_parts._COPYING", in_parts)
    data = content(11 * MIB)
    key = await put(s3, data)
    assert etag_of(s3_client, f"{s3_prefix}/blobs/{key}").endswith("-2")
    await put(s3, data)
    assert etag_of(s3_client, f"{s3_prefix}/blobs/{key}").endswith("-3")
    assert await whole(s3, key) == data


def etag_of(s3_client, name: str) -> str:
    return s3_client.head_object(Bucket="blobs", Key=name)["ETag"].strip('"')


@pytest.mark.parametrize("how", ["breaks", "hangs", "hash"])
async def test_a_failed_put_aborts_its_upload(
    s3_url: str, s3_client, s3_prefix: str, how: str
) -> None:
    store = open_store(s3_url, credentials=CREDENTIALS)
    failing = Body(content(MIB), times=20, breaks=how == "breaks", hangs=how == "hangs")
    size = (20 if how == "hash" else 21) * MIB
    task = asyncio.create_task(store.put("a", failing, size=size, sha256="0" * 64))
    await failing.drained.wait()
    if how == "hangs":
        task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() or task.exception() is not None
    await store.close()
    assert objects(s3_client, s3_prefix) == []
    assert multiparts(s3_client, s3_prefix) == []


async def test_sweeping_takes_what_belongs_to_nobody(
    s3: BlobStore, s3_client, s3_prefix: str
) -> None:
    upload = await s3.begin_upload("a", size=3, part_size=5 * MIB)
    s3_client.put_object(Bucket="blobs", Key=f"{s3_prefix}/staging/{'1' * 32}", Body=b"x")
    assert await s3.sweep(timedelta(days=1)) == 0
    # These come late in the test because moto says of each that it was begun in 2010.
    for name in ("blobs/killed", "staging/" + "0" * 32):
        s3_client.create_multipart_upload(Bucket="blobs", Key=f"{s3_prefix}/{name}")
    assert await s3.sweep(timedelta(days=-1)) == 3
    assert multiparts(s3_client, s3_prefix) == [f"{s3_prefix}/staging/{upload}"]
    assert objects(s3_client, s3_prefix) == [f"uploads/{upload}"]


async def test_clients_that_cannot_reach_s3(s3_url: str) -> None:
    store = open_store(s3_url + "&direct=no", credentials=CREDENTIALS)
    assert await store.signed_get("a", seconds=60) is None
    upload = await store.begin_upload("a", size=3, part_size=5 * MIB)
    assert await store.signed_part(upload, 1, seconds=60) is None
    with pytest.raises(BadParts):
        await store.signed_part(upload, 2, seconds=60)
    await store.close()


async def test_clients_that_reach_s3_by_another_name(s3_url: str) -> None:
    store = open_store(s3_url + "&public=https://files.example.org", credentials=CREDENTIALS)
    url = await store.signed_get("a", seconds=60)
    assert url is not None
    assert url.startswith("https://files.example.org/blobs/test/")
    await put(store, b"abc")
    await store.close()


async def test_the_environment_is_not_asked(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "from-the-environment")
    monkeypatch.setenv("AWS_REGION", "eu-west-9")
    store = open_store(s3_url, credentials=CREDENTIALS)
    data = content(9 * MIB)
    assert await whole(store, await put(store, data)) == data
    url = await store.signed_get("a", seconds=60)
    assert url is not None
    assert "from-the-environment" not in url
    assert "test%2F" in url
    assert "us-east-1" in url
    await store.close()


async def test_a_service_that_is_not_there() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        url = f"s3://blobs?endpoint=http://127.0.0.1:{port}"
        store = open_store(url, credentials=CREDENTIALS)
        with pytest.raises(StoreUnavailable):
            await store.size("a")
        with pytest.raises(StoreUnavailable):
            await store.put("a", body(b"abc"), size=3, sha256=None)
        await store.close()


async def test_a_bucket_that_is_not_there(s3_endpoint: str) -> None:
    store = open_store(f"s3://missing?endpoint={s3_endpoint}", credentials=CREDENTIALS)
    with pytest.raises(StoreUnavailable):
        await store.begin_upload("a", size=3, part_size=5 * MIB)
    await store.close()
