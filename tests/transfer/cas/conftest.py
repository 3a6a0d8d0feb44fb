# SPDX-License-Identifier: Apache-2.0
"""A hub with repositories, and what it has stored in chunks."""

import pytest

from tests.harness.hub import TestHub
from tests.transfer.cas.shelf import Shelf, shelf_of


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    """The shelf of a hub where alice has `m` and the private `p`, and bob has `m`."""
    for token, name, private in (
        (hub.tokens.alice, "m", False),
        (hub.tokens.alice, "p", True),
        (hub.tokens.bob, "m", False),
    ):
        body = {"name": name, "private": private}
        assert hub.post("/api/repos/create", token=token, json=body).status_code == 200
    return shelf_of(hub)
