# SPDX-License-Identifier: Apache-2.0
"""Markdown that users wrote, as HTML that a page of the hub may hold."""

from dataclasses import dataclass

from hubkeep.web.markdown.characters import cleaned, marked
from hubkeep.web.markdown.page import Page
from hubkeep.web.markdown.parsing import parser
from hubkeep.web.markdown.places import Place
from hubkeep.web.markdown.sanitising import checked, cleaned_up
from hubkeep.web.markdown.settling import Heading, Settling

MAX_TEXT = 512 * 1024
MAX_LINES = 20_000

_CUT = "This text is too long to be shown whole. What follows is in the file itself."
_PLAIN = "Parts of this text are too large to be formatted. They are shown as they were written."


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text ready for a page: safe HTML, its headings in order, and whether to draw diagrams."""

    html: str
    headings: list[Heading]
    has_mermaid: bool


def render_markdown(text: str, place: Place) -> Rendered:
    """The HTML of a Markdown text, without its front matter, for a page of the hub.

    Whoever wrote the text, the HTML runs nothing, loads nothing but files of the repository,
    bears no style and no id without the prefix `user-content-`, and is balanced. It never
    raises. Of a text above `MAX_TEXT` characters or `MAX_LINES` lines the rest is left out, with
    a notice in its place; the time is in proportion to what is left.
    """
    whole = cleaned(text[: 2 * MAX_TEXT])
    beginning = _beginning(whole)
    is_cut = len(text) > 2 * MAX_TEXT or len(beginning) < len(whole)
    page = Page()
    try:
        html = parser().render(beginning, {"page": page})
    except RecursionError:
        # Too deep for the stack that this call was left with.
        page = Page()
        html = f"<pre>{page.plain(beginning)}</pre>"
    settling = Settling(place, page.slots)
    html = settling.settled(marked(cleaned_up(html)))
    html = page.slots.fill(checked(html, _loads_from(place)))
    if page.is_plain:
        html = _notice(_PLAIN) + html
    if is_cut or page.is_cut:
        html += _notice(_CUT)
    return Rendered(html, settling.headings, page.has_mermaid)


def _beginning(text: str) -> str:
    """As much of a text as is rendered, in whole lines where it has lines."""
    if len(text) > MAX_TEXT:
        text = text[: text.rfind("\n", MAX_TEXT // 2, MAX_TEXT) + 1 or MAX_TEXT]
    if text.count("\n") > MAX_LINES:
        text = "".join(line + "\n" for line in text.split("\n", MAX_LINES)[:MAX_LINES])
    return text


def _loads_from(place: Place) -> tuple[str, ...]:
    """What the addresses of images begin with."""
    root = "/" if place.origin else place.root_images
    return (place.images,) if root is None else (place.images, root)


def _notice(words: str) -> str:
    return f'<div class="notice warn"><p>{words}</p></div>\n'
