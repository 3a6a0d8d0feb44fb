# SPDX-License-Identifier: Apache-2.0
"""Changing a tree: only the folders that a change touches are opened, a level at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hubkeep.git.errors import BadPath, PathConflict, PathMissing
from hubkeep.git.folders import Segments, Trees, shown
from hubkeep.git.names import collision_key
from hubkeep.git.objects import Kind, object_id
from hubkeep.git.trees import (
    EMPTY_TREE,
    EXECUTABLE,
    FILE,
    FOLDER,
    TreeEntry,
    encode_tree,
    git_order,
    is_folder,
)

MAX_ENTRIES = 100_000
"""Entries that a change may bring a folder to; one that has more may still shrink."""
MAX_FOLDERS = 100_000
"""Folders that a change may make or open: each is a tree to write, under the repository's lock."""


@dataclass(slots=True)
class _Folder:
    entries: dict[bytes, "TreeEntry | _Folder"] = field(default_factory=dict)
    before: frozenset[bytes] = frozenset()
    """The names that it had before the change."""


class Edit:
    """A tree in the making. Operations apply in order; contradictions are refused."""

    def __init__(self, trees: Trees, root: bytes, paths: Iterable[Segments]) -> None:
        """Open the folders that lead to `paths`, in as many batches as they are deep."""
        self._trees = trees
        self._root = _Folder()
        self._written: set[Segments] = set()
        self._above_written: set[Segments] = set()
        self._count = 0
        self._open(root, paths)

    def _open(self, root: bytes, paths: Iterable[Segments]) -> None:
        wanted: dict = {}
        for path in paths:
            inside = wanted
            for segment in path[:-1]:
                inside = inside.setdefault(segment, {})
        level = [(self._root, root, wanted)]
        while level:
            self._trees.load(oid for _, oid, _ in level)
            below: list[tuple[_Folder, bytes, dict]] = []
            for folder, oid, inside in level:
                folder.entries = {entry.name: entry for entry in self._trees[oid]}
                folder.before = frozenset(folder.entries)
                for name, further in inside.items():
                    entry = folder.entries.get(name)
                    if isinstance(entry, TreeEntry) and is_folder(entry):
                        opened = folder.entries[name] = self._folder()
                        below.append((opened, entry.oid, further))
            level = below

    def _folder(self) -> _Folder:
        self._count += 1
        if self._count > MAX_FOLDERS:
            raise BadPath(f"The change touches more than {MAX_FOLDERS} folders; split it")
        return _Folder()

    def put(self, path: Segments, oid: bytes, mode: bytes | None = None) -> None:
        """Put a blob at a path; without a mode an executable stays one. PathConflict, BadPath."""
        text = shown(b"/".join(path))
        if path in self._written:
            raise PathConflict(f"Two operations write {text!r}")
        folder = self._root
        for depth, segment in enumerate(path[:-1], 1):
            found = folder.entries.get(segment)
            if found is None:
                found = folder.entries[segment] = self._folder()
            if not isinstance(found, _Folder):
                above = shown(b"/".join(path[:depth]))
                raise PathConflict(f"{text!r} needs a folder where the file {above!r} is")
            folder = found
        name = path[-1]
        old = folder.entries.get(name)
        if isinstance(old, _Folder) or (old is not None and is_folder(old)):
            raise PathConflict(f"{text!r} is a folder; delete it first")
        kept = EXECUTABLE if old is not None and old.mode == EXECUTABLE else FILE
        folder.entries[name] = TreeEntry(mode or kept, name, oid)
        self._written.add(path)
        self._above_written.update(path[:depth] for depth in range(1, len(path)))

    def delete(self, path: Segments) -> None:
        """Remove a file, or a folder with all in it. PathMissing, PathConflict."""
        text = shown(b"/".join(path))
        if path in self._written or path in self._above_written:
            raise PathConflict(f"{text!r} is written and deleted by the same commit")
        way = [self._root]
        for segment in path[:-1]:
            found = way[-1].entries.get(segment)
            if not isinstance(found, _Folder):
                raise PathMissing(text)
            way.append(found)
        if way[-1].entries.pop(path[-1], None) is None:
            raise PathMissing(text)
        # git has no empty folders: one that lost its last entry goes too.
        for folder, name in zip(way[-2::-1], path[-2::-1], strict=False):
            if folder.entries[name].entries:
                break
            del folder.entries[name]

    def finish(self) -> tuple[bytes, dict[bytes, bytes]]:
        """Return the new root and the payloads of the opened folders' trees, by oid.

        PathConflict if the change brings in a name that differs only in case or Unicode
        normalisation from another in its folder, BadPath if a folder grows too large.
        """
        payloads: dict[bytes, bytes] = {}
        root = self._encode(self._root, (), payloads)
        return root, payloads

    def _encode(self, folder: _Folder, path: Segments, payloads: dict[bytes, bytes]) -> bytes:
        new = [name for name in folder.entries if name not in folder.before]
        if new:
            _check_growth(folder, new, path)
        entries = [
            TreeEntry(FOLDER, name, self._encode(entry, (*path, name), payloads))
            if isinstance(entry, _Folder)
            else entry
            for name, entry in folder.entries.items()
        ]
        entries.sort(key=git_order)
        payload = encode_tree(entries)
        oid = object_id(Kind.TREE, payload)
        # The empty tree is always known, but a commit that has it needs it stored all the same.
        if oid not in self._trees or oid == EMPTY_TREE:
            self._trees.add(oid, entries)
            payloads[oid] = payload
        return oid


def _check_growth(folder: _Folder, new: Iterable[bytes], path: Segments) -> None:
    if len(folder.entries) > MAX_ENTRIES:
        where = shown(b"/".join(path)) or "the root"
        raise BadPath(f"More than {MAX_ENTRIES} entries in one folder: {where!r}")
    by_key: dict[bytes, bytes] = {}
    fresh = set(new)
    # Old names first: what collided before this change is not its fault.
    for name in _old_first(folder.entries, fresh):
        other = by_key.setdefault(collision_key(name), name)
        if name in fresh and other != name:
            pair = [shown(b"/".join((*path, each))) for each in (name, other)]
            raise PathConflict(
                f"{pair[0]!r} and {pair[1]!r} are one file where case or Unicode "
                "normalisation do not count"
            )


def _old_first(names: Iterable[bytes], fresh: set[bytes]) -> Iterator[bytes]:
    yield from (name for name in names if name not in fresh)
    yield from (name for name in names if name in fresh)
