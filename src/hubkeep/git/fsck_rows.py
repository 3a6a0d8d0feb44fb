# SPDX-License-Identifier: Apache-2.0
"""Checks of what is kept beside a commit: its row, and the record of who last changed what."""

import re
import struct
import zlib
from collections.abc import Callable, Collection, Sequence
from itertools import chain

from sqlalchemy import Connection

from hubkeep.git.commits import MAX_LINE, parse_commit
from hubkeep.git.errors import GitError
from hubkeep.git.folders import Trees, shown
from hubkeep.git.fsck_objects import Problem
from hubkeep.git.last_commits import Record, decode_record
from hubkeep.git.objects import OID_BYTES
from hubkeep.git.queries_fsck import Lineage, lineages
from hubkeep.git.types import CommitRow

_ENTRIES_AT_ONCE = 50_000
_EACH_OID = re.compile(rb".{20}", re.DOTALL)
_ROOT = Lineage(0, linear=True)

Row = tuple[CommitRow, bytes | None]
"""A commit's row, and its record as it is stored."""


class CommitChecks:
    """Checks commits of one repository, many at a time; what is wrong is told to `tell`.

    `known` are all commits that have a row.
    """

    def __init__(
        self,
        conn: Connection,
        repo_id: int,
        known: Collection[bytes],
        tell: Callable[[Problem], None],
    ) -> None:
        self._conn = conn
        self._repo_id = repo_id
        self._known = known
        self._tell = tell

    def agree(self, row: CommitRow, payload: bytes) -> None:
        """Compare a row with the commit that it was made of."""
        try:
            commit = parse_commit(payload)
        except GitError as bad:
            self._problem(row.oid, str(bad))
            return
        if row.tree != commit.tree:
            self._problem(row.oid, f"has the tree {commit.tree.hex()}, its row {row.tree.hex()}")
        if row.parents != commit.parents:
            self._problem(row.oid, "has other parents than its row")
        # A title may be empty while the text below it is not; git takes the first line that is not.
        if row.title not in ("", commit.title.replace("\0", "")[:MAX_LINE]):
            self._problem(row.oid, "has another title than its row")

    def lineage(self, rows: Sequence[CommitRow]) -> None:
        """Check that the parents are there, and what was computed from them."""
        parents = dict.fromkeys(chain.from_iterable(row.parents for row in rows))
        found = lineages(self._conn, self._repo_id, list(parents))
        for row in rows:
            missing = [oid.hex() for oid in row.parents if oid not in found]
            if missing:
                self._problem(row.oid, f"lacks its parent {', '.join(missing)}")
                continue
            above = [found[oid] for oid in row.parents]
            generation = 1 + max((each.generation for each in above), default=_ROOT.generation)
            if row.generation != generation:
                self._problem(row.oid, f"is of generation {generation}, its row of another")
            if row.linear != (len(above) < 2 and all(each.linear for each in above)):
                self._problem(row.oid, "has a wrong note of whether there are merges before it")

    def records(self, rows: Sequence[Row]) -> None:
        """Check the records of who last changed what."""
        some: list[tuple[CommitRow, Record]] = []
        held = 0
        for row, stored in rows:
            try:
                record = decode_record(stored)
            except (zlib.error, struct.error):
                self._problem(row.oid, "has a damaged record of who last changed what")
                continue
            size = sum(map(len, record.values())) // OID_BYTES
            if some and held + size > _ENTRIES_AT_ONCE:
                self._fit(some)
                some, held = [], 0
            some.append((row, record))
            held += size
        self._fit(some)

    def _fit(self, some: Sequence[tuple[CommitRow, Record]]) -> None:
        """Compare records with the folders that they are of, and look for the commits they name."""
        trees = Trees(self._conn, self._repo_id)
        places = {row.oid: {path: _segments(path) for path in record} for row, record in some}
        wanted = [(row.tree, place) for row, _ in some for place in places[row.oid].values()]
        try:
            found = {key: entry.oid for key, entry in trees.find(wanted).items()}
            found |= {(row.tree, ()): row.tree for row, _ in some}
            trees.load(found[key] for key in wanted if key in found)
        except GitError:
            # A folder is damaged or missing: it is named when its turn comes.
            return
        for row, record in some:
            for path, oids in record.items():
                tree = found.get((row.tree, places[row.oid][path]))
                count = len(oids) // OID_BYTES
                if tree is None or len(trees[tree]) != count or len(oids) % OID_BYTES:
                    text = f"has a record of {count} entries of {shown(path) or '/'!r}, which"
                    there = f"has {len(trees[tree])}" if tree else "is not there"
                    self._problem(row.oid, f"{text} {there}")
            if any(oid not in self._known for oid in _named_in(record)):
                self._problem(row.oid, "has a record that names commits that are not there")

    def _problem(self, oid: bytes, text: str) -> None:
        self._tell(Problem(f"commit {oid.hex()}", text))


def _segments(path: bytes) -> tuple[bytes, ...]:
    path = path.removesuffix(b"/")
    return tuple(path.split(b"/")) if path else ()


def _named_in(record: Record) -> set[bytes]:
    return set(chain.from_iterable(_EACH_OID.findall(oids) for oids in record.values()))
