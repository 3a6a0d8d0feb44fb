# SPDX-License-Identifier: Apache-2.0
"""Writing files in a browser: its keys, what is shown before a commit, and what is asked before one
leaves.
"""

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.watch import Watch

if TYPE_CHECKING:
    from playwright.sync_api import Page

CARD = "---\nlicense: mit\n---\n\n# Tulips\r\n\r\nRed ones\r\n"


def opened(page: "Page", address: str) -> "Page":
    """The form for a file, once its script has run."""
    page.goto(address)
    page.get_by_role("button", name="Write").wait_for()
    return page


def content(site: Site, repo: str, path: str) -> bytes:
    """A file as the hub has it."""
    return site.api("GET", f"/{repo}/resolve/main/{path}").content


def test_a_file_is_written_by_keys_alone(site: Site, open_page: OpenPage):
    repo = site.create("edit-by-keys")
    page = opened(open_page("alice"), f"/{repo}/new/main")
    page.get_by_role("textbox", name="Path").focus()
    page.keyboard.type("tools/run.py")
    assert page.get_by_label("What changes").get_attribute("placeholder") == "Create tools/run.py"
    page.keyboard.press("Enter")
    text = page.get_by_label("Text", exact=True)
    assert text.evaluate("field => field === document.activeElement")
    page.keyboard.type("def run():\n")
    page.keyboard.press("Tab")
    page.keyboard.type("go()\nstop()\n")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("run()")
    assert text.input_value() == "def run():\n  go()\n  stop()\nrun()"
    # Who cannot use a mouse gets out of the text, and back into it without being caught.
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert not text.evaluate("field => field === document.activeElement")
    page.keyboard.press("Shift+Tab")
    assert text.evaluate("field => field === document.activeElement")
    page.keyboard.press("Tab")
    assert not text.evaluate("field => field === document.activeElement")
    page.keyboard.press("Control+s")
    page.wait_for_url(f"**/{repo}/blob/main/tools/run.py")
    assert content(site, repo, "tools/run.py") == b"def run():\n  go()\n  stop()\nrun()"


def test_lines_are_indented_together_and_it_can_be_undone(site: Site, open_page: OpenPage):
    repo = site.create("edit-lines")
    site.commit(repo, {"a.py": "if a:\n    b\nc\n\nd"})
    page = opened(open_page("alice"), f"/{repo}/edit/main/a.py")
    text = page.get_by_label("Text", exact=True)
    text.focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Tab")
    assert text.input_value() == "    if a:\n        b\n    c\n\n    d"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert text.input_value() == "if a:\nb\nc\n\nd"
    for _ in range(3):
        page.keyboard.press("Control+z")
    assert text.input_value() == "if a:\n    b\nc\n\nd"
    page.get_by_label("Wrap lines").check()
    assert text.get_attribute("wrap") == "soft"


def test_a_card_is_previewed_in_place_and_committed_with_its_line_endings(
    site: Site, open_page: OpenPage
):
    repo = site.create("edit-card")
    site.commit(repo, {"README.md": CARD})
    page = opened(open_page("alice"), f"/{repo}/edit/main/README.md")
    text = page.get_by_label("Text", exact=True)
    text.fill(text.input_value().replace("Red", "*Yellow*").replace("mit", "nonsense"))
    page.get_by_role("button", name="Preview").click()
    page.locator("#shown em", has_text="Yellow").wait_for()
    assert not text.is_visible()
    page.get_by_text('"license" must be one of').wait_for()
    page.get_by_role("button", name="Changes").click()
    page.locator("#shown .added", has_text="Yellow").wait_for()
    page.get_by_role("button", name="Write").click()
    assert "*Yellow*" in text.input_value()
    page.get_by_role("button", name="Commit to main").click()
    page.wait_for_url(f"**/{repo}/blob/main/README.md")
    expected = CARD.replace("Red", "*Yellow*").replace("mit", "nonsense")
    assert content(site, repo, "README.md") == expected.encode()


def test_who_leaves_what_was_written_is_asked(site: Site, open_page: OpenPage):
    repo = site.create("edit-leave")
    site.commit(repo, {"a.txt": "a\n"})
    page = opened(open_page("alice"), f"/{repo}/edit/main/a.txt")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_label("Text", exact=True).press_sequentially("more")
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_timeout(0)
    assert page.url.endswith("/edit/main/a.txt")
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Commit to main").click()
    page.wait_for_url(f"**/{repo}/blob/main/a.txt")
    assert asked == ["beforeunload"]


@pytest.mark.parametrize("scripts", [True, False])
def test_who_comes_second_keeps_the_text(
    site: Site, open_page: OpenPage, watch: Watch, *, scripts: bool
):
    repo = site.create(f"edit-second-{'with' if scripts else 'without'}")
    site.commit(repo, {"a.txt": "one\r\ntwo\r\n"})
    page = open_page("alice", java_script_enabled=scripts)
    page.goto(f"/{repo}/edit/main/a.txt")
    site.commit(repo, {"a.txt": "ONE\r\ntwo\r\n"}, summary="Shout")
    watch.expect("409: POST")
    text = page.get_by_label("Text", exact=True)
    text.fill("one\nthree\n")
    page.get_by_role("button", name="Commit to main").click()
    page.get_by_text("a.txt was changed while you wrote").wait_for()
    assert page.locator("[data-commit]").inner_text() == "Commit mine over it"
    assert text.input_value() == "one\nthree\n"
    text.fill("ONE\nthree\n")
    page.get_by_role("button", name="Changes").click()
    page.locator("#shown .added", has_text="three").wait_for()
    page.locator("[data-commit]").click()
    page.wait_for_url(f"**/{repo}/blob/main/a.txt")
    assert content(site, repo, "a.txt") == b"ONE\r\nthree\r\n"
