# SPDX-License-Identifier: Apache-2.0
"""The new commits of a push: which they are, in which order, and what is stored of each."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection

from hubkeep.git.commits import MAX_LINE, MAX_MESSAGE, Commit, parse_commit
from hubkeep.git.errors import BadObject
from hubkeep.git.last_commits import encode_record
from hubkeep.git.objects import Kind
from hubkeep.git.push.contents import Contents
from hubkeep.git.push.outside import missing
from hubkeep.git.push.pack import Pack
from hubkeep.git.push.spool import Spooled
from hubkeep.git.push.types import Refused
from hubkeep.git.push.walk import Walk
from hubkeep.git.queries import commits
from hubkeep.git.types import CommitRow
from hubkeep.kit.batches import batches

_KNOWN_AT_ONCE = 1_000
_LAST_SECOND = 253_402_300_799  # of the year 9999
_PARENTS_HELD = 10_000


class _Parent(NamedTuple):
    """What a commit needs of a parent."""

    tree: bytes
    generation: int
    linear: bool


@dataclass(slots=True)
class History:
    """The commits of a pack that the repository does not have."""

    conn: Connection
    repo_id: int
    pack: Pack
    contents: Contents
    walk: Walk
    rows: Spooled[CommitRow]
    records: Spooled[bytes]
    _parents: dict[bytes, _Parent] = field(default_factory=dict)

    def take(self, tips: Sequence[bytes]) -> None:
        """Go through all new commits that lead to the tips, which are commits. Refused."""
        for position in self._in_order(tips):
            oid = self.pack.oid(position)
            commit = self._read(position)
            above = [(parent, self._parent(parent)) for parent in commit.parents]
            self.contents.reach(commit.tree, Kind.TREE, _where(oid))
            trees = [(parent, each.tree) for parent, each in above]
            record = self.walk.commit(oid, commit.tree, trees)
            row = _row(oid, commit, [each for _, each in above])
            self._remember(row)
            self.rows.put(oid, row)
            self.records.put(oid, encode_record(record) or b"")

    def _in_order(self, tips: Sequence[bytes]) -> array:
        """The positions of the new commits, parents first; all others must be in the repository."""
        known = self._known()
        order, met = array("I"), bytearray(len(self.pack))
        # Where the parents of a commit stand above it, its complement stands below them.
        ahead: list[int] = []
        self._go_on(tips, b"The push", known, met, ahead)
        while ahead:
            position = ahead.pop()
            if position < 0:
                order.append(~position)
            elif not met[position]:
                met[position] = 1
                self.contents.reached[position] = 1
                ahead.append(~position)
                parents = self._read(position).parents
                self._go_on(parents, _where(self.pack.oid(position)), known, met, ahead)
        return order

    def _go_on(
        self,
        oids: Sequence[bytes],
        where: bytes,
        known: bytearray,
        met: bytearray,
        ahead: list[int],
    ) -> None:
        for oid in reversed(oids):
            position = self.pack.find(oid)
            if position is None or known[position]:
                outside = self.contents.outside
                outside.want(self.conn, self.repo_id, oid, Kind.COMMIT, where)
            elif self.pack.kinds[position] != Kind.COMMIT:
                raise missing(oid, Kind.COMMIT, where)
            elif not met[position]:
                ahead.append(position)

    def _known(self) -> bytearray:
        """For each object of the pack 1 where it is a commit that the repository has."""
        known = bytearray(len(self.pack))
        positions = (at for at, kind in enumerate(self.pack.kinds) if kind == Kind.COMMIT)
        for some in batches(positions, _KNOWN_AT_ONCE):
            oids = {self.pack.oid(position): position for position in some}
            for oid in commits(self.conn, self.repo_id, list(oids)):
                known[oids[oid]] = 1
        return known

    def _read(self, position: int) -> Commit:
        try:
            commit = parse_commit(self.pack.payload(position))
        except BadObject as bad:
            raise Refused(f"{self.pack.oid(position).hex()}: {bad}") from bad
        if not all(0 <= at <= _LAST_SECOND for at in (commit.authored_at, commit.committed_at)):
            oid = self.pack.oid(position).hex()
            raise Refused(f"The commit {oid} is dated before 1970 or after the year 9999")
        return commit

    def _parent(self, oid: bytes) -> _Parent:
        found = self._parents.get(oid)
        if found is not None:
            return found
        row = self.rows.get(oid) or commits(self.conn, self.repo_id, [oid]).get(oid)
        if row is None:
            raise missing(oid, Kind.COMMIT, b"A commit")
        return self._remember(row)

    def _remember(self, row: CommitRow) -> _Parent:
        if len(self._parents) >= _PARENTS_HELD:
            self._parents.clear()
        parent = self._parents[row.oid] = _Parent(row.tree, row.generation, row.linear)
        return parent


def _where(commit: bytes) -> bytes:
    return b"The commit " + commit.hex().encode()


def _row(oid: bytes, commit: Commit, parents: Sequence[_Parent]) -> CommitRow:
    return CommitRow(
        oid=oid,
        tree=commit.tree,
        parents=commit.parents,
        generation=1 + max((parent.generation for parent in parents), default=0),
        linear=len(parents) < 2 and all(parent.linear for parent in parents),
        committed_at=commit.committed_at * 1000,
        author=commit.author,
        author_id=None,
        title=commit.title[:MAX_LINE],
        message=commit.message[:MAX_MESSAGE],
        facts_id=None,
        size=None,
    )
