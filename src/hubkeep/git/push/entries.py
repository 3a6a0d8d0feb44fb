# SPDX-License-Identifier: Apache-2.0
"""Folders of a pack and of its repository, as many as memory is to hold at once.

An entry is kept as the bytes that a tree has of it: most are only ever compared.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from hubkeep.git.editing import MAX_ENTRIES
from hubkeep.git.errors import BadObject
from hubkeep.git.objects import OID_BYTES, Kind, inflate
from hubkeep.git.push.outside import missing
from hubkeep.git.push.pack import Pack
from hubkeep.git.push.types import Refused
from hubkeep.git.queries_objects import bounded_data
from hubkeep.git.trees import EMPTY_TREE, FOLDER_MODES

_ENTRY = re.compile(rb"[0-7]{5,6} [^\0/]+\0.{20}", re.DOTALL)
_LEAST = len(b"40000 a\0") + OID_BYTES
_HELD = 150_000  # entries, of some 200 bytes each
_BYTES_AT_ONCE = 4 << 20


class Folder:
    """The entries of one folder in their order, and the place of each of them."""

    __slots__ = ("entries", "places")

    def __init__(self, payload: bytes) -> None:
        self.entries: list[bytes] = _ENTRY.findall(payload)
        # findall skips what does not match: nothing may have been skipped.
        if sum(map(len, self.entries)) != len(payload):
            raise BadObject("A tree is damaged")
        self.places = {entry: place for place, entry in enumerate(self.entries)}


class Entry(NamedTuple):
    """An entry taken apart."""

    mode: bytes
    name: bytes
    oid: bytes

    @property
    def is_folder(self) -> bool:
        """Say whether it is a folder."""
        return self.mode in FOLDER_MODES


def apart(entry: bytes) -> Entry:
    """Take an entry apart."""
    mode, _, rest = entry.partition(b" ")
    return Entry(mode, rest[: -OID_BYTES - 1], entry[-OID_BYTES:])


def name_of(entry: bytes) -> bytes:
    """Return the name in an entry."""
    return entry[entry.index(b" ") + 1 : -OID_BYTES - 1]


class Folders:
    """Folders by their ids; those not used for long are forgotten, and read again if need be."""

    def __init__(self, conn: Connection, repo_id: int, pack: Pack | None) -> None:
        self.conn = conn
        self.repo_id = repo_id
        self._pack = pack
        self._known: dict[bytes, Folder] = {}
        self._held = 0

    def load(self, oids: Iterable[bytes]) -> None:
        """Read those of the folders that are in the repository, in one go."""
        wanted = [oid for oid in dict.fromkeys(oids) if not self._is_near(oid)]
        if wanted:
            rows = bounded_data(self.conn, self.repo_id, wanted, _BYTES_AT_ONCE)
            for oid, kind, size, data in rows:
                if kind == Kind.TREE:
                    self._keep(oid, Folder(inflate(data, size)))

    def __getitem__(self, oid: bytes) -> Folder:
        """A folder. Refused if it is nowhere."""
        found = self._known.pop(oid, None)
        if found is not None:
            self._known[oid] = found  # now the one that was used last
            return found
        position = self._pack.find(oid) if self._pack else None
        if self._pack is not None and position is not None:
            if self._pack.kinds[position] != Kind.TREE:
                raise missing(oid, Kind.TREE, b"A commit or folder")
            payload = self._pack.payload(position)
            _check_count(oid, payload)
            return self._keep(oid, Folder(payload))
        self.load([oid])
        if oid not in self._known:
            if oid == EMPTY_TREE:
                return self._keep(oid, Folder(b""))
            raise missing(oid, Kind.TREE, b"A commit or folder")
        return self._known[oid]

    def _is_near(self, oid: bytes) -> bool:
        return oid in self._known or (self._pack is not None and self._pack.find(oid) is not None)

    def _keep(self, oid: bytes, folder: Folder) -> Folder:
        self._known[oid] = folder
        self._held += 1 + len(folder.entries)
        while self._held > _HELD and len(self._known) > 1:
            oldest = next(iter(self._known))
            self._held -= 1 + len(self._known.pop(oldest).entries)
        return folder


def _check_count(oid: bytes, payload: bytes) -> None:
    if len(payload) <= MAX_ENTRIES * _LEAST:
        return
    if sum(1 for _ in _ENTRY.finditer(payload)) > MAX_ENTRIES:
        raise Refused(f"More than {MAX_ENTRIES} entries in one folder: the tree {oid.hex()}")
