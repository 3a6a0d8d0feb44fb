# SPDX-License-Identifier: Apache-2.0
"""What is said of a push: how much it may bring, what is wrong with it, what was found in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hubkeep.git.objects import LfsPointer
from hubkeep.git.types import CommitRow

if TYPE_CHECKING:
    from hubkeep.git.push.outside import Outside

TOO_MUCH = "push older commits first: git push origin <an older commit>:refs/heads/<branch>"


class Refused(Exception):
    """What was pushed cannot be taken in; the lines tell its author why and what to do.

    `by_git` where it is git that found a fault: the pack is damaged or holds what git forbids.
    """

    def __init__(self, *lines: str, by_git: bool = False) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
        self.by_git = by_git


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a push may bring."""

    pack_bytes: int
    objects: int
    blob_bytes: int
    """Of one file that is not in git-lfs."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """A git-lfs pointer that a push brings, and where it was first seen."""

    lfs: LfsPointer
    path: str


@dataclass(slots=True)
class Checked:
    """What a push brings, found to be in order.

    `commits` are the new ones by id, parents first; `peeled` is the commit that each of the tips
    leads to, itself or through annotated tags. `gained` counts the bytes of files that the
    repository did not hold, LFS files in full. The mappings may read from the push's folder.
    """

    commits: Mapping[bytes, CommitRow] = field(default_factory=dict)
    peeled: Mapping[bytes, bytes] = field(default_factory=dict)
    pointers: Mapping[bytes, Pointer] = field(default_factory=dict)
    gained: int = 0
    records: Mapping[bytes, bytes | None] = field(default_factory=dict)
    """Of each new commit what `git/last_commits.py` keeps of it."""
    reached: bytes = b""
    """For each object of the pack 1 where a tip leads to it: others are not stored."""
    has_empty_tree: bool = False
    """Whether the empty tree is needed, which git knows without having it."""
    outside: "Outside | None" = None
    """What the pack refers to in the repository."""
