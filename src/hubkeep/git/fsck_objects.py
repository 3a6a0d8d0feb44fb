# SPDX-License-Identifier: Apache-2.0
"""Checks of single objects: whether bytes are what they are called."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from hubkeep.git.errors import BadObject
from hubkeep.git.objects import Kind, LfsPointer, inflate, object_id, parse_pointer
from hubkeep.git.trees import TreeEntry, git_order

RESTORE = (
    "Restore the database from a backup, or push all branches and tags from a whole clone into a"
    " new repository"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong, with what, and what helps."""

    what: str
    text: str
    advice: str = RESTORE


@dataclass(frozen=True, slots=True)
class Read:
    """An object as it is stored; `broken` says why its bytes could not be unpacked, else None."""

    oid: bytes
    kind: int
    payload: bytes
    lfs: LfsPointer | None
    broken: str | None

    @classmethod
    def of(cls, oid: bytes, kind: int, size: int, data: bytes, lfs: LfsPointer | None) -> Self:
        """Unpack a row."""
        try:
            return cls(oid, kind, inflate(data, size), lfs, None)
        except BadObject as bad:
            return cls(oid, kind, b"", lfs, str(bad))


def misnamed(read: Read, expected: Kind | None) -> str | None:
    """Say what is wrong where an object's bytes are not those that its id names, or where it is of
    another kind than `expected`.
    """
    if read.broken:
        return f"is damaged: {read.broken}"
    if read.kind not in list(Kind):
        return f"is of kind {read.kind}, which does not exist"
    kind = Kind(read.kind)
    if object_id(kind, read.payload) != read.oid:
        return "is damaged: its bytes are not those that its id stands for"
    if expected is not None and kind != expected:
        return f"is a {kind.name.lower()}, where a {expected.name.lower()} is needed"
    return None


def unlike_pointer(read: Read) -> str | None:
    """Say what is wrong where the columns about git-lfs are not what the bytes say."""
    told = parse_pointer(read.payload) if read.kind == Kind.BLOB else None
    if told == read.lfs:
        return None
    if told is None:
        return "is said to point at an LFS file, and does not"
    known = f"{read.lfs.sha256.hex()}, {read.lfs.size} bytes" if read.lfs else "nothing"
    return f"points at LFS file {told.sha256.hex()}, {told.size} bytes, but is said to at {known}"


def bad_order(entries: Sequence[TreeEntry]) -> bool:
    """Say whether a folder is not in git's order, or has a name twice."""
    keys = [git_order(entry) for entry in entries]
    return keys != sorted(keys) or len({entry.name for entry in entries}) != len(entries)
