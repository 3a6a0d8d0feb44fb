# SPDX-License-Identifier: Apache-2.0
"""Characters that a reader cannot see: dropped, or shown as what they are."""

import re
import unicodedata

from hubkeep.web.markdown.tags import TAG

# C0 and C1 controls but for tab and line feed: no text needs them, and HTML forbids most.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Overrides, embeddings and isolates: with them, text reads otherwise than it is (and code runs
# otherwise than it reads). Marks of direction (U+200E, U+200F, U+061C) cannot do that, and
# Hebrew and Arabic need them.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")

_MAX_MARKS = 1_000


def cleaned(text: str) -> str:
    """Any string as one that HTML can hold: line feeds alone end lines, no controls."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", _SURROGATE.sub("\ufffd", text))


def marked(html: str) -> str:
    """HTML whose characters that change the direction of text are shown as marks.

    In attributes they are dropped, and so are those after the first thousand; controls are
    dropped everywhere. The HTML is to be as the sanitiser writes it: no comments, `<` and `>`
    escaped wherever they are not a tag's.
    """
    html = _CONTROL.sub("", html)
    if _DIRECTION.search(html) is None:
        return html
    html = TAG.sub(lambda tag: unmarked(tag[0]), html)
    return unmarked(_DIRECTION.sub(_mark, html, count=_MAX_MARKS))


def unmarked(text: str) -> str:
    """Text without the characters that change its direction, for where no mark can stand."""
    return _DIRECTION.sub("", text)


def _mark(match: re.Match[str]) -> str:
    code = f"U+{ord(match[0]):04X}"
    name = unicodedata.name(match[0]).lower()
    return f'<span class="bidi" title="{code}, {name}">{code}</span>'
