# SPDX-License-Identifier: Apache-2.0
r"""Where mathematics is in a text: `$..$`, `$$..$$`, `\(..\)`, `\[..\]` and fences of `math`.

Backslashes may be doubled, as huggingface.co asks for. As on GitHub, a dollar begins no formula
after a Latin letter, digit or dollar nor before a blank, and ends none after a blank nor before a
Latin letter or digit. So "$5 and $10" is money, and "$HOME/$USER" a path.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

_MAX_LINES = 200

_DOLLARS = re.compile(r"\$\$((?:[^$\\]|\\.)++)\$\$", re.DOTALL)
_DOLLAR_CODE = re.compile(r"\$`([^`]++)`\$")
_DOLLAR = re.compile(r"\$((?:[^$\\]|\\.)++)\$(?![0-9A-Za-z$])", re.DOTALL)
_OPENING = re.compile(r"\\{1,2}([(\[])")
_BLOCK_OPENING = re.compile(r"(\$\$|\\{1,2}\[)(?!\$)")
_ANOTHER = re.compile(r"\$\$\s*+\S|\\{1,2}\[")


def formulas(md: MarkdownIt) -> None:
    """Make a parser find formulas: tokens `formula` and `formula_block`, their TeX as content."""
    md.inline.ruler.before("escape", "formula", _inline)
    md.block.ruler.before(
        "fence",
        "formula_block",
        _block,
        {"alt": ["paragraph", "reference", "blockquote", "list"]},
    )


def _inline(state: StateInline, silent: bool) -> bool:
    character = state.src[state.pos]
    if character == "$":
        found = _between_dollars(state)
    elif character == "\\":
        found = _between_brackets(state)
    else:
        return False
    if found is None:
        return False
    tex, display, end = found
    if end > state.posMax or not tex.strip():
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.content = tex.strip()
        token.markup = state.src[state.pos : end]
        token.meta = {"display": display}
    state.pos = end
    return True


def _between_dollars(state: StateInline) -> tuple[str, bool, int] | None:
    src, pos = state.src, state.pos
    if match := _DOLLARS.match(src, pos):
        return match[1], True, match.end()
    before = src[pos - 1] if pos else " "
    if (before.isascii() and before.isalnum()) or before == "$":
        return None
    if match := _DOLLAR_CODE.match(src, pos):
        return match[1], False, match.end()
    match = _DOLLAR.match(src, pos)
    if match is None or match[1][0].isspace() or match[1][-1].isspace():
        return None
    return match[1], False, match.end()


def _between_brackets(state: StateInline) -> tuple[str, bool, int] | None:
    opening = _OPENING.match(state.src, state.pos)
    if opening is None:
        return None
    closing = opening[0][:-1] + {"(": ")", "[": "]"}[opening[1]]
    end = state.src.find(closing, opening.end(), state.posMax)
    if end < 0:
        return None
    return state.src[opening.end() : end], opening[1] == "[", end + len(closing)


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Display mathematics that begins a line and ends one, without an empty line in it."""
    if state.is_code_block(start):
        return False
    first = _line(state, start)
    opening = _BLOCK_OPENING.match(first)
    if opening is None:
        return False
    closing = opening[1].replace("[", "]")
    lines = [first[opening.end() :]]
    line = start
    while closing not in lines[-1]:
        line += 1
        if line >= min(end, start + _MAX_LINES) or state.sCount[line] < state.blkIndent:
            return False
        lines.append(_line(state, line))
        # Not past another opening: many that never close would each be looked at to the end.
        if not lines[-1].strip() or _ANOTHER.match(lines[-1]):
            return False
    last = lines[-1].rstrip().removesuffix(closing)
    if closing in last or last == lines[-1].rstrip():
        return False  # it ends amid a line: formulas in a paragraph
    lines[-1] = last
    tex = "\n".join(lines).strip()
    if not tex:
        return False
    if not silent:
        token = state.push("formula_block", "", 0)
        token.block = True
        token.content = tex
        token.map = [start, line + 1]
        state.line = line + 1
    return True


def _line(state: StateBlock, line: int) -> str:
    """A line of the block that is being read, without the marks of quotes and lists before it."""
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
