# SPDX-License-Identifier: Apache-2.0
"""Tokens of the parser written as HTML, which is yet to be sanitised."""

import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from hubkeep.web.markdown.page import Page

_LANGUAGE = re.compile(r"[{.\s]*([\w+#./-]{1,40})")
_ALERTS = {
    "NOTE": "notice",
    "TIP": "notice good",
    "IMPORTANT": "notice",
    "WARNING": "notice warn",
    "CAUTION": "notice bad",
}


class Writer(RendererHTML):
    """The renderer: what this module has a rule for, and CommonMark's HTML for the rest."""

    def render(self, tokens: Sequence[Token], options: OptionsDict, env: EnvType) -> str:
        """The blocks of a text."""
        return self._written(tokens, options, env)

    def renderInline(self, tokens: Sequence[Token], options: OptionsDict, env: EnvType) -> str:
        """What is in a paragraph; elements that its author left open in it end with it."""
        raw = Page.of(env).raw
        depth = raw.depth()
        return self._written(tokens, options, env) + raw.close(depth)

    def _written(self, tokens: Sequence[Token], options: OptionsDict, env: EnvType) -> str:
        page = Page.of(env)
        out: list[str] = []
        for number, token in enumerate(tokens):
            if token.type == "inline":
                out.append(self.renderInline(token.children or (), options, env))
            elif write := _RULES.get(token.type):
                out.append(write(token, page))
            elif rule := self.rules.get(token.type):
                out.append(rule(tokens, number, options, env))
            elif token.attrs or token.hidden or token.nesting == 0:
                out.append(self.renderToken(tokens, number, options, env))
            else:
                # What most tokens are, at a fraction of the library's time.
                slash = "/" if token.nesting < 0 else ""
                ends = token.block and (slash or token.tag not in _HOLD_LINES)
                out.append(f"<{slash}{token.tag}>\n" if ends else f"<{slash}{token.tag}>")
        return "".join(out)


# A line feed after these tags would be white space in the text.
_HOLD_LINES = frozenset({"p", "li", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6"})


def _text(token: Token, _page: Page) -> str:
    return escape(token.content, quote=False)


def _code_inline(token: Token, _page: Page) -> str:
    return f"<code>{escape(token.content, quote=False)}</code>"


def _softbreak(_token: Token, _page: Page) -> str:
    return "\n"


def _plain(token: Token, page: Page) -> str:
    return page.plain(token.content)


def _fence(token: Token, page: Page) -> str:
    """Fenced code: a diagram, a formula, or code in a language."""
    named = _LANGUAGE.match(token.info)
    language = named[1].lower() if named else ""
    if language == "mermaid":
        return page.diagram(token.content)
    if language == "math":
        tex = token.content.strip()
        return f"<p>{page.formula(tex, tex, display=True)}</p>\n"
    return page.code(token.content, language)


def _code_block(token: Token, page: Page) -> str:
    return page.code(token.content, "")


def _formula(token: Token, page: Page) -> str:
    return page.formula(token.content, token.markup, display=bool(token.meta["display"]))


def _formula_block(token: Token, page: Page) -> str:
    return f"<p>{page.formula(token.content, token.content, display=True)}</p>\n"


def _html_block(token: Token, page: Page) -> str:
    return page.raw.block(token.content)


def _html_inline(token: Token, page: Page) -> str:
    return page.raw.inline(token.content)


def _alert_open(token: Token, _page: Page) -> str:
    return f'<div class="{_ALERTS[token.info]}">\n'


def _alert_title_open(_token: Token, _page: Page) -> str:
    return '<p class="notice-title">'


def _list_open(token: Token, _page: Page) -> str:
    start = f' start="{token.attrs["start"]}"' if "start" in token.attrs else ""
    tasks = ' class="tasks"' if "class" in token.attrs else ""
    return f"<{token.tag}{start}{tasks}>\n"


def _list_item_open(token: Token, _page: Page) -> str:
    if "checked" not in token.meta:
        return "<li>"
    state = 'checked aria-label="Done"' if token.meta["checked"] else 'aria-label="To do"'
    return f'<li class="task"><input type="checkbox" disabled {state}> '


def _footnote_ref(token: Token, _page: Page) -> str:
    number, own = _numbers(token.meta)
    link = f'<a href="#fn:{number}" id="fnref:{own}">{number}</a>'
    return f'<sup class="footnote-ref">{link}</sup>'


def _footnote_block_open(_token: Token, _page: Page) -> str:
    return '<section class="footnotes">\n<ol>\n'


def _footnote_block_close(_token: Token, _page: Page) -> str:
    return "</ol>\n</section>\n"


def _footnote_open(token: Token, _page: Page) -> str:
    return f'<li id="fn:{token.meta["id"] + 1}">'


def _footnote_anchor(token: Token, _page: Page) -> str:
    """The way back from a footnote to where it was referred to."""
    _, own = _numbers(token.meta)
    attributes = f'href="#fnref:{own}" class="footnote-back" title="Back to the text"'
    return f" <a {attributes}>\u21a9\ufe0e</a>"


def _numbers(meta: dict[Any, Any]) -> tuple[str, str]:
    """The number of a footnote, and that of one of the references to it."""
    number = str(meta["id"] + 1)
    again = meta.get("subId", 0)
    return number, f"{number}:{again}" if again else number


_RULES: dict[str, Callable[[Token, Page], str]] = {
    "alert_open": _alert_open,
    "alert_title_open": _alert_title_open,
    "bullet_list_open": _list_open,
    "code_block": _code_block,
    "code_inline": _code_inline,
    "fence": _fence,
    "footnote_anchor": _footnote_anchor,
    "footnote_block_close": _footnote_block_close,
    "footnote_block_open": _footnote_block_open,
    "footnote_open": _footnote_open,
    "footnote_ref": _footnote_ref,
    "formula": _formula,
    "formula_block": _formula_block,
    "html_block": _html_block,
    "html_inline": _html_inline,
    "list_item_open": _list_item_open,
    "ordered_list_open": _list_open,
    "plain": _plain,
    "softbreak": _softbreak,
    "text": _text,
}
