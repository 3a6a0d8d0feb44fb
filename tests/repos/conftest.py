# SPDX-License-Identifier: Apache-2.0
"""A world of its own for each test of this room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repos.world import World, open_world


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """A hub with ada, who owns things, and org `lab`; nobody else has any right to them."""
    with open_world(database_url, tmp_path) as made:
        made.user("ada", fullname="Ada L.")
        made.user("bob")
        made.org("lab", ada="admin")
        yield made
