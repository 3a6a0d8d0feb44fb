# SPDX-License-Identifier: Apache-2.0
"""What is taken from the text of a README: papers that it links to, and its first words."""

import re

from hubkeep.cards.values import clean

MAX_PAPERS = 100
MAX_DESCRIPTION = 500
_MAX_TEXT = 512 * 1024

# New identifiers (2104.01778) and those before April 2007 (cs/0112017), without a version.
_PAPER = re.compile(
    r"(?:arxiv\.org/(?:abs|pdf|html)/|(?:huggingface\.co|hf\.co)/papers/|arxiv:\s?)"
    r"(\d{4}\.\d{4,5}|[a-z-]{2,10}(?:\.[A-Z]{2})?/\d{7})(?!\d)",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CODE_BLOCK = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.DOTALL | re.MULTILINE)
_MARKUP = re.compile(
    r"!\[[^\]\n]{0,500}\]\([^)\n]{0,2000}\)|<[^<>\n]{1,2000}>|^\s{0,3}#{1,6}\s+|[*_`]+",
    re.MULTILINE,
)
_LINK = re.compile(r"\[([^\]\n]{0,500})\]\([^)\n]{0,2000}\)")


def papers(body: str) -> list[str]:
    """The arXiv identifiers that a README links to, unique, in order of appearance."""
    found: dict[str, None] = {}
    for match in _PAPER.finditer(body[:_MAX_TEXT]):
        found.setdefault(match[1])
        if len(found) >= MAX_PAPERS:
            break
    return list(found)


def description(body: str) -> str | None:
    """The beginning of a README as one line of plain text, at most `MAX_DESCRIPTION` characters.

    For lists and search results; not safe as HTML until it is escaped.
    """
    text = _COMMENT.sub(" ", body[: 16 * MAX_DESCRIPTION])
    text = _LINK.sub(r"\1", _MARKUP.sub("", _CODE_BLOCK.sub(" ", text)))
    line = clean(" ".join(text.split()), MAX_DESCRIPTION + 1)
    if line is None or len(line) <= MAX_DESCRIPTION:
        return line
    return line[: MAX_DESCRIPTION - 1].rstrip() + "…"
