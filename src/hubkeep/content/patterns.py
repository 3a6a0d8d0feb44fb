# SPDX-License-Identifier: Apache-2.0
"""Patterns of `.gitignore` and `.gitattributes`, matched without backtracking.

They are users' text, and a regular expression that backtracks takes hours over `*a*a*a*a*b`. Here
the work of one match grows with the length of the pattern times that of the path, and `check_work`
refuses what is too much in all.

The rules are those of https://git-scm.com/docs/gitignore#_pattern_format.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from fnmatch import translate

from hubkeep.git.names import MAX_DEPTH, MAX_PATH

MAX_RULES = 2000
MAX_WORK = 2_000_000_000
"""Characters of patterns times characters of paths: some seconds at worst."""

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LONE_BACKSLASH = re.compile(r"(?<!\\)(?:\\\\)*\\\Z")


class BadPattern(ValueError):
    """git never matches it."""


class TooMuchWork(ValueError):
    """So many patterns and paths would take too long."""


class Pattern:
    """One pattern, without the marks around it (`!`, a slash at its end)."""

    def __init__(self, text: str) -> None:
        """BadPattern for a pattern that ends in a lone backslash."""
        if _LONE_BACKSLASH.search(text):
            raise BadPattern(text)
        parts = text.removeprefix("/").split("/")
        if parts[0] == "**" and len(parts) == 2 and parts[1] != "**":
            parts = parts[1:]
            text = parts[0]
        self._is_name = "/" not in text
        """Whether it is held against the last segment alone."""
        self._parts = [None if part == "**" else _segment(part) for part in parts]
        self._is_fixed = None not in self._parts
        self.work = len(text) * (1 if self._is_fixed else MAX_DEPTH)

    def matches(self, path: Sequence[str]) -> bool:
        """Whether it matches this path, given in segments."""
        if self._is_name:
            return self._fits(0, path[-1])
        if self._is_fixed and len(self._parts) != len(path):
            return False
        return self._matches_all(path)

    def _matches_all(self, path: Sequence[str]) -> bool:
        # As with stars in one segment: of several `**` only the last has to be tried further on.
        parts, last = self._parts, len(self._parts) - 1
        at, here, star, mark = 0, 0, -1, 0
        while here < len(path):
            if at <= last and parts[at] is None:
                if at == last:
                    return True
                star, mark = at, here
                at += 1
            elif at <= last and self._fits(at, path[here]):
                at, here = at + 1, here + 1
            elif star >= 0:
                mark += 1
                at, here = star + 1, mark
            else:
                return False
        return at > last

    def _fits(self, at: int, segment: str) -> bool:
        part = self._parts[at]
        return part is None or part.match(segment) is not None


class IgnoreRules:
    """The rules of one `.gitignore` at the root of a repository."""

    def __init__(self, text: str) -> None:
        self._rules: list[tuple[Pattern, bool, bool]] = []
        for line in text.split("\n")[:MAX_RULES]:
            rule = line.rstrip("\r")
            # A space at the end counts where a backslash stands before it.
            rule = rule.rstrip(" ") + (" " if rule.rstrip(" ").endswith("\\") else "")
            is_back = rule.startswith("!")
            rule = rule.removeprefix("!")
            if not rule.strip("/ ") or (rule.startswith("#") and not is_back):
                continue
            try:
                pattern = Pattern(rule.removesuffix("/"))
            except BadPattern:
                continue
            self._rules.append((pattern, not is_back, rule.endswith("/")))
        self.work = sum(pattern.work for pattern, _, _ in self._rules)

    def is_ignored(self, path: str) -> bool:
        """Whether git would pass this file over; what is in an ignored folder cannot come back."""
        if not can_be_committed(path):
            return False
        segments = path.split("/")
        return any(
            self._verdict(segments[:end], is_folder=end < len(segments))
            for end in range(1, len(segments) + 1)
        )

    def _verdict(self, path: Sequence[str], *, is_folder: bool) -> bool:
        for pattern, verdict, for_folders in reversed(self._rules):
            if (is_folder or not for_folders) and pattern.matches(path):
                return verdict
        return False


def can_be_committed(path: str) -> bool:
    """Whether a path is no longer and no deeper than a commit takes; others match nothing."""
    return len(path) <= MAX_PATH and path.count("/") < MAX_DEPTH


def check_work(of_patterns: int, paths: Collection[str]) -> None:
    """Raise TooMuchWork if matching all the paths against patterns of this work takes too long."""
    if of_patterns * _total(paths) > MAX_WORK:
        raise TooMuchWork("These patterns are too many for so many paths; ask for fewer at once")


def _total(paths: Iterable[str]) -> int:
    return sum(len(path) for path in paths if can_be_committed(path))


def _segment(text: str) -> re.Pattern[str]:
    """Translate the pattern of one segment; `fnmatch` writes stars that do not backtrack."""
    plain = _ESCAPED.sub(lambda found: f"[{found[1]}]" if found[1] in "*?[" else found[1], text)
    return re.compile(translate(plain.replace("[^", "[!")))
