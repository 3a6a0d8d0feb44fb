# SPDX-License-Identifier: Apache-2.0
"""Each page of the hub: for eyes, for keys, on a phone, in the dark, and without scripts."""

from typing import TYPE_CHECKING

import pytest

from hubkeep.routes_pages import page_routes
from tests.browser.audit import (
    keyboard_faults,
    moving,
    outline_faults,
    overflow,
    violations,
)
from tests.browser.conftest import OpenPage
from tests.browser.content import Content, fill
from tests.browser.page_types import EXAMPLES, NOT_PAGES, Example, all_examples
from tests.browser.site import Site
from tests.browser.watch import Watch

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDE, PHONE = 1280, 390
# As many stops as there are before and at the main controls of the longest of the pages.
STOPS = 40

each_page = pytest.mark.parametrize(
    "example", [pytest.param(one, id=name) for name, one in all_examples()]
)


@pytest.fixture(scope="session")
def content(site: Site) -> Content:
    """What the pages show."""
    return fill(site)


def test_every_page_has_an_example():
    pages = {route.pattern for route in page_routes() if route.method == "GET"}
    assert pages - NOT_PAGES.keys() == EXAMPLES.keys()
    assert NOT_PAGES.keys() <= pages


def go(page: "Page", example: Example, content: Content, watch: Watch) -> None:
    """Open an example's page."""
    address = example.address(content)
    if example.status != 200:
        watch.expect(f"^{example.status}: GET ")
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == example.status


@each_page
def test_everybody_can_use_it(
    open_page: OpenPage, content: Content, watch: Watch, example: Example
):
    page = open_page(example.user)
    go(page, example, content, watch)
    found = {}
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        for width in (WIDE, PHONE):
            page.set_viewport_size({"width": width, "height": 800})
            found[theme, width] = violations(page)
    assert found == {how: [] for how in found}
    assert overflow(page) == []
    assert outline_faults(page) == []
    assert page.title().endswith(" · Hubkeep")
    assert moving(page) == []


@each_page
def test_keys_reach_everything_in_order(
    open_page: OpenPage, content: Content, watch: Watch, example: Example
):
    page = open_page(example.user)
    go(page, example, content, watch)
    page.evaluate("document.activeElement.blur()")
    assert keyboard_faults(page, STOPS) == []


@each_page
def test_it_shows_the_same_without_scripts(
    open_page: OpenPage, content: Content, watch: Watch, example: Example
):
    texts = []
    for scripts in (True, False):
        page = open_page(example.user, java_script_enabled=scripts)
        go(page, example, content, watch)
        assert page.locator("h1:not(.prose *)").is_visible()
        texts.append(page.locator("main").inner_text())
    with_scripts, without = (set(text.split()) for text in texts)
    # What scripts add are ways to do things, and what is said of those.
    assert example.needs_script or len(without) >= 0.75 * len(with_scripts)
