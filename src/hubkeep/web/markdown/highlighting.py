# SPDX-License-Identifier: Apache-2.0
"""Source code with its words in colours: classes of Pygments, a line for a line."""

import time
from collections.abc import Iterable
from functools import cache
from html import escape

from pygments.token import STANDARD_TYPES, _TokenType

from hubkeep.web.markdown.characters import cleaned, marked
from hubkeep.web.markdown.languages import lexer_of

MAX_CODE = 256 * 1024
# Some patterns of lexers take time with the square of a line's length; nothing interrupts one.
MAX_LINE = 1_000
MAX_SECONDS = 1.0
# What is written as plain text: most of any code, and nothing that a colour would help to read.
_PLAIN = {"", "err", "esc", "g", "l", "ld", "n", "nx", "o", "p", "pm", "w", "x", "nv"}


def highlight(
    code: str, name_or_language: str, *, seconds: float = MAX_SECONDS
) -> list[str] | None:
    """The lines of some code as HTML, with short Pygments classes on spans.

    As many lines as `code.splitlines()` has where lines end in line feeds. None where the
    language is unknown (to be shown as plain text), or where the code is too large, a line too
    long, or `seconds` of processor time too short for it. `name_or_language` is the word after a
    fence, or the name or path of a file. It never raises.
    """
    if len(code) > MAX_CODE:
        return None
    lexer = lexer_of(name_or_language)
    if lexer is None:
        return None
    code = cleaned(code)
    if len(max(code.split("\n"), key=len)) > MAX_LINE:
        return None
    try:
        runs = _runs(lexer.get_tokens_unprocessed(code), time.thread_time() + seconds)
    except Exception:  # noqa: BLE001 (fifty lexers of others, on any text: the code itself is shown)
        return None
    if runs is None or sum(len(text) for _, text in runs) != len(code):
        return None
    return marked("\n".join(_lines(runs))).split("\n") if code else []


def _runs(
    tokens: Iterable[tuple[int, _TokenType, str]], deadline: float
) -> list[tuple[str, str]] | None:
    """Text in runs of one class each; None if there is no time for all of it."""
    runs: list[tuple[str, list[str]]] = [("", [])]
    for number, (_, kind, text) in enumerate(tokens):
        if not number % 16 and time.thread_time() > deadline:
            return None
        name = _class(kind)
        if runs[-1][0] == name:
            runs[-1][1].append(text)
        else:
            runs.append((name, [text]))
    return [(name, "".join(texts)) for name, texts in runs]


def _lines(runs: list[tuple[str, str]]) -> list[str]:
    """The lines of text in runs of one class; a run over several has a span on each."""
    lines: list[list[str]] = [[]]
    for name, text in runs:
        first, *further = escape(text, quote=False).split("\n")
        lines[-1].append(_span(name, first))
        lines.extend([_span(name, each)] for each in further)
    whole = ["".join(line) for line in lines]
    return whole if whole[-1] else whole[:-1]


def _span(name: str, html: str) -> str:
    return f'<span class="{name}">{html}</span>' if name and html else html


@cache
def _class(kind: _TokenType) -> str:
    """The class of a kind of token, or of the next kind above it that has one."""
    name = next(STANDARD_TYPES[each] for each in reversed(kind.split()) if each in STANDARD_TYPES)
    return "" if name in _PLAIN else name
