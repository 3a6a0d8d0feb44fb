# SPDX-License-Identifier: Apache-2.0
"""The three stores, for the contract; S3 is moto's server on loopback."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

from hubkeep.blobs import BlobStore, S3Credentials, open_store
from tests.harness.s3 import ACCESS_KEY, SECRET_KEY

CREDENTIALS = S3Credentials(ACCESS_KEY, SECRET_KEY)


@pytest.fixture(scope="session")
def prefixes() -> Iterator[str]:
    return (f"test/{number}" for number in count())


@pytest.fixture
def s3_prefix(s3_client, prefixes: Iterator[str]) -> str:
    """A place in the bucket `blobs` that is this test's alone."""
    return next(prefixes)


@pytest.fixture
def s3_url(s3_endpoint: str, s3_prefix: str) -> str:
    return f"s3://blobs/{s3_prefix}?endpoint={s3_endpoint}"


@pytest.fixture(params=["memory", "local", "s3"])
def backend(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def store_url(request: pytest.FixtureRequest, backend: str, tmp_path: Path) -> str:
    if backend == "s3":
        return request.getfixturevalue("s3_url")
    return "memory:" if backend == "memory" else str(tmp_path)


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[BlobStore, None]:
    store = open_store(url, credentials=CREDENTIALS)
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
async def store(store_url: str) -> AsyncGenerator[BlobStore, None]:
    """An empty store of each kind in turn."""
    async with opened(store_url) as ready:
        yield ready


@pytest.fixture
async def s3(s3_url: str) -> AsyncGenerator[BlobStore, None]:
    """The one on S3."""
    async with opened(s3_url) as ready:
        yield ready


@pytest.fixture
def part_size(backend: str) -> int:
    """The smallest part on S3, and a handier one elsewhere."""
    return 5 << 20 if backend == "s3" else 100_000
