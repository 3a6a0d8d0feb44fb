# SPDX-License-Identifier: Apache-2.0
"""A town for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.transfer.town import Town, town_at


@pytest.fixture
async def town(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """A hub with people in it, on each of the databases, with a folder for the bytes."""
    async with town_at(database_url, tmp_path / "data") as town:
        yield town


@pytest.fixture
async def quick_town(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """Like `town`, on SQLite alone: for tests of what never reaches the database."""
    async with town_at(sqlite_url, tmp_path / "data") as town:
        yield town
