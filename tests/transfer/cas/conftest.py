# SPDX-License-Identifier: Apache-2.0
"""A hub with repositories, and what it has stored in chunks."""

import pytest

from tests.harness.hub import TestHub
from tests.transfer.cas.shelf import Shelf, shelf_of


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    """The shelf of a hub where alice has `m` and the private `p`, and bob has `m`."""
    make_repo(hub, "m")
    make_repo(hub, "p", private=True)
    make_repo(hub, "m", hub.tokens.bob)
    return shelf_of(hub)


def make_repo(hub: TestHub, name: str, token: str | None = None, *, private: bool = False) -> None:
    """Make a model, of alice's unless `token` is another's."""
    body = {"name": name, "private": private}
    made = hub.post("/api/repos/create", token=token or hub.tokens.alice, json=body)
    assert made.status_code == 200, made.text
