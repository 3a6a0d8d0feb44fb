# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests in a browser: one chromium for these tests, a fresh context for each."""

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.browser.chromium import MISSING, find_chromium, running_chromium
from tests.browser.site import Site, running_site
from tests.browser.watch import Watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PATIENCE_MS = 15_000
"""How long a step may take before it counts as never: a machine whose cores all test is slow."""


class OpenPage(Protocol):
    """Open a window: whose, how wide, light or dark, and what else Playwright's contexts take."""

    def __call__(
        self, user: str | None = None, *, width: int = 1280, theme: str = "light", **context: Any
    ) -> "Page": ...


# Playwright holds this thread's event loop for as long as it runs, and other tests need one: so it
# lives while tests of this folder run, and not for the whole session.
@pytest.fixture(scope="package")
def chromium() -> "Iterator[Browser]":
    """Debian's chromium; its tests are skipped where it is missing, and fail there in CI."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = find_chromium()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with running_chromium(path) as browser:
        yield browser


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A live hub on which everybody may sign up, shared by the tests of this worker."""
    with running_site(tmp_path_factory.mktemp("site"), sign_up="open") as site:
        yield site


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What goes wrong in this test's windows; by its end there may be nothing unexpected."""
    watch = Watch()
    yield watch
    assert watch.wrong() == []


@pytest.fixture
def new_context(chromium: "Browser", watch: Watch) -> "Iterator[Callable[..., BrowserContext]]":
    """Make a context that is looked at, of Playwright's options."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> "BrowserContext":
        context = chromium.new_context(**options)
        made.append(context)
        context.set_default_timeout(PATIENCE_MS)
        watch.look_at(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def open_page(site: Site, new_context: "Callable[..., BrowserContext]") -> OpenPage:
    """Open windows on the site, each in a context of its own; addresses may begin with a slash."""

    def opened(
        user: str | None = None, *, width: int = 1280, theme: str = "light", **context: Any
    ) -> "Page":
        how = {
            "base_url": site.url,
            "viewport": {"width": width, "height": 800},
            "color_scheme": theme,
            "reduced_motion": "reduce",
            "locale": "en-GB",
            "timezone_id": "UTC",
            **context,
        }
        made = new_context(**how)
        if user is not None:
            made.add_cookies(list(site.cookies_of(user)))
        return made.new_page()

    return opened


@pytest.fixture
def page(open_page: OpenPage) -> "Page":
    """A window that nobody is signed in with."""
    return open_page()
