# SPDX-License-Identifier: Apache-2.0
"""An afternoon with the hub: all of it with a mouse, and all of it with nothing but keys."""

from pathlib import Path
from typing import TYPE_CHECKING

import httpx2 as httpx
import pytest

from tests.browser.audit import overflow, violations
from tests.browser.conftest import OpenPage
from tests.browser.hands import Hands, Keys, Mouse
from tests.browser.site import Site
from tests.browser.uploads import UploadPage, made

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

LARGE, SMALLER = 200_000_000, 3_000_000
CARD = "---\nlicense: mit\npipeline_tag: translation\n---\n\n# A kite\n\nIt flies by itself.\n"


class Afternoon:
    """Somebody new with a window of their own."""

    def __init__(self, site: Site, hands: Hands, name: str) -> None:
        self.site = site
        self.hands = hands
        self.page: Page = hands.page
        self.name = name
        self.repo = f"{name}/kite"

    def looks_good(self) -> None:
        """Nothing of the page is out of reach for anybody, as it is now."""
        assert violations(self.page) == []
        assert overflow(self.page) == []

    def button(self, name: str) -> "Locator":
        return self.page.get_by_role("button", name=name, exact=True)

    def link(self, name: str, *, within: str = "main") -> "Locator":
        return self.page.locator(within).get_by_role("link", name=name, exact=True).first

    def field(self, label: str) -> "Locator":
        found = self.page.locator("main").get_by_label(label, exact=True)
        return found.and_(self.page.locator("input, textarea, select"))

    def go(self, name: str, *, within: str = "main") -> None:
        """Follow a link of this name."""
        with self.page.expect_navigation():
            self.hands.press(self.link(name, within=within))

    def send(self, name: str) -> None:
        """Press the button that sends a form."""
        with self.page.expect_navigation():
            self.hands.press(self.button(name))

    def account(self, name: str) -> None:
        """Choose something in the menu of one's account."""
        self.hands.press(self.page.locator(".me summary"))
        self.go(name, within=".me")

    def sign_up(self) -> None:
        self.page.goto("/")
        self.go("Sign in", within=".me")
        self.go("Make an account")
        self.hands.write(self.field("Name"), self.name)
        self.hands.write(self.field("Password"), "a kite in the evening sun")
        self.looks_good()
        self.send("Make the account")
        assert self.page.url == f"{self.site.url}/{self.name}"

    def create(self) -> None:
        self.account("New repository")
        self.hands.write(self.field("Name"), "kite")
        self.looks_good()
        self.send("Make the repository")
        assert self.page.locator("h1").first.inner_text().split() == [self.name, "/", "kite"]

    def upload(self, path: Path) -> None:
        self.go("Files")
        self.hands.press(self.page.locator(".menu.add > summary"))
        self.hands.press(self.link("Upload files"))
        page = UploadPage(self.page, self.repo)
        self.hands.upload(page, path)
        page.part("start").wait_for()
        self.looks_good()
        self.hands.press(page.part("start"))
        assert "1 file uploaded" in page.finish()
        self.looks_good()

    def edit(self) -> None:
        self.go("See the files")
        self.hands.press(self.page.locator(".menu.add > summary"))
        self.go("New file")
        self.hands.write(self.field("Path"), "README.md")
        self.hands.write(self.field("Text"), CARD)
        self.hands.press(self.button("Preview"))
        self.page.get_by_role("heading", name="A kite").wait_for()
        self.looks_good()
        self.send("Commit to main")
        self.go("Edit")
        self.hands.write(self.field("Text"), CARD + "\nNot in a storm.\n")
        self.send("Commit to main")

    def read(self) -> None:
        self.go("Model card", within=".tabs")
        assert self.page.get_by_text("Not in a storm.").is_visible()
        self.looks_good()

    def compare_and_revert(self) -> None:
        self.go("Commits", within=".tabs")
        commits = self.page.locator(".commit-text + .row a.mono")
        newest, before = commits.nth(0).inner_text(), commits.nth(1).inner_text()
        self.go("Branches and tags", within=".tabs")
        self.go("Compare")
        self.hands.write(self.field("From"), before)
        self.hands.write(self.field("To"), newest)
        self.send("Compare")
        assert self.page.locator(".added").filter(has_text="Not in a storm.").is_visible()
        self.looks_good()
        self.go("Commits", within=".tabs")
        self.go(f"Commit {newest}")
        self.go("Take back")
        self.looks_good()
        self.send("Commit to main")
        self.go("Model card", within=".tabs")
        assert self.page.get_by_text("It flies by itself.").is_visible()
        assert not self.page.get_by_text("Not in a storm.").is_visible()

    def search(self) -> None:
        self.go("Models", within=".kinds")
        filters = self.page.locator(".filters > summary")
        if filters.is_visible():
            self.hands.press(filters)
        task = self.page.locator("#facet-task, #facet-pipeline_tag").first
        self.go_in(task, "translation")
        self.hands.write(self.page.get_by_label("Filter by name"), "kite")
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        assert "pipeline_tag=translation" in self.page.url
        assert self.link(self.repo).is_visible()
        self.looks_good()

    def go_in(self, folded: "Locator", name: str) -> None:
        """Follow a link in something that may be folded."""
        link = folded.get_by_role("link", name=name).first
        if not link.is_visible():
            self.hands.press(folded.locator("summary"))
        with self.page.expect_navigation():
            self.hands.press(link)

    def token(self) -> None:
        self.account("Access tokens")
        self.hands.write(self.field("Name"), "for an afternoon")
        self.send("Make the token")
        token = self.page.locator("#token").inner_text()
        self.looks_good()
        assert self.who(token) == 200
        self.hands.press(self.page.locator(".confirm > summary").first)
        self.send("Revoke it")
        assert self.who(token) == 401

    def who(self, token: str) -> int:
        """What the hub answers to a token."""
        asked = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{self.site.url}/api/whoami-v2", headers=asked).status_code


@pytest.mark.parametrize("hands", [Mouse, Keys])
@pytest.mark.parametrize(
    ("theme", "width", "size"),
    [
        pytest.param("light", 1280, LARGE, id="light"),
        pytest.param("dark", 1280, SMALLER, id="dark"),
        pytest.param("light", 390, SMALLER, id="phone"),
    ],
)
def test_an_afternoon(
    site: Site,
    open_page: OpenPage,
    tmp_path: Path,
    hands: type[Mouse] | type[Keys],
    theme: str,
    width: int,
    size: int,
):
    page = open_page(theme=theme, width=width)
    name = f"{hands.__name__.lower()}-{theme}-{width}"
    one = Afternoon(site, hands(page), name)
    one.sign_up()
    one.create()
    one.upload(made(tmp_path / "kite.safetensors", size))
    one.edit()
    one.read()
    one.compare_and_revert()
    one.search()
    one.token()
