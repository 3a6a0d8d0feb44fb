# SPDX-License-Identifier: Apache-2.0
"""Figures in a browser: charts are drawn under the pages' policy, follow theme and width, and are
given away as pictures.
"""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.browser.audit import overflow, violations
from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.observatory.shelf import three

if TYPE_CHECKING:
    from playwright.sync_api import Page

LABEL = "() => getComputedStyle(document.querySelector('.chart .role-axis-label text')).fill"
WIDTH = "() => document.querySelector('.chart svg').getBoundingClientRect().width"
DRAWN_AGAIN = "(before) => document.querySelector('.chart svg')?.dataset.seen !== before"


@pytest.fixture(scope="session", autouse=True)
def snapshots(site: Site) -> None:
    """The three snapshots of `shelf`; the hub may have taken one of itself besides."""
    three(site.hub.data / "snapshots")


def go(page: "Page", name: str, **asked: str) -> None:
    """Open a figure about the last of the three, and wait until it is drawn."""
    page.goto(f"/insights/{name}?{urlencode({'snapshot': '20240711', **asked})}")
    page.wait_for_selector("[data-chart][data-drawn] svg")


@pytest.mark.parametrize("name", ["f1", "f4", "s2", "s6", "s7", "b1"])
def test_a_chart_is_drawn_for_every_width(open_page: OpenPage, name: str) -> None:
    page = open_page()
    go(page, name)
    assert page.locator(".chart svg .mark-text, .chart svg .role-mark").count()
    wide = page.evaluate(WIDTH)
    page.locator(".chart svg").evaluate("(one) => { one.dataset.seen = 'before' }")
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function(DRAWN_AGAIN, arg="before")
    assert page.evaluate(WIDTH) <= min(390, wide)
    assert overflow(page) == []
    assert violations(page) == []


def test_a_chart_follows_light_and_dark(open_page: OpenPage) -> None:
    page = open_page()
    go(page, "s2")
    light = page.evaluate(LABEL)
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(LABEL) != light
    page.get_by_role("button", name="Light").click()
    assert page.evaluate(LABEL) == light


@pytest.mark.parametrize(("form", "begins"), [("SVG", b"<svg"), ("PNG", b"\x89PNG")])
def test_a_chart_is_given_away_as_a_picture(open_page: OpenPage, form: str, begins: bytes) -> None:
    page = open_page()
    go(page, "s2")
    with page.expect_download() as coming:
        page.get_by_role("button", name=form).click()
    assert coming.value.suggested_filename == f"S2.{form.lower()}"
    content = Path(coming.value.path()).read_bytes()
    assert content.startswith(begins)
    if form == "SVG":
        assert b"Licences by downloads" in content
        assert b"snapshot 20240711T000000Z" in content


def test_the_form_leads_to_an_address_that_says_only_what_was_chosen(open_page: OpenPage) -> None:
    page = open_page()
    go(page, "s4", k="300")
    page.get_by_label("Universe: top so many models").fill("7")
    page.get_by_label("Counters that stand out").select_option("keep")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Show", exact=True).press("Enter")
    page.wait_for_url("**/insights/s4?*flagged=keep*")
    asked = parse_qs(urlsplit(page.url).query)
    asked.pop("snapshot", None)  # it is said unless pages are about it anyway
    assert asked == {"k": ["7"], "flagged": ["keep"]}
    assert page.get_by_label("Universe: top so many models").input_value() == "7"
    assert "n = 7" in page.locator("figcaption").inner_text()
    page.go_back()
    page.wait_for_selector("[data-drawn]")
    assert page.get_by_label("Snapshot").is_enabled()
