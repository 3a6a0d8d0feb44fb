# SPDX-License-Identifier: Apache-2.0
"""Who descends from whom, given the one base of each: roots, generations, and cycles.

Pure functions over numbers of models; nothing here recurses, and a cycle ends the search.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

NOBODY: Final = -1
UNKNOWN_DEPTH: Final = -1


@dataclass(frozen=True, slots=True)
class Family:
    """Where each model stands: the root of its family, and how many generations below it.

    A model that is in a cycle, or below one, has the cycle's first member for its root and
    UNKNOWN_DEPTH.
    """

    roots: Sequence[int]
    depths: Sequence[int]


def families(bases: Sequence[int]) -> Family:
    """Find the root of each model, whose base is the number at its place, or NOBODY.

    The first member of a cycle is the one of the least number. Each model is looked at once.
    """
    roots, depths = [NOBODY] * len(bases), [UNKNOWN_DEPTH] * len(bases)
    for start in range(len(bases)):
        path: list[int] = []
        seen: dict[int, int] = {}
        at = start
        while at != NOBODY and roots[at] == NOBODY and at not in seen:
            seen[at] = len(path)
            path.append(at)
            at = bases[at]
        if at == NOBODY:
            at = path.pop()
            roots[at], depths[at] = at, 0
        elif roots[at] == NOBODY:
            cycle = path[seen[at] :]
            for member in cycle:
                roots[member] = min(cycle)
            del path[seen[at] :]
        depth = depths[at]
        for below in reversed(path):
            depth = depth + 1 if depth != UNKNOWN_DEPTH else depth
            roots[below], depths[below] = roots[at], depth
    return Family(roots, depths)


def cycles(bases: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return the sets of models that descend from each other, each sorted, by their first member.

    `bases` has all bases of each model. These are the strongly connected components of more than
    one model, by Tarjan's algorithm (1972) without recursion.
    """
    found: list[list[str]] = []
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    waiting: set[str] = set()
    work: list[tuple[str, Iterator[str]]] = []

    def enter(name: str) -> None:
        numbers[name] = lowest[name] = len(numbers)
        stack.append(name)
        waiting.add(name)
        work.append((name, iter(bases[name])))

    for start in sorted(bases):
        if start not in numbers:
            enter(start)
        while work:
            here, rest = work[-1]
            base = next(rest, None)
            if base is None:
                work.pop()
                if work:
                    above = work[-1][0]
                    lowest[above] = min(lowest[above], lowest[here])
                if lowest[here] == numbers[here]:
                    members = _taken(stack, here)
                    waiting.difference_update(members)
                    if len(members) > 1:
                        found.append(sorted(members))
            elif base in waiting:
                lowest[here] = min(lowest[here], numbers[base])
            elif base in bases and base not in numbers:
                enter(base)
    return sorted(found)


def _taken(stack: list[str], last: str) -> list[str]:
    """Take off a stack what lies on `last`, and itself."""
    members = [stack.pop()]
    while members[-1] != last:
        members.append(stack.pop())
    return members
