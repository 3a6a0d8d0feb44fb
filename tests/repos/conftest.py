# SPDX-License-Identifier: Apache-2.0
"""A world of its own for each test of this room."""

import pytest

from tests.harness.hub import TestHub
from tests.repos.world import World


@pytest.fixture
def world(hub: TestHub) -> World:
    """A hub with ada, who owns things and an organisation; ben has no right to any of them."""
    made = World(hub)
    made.user("ada", fullname="Ada L.")
    made.user("ben")
    made.org("lab", ada="admin")
    return made
