# SPDX-License-Identifier: Apache-2.0
"""What is kept about one text while it is parsed and written, and the budgets that it has."""

import time
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from hubkeep.web.markdown.characters import cleaned, marked
from hubkeep.web.markdown.highlighting import highlight
from hubkeep.web.markdown.raw_html import RawHtml
from hubkeep.web.markdown.slots import Slots
from hubkeep.web.markdown.tex import MAX_FORMULAS, mathml

# Of processor time, for the colours of all code in one text.
_SECONDS_OF_CODE = 0.5
_MAX_DIAGRAM = 50_000


@dataclass
class Page:
    """One text on its way to HTML."""

    slots: Slots = field(default_factory=Slots)
    raw: RawHtml = field(default_factory=RawHtml)
    has_mermaid: bool = False
    is_cut: bool = False
    is_plain: bool = False
    images_open: int = 0
    _tex_left: int = MAX_FORMULAS
    _seconds_left: float = _SECONDS_OF_CODE

    @staticmethod
    def of(env: MutableMapping[str, Any]) -> "Page":
        """The page of a parser's environment."""
        page = env["page"]
        assert isinstance(page, Page)
        return page

    def plain(self, source: str) -> str:
        """Text as it was written."""
        self.is_plain = True
        return self.slots.hold(_escaped(source), "span", source)

    def code(self, source: str, language: str) -> str:
        """A block of code, coloured where the language is known and the time allows it."""
        lines = None
        if language and self._seconds_left > 0:
            start = time.thread_time()
            lines = highlight(source, language, seconds=self._seconds_left)
            self._seconds_left -= time.thread_time() - start
        html = _escaped(source) if lines is None else "\n".join(lines)
        return self.slots.hold(f'<pre tabindex="0"><code>{html}</code></pre>', "pre", source)

    def diagram(self, source: str) -> str:
        """The source of a Mermaid diagram, for a frame that draws it; code if it is huge."""
        if len(source) > _MAX_DIAGRAM:
            return self.code(source, "")
        self.has_mermaid = True
        html = f'<pre tabindex="0"><code>{_escaped(source)}</code></pre>'
        figure = f'<figure class="mermaid-source" data-diagram="mermaid">{html}</figure>'
        return self.slots.hold(figure, "div", source)

    def formula(self, tex: str, written: str, *, display: bool) -> str:
        """A formula as MathML, or as it was written where it cannot be that."""
        self._tex_left -= len(tex)
        html = mathml(tex, display=display) if self._tex_left >= 0 else None
        if html is None:
            return self.slots.hold(f'<code class="tex">{_escaped(written)}</code>', "span", tex)
        if display:
            html = f'<span class="math" tabindex="0">{html}</span>'
        return self.slots.hold(html, "span", tex)


def _escaped(source: str) -> str:
    return marked(escape(cleaned(source), quote=False))
