# SPDX-License-Identifier: Apache-2.0
"""Byte ranges of HTTP requests (RFC 9110, section 14)."""

import re
from dataclasses import dataclass
from itertools import pairwise

_ONE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*$")
_EACH = re.compile(r"(\d{0,18})-(\d{0,18})", re.ASCII)
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


class BadRange(ValueError):
    """The value of `Range` is not one that can be answered: 400."""


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


def parse_ranges(header: str, size: int, most: int) -> list[ByteRange]:
    """Return all ranges that a `Range` header asks for, in its order, clipped to `size`.

    For answers that may give nothing but what is asked for. Raises BadRange where the value is
    malformed, has more than `most` ranges, or asks for a byte twice; Unsatisfiable where any of
    the ranges starts past the end.
    """
    unit, _, asked = header.partition("=")
    written = asked.split(",", most)
    if unit != "bytes" or len(written) > most:
        raise BadRange(f"not a value of 'bytes' with at most {most} ranges")
    ranges = [_one(text.strip(" "), size) for text in written]
    if any(after.start < before.end for before, after in pairwise(sorted(ranges, key=_start))):
        raise BadRange("the ranges overlap")
    return ranges


def _one(text: str, size: int) -> ByteRange:
    found = _EACH.fullmatch(text)
    if found is None or text == "-":
        raise BadRange("a range is written as first-last")
    first, last = found.groups()
    if first and last and int(last) < int(first):
        raise BadRange("a range ends before it starts")
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if start >= end:
        raise Unsatisfiable
    return ByteRange(start, end)


def _start(one: ByteRange) -> int:
    return one.start
