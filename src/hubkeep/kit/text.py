# SPDX-License-Identifier: Apache-2.0
"""Strings made safe for where they go."""

import re

_UNSAFE = re.compile(r"[^\x20-\x7e]+")
HEADER_LIMIT = 1000


def header_safe(text: str) -> str:
    """Return one line of printable ASCII for a header value, cut at 1,000 characters."""
    return _UNSAFE.sub(" ", text)[:HEADER_LIMIT].strip()
