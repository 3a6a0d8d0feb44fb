# SPDX-License-Identifier: Apache-2.0
"""Trees of one repository, loaded in batches and remembered while a unit of work runs."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import Connection

from hubkeep.git.errors import BadObject, ObjectMissing
from hubkeep.git.objects import Kind, inflate
from hubkeep.git.queries_objects import ObjectInfo, object_data, object_infos
from hubkeep.git.trees import (
    EMPTY_TREE,
    FOLDER_MODES,
    SUBMODULE,
    SYMLINK,
    TreeEntry,
    is_folder,
    parse_tree,
)
from hubkeep.git.types import Entry, EntryKind

Segments = tuple[bytes, ...]

_KINDS: Mapping[bytes, EntryKind] = {
    **dict.fromkeys(FOLDER_MODES, "directory"),
    SYMLINK: "symlink",
    SUBMODULE: "submodule",
}


class Trees:
    """The trees that a piece of work has seen. Not for keeping: it only grows."""

    def __init__(self, conn: Connection, repo_id: int) -> None:
        self.conn = conn
        self.repo_id = repo_id
        self._known: dict[bytes, list[TreeEntry]] = {EMPTY_TREE: []}

    def __getitem__(self, oid: bytes) -> list[TreeEntry]:
        """The entries of a tree that was loaded or added."""
        return self._known[oid]

    def __contains__(self, oid: bytes) -> bool:
        return oid in self._known

    def add(self, oid: bytes, entries: list[TreeEntry]) -> None:
        """Remember a tree that is not in the database yet."""
        self._known[oid] = entries

    def load(self, oids: Iterable[bytes]) -> None:
        """Read trees, all in one batch. ObjectMissing, BadObject."""
        wanted = [oid for oid in dict.fromkeys(oids) if oid not in self._known]
        for oid, kind, size, data in object_data(self.conn, self.repo_id, wanted):
            if kind != Kind.TREE:
                raise BadObject(f"{oid.hex()} is not a tree")
            self._known[oid] = parse_tree(inflate(data, size))
        for oid in wanted:
            if oid not in self._known:
                raise ObjectMissing(f"The tree {oid.hex()} is missing")

    def load_some(self, oids: Sequence[bytes], limit: int) -> list[bytes]:
        """Read the first trees, at least one, up to `limit` bytes in all; return which."""
        sizes = object_infos(self.conn, self.repo_id, oids)
        some: list[bytes] = []
        total = 0
        for oid in oids:
            total += sizes[oid][1] if oid in sizes else 0
            if some and total > limit:
                break
            some.append(oid)
        self.load(some)
        return some

    def one(self, oid: bytes) -> list[TreeEntry]:
        """Read a tree. ObjectMissing, BadObject."""
        self.load([oid])
        return self._known[oid]

    def find(
        self, wanted: Iterable[tuple[bytes, Segments]]
    ) -> dict[tuple[bytes, Segments], TreeEntry]:
        """Find entries by (root tree, path) in as many batches as the longest path has segments.

        What does not exist is left out; an empty path is left out too.
        """
        found: dict[tuple[bytes, Segments], TreeEntry] = {}
        places = {key: key[0] for key in wanted if key[1]}
        depth = 0
        while places:
            self.load(places.values())
            names = {oid: {e.name: e for e in self._known[oid]} for oid in set(places.values())}
            below: dict[tuple[bytes, Segments], bytes] = {}
            for key, tree in places.items():
                entry = names[tree].get(key[1][depth])
                if entry is None:
                    continue
                if depth + 1 == len(key[1]):
                    found[key] = entry
                elif is_folder(entry):
                    below[key] = entry.oid
            places = below
            depth += 1
        return found


def split(path: str) -> Segments | None:
    """Return the segments of a path that is to be read, None where no such path can exist.

    The empty path, the root, has no segments.
    """
    if not path:
        return ()
    try:
        segments = tuple(path.encode().split(b"/"))
    except UnicodeEncodeError:
        return None
    return None if b"" in segments else segments


def shown(name: bytes) -> str:
    """Return a name or path as text. Names that are not UTF-8 cannot come in, only look odd."""
    return name.decode("utf-8", "replace")


def described(
    conn: Connection,
    repo_id: int,
    entries: Sequence[tuple[str, TreeEntry]],
    fresh: Mapping[bytes, ObjectInfo] = MappingProxyType({}),
) -> list[Entry]:
    """Return entries by their paths with sizes and what pointers point at, in one batch.

    `fresh` are blobs that are not in the database yet.
    """
    kinds = [_KINDS.get(entry.mode, "file") for _, entry in entries]
    blobs = {
        entry.oid
        for (_, entry), kind in zip(entries, kinds, strict=True)
        if kind in ("file", "symlink")
    }
    infos = {**fresh, **object_infos(conn, repo_id, list(blobs))}
    result: list[Entry] = []
    for (path, entry), kind in zip(entries, kinds, strict=True):
        mode = int(entry.mode, 8)
        if kind in ("directory", "submodule"):
            result.append(Entry(path, kind, mode, entry.oid))
            continue
        if entry.oid not in infos:
            raise ObjectMissing(f"The blob {entry.oid.hex()} of {path!r} is missing")
        _, size, lfs = infos[entry.oid]
        result.append(Entry(path, kind, mode, entry.oid, size, lfs if kind == "file" else None))
    return result
