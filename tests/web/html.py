# SPDX-License-Identifier: Apache-2.0
"""Reading pages as a browser does: into elements, with their text."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx2 as httpx

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source"}
    | {"track", "wbr"}
)


@dataclass
class Element:
    """An element with its attributes and all that is in it."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    inside: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What a reader sees of it, with single spaces."""
        return " ".join("".join(self._texts()).split())

    def all(self, tag: str, **attributes: str) -> list["Element"]:
        """The elements below it of this tag; `class_` asks for one class among others."""
        wanted = {name.replace("_", "-").rstrip("-"): it for name, it in attributes.items()}
        return [one for one in self._below() if one.tag == tag and one._has(wanted)]

    def one(self, tag: str, **attributes: str) -> "Element":
        """The only such element."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} of <{tag} {attributes}>"
        return found[0]

    def link(self, text: str) -> str:
        """Where the link of this text leads."""
        found = [one for one in self.all("a") if one.text == text]
        assert found, f"no link {text!r} among {[one.text for one in self.all('a')]}"
        return found[0].attributes["href"]

    def _texts(self) -> Iterator[str]:
        for one in self.inside:
            if isinstance(one, Element):
                yield from one._texts()
            else:
                yield one

    def _has(self, wanted: dict[str, str]) -> bool:
        own = self.attributes
        return all(
            value in own.get("class", "").split() if name == "class" else own.get(name) == value
            for name, value in wanted.items()
        )

    def _below(self) -> Iterator["Element"]:
        for one in self.inside:
            if isinstance(one, Element):
                yield one
                yield from one._below()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(made)
        if tag not in _VOID:
            self.open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def read_html(answer: httpx.Response, status: int = 200) -> Element:
    """Read a page; its elements have to be closed in the order in which they were opened."""
    assert answer.status_code == status, answer.text[:2000]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    reader = _Reader()
    reader.feed(answer.text)
    reader.close()
    assert len(reader.open) == 1, f"<{reader.open[-1].tag}> is not closed"
    return reader.open[0]
