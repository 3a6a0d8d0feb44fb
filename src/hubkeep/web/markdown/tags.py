# SPDX-License-Identifier: Apache-2.0
"""Tags of HTML as the sanitiser writes it: balanced, lower case, each value in double quotes.

Only such HTML can be taken apart with a pattern, and only such HTML is.
"""

import re
from collections.abc import Mapping
from html import unescape

TAG = re.compile(r"<(/?)([a-z][a-z0-9-]*)([^<>]*)>")
_ESCAPED = str.maketrans({"&": "&amp;", "\xa0": "&nbsp;", '"': "&quot;", "<": "&lt;", ">": "&gt;"})
_ATTRIBUTE = re.compile(r' ([^\s="]+)="([^"]*)"')


def names(text: str) -> frozenset[str]:
    """Names with blanks between them, as a set."""
    return frozenset(text.split())


def attributes(inner: str) -> dict[str, str]:
    """The attributes of a tag, from what stands between its name and its end."""
    return {name: unescape(value) for name, value in _ATTRIBUTE.findall(inner)}


def written(name: str, attributes: Mapping[str, str]) -> str:
    """An opening tag, its values escaped as the sanitiser escapes them."""
    pairs = "".join(f' {key}="{value.translate(_ESCAPED)}"' for key, value in attributes.items())
    return f"<{name}{pairs}>"


def text_of(html: str) -> str:
    """The text in a piece of HTML."""
    return unescape(TAG.sub("", html))
