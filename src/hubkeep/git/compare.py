# SPDX-License-Identifier: Apache-2.0
"""Which files differ between two trees; folders that are equal are never looked into."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection

from hubkeep.git.errors import ObjectMissing, TooLarge
from hubkeep.git.folders import Trees, described, shown
from hubkeep.git.queries_objects import ObjectInfo, object_infos
from hubkeep.git.trees import EMPTY_TREE, SUBMODULE, SYMLINK, TreeEntry, is_folder
from hubkeep.git.types import FileChange
from hubkeep.kit.batches import batches

Pair: TypeAlias = tuple[bytes, TreeEntry | None, TreeEntry | None]
"""A path that differs, and what is there before and after; never a folder."""

_AHEAD = 64
_FILES = 5_000
_NO_FOLDERS = (EMPTY_TREE, EMPTY_TREE)
_TREE_BYTES = 8 << 20  # of trees read ahead at once


def compare(
    conn: Connection, repo_id: int, old: bytes, new: bytes, *, limit: int | None = None
) -> list[FileChange]:
    """Return the files that differ between two trees, in path order, at most `limit`.

    A rename is a file deleted and a file added. Submodules are left out. With a limit no more is
    looked at than what it takes.
    """
    trees = Trees(conn, repo_id)
    if limit is None:
        return file_changes(trees, changed_files(trees, old, new))
    return file_changes(trees, _first_changed(trees, old, new, limit))


@dataclass(frozen=True, slots=True)
class Part:
    """Some of what differs: paths, and by how many bytes these files grew, LFS files in full."""

    modified: list[str]
    added_or_deleted: list[str]
    grown: int


def compare_in_parts(conn: Connection, repo_id: int, old: bytes, new: bytes) -> Iterator[Part]:
    """Yield what `compare` finds in no order, so that little of it is in memory at once."""
    ahead = [(b"", old, new)] if old != new else []
    while ahead:
        trees = Trees(conn, repo_id)
        _, one, other = ahead[-1]
        soon = [oid for _, *both in reversed(ahead[-_AHEAD:]) for oid in both]
        trees.load_some(list(dict.fromkeys(soon)), _TREE_BYTES)
        trees.load([one, other])
        found: list[Pair] = []
        while ahead and len(found) < _FILES and ahead[-1][1] in trees and ahead[-1][2] in trees:
            path, one, other = ahead.pop()
            for name, before, after in _differing(trees[one], trees[other]):
                folders = (_folder(before), _folder(after))
                if folders != _NO_FOLDERS:
                    ahead.append((path + name + b"/", *folders))
                file, now = _file(before), _file(after)
                if (file and file.mode != SUBMODULE) or (now and now.mode != SUBMODULE):
                    found.append((path + name, file, now))
        yield _part(conn, repo_id, found)


def _part(conn: Connection, repo_id: int, pairs: list[Pair]) -> Part:
    blobs = {side.oid for _, *both in pairs for side in both if side and side.mode != SUBMODULE}
    infos = object_infos(conn, repo_id, list(blobs))
    modified = [shown(path) for path, old, new in pairs if old and new]
    others = [shown(path) for path, old, new in pairs if not (old and new)]
    grown = sum(_size(infos, new) - _size(infos, old) for _, old, new in pairs)
    return Part(modified, others, grown)


def _size(infos: Mapping[bytes, ObjectInfo], file: TreeEntry | None) -> int:
    if file is None or file.mode == SUBMODULE:
        return 0
    info = infos.get(file.oid)
    if info is None:
        raise ObjectMissing(f"The blob {file.oid.hex()} of {shown(file.name)!r} is missing")
    _, size, lfs = info
    return lfs.size if lfs and file.mode != SYMLINK else size


def changed_files(trees: Trees, old: bytes, new: bytes, limit: int | None = None) -> list[Pair]:
    """Return (path, old entry, new entry) of what differs, in path order, folders left out.

    TooLarge, without looking further, where more than `limit` files or folders differ, or the
    folders that differ have more than ten times as many entries: a few trees that refer to each
    other can stand for millions.
    """
    files: list[Pair] = []
    level: list[tuple[bytes, bytes, bytes]] = [(b"", old, new)] if old != new else []
    folders = entries = 0
    while level:
        below: list[tuple[bytes, bytes, bytes]] = []
        for some in batches(level, _AHEAD):
            trees.load(oid for _, one, other in some for oid in (one, other))
            for prefix, one, other in some:
                entries += len(trees[one]) + len(trees[other])
                _hold_to(limit and limit * 10, entries, "entries are in the folders that differ")
                for name, before, after in _differing(trees[one], trees[other]):
                    path = prefix + name
                    inside = (_folder(before), _folder(after))
                    if inside != _NO_FOLDERS:
                        below.append((path + b"/", *inside))
                    pair = (_file(before), _file(after))
                    if pair != (None, None):
                        files.append((path, *pair))
                _hold_to(limit, len(files), "files differ")
                _hold_to(limit, folders + len(below), "folders differ")
        folders += len(below)
        level = below
    return sorted(files, key=lambda each: each[0])


def _hold_to(limit: int | None, count: int, what: str) -> None:
    if limit is not None and count > limit:
        raise TooLarge(f"More than {limit} {what}")


def _first_changed(trees: Trees, old: bytes, new: bytes, limit: int) -> list[Pair]:
    """The first of `changed_files`: goes down in path order, and reads a little ahead."""
    found: list[Pair] = []
    waiting = [_Spot(b"", None, old, new)]  # the next one last
    while waiting and len(found) < limit:
        spot = waiting.pop()
        if spot.pair is not None:
            found.append(spot.pair)
            continue
        soon = [oid for each in waiting[: -_AHEAD - 1 : -1] for oid in (each.old, each.new)]
        unread = [oid for oid in (spot.old, spot.new, *soon) if oid not in trees]
        if spot.old in unread or spot.new in unread:
            trees.load_some(list(dict.fromkeys(unread)), _TREE_BYTES)
            trees.load([spot.old, spot.new])
        inside = _spots(spot.path, trees[spot.old], trees[spot.new])
        waiting += sorted(inside, key=lambda each: each.path, reverse=True)
    return found


class _Spot(NamedTuple):
    """What differs: a file, or a folder, whose path ends in a slash, with its trees."""

    path: bytes
    pair: Pair | None
    old: bytes = EMPTY_TREE
    new: bytes = EMPTY_TREE


def _spots(prefix: bytes, old: list[TreeEntry], new: list[TreeEntry]) -> Iterator[_Spot]:
    for name, before, after in _differing(old, new):
        path = prefix + name
        folders = [_folder(before), _folder(after)]
        if folders != [EMPTY_TREE, EMPTY_TREE]:
            yield _Spot(path + b"/", None, *folders)
        file, now = _file(before), _file(after)
        if any(side is not None and side.mode != SUBMODULE for side in (file, now)):
            yield _Spot(path, (path, file, now))


def _differing(
    old: Iterable[TreeEntry], new: Iterable[TreeEntry]
) -> Iterable[tuple[bytes, TreeEntry | None, TreeEntry | None]]:
    before = {entry.name: entry for entry in old}
    after = {entry.name: entry for entry in new}
    for name, entry in before.items():
        if after.get(name) != entry:
            yield name, entry, after.get(name)
    for name, entry in after.items():
        if name not in before:
            yield name, None, entry


def _folder(entry: TreeEntry | None) -> bytes:
    return entry.oid if entry is not None and is_folder(entry) else EMPTY_TREE


def _file(entry: TreeEntry | None) -> TreeEntry | None:
    return None if entry is None or is_folder(entry) else entry


def file_changes(
    trees: Trees,
    differing: Iterable[Pair],
    fresh: Mapping[bytes, ObjectInfo] = MappingProxyType({}),
) -> list[FileChange]:
    """Describe what differs, in one batch; `fresh` are blobs that are not in the database yet."""
    pairs = [(shown(path), old, new) for path, old, new in differing]
    sides = [(path, side) for path, *both in pairs for side in both if side is not None]
    entries = iter(described(trees.conn, trees.repo_id, sides, fresh))
    changes = [
        FileChange(path, next(entries) if old else None, next(entries) if new else None)
        for path, old, new in pairs
    ]
    return [change for change in changes if not _is_submodule(change)]


def _is_submodule(change: FileChange) -> bool:
    return all(side is None or side.kind == "submodule" for side in (change.old, change.new))
