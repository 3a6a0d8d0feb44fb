# SPDX-License-Identifier: Apache-2.0
"""Differences between two versions of a file, in the form that `git apply` and people read.

Texts are str in which bytes that are not UTF-8 stand as lone surrogates, as `surrogateescape` makes
them: encoded the same way they are the bytes again.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_CONTEXT = 3
_SNIFF = 8000  # as many bytes as git looks at
_MAX_LINES = 4000  # of what is left between equal ends; the search for matches is quadratic
_STEPS, _STEPS_PER_LINE = 50_000, 100  # several times what texts ask for that people change
_NEEDS_QUOTES = re.compile(r'["\\\x00-\x1f\x7f]')
_NOTHING = "0" * 40


class TooDifferent(Exception):
    """Finding out what two texts share would take too long."""


class Allowance:
    """Steps that comparing many texts may take in all; what one asks for beyond them is refused."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    @property
    def is_spent(self) -> bool:
        """Whether a text was refused."""
        return self._left < 0

    def spend(self, steps: int) -> None:
        """Take some of what is left. TooDifferent where that is less."""
        self._left -= steps
        if self._left < 0:
            raise TooDifferent


class Matcher(difflib.SequenceMatcher):
    """A matcher of lines that raises TooDifferent where texts are made to keep it busy.

    What it does is counted in steps before it does it: as many as the square of the lines times
    their number are possible, which for two texts of 4,000 lines is a minute. `shared` is what it
    has together with others, besides its own.
    """

    def __init__(
        self, old: Sequence[str], new: Sequence[str], shared: Allowance | None = None
    ) -> None:
        lines = len(old) + len(new)
        if shared is not None:
            shared.spend(lines)
        super().__init__(None, old, new)
        self._old = old
        self._own = Allowance(_STEPS + _STEPS_PER_LINE * lines)
        self._shared = shared

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> difflib.Match:
        """The longest run of lines that the two share within a part of each."""
        there: dict[str, list[int]] = self.b2j  # ty: ignore
        steps = sum(len(there.get(line, ())) + 1 for line in self._old[alo:ahi])
        self._own.spend(steps)
        if self._shared is not None:
            self._shared.spend(steps)
        return super().find_longest_match(alo, ahi, blo, bhi)


@dataclass(frozen=True, slots=True)
class DiffSide:
    """A version of a file: its mode in octal, its id, and its bytes, None if not to be shown."""

    mode: str
    oid: str
    content: bytes | None


def file_patch(
    path: str, old: DiffSide | None, new: DiffSide | None, allowance: Allowance | None = None
) -> str:
    """Return the patch of one file as git writes it; None is a side on which it is not there.

    A side that is binary, or has no content to show, makes it one line, which `git apply` refuses.
    """
    if old is not None and new is not None and old.mode[:2] != new.mode[:2]:
        return file_patch(path, old, None) + file_patch(path, None, new)  # a link became a file
    head = f"diff --git {_quoted('a/' + path)} {_quoted('b/' + path)}\n" + _modes(old, new)
    if old is not None and new is not None and old.oid == new.oid:
        return head
    ids = f"{old.oid if old else _NOTHING}..{new.oid if new else _NOTHING}"
    both = old is not None and new is not None and old.mode == new.mode
    head += f"index {ids}{' ' + old.mode if old and both else ''}\n"
    text = sides_diff(path, old, new, allowance)
    if text is not None:
        return head + text
    names = [_quoted("a/" + path) if old else "/dev/null", _quoted("b/" + path)]
    return f"{head}Binary files {names[0]} and {names[1] if new else '/dev/null'} differ\n"


def sides_diff(
    path: str, old: DiffSide | None, new: DiffSide | None, allowance: Allowance | None = None
) -> str | None:
    """Return the unified diff of two sides, None where one is binary or not to be shown."""
    if any(side is not None and side.content is None for side in (old, new)):
        return None
    before, after = old.content if old else None, new.content if new else None
    return unified_diff(path, before, after, allowance)


def _modes(old: DiffSide | None, new: DiffSide | None) -> str:
    if old is None:
        return f"new file mode {new.mode}\n" if new else ""
    if new is None:
        return f"deleted file mode {old.mode}\n"
    return "" if old.mode == new.mode else f"old mode {old.mode}\nnew mode {new.mode}\n"


def unified_diff(
    path: str, old: bytes | None, new: bytes | None, allowance: Allowance | None = None
) -> str | None:
    """Return a unified diff of two versions of a file, "" if they have the same lines.

    A version is None where there is no file. The answer is None where a side is binary, as git sees
    it: a NUL near the start. Where too many lines differ to compare them in bounded time, or within
    what is left of an allowance that several files share, all of them are replaced.
    """
    one, other = old or b"", new or b""
    if b"\0" in one[:_SNIFF] or b"\0" in other[:_SNIFF]:
        return None
    if one == other:
        return ""
    before, after = _lines(one), _lines(other)
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    first, last = max(head - _CONTEXT, 0), max(tail - _CONTEXT, 0)
    before, after = before[first : len(before) - last], after[first : len(after) - last]
    names = ["/dev/null" if old is None else _name("a/" + path)]
    names.append("/dev/null" if new is None else _name("b/" + path))
    try:
        hunks = "".join(_hunks(before, after, first, allowance))
    except TooDifferent:
        hunks = "".join(_one_hunk(before, after, first))
    return f"--- {names[0]}\n+++ {names[1]}\n{hunks}"


def _quoted(name: str) -> str:
    if not _NEEDS_QUOTES.search(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda each: f"\\{ord(each[0]):03o}", escaped) + '"'


def _name(name: str) -> str:
    # A tab ends a name that has spaces, lest what follows is taken for a date.
    return _quoted(name) + ("\t" if " " in name else "")


def _lines(content: bytes) -> list[str]:
    # Only \n ends a line; str.splitlines would also split at form feeds and the like.
    *lines, rest = content.decode("utf-8", "surrogateescape").split("\n")
    ended = [line + "\n" for line in lines]
    return [*ended, f"{rest}\n\\ No newline at end of file\n"] if rest else ended


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _hunks(
    old: Sequence[str], new: Sequence[str], offset: int, allowance: Allowance | None
) -> Iterator[str]:
    if max(len(old), len(new)) > _MAX_LINES:
        raise TooDifferent
    for group in Matcher(old, new, allowance).get_grouped_opcodes(_CONTEXT):
        start = _range(group[0][1] + offset, group[-1][2] - group[0][1])
        yield f"@@ -{start} +{_range(group[0][3] + offset, group[-1][4] - group[0][3])} @@\n"
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (" " + line for line in old[i1:i2])
            else:
                yield from ("-" + line for line in old[i1:i2])
                yield from ("+" + line for line in new[j1:j2])


def _one_hunk(old: Sequence[str], new: Sequence[str], offset: int) -> Iterator[str]:
    yield f"@@ -{_range(offset, len(old))} +{_range(offset, len(new))} @@\n"
    yield from ("-" + line for line in old)
    yield from ("+" + line for line in new)


def _range(start: int, length: int) -> str:
    # git counts lines from 1, and an empty range stands behind the line before it.
    first = start + 1 if length else start
    return f"{first}" if length == 1 else f"{first},{length}"
