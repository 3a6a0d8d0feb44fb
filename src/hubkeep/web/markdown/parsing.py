# SPDX-License-Identifier: Apache-2.0
"""The parser: GitHub's Markdown, and bounds on the work that one text makes."""

import re
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block import table as table_rule
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline import image as image_rule
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_ref

from hubkeep.web.markdown.autolinks import autolinks
from hubkeep.web.markdown.formulas import formulas
from hubkeep.web.markdown.page import Page
from hubkeep.web.markdown.writing import Writer

# A text of this many blocks, or characters that could be markup, takes about a second. What is
# beyond is left out (blocks) or shown as it was written (text).
MAX_BLOCKS = 60_000
MAX_MARKS = 80_000
# Of one paragraph: some kinds of nonsense take time with the square of its length.
MAX_PARAGRAPH = 24_000
MAX_COLUMNS = 500
_MAX_NESTING = 40
_TOKENS_OF_CELL = 3
_MAX_IMAGES_IN_IMAGES = 3

_MARKS = "[]!*_`<&~$\\@\n"
# Where the parser's rules are asked, and text is not merely passed over. The default stops at
# some twenty characters for plug-ins; and an underscore within a word never is emphasis.
_STOPS = re.compile(r"[\n$&*<\[\\\]`~]|!(?=\[)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_FOOTNOTE = re.compile(r"\[\^[^\s\]]{1,100}\]")


@cache
def parser() -> MarkdownIt:
    """The parser. It keeps nothing of a text, and serves all threads."""
    options = {
        "html": True,
        "maxNesting": _MAX_NESTING,
        "tasklists": True,
        "alerts": True,
        "strikethrough_single_tilde": True,
    }
    md = MarkdownIt("commonmark", options, renderer_cls=Writer)
    md.enable(["table", "strikethrough"])
    md.use(footnote_plugin, inline=False)
    md.use(formulas).use(autolinks)
    md.inline.terminator_re = _STOPS
    md.inline.ruler.at("image", _image)
    md.inline.ruler.at("footnote_ref", _footnote_ref)
    md.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    md.block.ruler.before("table", "enough", _enough)
    md.core.ruler.at("inline", _inline)
    # Its lists of rules are made by the first text, and a second thread would see them half made.
    md.render("-", {"page": Page()})
    return md


def _enough(state: StateBlock, _start: int, end: int, _silent: bool) -> bool:
    """Leave out the rest of a text that has too many blocks."""
    if len(state.tokens) < MAX_BLOCKS:
        return False
    Page.of(state.env).is_cut = True
    state.line = end
    return True


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A table, of no more cells than there is room for: the rule itself takes any number."""
    columns = state.src.count("|", state.bMarks[start], state.eMarks[start]) + 1
    if columns > MAX_COLUMNS:
        return False
    rows = (MAX_BLOCKS - len(state.tokens)) // (columns * _TOKENS_OF_CELL)
    return table_rule(state, start, min(end, start + max(rows, 2)), silent)


def _inline(state: StateCore) -> None:
    """Parse what is in the blocks, as far as it is worth it."""
    left = MAX_MARKS
    for token in state.tokens:
        if token.type != "inline":
            continue
        token.children = []
        text = token.content
        left -= sum(map(text.count, _MARKS))
        if left < 0 or len(text) > MAX_PARAGRAPH:
            token.children.append(Token("plain", "", 0, content=text))
        else:
            state.md.inline.parse(text, state.md, state.env, token.children)


def _image(state: StateInline, silent: bool) -> bool:
    """An image. The text that stands for it is Markdown of its own, in which there are images."""
    page = Page.of(state.env)
    if page.images_open >= _MAX_IMAGES_IN_IMAGES:
        return False
    page.images_open += 1
    try:
        return image_rule(state, silent)
    finally:
        page.images_open -= 1


def _footnote_ref(state: StateInline, silent: bool) -> bool:
    """A reference to a footnote, if it ends: the plug-in's rule looks for that far and slowly."""
    return _FOOTNOTE.match(state.src, state.pos) is not None and footnote_ref(state, silent)
