# SPDX-License-Identifier: Apache-2.0
"""Bare addresses in text made links: `https://..`, `www...` and mail, as GitHub's Markdown has it.

Names with a dot alone are none: in a hub "README.md" and "model.pt" are files, whatever top level
domains there are.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

# Ends at blanks and at the marks of full width that follow an address in Chinese and Japanese.
_ADDRESS = re.compile(
    r"(?<![A-Za-z0-9_/@.-])"
    r"(?:(?:https?://|www\.)[^\s<>\"`\uff00-\uff20\u3000-\u303f]{1,2000}+"
    r"|[A-Za-z0-9][A-Za-z0-9.+_-]{0,63}+@[A-Za-z0-9][A-Za-z0-9-]*+(?:\.[A-Za-z0-9][A-Za-z0-9-]*+)++)"
)
_HOST = re.compile(r"(?:https?://)?+[^\W_][^/?#]*", re.IGNORECASE)


def autolinks(md: MarkdownIt) -> None:
    """Make a parser turn bare addresses into links."""
    md.core.ruler.push("autolinks", _rule)


def _rule(state: StateCore) -> None:
    for block in state.tokens:
        text = block.content
        if block.type == "inline" and block.children and _is_worth_it(text):
            block.children = _linked(block.children)


def _is_worth_it(text: str) -> bool:
    return "://" in text or "@" in text or "www." in text


def _linked(tokens: list[Token]) -> list[Token]:
    out: list[Token] = []
    inside = 0
    for token in tokens:
        if token.type == "link_open":
            inside += 1
        elif token.type == "link_close":
            inside -= 1
        elif token.type == "html_inline":
            inside += _step(token.content)
        if token.type == "text" and inside <= 0 and _is_worth_it(token.content):
            out.extend(_split(token))
        else:
            out.append(token)
    return out


def _step(html: str) -> int:
    """Whether a tag opens a link or ends one."""
    start = html[:3].lower()
    return (start in ("<a ", "<a\n", "<a\t")) - (start == "</a")


def _split(token: Token) -> list[Token]:
    text = token.content
    out: list[Token] = []
    at = 0
    for match in _ADDRESS.finditer(text):
        address = _trimmed(match[0])
        if _HOST.match(address.removeprefix("www.")) is None:
            continue
        out.append(_text(text[at : match.start()]))
        out += _link(address)
        at = match.start() + len(address)
    out.append(_text(text[at:]))
    return [each for each in out if each.type != "text" or each.content]


def _trimmed(address: str) -> str:
    """An address without the punctuation of the sentence that it stands in."""
    while True:
        shorter = address.rstrip("?!.,:;*_~'")
        for opening, closing in ("()", "[]"):
            extra = shorter.count(closing) - shorter.count(opening)
            run = len(shorter) - len(shorter.rstrip(closing))
            shorter = shorter[: len(shorter) - max(0, min(extra, run))]
        if shorter == address:
            return address
        address = shorter


def _link(address: str) -> list[Token]:
    href = address
    if "://" not in address:
        href = f"http://{address}" if address.startswith("www.") else f"mailto:{address}"
    opening = Token("link_open", "a", 1, attrs={"href": href})
    return [opening, _text(address), Token("link_close", "a", -1)]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
