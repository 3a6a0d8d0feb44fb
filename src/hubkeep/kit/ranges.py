# SPDX-License-Identifier: Apache-2.0
"""Byte ranges of HTTP requests (RFC 9110, section 14)."""

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*$")
_MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes from `start` up to, not including, `end`."""

    start: int
    end: int

    def content_range(self, size: int) -> str:
        """Return the value of `Content-Range` for this part of a body of `size` bytes."""
        return f"bytes {self.start}-{self.end - 1}/{size}"


class Unsatisfiable(ValueError):
    """The range lies outside the body: 416."""


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """Return the one range that a `Range` header asks for, clipped to `size`.

    None means "send everything": no header, another unit, a malformed value or several ranges, all
    of which RFC 9110 lets a server ignore. Raises Unsatisfiable where the range starts past the
    end.
    """
    found = _ONE.match(header) if header else None
    if found is None:
        return None
    first, last = found.groups()
    if len(first) > _MAX_DIGITS or len(last) > _MAX_DIGITS or not (first or last):
        return None
    if not first:
        if int(last) == 0 or size == 0:
            raise Unsatisfiable
        return ByteRange(max(0, size - int(last)), size)
    start = int(first)
    end = min(size, int(last) + 1) if last else size
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return ByteRange(start, end)
