# SPDX-License-Identifier: Apache-2.0
"""Two ways to use a page: with a mouse, or with nothing but keys."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tests.browser.uploads import UploadPage

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

FURTHEST = 120
"""As many presses of the tabulator key as nobody would make to get somewhere."""


class Hands(Protocol):
    """What people do with a page."""

    page: "Page"

    def press(self, what: "Locator") -> None:
        """Follow a link, press a button, open or tick something."""

    def write(self, field: "Locator", text: str) -> None:
        """Put a text into a field, in place of what is there."""

    def upload(self, page: UploadPage, path: Path) -> None:
        """Choose a file on the page that uploads files."""


class Mouse:
    """Points at things; types only where there is a field."""

    def __init__(self, page: "Page") -> None:
        self.page = page

    def press(self, what: "Locator") -> None:
        what.click()

    def write(self, field: "Locator", text: str) -> None:
        field.click()
        field.fill(text)

    def upload(self, page: UploadPage, path: Path) -> None:
        page.drop(path)


class Keys:
    """Goes from element to element as the tabulator key does; never touches the mouse."""

    def __init__(self, page: "Page") -> None:
        self.page = page

    def press(self, what: "Locator") -> None:
        self._reach(what)
        is_box = what.evaluate("one => ['checkbox', 'radio'].includes(one.type)")
        self.page.keyboard.press("Space" if is_box else "Enter")

    def write(self, field: "Locator", text: str) -> None:
        self._reach(field)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)
        # In an editor the tabulator key indents: this says that it is to lead on again.
        self.page.keyboard.press("Escape")

    def upload(self, page: UploadPage, path: Path) -> None:
        self._reach(self.page.get_by_label("Choose files"))
        with self.page.expect_file_chooser() as chooser:
            self.page.keyboard.press("Enter")
        chooser.value.set_files(path)

    def _reach(self, what: "Locator") -> None:
        what.wait_for(state="attached")
        for _ in range(FURTHEST):
            if what.evaluate("one => one === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no way to {what} by keys")
