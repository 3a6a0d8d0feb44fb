# SPDX-License-Identifier: Apache-2.0
"""The commits that changed one file or folder, in pages: what `git log -- PATH` lists.

From a commit that has the path, the records of last changes lead straight to the commit that
changed it last. Where the path is not there (it was deleted, or not made yet) no record tells, so
commits are looked at one by one, many in a batch.
"""

import heapq
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hubkeep.git.errors import NotAFolder, ObjectMissing, PathMissing
from hubkeep.git.folders import Segments, split
from hubkeep.git.last_commits import last_commit
from hubkeep.git.objects import inflate
from hubkeep.git.queries import commits
from hubkeep.git.queries_ancestry import Node, read_ahead
from hubkeep.git.queries_objects import object_data, object_infos
from hubkeep.git.trees import EMPTY_TREE, TreeEntry, is_folder, parse_tree
from hubkeep.git.types import CommitRow

_SECONDS = 2.0
_FIRST_STEP = 8
_STEP_GROWS = 4
_LONGEST_STEP = 512
_DEAR = 4 << 20  # bytes of trees in a step, past which the next one is not longer
_TREE_BYTES = 8 << 20  # of trees read at once


@dataclass(frozen=True, slots=True)
class PathPage:
    """Commits that changed a path; `waiting` is what the next page starts from, empty at the end.

    A page may end before it is full: a long search goes on with the next one.
    """

    rows: list[CommitRow]
    waiting: list[bytes]


def log_of_path(
    conn: Connection,
    repo_id: int,
    path: str,
    start: Sequence[bytes],
    limit: int,
    seconds: float = _SECONDS,
) -> PathPage:
    """Return a page of the commits that changed `path`, newest first, children before parents.

    They are those of `git log START -- PATH`: at a merge that has the path as a parent has it, that
    parent alone is followed. Each commit costs a few statements. Ends after `seconds`, with what it
    has by then, but never where it began. ObjectMissing.
    """
    segments = split(path)
    if segments is None:
        return PathPage([], [])
    search = _Search(conn, repo_id, path, segments, time.monotonic() + seconds)
    found: dict[bytes, CommitRow] = {}
    order: list[tuple[int, int, bytes]] = []
    page: list[CommitRow] = []
    pending = list(start)
    while pending or (order and len(page) < limit):
        if not pending:
            row = found.pop(heapq.heappop(order)[2])
            page.append(row)
            pending += row.parents
            continue
        row, unfinished = search.last_change(pending.pop())
        if row is not None and row.oid not in found:
            found[row.oid] = row
            heapq.heappush(order, (-row.generation, -row.committed_at, row.oid))
        pending += unfinished
        if unfinished or (page and search.is_over):
            break
    return PathPage(page, [*pending, *found])


class _Search:
    """Looks for the last change of one path from one commit after another."""

    def __init__(
        self, conn: Connection, repo_id: int, path: str, segments: Segments, end: float
    ) -> None:
        self._conn = conn
        self._repo_id = repo_id
        self._path = path
        self._segments = segments
        self._end = end

    @property
    def is_over(self) -> bool:
        """Whether the time is."""
        return time.monotonic() >= self._end

    def last_change(self, commit: bytes) -> tuple[CommitRow | None, list[bytes]]:
        """Return the commit that last changed the path, None where none did.

        Where the time was over first, also the commit to go on from.
        """
        row = self._row(commit)
        try:
            return self._row(last_commit(self._conn, self._repo_id, row, self._path)), []
        except (PathMissing, NotAFolder):
            return self._deletion(row.oid, row.generation)

    def _row(self, oid: bytes) -> CommitRow:
        row = commits(self._conn, self._repo_id, [oid]).get(oid)
        if row is None:
            raise ObjectMissing(f"The commit {oid.hex()} is missing")
        return row

    def _deletion(self, oid: bytes, generation: int) -> tuple[CommitRow | None, list[bytes]]:
        """Go back from a commit without the path to the one that deleted it."""
        step = _FIRST_STEP
        while True:
            read = read_ahead(self._conn, self._repo_id, [oid], generation - step)
            nodes = {node.oid: node for node in read}
            line = _first_parents(nodes, oid, step)
            trees = {nodes[parent].tree for node in line.values() for parent in node.parents}
            having, cost = self._having(trees)
            while (node := line.get(oid)) is not None:
                if not node.parents:
                    return None, []
                lacking = [p for p in node.parents if nodes[p].tree not in having]
                if not lacking:
                    return self._row(oid), []
                oid = lacking[0]
            if self.is_over:
                return None, [oid]
            generation = nodes[oid].generation
            step = min(step * _STEP_GROWS, _LONGEST_STEP) if cost < _DEAR else step

    def _having(self, roots: set[bytes]) -> tuple[set[bytes], int]:
        """Return which root trees have the path, and how many bytes of trees that took."""
        places = {root: root for root in roots}
        cost = 0
        for depth, name in enumerate(self._segments, 1):
            wanted = list(set(places.values()) - {EMPTY_TREE})
            sizes = {
                oid: size
                for oid, (_, size, _) in object_infos(self._conn, self._repo_id, wanted).items()
            }
            cost += sum(sizes.values())
            entries = self._entries(wanted, sizes, name)
            goes_on = depth < len(self._segments)
            found = {root: entries.get(tree) for root, tree in places.items()}
            places = {
                root: entry.oid
                for root, entry in found.items()
                if entry is not None and (is_folder(entry) or not goes_on)
            }
        return set(places), cost

    def _entries(
        self, trees: Sequence[bytes], sizes: dict[bytes, int], name: bytes
    ) -> dict[bytes, TreeEntry]:
        """Return the entry of a name in each tree that has it; few trees are in memory at once."""
        found: dict[bytes, TreeEntry] = {}
        some: list[bytes] = []
        total = 0
        for oid in trees:
            if oid not in sizes:
                raise ObjectMissing(f"The tree {oid.hex()} is missing")
            some.append(oid)
            total += sizes[oid]
            if total >= _TREE_BYTES or oid == trees[-1]:
                for tree, _, size, data in object_data(self._conn, self._repo_id, some):
                    inside = parse_tree(inflate(data, size))
                    entry = next((each for each in inside if each.name == name), None)
                    if entry is not None:
                        found[tree] = entry
                some, total = [], 0
        return found


def _first_parents(nodes: dict[bytes, Node], oid: bytes, count: int) -> dict[bytes, Node]:
    """Return a commit and those before it, by first parents, whose parents were all read."""
    line: dict[bytes, Node] = {}
    while len(line) < count and oid in nodes:
        node = nodes[oid]
        if any(parent not in nodes for parent in node.parents):
            break
        line[oid] = node
        if not node.parents:
            break
        oid = node.parents[0]
    if not line:
        raise ObjectMissing(f"The commit {oid.hex()}, or a parent of it, is missing")
    return line
