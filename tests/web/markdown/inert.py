# SPDX-License-Identifier: Apache-2.0
"""What rendered text may hold, said a second time, by a list apart from the sanitiser's."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from hubkeep.web.markdown import Place, Rendered, render_markdown

PLACE = Place(links="/alice/m/blob/main/", images="/alice/m/resolve/main/", folder="docs")
REL = "nofollow noopener noreferrer ugc"

VOID = {"br", "col", "hr", "img", "input", "source", "wbr"}
# fmt: off
TAGS = VOID | {
    "a", "abbr", "audio", "b", "blockquote", "caption", "center", "cite", "code", "colgroup", "dd",
    "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3",
    "h4", "h5", "h6", "i", "ins", "kbd", "li", "mark", "ol", "p", "picture", "pre", "q", "rp", "rt",
    "ruby", "s", "samp", "section", "small", "span", "strike", "strong", "sub", "summary", "sup",
    "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "video",
}
MATHML = {
    "math", "menclose", "merror", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded",
    "mphantom", "mprescripts", "mroot", "mrow", "ms", "mspace", "msqrt", "mstyle", "msub",
    "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover", "none",
}
CLASSES = {
    "anchor", "bad", "bidi", "external-image", "footnote-back", "footnote-ref", "footnotes", "good",
    "math", "mermaid-source", "notice", "notice-title", "task", "tasks", "tex", "warn",
}
# fmt: on
SAFE_ADDRESS = re.compile(r"https?://|mailto:|/alice/m/|/(?![/\\])|#", re.IGNORECASE)
TOKEN_CLASS = re.compile(r"[a-z][a-z0-9]{0,2}")


@dataclass
class Seen(HTMLParser):
    """What is in a piece of HTML: elements with their attributes, text, and whether it balances."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    faults: list[str] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> ends nothing")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"comment {data!r}")

    def handle_decl(self, decl: str) -> None:
        self.faults.append(f"declaration {decl!r}")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"instruction {data!r}")

    def find(self, tag: str) -> list[dict[str, str]]:
        """The attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def left_open(self) -> list[str]:
        """Elements without an end."""
        return self._open


def seen(html: str) -> Seen:
    """Take a piece of HTML apart."""
    parser = Seen()
    parser.feed(html)
    parser.close()
    return parser


def render(text: str, place: Place = PLACE) -> Rendered:
    """Render a text, and hold the result to the list of what it may be."""
    rendered = render_markdown(text, place)
    assert faults(rendered.html) == []
    return rendered


def html_of(text: str, place: Place = PLACE) -> str:
    """The HTML of a text."""
    return render(text, place).html


def faults(html: str) -> list[str]:
    """All that should not be in the HTML of a user's text."""
    found = seen(html)
    wrong = [*found.faults, *(f"<{tag}> is left open" for tag in found.left_open())]
    for tag, attributes in found.elements:
        if tag not in TAGS | MATHML:
            wrong.append(f"element {tag}")
        for name, value in attributes.items():
            wrong.extend(_faults_of(tag, name, value))
        elsewhere = attributes.get("href", "").startswith("http")
        if elsewhere and attributes.get("rel") != REL:
            wrong.append(f"link without rel: {attributes}")
        if tag == "input" and (attributes.get("type"), "disabled" in attributes) != (
            "checkbox",
            True,
        ):
            wrong.append(f"input {attributes}")
    if re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", html):
        wrong.append("a control character")
    if "data-slot" in html:
        wrong.append("a place that was not filled")
    return wrong


def _faults_of(tag: str, name: str, value: str) -> list[str]:
    if name.startswith("on") or name in ("style", "name", "srcdoc", "action", "formaction"):
        return [f"attribute {name}={value!r} on {tag}"]
    if name == "id" and not value.startswith("user-content-"):
        return [f"id {value!r}"]
    if name == "href" and not SAFE_ADDRESS.match(value):
        return [f"href {value!r}"]
    if name in ("src", "poster") and not value.startswith("/alice/m/resolve/main/"):
        return [f"{name} {value!r}"]
    if name == "srcset":
        sources = [source.strip() for source in value.split(",")]
        if not all(source.startswith("/alice/m/resolve/main/") for source in sources):
            return [f"srcset {value!r}"]
    if name == "class":
        unknown = [each for each in value.split() if each not in CLASSES]
        if tag != "span" or not all(TOKEN_CLASS.fullmatch(each) for each in unknown):
            return [f"class {each!r} on {tag}" for each in unknown]
    return []
