# SPDX-License-Identifier: Apache-2.0
"""Matching of request paths that carry percent-encoded slashes inside one segment.

Hub clients send revisions as one segment (`refs%2Fpr%2F1`), so paths are matched *before* they are
decoded; frameworks that decode first cannot tell `tree/feat%2Fx` from `tree/feat/x`.
A tree of segments also makes the cost independent of the number of routes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote

T = TypeVar("T")

MAX_SEGMENTS = 256


@dataclass(slots=True)
class _Leaf(Generic[T]):
    target: T
    names: tuple[str, ...]
    fixed: Mapping[str, str]


@dataclass(slots=True)
class _Node(Generic[T]):
    literals: dict[str, "_Node[T]"] = field(default_factory=dict)
    capture: "_Node[T] | None" = None
    leaves: dict[str, _Leaf[T]] = field(default_factory=dict)
    rest: dict[str, _Leaf[T]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match(Generic[T]):
    """What a path led to; `params` are decoded."""

    target: T
    params: dict[str, str]


@dataclass(frozen=True, slots=True)
class WrongMethod:
    """The path exists, the method does not; `allowed` says which do."""

    allowed: tuple[str, ...]


class Router(Generic[T]):
    """Routes of the form `/api/models/{ns}/{name}/tree/{rev}/{path*}`.

    `{x}` takes one non-empty segment, `{x*}` (last) takes all that is left, at least one segment.
    Where several fit, literal segments win over captures, and captures over the rest, from the
    left. A route for GET answers HEAD too.
    """

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def add(
        self, method: str, pattern: str, target: T, fixed: Mapping[str, str] | None = None
    ) -> None:
        """Add a route; `fixed` are parameters that the pattern implies. ValueError on a
        duplicate.
        """
        node = self._root
        names: list[str] = []
        into_rest = False
        for segment in pattern.strip("/").split("/") if pattern != "/" else ():
            if into_rest:
                raise ValueError(f"{pattern}: nothing may follow {{{names[-1]}*}}")
            if segment.startswith("{") and segment.endswith("*}"):
                names.append(segment[1:-2])
                into_rest = True
            elif segment.startswith("{"):
                names.append(segment[1:-1])
                node.capture = node.capture or _Node()
                node = node.capture
            else:
                node = node.literals.setdefault(segment, _Node())
        leaves = node.rest if into_rest else node.leaves
        if method in leaves:
            raise ValueError(f"{method} {pattern} is routed twice")
        leaves[method] = _Leaf(target, tuple(names), fixed or {})

    def match(self, method: str, raw_path: str) -> Match[T] | WrongMethod | None:
        """Find the route of an undecoded path; None where no route has this path."""
        segments = raw_path.strip("/").split("/") if raw_path.strip("/") else []
        if len(segments) > MAX_SEGMENTS:
            return None
        wanted = "GET" if method == "HEAD" else method
        allowed: set[str] = set()
        for leaves, captured in self._walk(self._root, segments, 0, []):
            leaf = leaves.get(method) or leaves.get(wanted)
            if leaf is not None:
                params = dict(leaf.fixed)
                params.update(zip(leaf.names, map(unquote, captured), strict=True))
                return Match(leaf.target, params)
            allowed.update(leaves)
        if not allowed:
            return None
        return WrongMethod(tuple(sorted(allowed | ({"HEAD"} if "GET" in allowed else set()))))

    def _walk(
        self, node: _Node[T], segments: list[str], at: int, captured: list[str]
    ) -> Iterator[tuple[dict[str, _Leaf[T]], Iterable[str]]]:
        if at == len(segments):
            if node.leaves:
                yield node.leaves, captured
            return
        segment = segments[at]
        literal = node.literals.get(segment)
        if literal is not None:
            yield from self._walk(literal, segments, at + 1, captured)
        if node.capture is not None and segment:
            yield from self._walk(node.capture, segments, at + 1, [*captured, segment])
        if node.rest:
            yield node.rest, [*captured, "/".join(segments[at:])]
