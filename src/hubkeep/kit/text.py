# SPDX-License-Identifier: Apache-2.0
"""Strings made safe for where they go."""

import re

_UNSAFE = re.compile(r"[^\x20-\x7e]+")
HEADER_LIMIT = 1000


def storable(text: str) -> bool:
    """Say whether every database takes the text: PostgreSQL has no NUL, and none has surrogates.

    What is not is the name of nothing, and need not be asked for.
    """
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def header_safe(text: str) -> str:
    """Return one line of printable ASCII for a header value, cut at 1,000 characters."""
    return _UNSAFE.sub(" ", text)[:HEADER_LIMIT].strip()
