# SPDX-License-Identifier: Apache-2.0
"""Strings out of values that users wrote: bounded, without control characters."""

import re
from collections.abc import Iterable

MAX_TAG_CHARS = 256
MAX_LIST_ITEMS = 500

# C0 and C1 controls, line separators, and the marks that turn the direction of text: in a tag or
# a title they can only break a log line, a header or what a reader believes to be reading.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def encodable(text: str) -> str:
    """`text` with NUL and lone surrogates replaced by U+FFFD.

    UTF-8 cannot hold a lone surrogate and PostgreSQL can hold no NUL in text, so neither may
    reach a column.
    """
    if text.isascii() and "\0" not in text:
        return text
    return _SURROGATES.sub("\ufffd", text.replace("\0", "\ufffd"))


def clean(value: object, limit: int = MAX_TAG_CHARS) -> str | None:
    """A string or number as one line of at most `limit` characters; None where nothing is left.

    Numbers count as what their author wrote (`tags: [2024]`); booleans, lists and mappings do
    not, since no field that is read this way has a meaning for them.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, int) and value.bit_length() > 64:
        return None
    text = _CONTROLS.sub("", encodable(str(value))).strip()
    return text[:limit].rstrip() or None


def strings(value: object, count: int = MAX_LIST_ITEMS, limit: int = MAX_TAG_CHARS) -> list[str]:
    """The cleaned strings of a field that may be one value or a list: unique, in order."""
    items: Iterable[object] = value if isinstance(value, list) else [value]
    found: dict[str, None] = {}
    for item in items:
        text = clean(item, limit)
        if text is not None:
            found.setdefault(text)
            if len(found) >= count:
                break
    return list(found)
