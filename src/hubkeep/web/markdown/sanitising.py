# SPDX-License-Identifier: Apache-2.0
"""What of HTML may be in a text: one list of elements, attributes, classes and addresses.

`cleaned_up` reads what Markdown and its author made and writes it balanced and canonical;
`checked` reads what came of that in the end. Between them stands only what we add ourselves.
"""

import re
from collections.abc import Callable

import nh3

from hubkeep.web.markdown.places import ANCHOR
from hubkeep.web.markdown.tags import TAG, names

HEADINGS = names("h1 h2 h3 h4 h5 h6")
TAGS = HEADINGS | names(
    """
    a abbr audio b blockquote br caption center cite code col colgroup dd del details dfn div dl dt
    em figcaption figure hr i img ins kbd li mark ol p picture pre q rp rt ruby s samp section small
    source span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var
    video wbr
    """
)
# A text's checkboxes are those of task lists: no user writes an input.
_OURS = TAGS | {"input"}

_ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href"},
    "audio": {"src", "controls", "loop", "muted"},
    "col": {"span", "width"},
    "colgroup": {"span"},
    "details": {"open"},
    "img": {"alt", "height", "src", "srcset", "width"},
    "input": {"aria-label", "checked", "disabled"},
    "li": {"value"},
    "ol": {"reversed", "start", "type"},
    "source": {"media", "src", "srcset", "type"},
    "td": {"colspan", "height", "rowspan", "width"},
    "th": {"colspan", "height", "rowspan", "scope", "width"},
    "time": {"datetime"},
    "video": {"controls", "height", "loop", "muted", "poster", "src", "width"},
    "*": {"title", "lang"},
}
_ALIGNED = HEADINGS | {"div", "img", "p", "table", "td", "th", "tr", "tbody", "thead", "center"}
_VALUES: dict[str, dict[str, set[str]]] = {
    name: {"align": {"left", "center", "right", "justify"}} for name in _ALIGNED
}
_VALUES["input"] = {"type": {"checkbox"}}
for _name in ("td", "th", "tr"):
    _VALUES[_name]["valign"] = {"top", "middle", "bottom", "baseline"}
for _name in ("div", "p", "span", "table", "ul", "ol", "blockquote", *HEADINGS):
    _VALUES.setdefault(_name, {})["dir"] = {"ltr", "rtl", "auto"}

_CLASSES: dict[str, set[str]] = {
    "div": {"notice", "good", "warn", "bad"},
    "p": {"notice-title"},
    "li": {"task"},
    "ul": {"tasks"},
    "ol": {"tasks"},
    "section": {"footnotes"},
    "sup": {"footnote-ref"},
    "a": {"footnote-back", "anchor", "external-image"},
    "span": {"external-image", "bidi"},
}
# Elements that may have an id, to be linked to.
NAMED = HEADINGS | {"a", "div", "li", "p", "section", "span", "sup", "table", "figure", "details"}
_STYLED = _ALIGNED | {"video", "span", "figure"}

_SIZE = re.compile(r"\d{1,4}(?:\.\d{1,3})?(?:px|%)?")
_PATTERNS = {
    "colspan": re.compile(r"\d{1,3}"),
    "datetime": re.compile(r"[\d:TZ .+-]{1,40}"),
    "height": _SIZE,
    "id": ANCHOR,
    "lang": re.compile(r"[A-Za-z0-9-]{1,35}"),
    "media": re.compile(r"[\w\s():.,-]{1,100}"),
    "rowspan": re.compile(r"\d{1,3}"),
    "scope": re.compile("row|col|rowgroup|colgroup"),
    "span": re.compile(r"\d{1,3}"),
    "start": re.compile(r"-?\d{1,9}"),
    "value": re.compile(r"-?\d{1,9}"),
    "type": re.compile(r"[1aAiI]|checkbox|(?:image|video|audio)/[\w.+-]{1,40}"),
    "width": _SIZE,
}
# As many times a result is parsed again before no more than its words are kept.
_ROUNDS = 8


def _attributes(**more: frozenset[str] | set[str]) -> dict[str, set[str]]:
    """The list of attributes, with further ones on sets of elements."""
    allowed = {name: set(attributes) for name, attributes in _ATTRIBUTES.items()}
    for attribute, elements in more.items():
        for name in elements:
            allowed.setdefault(name, set()).add(attribute.replace("_", "-"))
    return allowed


def _cleaner(
    attributes: dict[str, set[str]],
    values: dict[str, dict[str, set[str]]],
    check: Callable[[str, str, str], str | None] | None = None,
) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(_OURS),
        clean_content_tags={"script", "style"},
        attributes=attributes,
        attribute_filter=check,
        link_rel=None,
        tag_attribute_values=values,
        set_tag_attribute_values={"input": {"disabled": ""}},
        url_schemes={"http", "https", "mailto"},
        allowed_classes=_CLASSES,
    )


# What an author may write besides: names and styles, which the next step turns into ids and
# attributes of ours.
_first = _cleaner(
    _attributes(id=NAMED, name={"a"}, style=_STYLED, data_slot={"span", "div", "pre"}), _VALUES
)
_LAST_ATTRIBUTES = _attributes(id=NAMED, aria_label={"a"}, data_slot={"span", "div", "pre"})
_LAST_VALUES = {
    **_VALUES,
    "a": {"rel": {"nofollow noopener noreferrer ugc"}},
    "img": {**_VALUES["img"], "loading": {"lazy"}, "decoding": {"async"}},
    "pre": {"tabindex": {"0"}},
    "table": {**_VALUES["table"], "tabindex": {"0"}},
    "audio": {"preload": {"none"}},
    "video": {"preload": {"metadata"}},
}


def cleaned_up(html: str) -> str:
    """Any HTML as balanced HTML of allowed elements, written in one way."""
    return _first.clean(html)


def checked(html: str, loads_from: tuple[str, ...]) -> str:
    """The HTML that a page may hold, and that parses to nothing else than what it says.

    Whatever it loads begins with one of `loads_from`; its ids are the text's own.
    """

    def is_own(address: str) -> bool:
        return address.startswith(loads_from) and not address.startswith("//")

    def check(_tag: str, attribute: str, value: str) -> str | None:
        if attribute in _PATTERNS:
            return value if _PATTERNS[attribute].fullmatch(value) else None
        if attribute in ("src", "poster"):
            return value if is_own(value) else None
        if attribute == "srcset":
            firsts = [candidate.split()[:1] for candidate in value.split(",")]
            return value if all(first and is_own(first[0]) for first in firsts) else None
        return value

    cleaner = _cleaner(_LAST_ATTRIBUTES, _LAST_VALUES, check)
    for _ in range(_ROUNDS):
        before, html = html, cleaner.clean(html)
        if html == before:
            return html
    return TAG.sub("", html)
