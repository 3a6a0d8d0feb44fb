# SPDX-License-Identifier: Apache-2.0
"""Canonical HTML brought to its place in the hub: headings, links, images."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from hubkeep.web.markdown.places import Place, anchor, is_elsewhere
from hubkeep.web.markdown.sanitising import HEADINGS
from hubkeep.web.markdown.slots import SLOT, Slots
from hubkeep.web.markdown.slugs import Slugs
from hubkeep.web.markdown.tags import attributes, text_of, written

_REL = "nofollow noopener noreferrer ugc"
_MAX_TITLE = 200
# The tags that are looked at: those that mean something here, and any with attributes.
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>a|h[1-6]|img|source|video|audio|pre|table)(?P<inner> [^<>]*)?>"
    r"|<(?P<other>[a-z0-9]+)(?P<others> [^<>]+)>"
)
_ALIGN = re.compile(r"(?:^|;)\s*text-align\s*:\s*(left|center|right|justify)\s*(?:;|$)")
_WIDTH = re.compile(r"(?:^|;)\s*(?:max-)?width\s*:\s*(\d{1,4}(?:px|%))\s*(?:;|$)")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a text: its level (1 to 6), its words, and the id to link to (`#` + anchor)."""

    level: int
    text: str
    anchor: str


class Settling:
    """One text's way from canonical HTML to what the page shows."""

    def __init__(self, place: Place, slots: Slots) -> None:
        self.headings: list[Heading] = []
        self._place = place
        self._slots = slots
        self._slugs = Slugs()
        self._links = 0
        self._begun: list[tuple[int, dict[str, str]]] = []
        self._out: list[str] = []
        self._handlers: dict[str, Callable[[str, dict[str, str]], None]] = {
            "a": self._link,
            "img": self._image,
            "source": self._source,
            "video": self._media,
            "audio": self._media,
            "input": self._box,
            "pre": self._focusable,
            "table": self._focusable,
            **dict.fromkeys(HEADINGS, self._heading),
        }

    def settled(self, html: str) -> str:
        """The HTML with addresses, ids and images as they are in the place."""
        out, at = self._out, 0
        for tag in _TAG.finditer(html):
            out.append(html[at : tag.start()])
            at = tag.end()
            self._tag(tag)
            if tag["name"] == "pre" and not tag["end"]:
                # A parser drops a line feed here, and would drop the next one next time.
                at += len(html[at : at + 1000]) - len(html[at : at + 1000].lstrip("\n"))
        out.append(html[at:])
        return "".join(out).replace("<p></p>", "")

    def _tag(self, tag: re.Match[str]) -> None:
        name = tag["name"] or tag["other"]
        inner = tag["inner"] or tag["others"] or ""
        if tag["end"]:
            self._end(name, tag[0])
        elif f" {SLOT}=" in inner:
            self._out.append(tag[0])
        else:
            pairs = attributes(inner)
            self._name(pairs)
            _restyle(name, pairs)
            self._handlers.get(name, self._as_it_is)(name, pairs)

    def _name(self, pairs: dict[str, str]) -> None:
        """Make an id or name one of the text's own."""
        name = pairs.pop("name", None)
        wanted = pairs.pop("id", None) or name
        if wanted and (own := self._slugs.own(anchor(wanted))):
            pairs["id"] = own

    def _end(self, name: str, tag: str) -> None:
        if name == "a":
            self._links -= 1
        if name[0] == "h" and self._begun:
            self._end_heading(name)
        self._out.append(tag)

    def _as_it_is(self, name: str, pairs: dict[str, str]) -> None:
        self._out.append(written(name, pairs))

    def _link(self, name: str, pairs: dict[str, str]) -> None:
        self._links += 1
        href = pairs.pop("href", None)
        href = None if href is None else self._place.link(href)
        if href is not None:
            pairs["href"] = href
            if is_elsewhere(href):
                pairs["rel"] = _REL
        self._out.append(written(name, pairs))

    def _heading(self, name: str, pairs: dict[str, str]) -> None:
        self._begun.append((len(self._out), pairs))
        self._out.append(name)

    def _end_heading(self, name: str) -> None:
        """Give the heading that ends its id, its place in the contents and a link to itself."""
        start, pairs = self._begun.pop()
        inside = "".join(self._out[start + 1 :])
        text = " ".join(text_of(self._slots.texts(inside)).split())
        if not text:
            self._out[start] = written(name, pairs)
            return
        own = pairs.get("id") or self._slugs.of(text)
        pairs["id"] = own
        self._out[start] = written(name, pairs)
        self.headings.append(Heading(int(name[1]), text[:_MAX_TITLE], own))
        if not self._links:
            label = {"class": "anchor", "href": f"#{own}", "aria-label": f"Link to {text[:80]}"}
            self._out.append(f"{written('a', label)}#</a>")

    def _image(self, name: str, pairs: dict[str, str]) -> None:
        src = pairs.pop("src", "")
        own = self._place.image(src)
        alt = pairs.pop("alt", "").strip()
        if own is None:
            self._out.append(self._unloaded(src, alt))
            return
        file = own.partition("?")[0].rpartition("/")[2]
        pairs = {"src": own, "alt": alt or file, **pairs, "loading": "lazy", "decoding": "async"}
        self._sources(pairs)
        self._out.append(written(name, pairs))

    def _media(self, name: str, pairs: dict[str, str]) -> None:
        """A film or a sound: without a source of its own it may hold one."""
        for each in ("src", "poster"):
            own = self._place.image(pairs.pop(each)) if each in pairs else None
            if own is not None:
                pairs[each] = own
        pairs["controls"] = ""
        pairs["preload"] = "none" if name == "audio" else "metadata"
        self._out.append(written(name, pairs))

    def _source(self, name: str, pairs: dict[str, str]) -> None:
        own = self._place.image(pairs.pop("src")) if "src" in pairs else None
        if own is not None:
            pairs["src"] = own
        self._sources(pairs)
        if "src" in pairs or "srcset" in pairs:
            self._out.append(written(name, pairs))

    def _sources(self, pairs: dict[str, str]) -> None:
        """Bring a set of sources to their place; none of them if one is another host's."""
        if "srcset" not in pairs:
            return
        sources = []
        for candidate in pairs.pop("srcset").split(","):
            address, *size = candidate.split()[:2] or [""]
            own = self._place.image(address)
            if own is None:
                return
            sources.append(" ".join([own, *size]))
        pairs["srcset"] = ", ".join(sources)

    def _unloaded(self, src: str, alt: str) -> str:
        """What stands for an image that the hub does not load: its words, and the way to it."""
        href = self._place.link(src) if src else None
        pairs = {"class": "external-image"}
        if href is None or not is_elsewhere(href):
            return f"{written('span', pairs)}{_text(alt)}</span>" if alt else ""
        host = urlsplit(href).hostname or "another site"
        words = _text(alt or host)
        pairs["title"] = f"An image at {host}, not loaded"
        if self._links:
            return f"{written('span', pairs)}{words}</span>"
        return f"{written('a', {**pairs, 'href': href, 'rel': _REL})}{words}</a>"

    def _box(self, name: str, pairs: dict[str, str]) -> None:
        """The box of a task, which nobody can tick here."""
        self._out.append(written(name, {**pairs, "type": "checkbox", "disabled": ""}))

    def _focusable(self, name: str, pairs: dict[str, str]) -> None:
        """What may scroll sideways can be reached by keyboard."""
        self._out.append(written(name, {**pairs, "tabindex": "0"}))


def _restyle(name: str, pairs: dict[str, str]) -> None:
    """The few styles that have an attribute of their own; a page takes no other."""
    style = pairs.pop("style", "").lower()
    if align := _ALIGN.search(style):
        pairs.setdefault("align", align[1])
    if name in ("img", "video") and (width := _WIDTH.search(style)):
        pairs.setdefault("width", width[1].removesuffix("px"))


def _text(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
