# SPDX-License-Identifier: Apache-2.0
"""How commits descend from each other; work grows with what lies between them, not with history.

All walks go by generation, the newest first: when a commit's turn comes, all that descend from it
and have a part in the question have had theirs, so what is known of it is final. The graph is read
ahead of the walk, further each time.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence

from sqlalchemy import Connection

from hubkeep.git.errors import ObjectMissing
from hubkeep.git.queries import commits
from hubkeep.git.queries_ancestry import Node, read_ahead
from hubkeep.git.types import CommitRow
from hubkeep.kit.batches import batches

_FIRST_STEP = 8
_STEP_GROWS = 4
_LONGEST_STEP = 2048
_NO_FURTHER = (1 << 31) - 1
_OIDS = 10_000

# What a walk paints commits with.
_ONE = 1
_OTHER = 2
_BOTH = _ONE | _OTHER
_BELOW = 4  # a better common ancestor descends from it


def commits_beyond(
    conn: Connection, repo_id: int, wanted: Sequence[bytes], had: Sequence[bytes]
) -> list[CommitRow]:
    """Return the commits that lead to `wanted` and to none of `had`, parents before children.

    Like `git rev-list --topo-order --reverse WANTED --not HAD`. Ids without a commit are passed
    over among `had`; ObjectMissing among `wanted`, and where a parent is missing. Looks at no
    commit that is older, counted in generations, than what it finds.
    """
    walk = _Walk(conn, repo_id, lambda colour: colour == _ONE)
    walk.read([*wanted, *had])
    walk.paint(wanted, _ONE)
    walk.paint((oid for oid in had if walk.knows(oid)), _OTHER)
    found: list[bytes] = []
    for node, colour in walk:
        if colour == _ONE:
            found.append(node.oid)
        walk.paint(node.parents, colour)
    rows = commits(conn, repo_id, found)
    return [rows[oid] for oid in reversed(found)]


def is_ancestor(conn: Connection, repo_id: int, old: bytes, new: bytes) -> bool:
    """Say whether `old` leads to `new`, or is it: whether moving a branch so forgets nothing.

    ObjectMissing.
    """
    walk = _Walk(conn, repo_id, lambda _: True)
    walk.read([old, new])
    end = walk.node(old)
    walk.paint([new], _ONE)
    for node, _ in walk:
        if node.oid == old:
            return True
        if node.generation < end.generation:
            return False
        walk.paint(node.parents, _ONE)
    return False


def merge_bases(conn: Connection, repo_id: int, one: bytes, other: bytes) -> list[bytes]:
    """Return the best common ancestors of two commits, as `git merge-base --all` does, sorted.

    ObjectMissing.
    """
    walk = _Walk(conn, repo_id, lambda colour: colour < _BELOW)
    walk.read([one, other])
    walk.paint([one], _ONE)
    walk.paint([other], _OTHER)
    found: list[bytes] = []
    for node, colour in walk:
        if colour == _BOTH:
            found.append(node.oid)
            walk.paint(node.parents, _BOTH | _BELOW)
        else:
            walk.paint(node.parents, colour)
    return sorted(found)


class _Walk:
    """Commits by generation, the newest first, until no painted one is of use any more."""

    def __init__(self, conn: Connection, repo_id: int, of_use: Callable[[int], bool]) -> None:
        self._conn = conn
        self._repo_id = repo_id
        self._of_use = of_use
        self._nodes: dict[bytes, Node] = {}
        self._colours: dict[bytes, int] = {}
        self._waiting: list[tuple[int, bytes]] = []  # a heap: (minus the generation, id)
        self._useful = 0
        self._step = _FIRST_STEP
        self._generation = 0  # of the commit whose turn it is

    def __iter__(self) -> Iterator[tuple[Node, int]]:
        """Yield each painted commit with its colour; paint its parents before the next."""
        while self._useful:
            minus, oid = heapq.heappop(self._waiting)
            self._generation = -minus
            colour = self._colours[oid]
            self._useful -= self._of_use(colour)
            yield self._nodes[oid], colour

    def knows(self, oid: bytes) -> bool:
        """Say whether a commit was read."""
        return oid in self._nodes

    def node(self, oid: bytes) -> Node:
        """Return a commit that should have been read. ObjectMissing."""
        node = self._nodes.get(oid)
        if node is None:
            raise ObjectMissing(f"The commit {oid.hex()} is missing")
        return node

    def read(self, oids: Iterable[bytes], floor: int = _NO_FURTHER) -> None:
        """Read commits, as far as they exist, and what leads to them back to a generation."""
        for some in batches(dict.fromkeys(oids), _OIDS):
            for node in read_ahead(self._conn, self._repo_id, some, floor):
                self._nodes[node.oid] = node

    def paint(self, oids: Iterable[bytes], colour: int) -> None:
        """Add a colour to commits, whose turn will come. ObjectMissing."""
        for oid in oids:
            if oid not in self._nodes:
                self._read_on(oid)
            before = self._colours.get(oid)
            if before is None:
                heapq.heappush(self._waiting, (-self.node(oid).generation, oid))
            else:
                self._useful -= self._of_use(before)
            self._colours[oid] = after = (before or 0) | colour
            self._useful += self._of_use(after)

    def _read_on(self, oid: bytes) -> None:
        """Read a parent of the commit whose turn it is, with what will be next soon."""
        floor = self._generation - self._step
        self._step = min(self._step * _STEP_GROWS, _LONGEST_STEP)
        waiting = (at for minus, at in self._waiting if -minus > floor)
        soon = (parent for at in waiting for parent in self._nodes[at].parents)
        self.read([oid, *(parent for parent in soon if parent not in self._nodes)], floor)
