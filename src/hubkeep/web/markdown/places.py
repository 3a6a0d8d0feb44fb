# SPDX-License-Identifier: Apache-2.0
"""Where a text is, and what its links and images point to from there."""

import re
from dataclasses import dataclass
from urllib.parse import quote

# What the ids of a text begin with, so that none is an id of the page.
PREFIX = "user-content-"
ANCHOR = re.compile(re.escape(PREFIX) + r"[^\s<>\"'&]{1,200}")

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
# However many slashes there are: a browser reads "https:host" and "///host" as this.
_ELSEWHERE = re.compile(r"(?:(https?):/*|//+)", re.IGNORECASE)
_DOT = re.compile("%2e", re.IGNORECASE)
_MARKDOWN = re.compile(r"\.(?:md|markdown|mdx)$", re.IGNORECASE)
_LINE = re.compile(r"L\d+(?:-L\d+)?$")
# Browsers drop these wherever they are in an address, and the blanks at its ends.
_IGNORED = re.compile(r"[\t\n\r]")
_BLANK = "".join(map(chr, range(0x21)))
_SAFE = "!$&'()*+,;=:@%~"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the hub a text is.

    `links` and `images` are the addresses of the root of its repository at its revision, where
    links lead and where images load from: "/alice/m/blob/main/", "/alice/m/resolve/main/".
    `folder` is the path of the text's own folder in the repository: "" or "docs/guides".

    `root_links` and `root_images` are what paths with a leading slash are below; None for images
    means that such are not loaded. `origin` is how the hub is called ("https://hub.example"):
    an absolute address there counts as the hub's own.
    """

    links: str
    images: str
    folder: str = ""
    root_links: str = "/"
    root_images: str | None = None
    origin: str | None = None

    def link(self, href: str) -> str | None:
        """The address that a link leads to; None for one that leads nowhere.

        It is absolute only where the link leaves the hub; `..` never leaves the repository.
        """
        href = _tidied(href)
        own = self._within_hub(href)
        root = self.root_links if own is None else "/"
        href = href if own is None else own
        if href.startswith("#"):
            return "#" if href in ("#", "#top") else f"#{anchor(href[1:])}"
        if elsewhere := _ELSEWHERE.match(href):
            return f"{(elsewhere[1] or 'https').lower()}://{href[elsewhere.end() :]}"
        if not href or _SCHEME.match(href):
            return href or None
        path, query, fragment = _parts(href)
        if fragment and _MARKDOWN.search(path) and not _LINE.match(fragment):
            fragment = anchor(fragment)
        base = root if path.startswith("/") else self.links
        return base + self._walked(path) + query + (f"#{fragment}" if fragment else "")

    def image(self, src: str) -> str | None:
        """The address that a file shown in the text loads from; None if it is not the hub's."""
        src = _tidied(src)
        own = self._within_hub(src)
        root = self.root_images if own is None else "/"
        src = src if own is None else own
        if not src or src.startswith(("//", "#")) or _SCHEME.match(src):
            return None
        path, query, _ = _parts(src)
        base = root if path.startswith("/") else self.images
        return None if base is None else base + self._walked(path) + query

    def _within_hub(self, address: str) -> str | None:
        """The path of an absolute address that is the hub's own."""
        origin = self.origin
        if not origin or not address.lower().startswith(f"{origin.lower()}/"):
            return None
        return "/" + address[len(origin) :].lstrip("/")

    def _walked(self, path: str) -> str:
        """A path below the root, with no step of it that leaves the root."""
        own = [] if path.startswith("/") else [quote(part) for part in self.folder.split("/")]
        steps = [part for part in own if part]
        for part in _DOT.sub(".", path).split("/"):
            if part == "..":
                del steps[-1:]
            elif part not in ("", "."):
                steps.append(quote(part, safe=_SAFE))
        return "/".join(steps) + ("/" if steps and path.endswith("/") else "")


def is_elsewhere(address: str) -> bool:
    """Whether an address is on another host."""
    return _ELSEWHERE.match(address) is not None


def anchor(name: str) -> str:
    """A name as an id of the text's own; one that is so already stays as it is."""
    return name if name.startswith(PREFIX) else PREFIX + name


def _tidied(address: str) -> str:
    """An address as a browser reads it: no blanks around it, and a backslash is a slash."""
    address = _IGNORED.sub("", address).strip(_BLANK)
    before, mark, after = address.partition("#")
    return before.replace("\\", "/") + mark + after


def _parts(address: str) -> tuple[str, str, str]:
    """Path, query with its question mark, fragment without its mark."""
    address, _, fragment = address.partition("#")
    path, mark, query = address.partition("?")
    return path, mark + query, fragment
