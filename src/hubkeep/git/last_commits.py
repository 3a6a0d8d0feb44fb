# SPDX-License-Identifier: Apache-2.0
"""Which commit last changed each entry of a folder, known without walking history.

Each commit keeps a record: for each folder that it changed, the ids of the commits that last
changed that folder's entries, in the order of its tree. A folder that a commit did not change has
its record at the commit that did, which the record of the folder above names. So an answer for a
folder at any commit takes one step a level, and a new commit writes only the folders it touched.
Folders whose entries were all last changed by the commit itself are left out: the first commit of
a repository needs no record.

A merge may take a folder as one parent has it and still have some of its files from an earlier
parent, in which another commit brought the same bytes; git goes by the earlier parent. Then the
folder has its record at the merge, and the record of the folder above says so beside the commit
that last changed it.
"""

import struct
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import msgspec
from sqlalchemy import Connection

from hubkeep.git.errors import NotAFolder, ObjectMissing, PathMissing
from hubkeep.git.folders import Segments, Trees, shown, split
from hubkeep.git.objects import OID_BYTES
from hubkeep.git.queries import commits, last_changes
from hubkeep.git.trees import TreeEntry, is_folder
from hubkeep.git.types import CommitRow

_HEAD = struct.Struct(">II")  # bytes of the folder's path, entries

Record = Mapping[bytes, bytes]
"""By folder (its path, "" for the root): a commit's 20 bytes for each entry, in tree order.

By folder and a slash: the commits that have the records of its entries, where those are others.
"""


def encode_record(record: Record) -> bytes | None:
    """Return a record as it is stored, None for an empty one."""
    if not record:
        return None
    parts: list[bytes] = []
    for path, oids in record.items():
        parts += [_HEAD.pack(len(path), len(oids) // OID_BYTES), path, oids]
    return zlib.compress(b"".join(parts), 1)


def decode_record(data: bytes | None) -> Record:
    """Return a record from its stored form."""
    record: dict[bytes, bytes] = {}
    raw = zlib.decompress(data) if data else b""
    at = 0
    while at < len(raw):
        length, count = _HEAD.unpack_from(raw, at)
        start = at + _HEAD.size
        end = start + length + count * OID_BYTES
        record[raw[start : start + length]] = raw[start + length : end]
        at = end
    return record


class Records:
    """Records of one repository's commits, loaded in batches."""

    def __init__(self, conn: Connection, repo_id: int) -> None:
        self._conn = conn
        self._repo_id = repo_id
        self._known: dict[bytes, Record] = {}

    def load(self, oids: Iterable[bytes]) -> None:
        """Read the records of commits in one batch."""
        wanted = [oid for oid in dict.fromkeys(oids) if oid not in self._known]
        for oid, data in last_changes(self._conn, self._repo_id, wanted).items():
            self._known[oid] = decode_record(data)

    def of(self, commit: bytes, path: bytes, count: int) -> Sequence[bytes]:
        """The commits that last changed the `count` entries of a folder that `commit` changed."""
        oids = self._known[commit].get(path)
        if oids is None:
            return [commit] * count
        return [oids[i : i + OID_BYTES] for i in range(0, len(oids), OID_BYTES)]

    def homes(self, commit: bytes, path: bytes, count: int) -> Sequence[bytes]:
        """The commits that have the records of the entries that are folders."""
        return self.of(commit, path + b"/" if path + b"/" in self._known[commit] else path, count)


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder of a new commit, and what it was in the parents: (tree, commit with its record)."""

    path: bytes
    tree: bytes
    sources: list[tuple[bytes, bytes]]


def record_of(
    trees: Trees, commit: bytes, tree: bytes, parents: Sequence[tuple[bytes, bytes]]
) -> Record:
    """Return the record of a new commit, given its parents as (id, tree).

    An entry that is as in one of the parents was last changed where that parent says; the first
    such parent counts, as for `git log -1 -- PATH`.
    """
    records = Records(trees.conn, trees.repo_id)
    record: dict[bytes, bytes] = {}
    level = [_Folder(b"", tree, [(parent_tree, oid) for oid, parent_tree in parents])]
    while level:
        trees.load(oid for f in level for oid in (f.tree, *(source[0] for source in f.sources)))
        records.load(home for f in level for _, home in f.sources)
        below: list[_Folder] = []
        for folder in level:
            oids, homes = _last_of(trees, records, commit, folder, below)
            if any(oid != commit for oid in oids):
                record[folder.path] = b"".join(oids)
            if homes != oids:
                record[folder.path + b"/"] = b"".join(homes)
        level = [folder for folder in below if folder.sources]
    return record


def _last_of(
    trees: Trees, records: Records, commit: bytes, folder: _Folder, below: list[_Folder]
) -> tuple[list[bytes], list[bytes]]:
    """The commits that last changed a folder's entries, and those with the records of them.

    Folders that need a record at this commit go to `below`.
    """
    sources = [_known_of(trees, records, folder.path, *source) for source in folder.sources]
    oids: list[bytes] = []
    homes: list[bytes] = []
    for entry in trees[folder.tree]:
        olds = [source[entry.name] for source in sources if entry.name in source]
        # The same commit may stand in the record of an unchanged entry, so ask for equality.
        same = next((i for i, old in enumerate(olds) if old.entry == entry), None)
        known = None if same is None else olds[same]
        oids.append(known.last if known else commit)
        homes.append(known.home if known else commit)
        if is_folder(entry):
            before = olds if same is None else olds[: same + 1]
            folders = [old for old in before if is_folder(old.entry)]
            if known is None or len(folders) > 1:
                path = folder.path + b"/" + entry.name if folder.path else entry.name
                had = [(old.entry.oid, old.home) for old in folders]
                below.append(_Folder(path, entry.oid, had))
                homes[-1] = commit
    return oids, homes


class _Known(NamedTuple):
    """An entry of a parent: the commits that last changed it and that have its record."""

    entry: TreeEntry
    last: bytes
    home: bytes


def _known_of(
    trees: Trees, records: Records, path: bytes, tree: bytes, home: bytes
) -> dict[bytes, _Known]:
    entries = trees[tree]
    lasts = records.of(home, path, len(entries))
    homes = records.homes(home, path, len(entries))
    known = map(_Known, entries, lasts, homes)
    return {each.entry.name: each for each in known}


class Memo(Protocol):
    """Keeps small values that never change; may forget any of them at any time."""

    def get(self, key: tuple[str, int, bytes, str]) -> bytes | None:
        """Return what was kept."""
        ...

    def put(self, key: tuple[str, int, bytes, str], value: bytes) -> None:
        """Keep a value."""
        ...


class LastCommits:
    """What last changed the entries of folders at one commit; what one folder needs helps the next.

    Folders share the way down to them, and a record may hold thousands: read once for each folder
    of a page, they took a minute. Not for keeping: it only grows.
    """

    def __init__(
        self, conn: Connection, repo_id: int, commit: bytes, memo: Memo | None = None
    ) -> None:
        self._trees = Trees(conn, repo_id)
        self._records = Records(conn, repo_id)
        self._commit = commit
        self._memo = memo

    def of(self, folder: str, names: Collection[str] | None = None) -> dict[str, CommitRow]:
        """Return the commit that last changed each entry of a folder, by the entry's name.

        Of all entries, or of those of these `names`: no other commits are read then.

        Costs one step a level of the folder and one batch of commits, however long the history;
        with a `memo` a folder that was asked for before costs the batch alone. A commit that only
        merged is not a change. PathMissing, NotAFolder.
        """
        trees = self._trees
        key = ("last", trees.repo_id, self._commit, folder)
        known = self._memo.get(key) if self._memo else None
        if known is not None:
            at = msgspec.json.decode(known, type=dict[str, bytes])
        else:
            at = self._look(folder)
            if self._memo:
                self._memo.put(key, msgspec.json.encode(at))
        if names is not None:
            at = {name: at[name] for name in names if name in at}
        rows = commits(trees.conn, trees.repo_id, list(set(at.values())))
        return {name: rows[oid] for name, oid in at.items() if oid in rows}

    def _look(self, folder: str) -> dict[str, bytes]:
        segments = split(folder)
        if segments is None:
            raise PathMissing(folder)
        start = _commit(self._trees, self._commit)
        tree, home, path = _descend(self._trees, self._records, start, segments, folder)
        self._records.load([home])
        inside = self._trees.one(tree)
        at = self._records.of(home, path, len(inside))
        return {shown(entry.name): oid for entry, oid in zip(inside, at, strict=True)}


def last_commits(
    conn: Connection, repo_id: int, commit: bytes, folder: str, memo: Memo | None = None
) -> dict[str, CommitRow]:
    """Return the commit that last changed each entry of one folder; see `LastCommits.of`."""
    return LastCommits(conn, repo_id, commit, memo).of(folder)


def last_commit(conn: Connection, repo_id: int, commit: CommitRow, path: str) -> bytes:
    """Return the id of the commit that last changed a file or folder, as `git log -1 -- PATH`.

    PathMissing.
    """
    segments = split(path)
    if segments is None:
        raise PathMissing(path)
    if not segments:
        return commit.oid
    trees, records = Trees(conn, repo_id), Records(conn, repo_id)
    tree, home, above = _descend(trees, records, commit, segments[:-1], path)
    records.load([home])
    inside = trees.one(tree)
    for entry, at in zip(inside, records.of(home, above, len(inside)), strict=True):
        if entry.name == segments[-1]:
            return at
    raise PathMissing(path)


def _commit(trees: Trees, oid: bytes) -> CommitRow:
    row = commits(trees.conn, trees.repo_id, [oid]).get(oid)
    if row is None:
        raise ObjectMissing(f"The commit {oid.hex()} is missing")
    return row


def _descend(
    trees: Trees, records: Records, start: CommitRow, segments: Segments, asked: str
) -> tuple[bytes, bytes, bytes]:
    """Return a folder's tree, the commit that has its record, and its path."""
    tree, home, path = start.tree, start.oid, b""
    for segment in segments:
        records.load([home])
        inside = trees.one(tree)
        position = next((i for i, e in enumerate(inside) if e.name == segment), None)
        if position is None:
            raise PathMissing(asked)
        if not is_folder(inside[position]):
            raise NotAFolder(asked)
        home = records.homes(home, path, len(inside))[position]
        tree = inside[position].oid
        path = path + b"/" + segment if path else segment
    return tree, home, path
