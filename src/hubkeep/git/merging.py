# SPDX-License-Identifier: Apache-2.0
"""Three-way merges by native git, over a bare repository that stays as it is.

What git writes goes into a folder that the caller gives, from where the result is read.
"""

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hubkeep.git.errors import BadObject, ObjectMissing, TooLarge
from hubkeep.git.objects import (
    OID_BYTES,
    POINTER_LIMIT,
    Kind,
    StagedBlob,
    object_id,
    parse_pointer,
    stage_blob,
)
from hubkeep.git.program import GitFailed, Limits, run
from hubkeep.git.trees import EMPTY_TREE, parse_tree

MAX_CONFLICTS = 1000
"""Conflicts that are told of one merge."""

_LIMITS: Final = Limits(cpu_seconds=60, memory=3 << 30, file_bytes=64 << 20, seconds=120)
_CONFLICT = re.compile(r"CONFLICT \(([^)]*)\): (.*)", re.DOTALL)
_POINTER_START = b"version "
_HEAD_BYTES = 64  # more than `blob 10485760\0` has
_RESULT_BYTES = 64 << 20
_NOBODY = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "hubkeep"), ("EMAIL", "hubkeep"), ("DATE", "@0 +0000"))
}


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge that went well: its root, and the trees and blobs that git wrote for it."""

    tree: bytes
    trees: Mapping[bytes, bytes]
    blobs: Sequence[StagedBlob]


@dataclass(frozen=True, slots=True)
class Conflict:
    """What a person must decide: the paths that it is about, its kind and the matter in words.

    Kinds are git's (`content`, `modify/delete`, `rename/rename` ...), and `lfs` for pointers.
    """

    paths: Sequence[str]
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are merged: a commit, or a tree, and what messages call it."""

    oid: bytes
    name: str


def merge_commits(bare: Path, scratch: Path, ours: Side, theirs: Side) -> Merged | list[Conflict]:
    """Merge two commits that have one in common, with `scratch`, an empty folder. Blocking.

    ObjectMissing where the bare repository lacks one, TooLarge where git writes more than 64 MiB of
    files and folders, GitFailed, GitMissing.
    """
    return _Scratch(bare, scratch).merge(ours, theirs)


def merge_trees(
    bare: Path, scratch: Path, base: bytes, ours: Side, theirs: Side
) -> Merged | list[Conflict]:
    """Apply to the tree `ours` what is between the trees `base` and `theirs`. See merge_commits."""
    front = _Scratch(bare, scratch)
    below = front.commit(base)
    sides = [Side(front.commit(side.oid, below), side.name) for side in (ours, theirs)]
    return front.merge(*sides)


class _Scratch:
    """A folder of objects in front of those of a repository."""

    def __init__(self, bare: Path, folder: Path) -> None:
        self._bare = bare = bare.absolute()  # git runs in another folder than the hub
        self._objects = folder.absolute()
        self._env = {
            **_NOBODY,
            "GIT_DIR": str(bare),
            "GIT_OBJECT_DIRECTORY": str(self._objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(bare / "objects"),
        }

    def commit(self, tree: bytes, *parents: bytes) -> bytes:
        """Make a commit that nobody will see. ObjectMissing, GitFailed."""
        self._check([tree])
        above = [word for parent in parents for word in ("-p", parent.hex())]
        made = self._git("commit-tree", *above, tree.hex(), given=b"for a merge\n")
        return bytes.fromhex(made.decode().strip())

    def merge(self, ours: Side, theirs: Side) -> Merged | list[Conflict]:
        """Merge two commits."""
        self._check([ours.oid, theirs.oid])
        sides = (ours.oid.hex(), theirs.oid.hex())
        said = self._git("merge-tree", "--write-tree", "-z", "--messages", *sides, fine=(0, 1))
        tree, conflicts = read_merge(said)
        if conflicts:
            names = {ours.oid.hex(): ours.name, theirs.oid.hex(): theirs.name}
            return [_named(conflict, names) for conflict in conflicts]
        merged, suspects = self._result(tree)
        mixed = self._mixed(suspects, sides)
        if mixed:
            return [
                Conflict([path], "lfs", f"Both sides changed the LFS file {path}")
                for path in map(_text, mixed)
            ][:MAX_CONFLICTS]
        return merged

    def _check(self, oids: Sequence[bytes]) -> None:
        wanted = [oid.hex() for oid in oids if oid != EMPTY_TREE]
        given = "".join(f"{oid}\n" for oid in wanted).encode()
        for line in self._git("cat-file", "--batch-check", given=given).decode().splitlines():
            if line.endswith(" missing"):
                raise ObjectMissing(f"No branch or tag leads to {line.removesuffix(' missing')}")

    def _git(self, *arguments: str, given: bytes = b"", fine: Sequence[int] = (0,)) -> bytes:
        return run(arguments, self._bare, _LIMITS, given=given, env=self._env, fine=fine)

    def _result(self, root: bytes) -> tuple[Merged, list[bytes]]:
        """Read what git wrote of a merged tree; what it did not write was there before.

        Also returns the paths of files that begin as pointers do.
        """
        trees: dict[bytes, bytes] = {}
        blobs: dict[bytes, StagedBlob] = {}
        suspects: list[bytes] = []
        waiting = [(root, b"")]
        total = 0
        while waiting:
            oid, path = waiting.pop()
            if oid in trees or oid in blobs:
                continue
            found = self._written(oid, _RESULT_BYTES - total)
            if found is None:
                continue
            kind, payload = found
            total += len(payload)
            if kind is Kind.TREE:
                trees[oid] = payload
                above = path + b"/" if path else b""
                waiting += [(entry.oid, above + entry.name) for entry in parse_tree(payload)]
                continue
            blobs[oid] = stage_blob(payload)
            if payload.startswith(_POINTER_START):
                suspects.append(path)
        return Merged(root, trees, list(blobs.values())), suspects

    def _mixed(self, paths: Sequence[bytes], sides: Sequence[str]) -> list[bytes]:
        """Return those paths at which a side has a pointer, which git then mixed with another.

        Also those that cannot be told: git found the file in another place, or they have a newline,
        which git would take for two.
        """
        asked = [path for path in paths if b"\n" not in path]
        if not paths:
            return []
        names = [side.encode() + b":" + path for path in asked for side in sides]
        found = iter(self._small_files(names))
        plain = {path for path in asked if _is_plain([next(found) for _ in sides])}
        return [path for path in paths if path not in plain]

    def _small_files(self, names: Sequence[bytes]) -> list[bytes | None]:
        """Read files, None for one that is missing; of those too large for pointers nothing."""
        form = "--batch-check=%(objectname) %(objectsize)"
        said = self._git("cat-file", form, given=b"".join(name + b"\n" for name in names))
        listed = [line.rpartition(b" ")[::2] for line in said.splitlines()]
        small = dict.fromkeys(
            oid for oid, size in listed if size.isdigit() and int(size) < POINTER_LIMIT
        )
        content = dict(self._contents(list(small)))
        return [content.get(oid, b"") if size.isdigit() else None for oid, size in listed]

    def _contents(self, oids: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
        form = "--batch=%(objectname) %(objectsize)"
        said = self._git("cat-file", form, given=b"".join(oid + b"\n" for oid in oids))
        at = 0
        for oid in oids:
            start = said.index(b"\n", at) + 1
            size = int(said[at:start].split()[1])
            yield oid, said[start : start + size]
            at = start + size + 1

    def _written(self, oid: bytes, limit: int) -> tuple[Kind, bytes] | None:
        """Read an object that git wrote, None where it is none of those. TooLarge, BadObject."""
        name = oid.hex()
        try:
            data = (self._objects / name[:2] / name[2:]).read_bytes()
        except FileNotFoundError:
            return None
        stream = zlib.decompressobj()
        inflated = stream.decompress(data, limit + _HEAD_BYTES)
        head, _, payload = inflated.partition(b"\0")
        if len(payload) > limit or not stream.eof:
            raise TooLarge(f"What the merge writes has more than {_RESULT_BYTES >> 20} MiB")
        kind = Kind.TREE if head.startswith(b"tree ") else Kind.BLOB
        if object_id(kind, payload) != oid:
            raise BadObject(f"The merge wrote {name}, which is damaged")
        return kind, payload


def _is_plain(sides: Sequence[bytes | None]) -> bool:
    there = [content for content in sides if content is not None]
    return bool(there) and not any(parse_pointer(content) for content in there)


def read_merge(said: bytes) -> tuple[bytes, list[Conflict]]:
    """Read what `git merge-tree --write-tree -z --messages` printed: the tree, and the conflicts.

    GitFailed where it is not as git's manual has it.
    """
    fields = iter(said.split(b"\0"))
    try:
        tree = bytes.fromhex(next(fields).decode())
        unmerged = list(iter(lambda: next(fields), b""))
        conflicts = list(_messages(fields))
    except (StopIteration, ValueError, RuntimeError) as odd:
        raise GitFailed("git merge-tree printed something else than expected") from odd
    if len(tree) != OID_BYTES:
        raise GitFailed("git merge-tree printed no tree")
    if unmerged and not conflicts:
        paths = dict.fromkeys(field.partition(b"\t")[2] for field in unmerged)
        conflicts = [Conflict([_text(path)], "content", "") for path in paths]
    return tree, conflicts[:MAX_CONFLICTS]


def _messages(fields: Iterator[bytes]) -> Iterator[Conflict]:
    while count := next(fields):
        paths = [_text(next(fields)) for _ in range(int(count))]
        next(fields)  # the kind, which is less exact than the one in the message
        found = _CONFLICT.match(_text(next(fields)))
        if found is not None:
            yield Conflict(paths, found[1], found[2].strip())


def _named(conflict: Conflict, names: Mapping[str, str]) -> Conflict:
    message = conflict.message
    for oid, name in names.items():
        message = message.replace(oid, name)
    return Conflict(conflict.paths, conflict.kind, message)


def _text(field: bytes) -> str:
    return field.decode("utf-8", "replace")
