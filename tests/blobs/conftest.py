# SPDX-License-Identifier: Apache-2.0
"""The three stores, for the contract."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from hubkeep.blobs import BlobStore
from hubkeep.blobs.local import LocalStore
from hubkeep.blobs.memory import MemoryStore


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["memory", "local"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[BlobStore, None]:
    opened: BlobStore = MemoryStore() if request.param == "memory" else LocalStore(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
def part_size() -> int:
    return 100_000
