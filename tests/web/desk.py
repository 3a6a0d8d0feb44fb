# SPDX-License-Identifier: Apache-2.0
"""Forms that become commits, as a browser fills them in: with what stands in the page."""

import re
from dataclasses import dataclass

import httpx2 as httpx

from tests.content.shelf import Shelf
from tests.web.browser import Browser
from tests.web.html import Element, read_html


@dataclass
class Desk:
    """A browser at a repository of alice's."""

    browser: Browser
    shelf: Shelf

    def open(self, path: str, status: int = 200) -> Element:
        """Open a page of the repository."""
        return read_html(self.browser.get(self.shelf.web + path), status)

    def send(self, path: str, /, **fields: str) -> httpx.Response:
        """Send a form with these fields and no others."""
        form = {"csrf": self.browser.csrf, **fields}
        return self.browser.send(self.shelf.web + path, form)

    def fill(self, path: str, /, **fields: str) -> httpx.Response:
        """Open a page and send its form with these fields changed."""
        return self.send(path, **(filled(self.open(path)) | as_sent(fields)))

    def again(self, path: str, answer: httpx.Response, /, **fields: str) -> httpx.Response:
        """Send the form of a page that came back, with these fields changed."""
        return self.send(path, **(filled(read_html(answer, answer.status_code)) | as_sent(fields)))

    def last(self, rev: str = "main") -> dict:
        """The commit that a branch leads to."""
        url = f"{self.shelf.api}/commits/{rev}?limit=1"
        return self.shelf.hub.get(url, token=self.shelf.token).json()[0]


def filled(page: Element) -> dict[str, str]:
    """What stands in the fields of the form for a commit, as a browser sends it."""
    form = page.one("form", class_="editor")
    found = {
        one.attributes["name"]: one.attributes.get("value", "")
        for one in form.all("input")
        if "name" in one.attributes
    }
    for one in form.all("textarea"):
        text = "".join(part for part in one.inside if isinstance(part, str))
        found[one.attributes["name"]] = text.removeprefix("\n")
    return as_sent(found)


def as_sent(fields: dict[str, str]) -> dict[str, str]:
    """Browsers end lines in CR LF."""
    return {name: re.sub(r"\r\n|\r|\n", "\r\n", text) for name, text in fields.items()}


def fault(page: Element, name: str) -> str:
    """What is said to be wrong with a field."""
    found = page.all("span", id=f"{name}-wrong")
    return found[0].text if found else ""
