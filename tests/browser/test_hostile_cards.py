# SPDX-License-Identifier: Apache-2.0
"""Hostile texts in a browser, on a page that has no policy to stop what runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hubkeep.web.markdown import render_markdown
from tests.web.markdown import hostile
from tests.web.markdown.inert import PLACE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page, Route

HUB = "http://hub.example"
CARDS = sorted((Path(__file__).parents[1] / "web" / "markdown" / "cards").glob("*.md"))

# Puts the HTML into the page as the server does (parsed with it) and as a script does, touches
# all that is there, and says what is wrong.
LOOK = """
async () => {
  const wrong = [];
  const elements = /^(script|style|iframe|object|embed|base|meta|link|form|svg|template)$/;
  const attributes = /^on|^(style|srcdoc|formaction|action|ping|target)$/i;
  const here = document.getElementById("here");
  const again = document.createElement("div");
  again.innerHTML = here.innerHTML;
  if (again.innerHTML !== here.innerHTML) wrong.push("parses to something else");
  document.body.append(again);
  if (document.getElementById("after").parentElement !== document.body) wrong.push("broke out");
  for (const element of here.querySelectorAll("*")) {
    for (const kind of ["mouseover", "click", "focus", "error", "load", "toggle", "animationstart"])
      if (!(kind === "click" && element.closest("a, summary")))
        element.dispatchEvent(new Event(kind));
    if (element.closest("math, svg") && element.namespaceURI.endsWith("xhtml"))
      wrong.push("HTML in MathML: " + element.outerHTML);
    if (elements.test(element.localName)) wrong.push(element.outerHTML);
    for (const { name, value } of element.attributes)
      if (attributes.test(name)) wrong.push(name + "=" + value);
    if (element.id && !element.id.startsWith("user-content-")) wrong.push("id " + element.id);
    if (element.href && !["http:", "https:", "mailto:"].includes(element.protocol))
      wrong.push("href " + element.href);
    if (element.href && element.protocol.startsWith("http") && element.host !== "hub.example"
        && element.rel !== "nofollow noopener noreferrer ugc") wrong.push("no rel " + element.href);
    for (const source of [element.currentSrc, element.src, element.poster])
      if (source && !source.startsWith("http://hub.example/alice/m/resolve/main/"))
        wrong.push("source " + source);
  }
  for (const name of ["getElementById", "body", "cookie", "forms", "defaultView", "location"])
    if (document[name] instanceof HTMLElement && document[name] !== document.body)
      wrong.push("document." + name);
  for (const name of ["nav", "main", "search", "constructor"])
    if (window[name] instanceof Element) wrong.push("window." + name);
  await new Promise((done) => setTimeout(done));
  if (window.ran) wrong.push("ran a script");
  return wrong;
}
"""


class Window:
    """A page of a browser that shows HTML and gets nothing from anywhere."""

    def __init__(self, page: "Page") -> None:
        self.asked: list[str] = []
        self.dialogs: list[str] = []
        self._page = page
        self._html = ""
        page.route("**/*", self._answer)
        page.on("dialog", self._dismiss)

    def show(self, html: str) -> list[str]:
        """Show HTML between what is the page's own, and say what is wrong with it."""
        self._html = (
            '<!doctype html><meta charset="utf-8"><title>x</title><body>'
            f'<div id="here">{html}</div><div id="after"></div>'
        )
        self._page.goto(f"{HUB}/page")
        return self._page.evaluate(LOOK)

    def elsewhere(self) -> list[str]:
        """What was asked for that is not the repository's own."""
        return [address for address in self.asked if not address.startswith(f"{HUB}{PLACE.images}")]

    def _answer(self, route: "Route") -> None:
        if route.request.url == f"{HUB}/page":
            route.fulfill(body=self._html, content_type="text/html; charset=utf-8")
        else:
            self.asked.append(route.request.url)
            route.abort()

    def _dismiss(self, dialog: "Dialog") -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@pytest.fixture
def window(chromium: "Browser") -> Iterator[Window]:
    """A window that may open no dialog."""
    page = chromium.new_page()
    window = Window(page)
    yield window
    page.close()
    assert window.dialogs == []


def shown(text: str) -> str:
    """The HTML of a text."""
    return render_markdown(text, PLACE).html


@pytest.mark.parametrize("kind", hostile.KINDS)
def test_hostile_texts_do_nothing_in_a_browser(window: Window, kind: str) -> None:
    assert window.show("\n<hr>\n".join(map(shown, hostile.KINDS[kind]))) == []
    assert window.elsewhere() == []


def test_what_a_parser_may_change_stays_each_for_itself(window: Window) -> None:
    texts = hostile.MUTATIONS
    assert {text: wrong for text in texts if (wrong := window.show(shown(text)))} == {}
    assert window.elsewhere() == []


def test_all_hostile_texts_together(window: Window) -> None:
    assert window.show(shown("\n\n".join(hostile.ALL.values()))) == []
    assert window.show(shown("\n".join(reversed(hostile.ALL.values())))) == []
    assert window.elsewhere() == []


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_cards_are_to_a_browser_what_they_are_to_us(window: Window, card: Path) -> None:
    assert window.show(shown(card.read_text())) == []
    assert window.elsewhere() == []


def test_the_browser_would_run_and_load_what_is_not_sanitised(window: Window) -> None:
    wrong = window.show(f'<script>{hostile.RUN}</script><img src="{hostile.LOAD}.png" id="nav">')
    assert "ran a script" in wrong
    assert "id nav" in wrong
    assert set(window.elsewhere()) == {f"{hostile.LOAD}.png"}
