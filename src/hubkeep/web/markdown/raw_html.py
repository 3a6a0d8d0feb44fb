# SPDX-License-Identifier: Apache-2.0
"""HTML in a text, made whole before it is parsed: each piece for itself, and of bounded depth.

What is let through is the sanitiser's to say; this is about shape. A parser of HTML takes a `<!--`
or an open quote to the end of the document, and its time grows with the square of the depth. So
every tag is written anew from what was understood of it, what is no tag becomes text, and tags
beyond a depth are left out.
"""

import re
from html import escape, unescape

from hubkeep.web.markdown.sanitising import TAGS
from hubkeep.web.markdown.slots import SLOT
from hubkeep.web.markdown.tags import names, written

# How deep the elements of a text may lie in each other, and how many of those that parsers open
# again in every paragraph until they are closed.
MAX_DEPTH = 48
MAX_FORMATTING = 6

# Possessive throughout, so that what does not match fails in the time it took to read it.
_TAG = re.compile(
    r"""<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:-]*+)
    (?P<attributes>(?:\s*+/?+\s*+[^\s"'<>/=]++
        (?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'=<>`]++))?+)*+)
    \s*+(?P<alone>/?)>""",
    re.VERBOSE,
)
_ATTRIBUTE = re.compile(
    r"""([^\s"'<>/=]++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'=<>`]++))?+""",
)
_VOID = names("area br col embed hr img input link meta param source track wbr")
_FORMATTING = names("a b big code em font i nobr s small strike strong tt u")
# Closed by what follows them: that they are left open is good HTML.
_LEFT_OPEN = names("dd dt li p tbody td tfoot th thead tr")
# Left out with all that is in them.
_WITH_CONTENT = names(
    "iframe math noembed noframes object script select style svg template textarea title xmp"
)
# Elements of HTML that are not let through, left out in silence. Any other name in angle brackets
# was not meant as HTML ("<unk>", "<your-token>") and is shown.
_KNOWN = names(
    """
    acronym address applet article aside base basefont bdi bdo body button canvas circle datalist
    data defs dialog dir ellipse fieldset footer form frame frameset g head header hgroup html image
    keygen label legend line lineargradient main map marquee menu meter nav noscript optgroup option
    output path plaintext polygon polyline portal progress rect search slot stop text tspan use
    """
) | (_WITH_CONTENT | _VOID | _FORMATTING)


class RawHtml:
    """The HTML of one text: remembers what is open from one piece to the next."""

    def __init__(self) -> None:
        self._open: list[str] = []

    def block(self, html: str) -> str:
        """A block of HTML; what it leaves open stays open for the Markdown after it."""
        out: list[str] = []
        at = 0
        while (start := html.find("<", at)) >= 0:
            out.append(html[at:start])
            piece, at = self._piece(html, start)
            out.append(piece)
        out.append(html[at:])
        return "".join(out)

    def inline(self, html: str) -> str:
        """One tag or comment amid text."""
        piece, end = self._piece(html, 0)
        return piece + escape(html[end:], quote=False)

    def depth(self) -> int:
        """How many elements are open, to come back to with `close`."""
        return len(self._open)

    def close(self, depth: int) -> str:
        """The end tags of what was opened since: a paragraph leaves nothing open."""
        left = self._open[depth:]
        del self._open[depth:]
        return "".join(f"</{name}>" for name in reversed(left))

    def _piece(self, html: str, start: int) -> tuple[str, int]:
        """What stands for the tag, comment or lone `<` at `start`, and where it ends."""
        if html.startswith("<!", start) or html.startswith("<?", start):
            return "", _end_of_comment(html, start)
        tag = _TAG.match(html, start)
        if tag is None:
            return "&lt;", start + 1
        name = tag["name"].lower()
        if name in _WITH_CONTENT:
            return "", tag.end() if tag["end"] else _end_of_content(html, tag.end(), name)
        if name in TAGS:
            return self._tag(tag, name), tag.end()
        # `<Gallery />` and its like are components of other sites.
        if name in _KNOWN or (tag["name"][0].isupper() and tag["alone"]):
            return "", tag.end()
        return escape(tag[0], quote=False), tag.end()

    def _tag(self, tag: re.Match[str], name: str) -> str:
        if tag["end"]:
            return self._end_tag(name)
        attributes = _attributes(tag["attributes"])
        if name == "a" and "href" not in attributes:
            # A name to link to. Many are never closed, and are not meant to hold what follows.
            return f"{written(name, attributes)}</a>"
        if name not in _VOID and name not in _LEFT_OPEN and not self._opened(name):
            return ""
        return written(name, attributes)

    def _opened(self, name: str) -> bool:
        """Note that an element opens; False if that is one too many."""
        if name == "a" and name in self._open:
            return True  # a link ends the one before it
        formatting = sum(each in _FORMATTING for each in self._open)
        if len(self._open) >= MAX_DEPTH or (name in _FORMATTING and formatting >= MAX_FORMATTING):
            return False
        self._open.append(name)
        return True

    def _end_tag(self, name: str) -> str:
        if name in _LEFT_OPEN:
            return f"</{name}>"
        if name not in self._open:
            return ""
        while self._open.pop() != name:
            pass
        return f"</{name}>"


def _attributes(source: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(source):
        if name.lower() == SLOT:
            continue
        bare = value[1:-1] if value[:1] in ('"', "'") else value
        pairs.setdefault(name.lower(), unescape(bare))
    return pairs


def _end_of_comment(html: str, start: int) -> int:
    """Where a comment, declaration or instruction ends; the end of the piece if nowhere."""
    closing = "-->" if html.startswith("<!--", start) else ">"
    end = html.find(closing, start + 2)
    return len(html) if end < 0 else end + len(closing)


def _end_of_content(html: str, start: int, name: str) -> int:
    """Where an element that is left out whole ends; the end of the piece if nowhere."""
    end = re.compile(rf"</{name}\s*+>", re.IGNORECASE).search(html, start)
    return len(html) if end is None else end.end()
