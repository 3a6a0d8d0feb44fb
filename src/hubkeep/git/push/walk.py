# SPDX-License-Identifier: Apache-2.0
"""A new commit against its parents: what it puts where, and what it keeps of who did so before.

A folder that stands in a parent as it is, is not looked into. What comes out is the record of
`git/last_commits.py`, which says what it means; here it is found without holding whole levels of
a tree, and for thousands of commits in a row.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hubkeep.git.last_commits import Record, decode_record
from hubkeep.git.objects import OID_BYTES
from hubkeep.git.push.contents import Contents, join
from hubkeep.git.push.entries import Folder, Folders, apart, name_of
from hubkeep.git.push.types import TOO_MUCH, Refused
from hubkeep.git.queries import last_changes

MAX_COMPARED = 50_000_000
"""Entries of folders that are compared, in all commits together."""

_FOLDERS_AT_ONCE = 256
_HELD = 16 << 20


class Records:
    """Records of commits, new and old; those not used for long are forgotten, and read again."""

    def __init__(self, conn: Connection, repo_id: int, fresh: Mapping[bytes, bytes | None]) -> None:
        self._conn = conn
        self._repo_id = repo_id
        self._fresh = fresh
        self._known: dict[bytes, Record] = {}
        self._held = 0

    def load(self, oids: Iterable[bytes]) -> None:
        """Read those of the records that are in the repository, in one go."""
        known, fresh = self._known, self._fresh
        wanted = [oid for oid in dict.fromkeys(oids) if oid not in known and oid not in fresh]
        for oid, data in last_changes(self._conn, self._repo_id, wanted).items():
            self.keep(oid, decode_record(data))

    def __getitem__(self, oid: bytes) -> Record:
        """The record of a commit that is there."""
        found = self._known.pop(oid, None)
        if found is not None:
            self._known[oid] = found  # now the one that was used last
            return found
        if oid in self._fresh:
            self.keep(oid, decode_record(self._fresh[oid]))
        else:
            self.load([oid])
        return self._known[oid]

    def keep(self, oid: bytes, record: Record) -> None:
        """Remember a record for a while."""
        self._known[oid] = record
        self._held += _weight(record)
        while self._held > _HELD and len(self._known) > 1:
            oldest = next(iter(self._known))
            self._held -= _weight(self._known.pop(oldest))


def _weight(record: Record) -> int:
    return 300 + sum(200 + len(path) + len(oids) for path, oids in record.items())


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder of a new commit, and what it was in the parents: (tree, commit with its record)."""

    path: bytes
    tree: bytes
    sources: Sequence[tuple[bytes, bytes]]


class _Source:
    """A folder as a parent has it. `gone` are the entries by name that the new one has not."""

    __slots__ = ("folder", "gone", "home", "homes", "lasts")

    def __init__(
        self, folder: Folder, new: Folder, record: Record, home: bytes, path: bytes
    ) -> None:
        self.folder = folder
        self.home = home
        self.lasts = record.get(path)
        self.homes = record.get(path + b"/", self.lasts)
        gone = folder.places.keys() - new.places.keys()
        self.gone = {name_of(entry): entry for entry in gone}

    def last(self, entry: bytes) -> bytes:
        """The commit that last changed an entry."""
        return self._at(self.lasts, entry)

    def home_of(self, entry: bytes) -> bytes:
        """The commit that has the record of an entry that is a folder."""
        return self._at(self.homes, entry)

    def carried(self, commit: bytes, new: Folder) -> "_Carried":
        """What stays where this is the only parent, as it mostly is."""
        places = self.folder.places
        at = [places.get(entry) for entry in new.entries]
        lasts = _picked(self.lasts, at, self.home, commit)
        is_one = self.homes is self.lasts
        homes = lasts if is_one else _picked(self.homes, at, self.home, commit)
        fresh = [entry for entry in new.entries if entry not in places]
        return lasts, homes, fresh

    def _at(self, oids: bytes | None, entry: bytes) -> bytes:
        if oids is None:
            return self.home
        start = self.folder.places[entry] * OID_BYTES
        return oids[start : start + OID_BYTES]


_Carried = tuple[list[bytes], list[bytes], list[bytes]]
"""For each entry the commit that last changed it and the one with its record; the new entries."""


class Walk:
    """Goes through new commits, parents first."""

    def __init__(self, folders: Folders, records: Records, contents: Contents) -> None:
        self._folders = folders
        self._records = records
        self._contents = contents
        self._compared = 0

    def commit(self, oid: bytes, tree: bytes, parents: Sequence[tuple[bytes, bytes]]) -> Record:
        """Look through a commit and return its record; `parents` are their ids and trees."""
        record: dict[bytes, bytes] = {}
        if not parents:
            self._contents.place(tree, b"")
        else:
            ahead = [_Place(b"", tree, [(root, parent) for parent, root in parents])]
            while ahead:
                some = ahead[-_FOLDERS_AT_ONCE:]
                del ahead[-_FOLDERS_AT_ONCE:]
                self._folders.load(
                    each for p in some for each in (p.tree, *(s[0] for s in p.sources))
                )
                self._records.load(home for p in some for _, home in p.sources)
                for place in some:
                    self._place(oid, place, record, ahead)
        self._records.keep(oid, record)
        return record

    def _place(
        self, commit: bytes, place: _Place, record: dict[bytes, bytes], ahead: list[_Place]
    ) -> None:
        path, new = place.path, self._folders[place.tree]
        sources = [
            _Source(self._folders[tree], new, self._records[home], home, path)
            for tree, home in place.sources
        ]
        self._count(new, sources)
        self._contents.note(place.tree)
        if len(sources) == 1:
            lasts, homes, fresh = sources[0].carried(commit, new)
        else:
            lasts, homes, fresh = _merged(commit, place, new, sources, ahead)
        self._enter(place, new, fresh, sources, ahead)
        if any(oid != commit for oid in lasts):
            record[path] = b"".join(lasts)
        if homes != lasts:
            record[path + b"/"] = b"".join(homes)

    def _enter(
        self,
        place: _Place,
        new: Folder,
        fresh: Sequence[bytes],
        sources: Sequence[_Source],
        ahead: list[_Place],
    ) -> None:
        """Look at the entries that no parent has, and note the folders to go on with."""
        named: set[bytes] = set()
        for each in fresh:
            entry = apart(each)
            is_new_name = not any(entry.name in source.gone for source in sources)
            had = _had(each, sources) if entry.is_folder else []
            if is_new_name:
                named.add(each)
            self._contents.enter(place.path, each, is_new_name=is_new_name, was_folder=bool(had))
            if had:
                ahead.append(_Place(join(place.path, entry.name), entry.oid, had))
        if named:
            self._contents.check_names(place.path, new, named)

    def _count(self, new: Folder, sources: Sequence[_Source]) -> None:
        self._compared += 1 + len(new.entries) + sum(len(s.folder.entries) for s in sources)
        if self._compared > MAX_COMPARED:
            raise Refused("The push changes more than is looked through at once", TOO_MUCH)


def _picked(
    oids: bytes | None, at: Sequence[int | None], home: bytes, commit: bytes
) -> list[bytes]:
    """For each entry the id at its old place; that of the new commit where it has none."""
    if oids is None:
        return [commit if place is None else home for place in at]
    cut = [oids[start : start + OID_BYTES] for start in range(0, len(oids), OID_BYTES)]
    return [commit if place is None else cut[place] for place in at]


def _merged(
    commit: bytes,
    place: _Place,
    new: Folder,
    sources: Sequence[_Source],
    ahead: list[_Place],
) -> _Carried:
    """What stays where there are several parents: the first that has an entry counts."""
    lasts: list[bytes] = []
    homes: list[bytes] = []
    fresh: list[bytes] = []
    for entry in new.entries:
        for same in sources:
            if entry in same.folder.places:
                lasts.append(same.last(entry))
                homes.append(same.home_of(entry))
                if same is not sources[0] and _again(entry, same, place, sources, ahead):
                    homes[-1] = commit
                break
        else:
            lasts.append(commit)
            homes.append(commit)
            fresh.append(entry)
    return lasts, homes, fresh


def _again(
    entry: bytes,
    same: _Source,
    place: _Place,
    sources: Sequence[_Source],
    ahead: list[_Place],
) -> bool:
    """Whether a folder that a later parent has as it is must be looked into nevertheless: an
    earlier one may have some of its files.
    """
    found = apart(entry)
    if not found.is_folder:
        return False
    had = _had(entry, sources[: sources.index(same)])
    if not had:
        return False
    had.append((found.oid, same.home_of(entry)))
    ahead.append(_Place(join(place.path, found.name), found.oid, had))
    return True


def _had(entry: bytes, sources: Sequence[_Source]) -> list[tuple[bytes, bytes]]:
    """The folders of this name in the parents, which have others there."""
    name = name_of(entry)
    olds = [(source, source.gone[name]) for source in sources if name in source.gone]
    return [(apart(old).oid, source.home_of(old)) for source, old in olds if apart(old).is_folder]
