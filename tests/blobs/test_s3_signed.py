# SPDX-License-Identifier: Apache-2.0
"""What a signature covers: each test signs the changed request anew, as S3 does to check it."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from hubkeep.blobs import BlobStore
from tests.blobs.bodies import content, put
from tests.blobs.conftest import CREDENTIALS
from tests.blobs.s3_clients import fetch

pytestmark = pytest.mark.anyio


def is_signed(method: str, url: str, **headers: str) -> bool:
    """Whether the signature in the address is that of this request, by botocore's reckoning."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    plain = url.partition("&X-Amz-Signature=")[0]
    assert "Signature" not in plain
    signed = query["X-Amz-SignedHeaders"].split(";")
    sent = {"host": urlsplit(url).netloc, **{n.lower(): v for n, v in headers.items()}}
    if not set(signed) <= sent.keys():
        return False
    checked = {name: sent[name] for name in signed}
    request = AWSRequest(method=method, url=plain, headers=checked)
    request.context["timestamp"] = query["X-Amz-Date"]
    keys = Credentials(CREDENTIALS.access_key, CREDENTIALS.secret_key)
    auth = S3SigV4QueryAuth(keys, "s3", "us-east-1", int(query["X-Amz-Expires"]))
    canonical = auth.canonical_request(request)
    return (
        auth.signature(auth.string_to_sign(request, canonical), request)
        == (query["X-Amz-Signature"])
    )


async def test_a_span_is_all_that_its_address_gives(s3: BlobStore) -> None:
    key = await put(s3, content(1000))
    url = await s3.signed_get(key, seconds=60, span=(100, 200))
    assert url is not None
    assert parse_qs(urlsplit(url).query)["X-Amz-SignedHeaders"] == ["host;range"]
    assert is_signed("GET", url, Range="bytes=100-199")
    for other in ("bytes=100-200", "bytes=0-199", "bytes=100-", "bytes=100-199,300-400", ""):
        assert not is_signed("GET", url, Range=other)
    assert not is_signed("GET", url)
    assert not is_signed("PUT", url, Range="bytes=100-199")
    assert not is_signed("GET", url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"))


async def test_a_span_is_served(s3: BlobStore) -> None:
    data = content(1000)
    url = await s3.signed_get(await put(s3, data), seconds=60, span=(100, 200))
    assert url is not None
    status, got, _ = await asyncio.to_thread(fetch, url, Range="bytes=100-199")
    assert (status, got) == (206, data[100:200])


async def test_without_a_span_any_range_will_do(s3: BlobStore) -> None:
    url = await s3.signed_get(await put(s3, b"abc"), seconds=60)
    assert url is not None
    assert is_signed("GET", url)
    assert is_signed("GET", url, Range="bytes=1-1")


async def test_an_address_to_put_to_takes_one_length(s3: BlobStore) -> None:
    signed = await s3.signed_put(size=1000, seconds=60)
    assert signed is not None
    assert is_signed("PUT", signed.url, **signed.headers, **{"Content-Length": "1000"})
    for other in ("999", "1001", "01000", ""):
        assert not is_signed("PUT", signed.url, **{"Content-Length": other})
    assert not is_signed("PUT", signed.url)
    assert not is_signed("GET", signed.url, **{"Content-Length": "1000"})
