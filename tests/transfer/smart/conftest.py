# SPDX-License-Identifier: Apache-2.0
"""People with git, and repositories for them, on the live hub."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.hub import LiveHub
from tests.transfer.smart.native import GitClient, Remote, make_client, make_remote


@pytest.fixture
def git(live_hub: LiveHub, tmp_path: Path) -> GitClient:
    """Alice's git, with her token in a header."""
    return make_client(live_hub, tmp_path / "home", live_hub.tokens.alice)


@pytest.fixture
def new_remote(live_hub: LiveHub) -> Callable[..., Remote]:
    """Makes repositories of alice's: `new_remote("datasets", private=True)`; see `make_remote`."""

    def made(plural: str = "models", **how: object) -> Remote:
        return make_remote(live_hub, plural, **how)

    return made


@pytest.fixture
def remote(new_remote: Callable[..., Remote]) -> Remote:
    """A public model of alice's, for one test alone."""
    return new_remote()
