# SPDX-License-Identifier: Apache-2.0
"""Source code with its words in colours: classes of Pygments, a line for a line."""

import time
from functools import cache
from html import escape

from pygments.token import STANDARD_TYPES, _TokenType

from hubkeep.web.markdown.characters import cleaned, marked
from hubkeep.web.markdown.languages import lexer_of

MAX_CODE = 256 * 1024
# The patterns of some lexers take time with the square of a line's length.
MAX_LINE = 4_000
_MAX_SECONDS = 1.0
# What is written as plain text: most of any code, and nothing that a colour would help to read.
_PLAIN = {"", "err", "esc", "g", "l", "ld", "n", "nx", "o", "p", "pm", "w", "x", "nv"}


def highlight(code: str, name_or_language: str) -> list[str] | None:
    """The lines of some code as HTML, with short Pygments classes on spans.

    As many lines as `code.splitlines()` has where lines end in line feeds. None where the
    language is unknown (to be shown as plain text), or where the code is too large, a line too
    long or the time too short for it. `name_or_language` is the word after a fence, or the name
    or path of a file. It never raises.
    """
    if len(code) > MAX_CODE:
        return None
    lexer = lexer_of(name_or_language)
    if lexer is None:
        return None
    code = cleaned(code)
    if len(max(code.split("\n"), key=len)) > MAX_LINE:
        return None
    deadline = time.monotonic() + _MAX_SECONDS
    lines: list[list[str]] = [[]]
    for number, (_, kind, text) in enumerate(lexer.get_tokens_unprocessed(code)):
        if not number % 256 and time.monotonic() > deadline:
            return None
        _append(lines, _class(kind), text)
    if not lines[-1]:
        del lines[-1]
    return [marked("".join(line)) for line in lines]


def _append(lines: list[list[str]], name: str, text: str) -> None:
    """Add a token's text, which may go over several lines, each of them with its own span."""
    first, *further = escape(text, quote=False).split("\n")
    if first:
        lines[-1].append(f'<span class="{name}">{first}</span>' if name else first)
    for each in further:
        lines.append([f'<span class="{name}">{each}</span>' if name and each else each])


@cache
def _class(kind: _TokenType) -> str:
    """The class of a kind of token, or of the next kind above it that has one."""
    while kind not in STANDARD_TYPES:
        kind = kind.parent
    name = STANDARD_TYPES[kind]
    return "" if name in _PLAIN else name
