# SPDX-License-Identifier: Apache-2.0
"""Markdown, notebooks and code that users wrote, rendered apart from the thread of requests."""

from collections.abc import Sequence
from dataclasses import astuple
from html import escape
from typing import TYPE_CHECKING

import msgspec

from hubkeep.cards.front_matter import split_front_matter
from hubkeep.web.kept import NotYet
from hubkeep.web.markdown import Place, highlight, render_markdown
from hubkeep.web.notebooks import Notebook, notebook_of

if TYPE_CHECKING:
    from hubkeep.app import App

SHORT = 24 << 10
"""Bytes of a text that renders at once; longer ones take turns."""


class RenderedText(msgspec.Struct, frozen=True):
    """A text as safe HTML; empty where there is nothing but front matter."""

    html: str
    has_mermaid: bool


_decode_text = msgspec.json.Decoder(RenderedText).decode
_decode_notebook = msgspec.json.Decoder(Notebook | None).decode
_decode_lines = msgspec.json.Decoder(list[list[str]]).decode


async def rendered(app: "App", oid: bytes, source: bytes, place: Place) -> RenderedText:
    """Return the Markdown below the front matter of a blob as HTML for `place`. NotYet.

    `oid` is the blob's: what was rendered once is kept under it, since it never changes.
    """

    def make() -> bytes:
        body = split_front_matter(source).body
        made = render_markdown(body, place) if body.strip() else None
        text = RenderedText(made.html, made.has_mermaid) if made else RenderedText("", False)
        return msgspec.json.encode(text)

    key = ("markdown", oid, astuple(place))
    return _decode_text(await app.kept.get(key, make, is_long=len(source) > SHORT))


async def rendered_notebook(app: "App", oid: bytes, source: bytes, place: Place) -> Notebook | None:
    """Return the notebook that a blob is, with its texts as HTML for `place`; None for one that is
    none. NotYet. `oid` is as above.
    """

    def make() -> bytes:
        return msgspec.json.encode(notebook_of(source, place))

    key = ("notebook", oid, astuple(place))
    return _decode_notebook(await app.kept.get(key, make, is_long=len(source) > SHORT))


async def coloured(app: "App", codes: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Return the lines, as HTML, of short pieces of the hub's own code with their languages.

    Without colours where the threads for that are all at work.
    """

    def make() -> bytes:
        return msgspec.json.encode(
            [highlight(text, language) or _plain(text) for text, language in codes]
        )

    try:
        return _decode_lines(await app.kept.get(("code", tuple(codes)), make))
    except NotYet:
        return [_plain(text) for text, _ in codes]


def _plain(text: str) -> list[str]:
    return escape(text).split("\n")
