# SPDX-License-Identifier: Apache-2.0
"""Differences between two versions of a text, in the form that `git apply` and people read."""

import difflib
from collections.abc import Iterator, Sequence

_CONTEXT = 3
_SNIFF = 8000  # as many bytes as git looks at
_MAX_LINES = 4000  # of what is left between equal ends; the search for matches is quadratic


def unified_diff(path: str, old: bytes, new: bytes) -> str | None:
    """Return a unified diff of two versions of a file, "" if they are equal.

    None where no diff is shown: a side is binary (as git sees it: a NUL near the start), or too
    many lines differ to compare them in bounded time. Bytes that are not UTF-8 become U+FFFD.
    """
    if b"\0" in old[:_SNIFF] or b"\0" in new[:_SNIFF]:
        return None
    if old == new:
        return ""
    before, after = _lines(old), _lines(new)
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    first, last = max(head - _CONTEXT, 0), max(tail - _CONTEXT, 0)
    before, after = before[first : len(before) - last], after[first : len(after) - last]
    if max(len(before), len(after)) > _MAX_LINES:
        return None
    names = (f"a/{path}" if old else "/dev/null", f"b/{path}" if new else "/dev/null")
    return f"--- {names[0]}\n+++ {names[1]}\n" + "".join(_hunks(before, after, first))


def _lines(content: bytes) -> list[str]:
    # Only \n ends a line; str.splitlines would also split at form feeds and the like.
    *lines, rest = content.decode("utf-8", "replace").split("\n")
    ended = [line + "\n" for line in lines]
    return [*ended, f"{rest}\n\\ No newline at end of file\n"] if rest else ended


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _hunks(old: Sequence[str], new: Sequence[str], offset: int) -> Iterator[str]:
    for group in difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(_CONTEXT):
        start = _range(group[0][1] + offset, group[-1][2] - group[0][1])
        yield f"@@ -{start} +{_range(group[0][3] + offset, group[-1][4] - group[0][3])} @@\n"
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (" " + line for line in old[i1:i2])
            else:
                yield from ("-" + line for line in old[i1:i2])
                yield from ("+" + line for line in new[j1:j2])


def _range(start: int, length: int) -> str:
    # git counts lines from 1, and an empty range stands behind the line before it.
    first = start + 1 if length else start
    return f"{first}" if length == 1 else f"{first},{length}"
