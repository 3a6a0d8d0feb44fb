# SPDX-License-Identifier: Apache-2.0
"""What the tests of the documentation read of a page: links, headings, blocks of code."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_PAGES = ("*.md", "docs/*.md", "docs/decisions/*.md", "docs/observatory/*.md")


@dataclass(frozen=True)
class Page:
    """A page of the documentation; `name` is its path from the root of the project."""

    name: str

    @cached_property
    def text(self) -> str:
        return (ROOT / self.name).read_text("utf-8")

    @property
    def prose(self) -> str:
        """The text without its code."""
        return _INLINE_CODE.sub("`code`", _FENCE.sub("", self.text))

    @property
    def links(self) -> list[str]:
        """The targets that lie in the project."""
        return [link for link in _LINK.findall(self.prose) if "://" not in link]

    @property
    def anchors(self) -> set[str]:
        """The names that renderers give to the headings."""
        headings = _HEADING.findall(_FENCE.sub("", self.text))
        return {
            re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
            for heading in headings
        }

    def blocks(self, language: str) -> list[str]:
        """The blocks of code that are marked so."""
        return [code for mark, code in _FENCE.findall(self.text) if mark == language]


def pages() -> list[Page]:
    """All pages: those at the root, those in docs/, and the decisions."""
    found = (path for pattern in _PAGES for path in ROOT.glob(pattern))
    return [Page(path.relative_to(ROOT).as_posix()) for path in sorted(found)]
