# SPDX-License-Identifier: Apache-2.0
"""Reading a revision: files and folders by path, listings in pages, contents of blobs."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from hubkeep.git.commits import Commit, parse_commit
from hubkeep.git.errors import BadObject, NotAFolder, ObjectMissing, PathMissing, TooLarge
from hubkeep.git.folders import Trees, described, shown, split
from hubkeep.git.objects import Kind, inflate
from hubkeep.git.queries_objects import object_data
from hubkeep.git.trees import FOLDER, TreeEntry, git_order, is_folder
from hubkeep.git.types import Entry

_ROOT_MODE = int(FOLDER, 8)
_AHEAD = 256
_AHEAD_BYTES = 4 << 20

# A listing under way: path, entry, and whether a folder's own entries are already behind it.
_Item = tuple[bytes, TreeEntry, bool]


def entry(conn: Connection, repo_id: int, tree: bytes, path: str) -> Entry | None:
    """Return what stands at a path, None if nothing does; "" is the root folder."""
    found = entries(conn, repo_id, tree, [path])
    return found[0] if found else None


def entries(conn: Connection, repo_id: int, tree: bytes, paths: Iterable[str]) -> list[Entry]:
    """Return what stands at paths, in their order, without those where nothing does."""
    wanted = {path: split(path) for path in paths}
    keys = {path: (tree, segments) for path, segments in wanted.items() if segments}
    found = Trees(conn, repo_id).find(keys.values())
    there = [(path, found[key]) for path, key in keys.items() if key in found]
    by_path = {each.path: each for each in described(conn, repo_id, there)}
    if "" in wanted:
        by_path[""] = Entry("", "directory", _ROOT_MODE, tree)
    return [by_path[path] for path in wanted if path in by_path]


def walk(
    conn: Connection,
    repo_id: int,
    tree: bytes,
    path: str,
    *,
    recursive: bool,
    after: str | None,
    limit: int,
) -> list[Entry]:
    """List a folder, from behind the path `after` on, at most `limit` entries.

    In git's order: by bytes, folders as if their names ended in a slash; with `recursive` each
    folder is followed by what is in it. The number of statements grows with the depth and with
    `limit` alone, and no more is read than a page and a few megabytes of trees ahead of it.
    PathMissing, NotAFolder.
    """
    trees = Trees(conn, repo_id)
    top = _folder_at(trees, tree, path)
    prefix = f"{path}/".encode() if path else b""
    items = _start(trees, top, prefix, after, recursive=recursive)
    if recursive:
        items = _opened(trees, items, limit)
    shown_items = [(shown(path), found) for path, found, _ in items[:limit]]
    return described(conn, repo_id, shown_items)


def folder(
    conn: Connection, repo_id: int, tree: bytes, path: str, *, after: str | None, limit: int
) -> list[Entry]:
    """List a folder as people read it, folders first and then the rest, each by name.

    At most `limit` entries from behind `after`, the path of an entry, with a slash at its end where
    that is a folder. PathMissing, NotAFolder.
    """
    trees = Trees(conn, repo_id)
    prefix = f"{path}/".encode() if path else b""
    inside = sorted(trees.one(_folder_at(trees, tree, path)), key=_for_people)
    if after is not None:
        name = after.encode("utf-8", "replace").removeprefix(prefix)
        behind = (not name.endswith(b"/"), name.removesuffix(b"/"))
        inside = inside[bisect_right(inside, behind, key=_for_people) :]
    return described(conn, repo_id, [(shown(prefix + e.name), e) for e in inside[:limit]])


def _for_people(found: TreeEntry) -> tuple[bool, bytes]:
    return not is_folder(found), found.name


def _folder_at(trees: Trees, tree: bytes, path: str) -> bytes:
    segments = split(path)
    if segments == ():
        return tree
    if segments is None:
        raise PathMissing(path)
    found = trees.find([(tree, segments)]).get((tree, segments))
    if found is None:
        raise PathMissing(path)
    if not is_folder(found):
        raise NotAFolder(path)
    return found.oid


def _start(
    trees: Trees, top: bytes, prefix: bytes, after: str | None, *, recursive: bool
) -> list[_Item]:
    """The entries behind a cursor in the folder and, if recursive, in those that lead to it."""
    rest = (after or "").encode("utf-8", "replace")
    if not rest.startswith(prefix) or rest == prefix or after is None:
        return [(prefix + e.name, e, False) for e in trees.one(top)]
    levels: list[list[_Item]] = []
    steps = rest[len(prefix) :].split(b"/")
    for depth, step in enumerate(steps):
        inside = trees.one(top)
        here = next((e for e in inside if e.name == step), None)
        behind = _behind(inside, step, here)
        levels.append([(prefix + e.name, e, False) for e in behind])
        last = depth + 1 == len(steps)
        if not recursive or here is None or not is_folder(here):
            break
        prefix += step + b"/"
        top = here.oid
        if last:
            levels.append([(prefix + e.name, e, False) for e in trees.one(top)])
    return [item for level in reversed(levels) for item in level]


def _behind(
    inside: Sequence[TreeEntry], step: bytes, here: TreeEntry | None
) -> Sequence[TreeEntry]:
    if here is not None:
        return inside[inside.index(here) + 1 :]
    # The cursor is of another tree than this one: go on where the name would have stood.
    return inside[bisect_left(inside, step, key=git_order) :]


def _opened(trees: Trees, items: list[_Item], limit: int | None) -> list[_Item]:
    """Put what is in each folder behind it, many folders of any level at a time."""
    while True:
        items = items[:limit]
        closed = [e.oid for _, e, is_open in items if not is_open and is_folder(e)][:_AHEAD]
        if not closed:
            return items
        # Equal folders share a tree; a round opens those of the first trees, wherever they stand.
        loaded = set(trees.load_some(list(dict.fromkeys(closed)), _AHEAD_BYTES))
        longer: list[_Item] = []
        for item in items:
            path, found, is_open = item
            if is_open or found.oid not in loaded or not is_folder(found):
                longer.append(item)
                continue
            longer.append((path, found, True))
            longer += [(path + b"/" + e.name, e, False) for e in trees[found.oid]]
            if limit is not None and len(longer) >= limit:
                break
        items = longer


def all_files(conn: Connection, repo_id: int, tree: bytes) -> list[Entry]:
    """Return all files and symlinks of a tree, in path order."""
    trees = Trees(conn, repo_id)
    files: list[tuple[bytes, TreeEntry]] = []
    level: list[tuple[bytes, bytes]] = [(b"", tree)]
    while level:
        trees.load(oid for _, oid in level)
        below: list[tuple[bytes, bytes]] = []
        for prefix, oid in level:
            for found in trees[oid]:
                if is_folder(found):
                    below.append((prefix + found.name + b"/", found.oid))
                else:
                    files.append((prefix + found.name, found))
        level = below
    files.sort()
    listed = described(conn, repo_id, [(shown(path), found) for path, found in files])
    return [each for each in listed if each.kind != "submodule"]


def blob(conn: Connection, repo_id: int, oid: bytes, limit: int) -> bytes:
    """Return the content of a blob. ObjectMissing, TooLarge past `limit` bytes, BadObject."""
    for _, kind, size, data in object_data(conn, repo_id, [oid]):
        if kind != Kind.BLOB:
            raise BadObject(f"{oid.hex()} is not a blob")
        if size > limit:
            raise TooLarge(f"{oid.hex()} has {size} bytes, more than {limit}")
        return inflate(data, size)
    raise ObjectMissing(f"The blob {oid.hex()} is missing")


def commit_object(conn: Connection, repo_id: int, oid: bytes) -> Commit:
    """Return all that a commit says. ObjectMissing, BadObject."""
    for _, kind, size, data in object_data(conn, repo_id, [oid]):
        if kind != Kind.COMMIT:
            raise BadObject(f"{oid.hex()} is not a commit")
        return parse_commit(inflate(data, size))
    raise ObjectMissing(f"The commit {oid.hex()} is missing")
