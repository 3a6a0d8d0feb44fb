# SPDX-License-Identifier: Apache-2.0
"""The harness sees what goes wrong, and signs people in."""

from typing import TYPE_CHECKING

from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.watch import Watch

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_the_home_page_opens_without_a_complaint(page: "Page"):
    page.goto("/")
    assert page.get_by_role("link", name="Sign in").first.is_visible()


def test_people_are_signed_in_with_their_cookies(open_page: OpenPage):
    page = open_page("alice")
    page.goto("/settings/profile")
    assert page.locator("#fullname").input_value() == "Alice"


def test_a_page_that_is_missing_is_noticed(page: "Page", watch: Watch):
    page.goto("/alice/nothing")
    assert any(line.startswith("404: GET ") for line in watch.wrong())
    watch.expect("404: GET .*/alice/nothing$")
    assert watch.wrong() == []


def test_what_scripts_and_the_policy_complain_of_is_noticed(page: "Page", watch: Watch):
    page.goto("/")
    page.evaluate("setTimeout(() => { throw new Error('of a script') })")
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">red</p>')"
    )
    page.evaluate("fetch('http://elsewhere.example/').catch(() => null)")
    wrong = " | ".join(watch.wrong())
    assert "script: of a script" in wrong
    assert "style-src" in wrong
    assert "connect-src" in wrong
    watch.expect("of a script", "style-src", "connect-src|elsewhere")


def test_what_is_expected_has_to_happen(watch: Watch):
    watch.expect("thunder")
    assert watch.wrong() == ["expected, and did not happen: thunder"]
    watch._expected.clear()


def test_repositories_are_made_through_the_api(site: Site, page: "Page"):
    repo = site.create("harness")
    site.commit(repo, {"README.md": "# Made by a test\n"})
    page.goto(f"/{repo}")
    assert page.get_by_role("heading", name="Made by a test").is_visible()
