# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the pages: passwords that are hashed with little work, and a signed-in browser."""

from collections.abc import Callable
from functools import partial

import pytest

from hubkeep.identity import passwords
from tests.harness.hub import TestHub
from tests.web.browser import Browser, give_passwords


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with little work; what is stored says how much it took."""
    import argon2

    cheap = partial(argon2.PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(argon2, "PasswordHasher", cheap)
    decoy = cheap().hash("nobody's password")
    monkeypatch.setattr(passwords, "_decoy", lambda: decoy)


@pytest.fixture
def browser(hub: TestHub, quick: None) -> Browser:
    """A browser that nobody is signed in with; alice, bob and root have a password."""
    give_passwords(hub)
    return Browser(hub)


@pytest.fixture
def alice(browser: Browser) -> Browser:
    """A browser that alice is signed in with."""
    browser.sign_in("alice")
    return browser


@pytest.fixture
def another(alice: Browser) -> Callable[[str], Browser]:
    """One more browser of somebody's."""

    def signed_in(name: str) -> Browser:
        made = Browser(alice.hub)
        made.sign_in(name)
        return made

    return signed_in
