# SPDX-License-Identifier: Apache-2.0
"""A push on its way in: its pack in a folder of its own, what it holds, and what is wrong with it.

    incoming = await receive(folder, pieces, bounds)     # git's own checks, before anything else
    checked = incoming.check(conn, repo_id, tips)        # in a read: names, sizes, what is missing
    incoming.write(conn, repo_id, checked)               # in the transaction that moves the refs

Nothing of it is visible before that transaction ends, and nothing is left of it after `close`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from hubkeep.git.objects import LfsPointer
from hubkeep.git.types import CommitRow


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
    repository did not hold, LFS files in full.
    """

    commits: Mapping[bytes, CommitRow] = field(default_factory=dict)
    peeled: Mapping[bytes, bytes] = field(default_factory=dict)
    pointers: Mapping[bytes, Pointer] = field(default_factory=dict)
    gained: int = 0


class Incoming:
    """What `receive` has taken in; without a pack where a push only deletes or only moves refs."""

    def check(self, conn: Connection, repo_id: int, tips: Sequence[bytes]) -> Checked:
        """Look through all that the pack holds, and say what the tips lead to.

        Refused: a tip, or something that it leads to, that is neither in the pack nor in the
        repository; names, modes and sizes that the API would not take either.
        """
        raise NotImplementedError

    def write(self, conn: Connection, repo_id: int, checked: Checked) -> None:
        """Store objects and commits. The caller holds the repository's lock.

        Refused where something that was in the repository when it was checked is there no more.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Delete what there is of it on disk."""
        raise NotImplementedError


async def receive(folder: Path, pieces: AsyncIterator[bytes], bounds: Bounds) -> Incoming:
    """Take in a pack (no bytes at all for none) and have git check each of its objects.

    `folder` is new and the push's own. Memory and time are bounded whatever comes. Refused,
    GitMissing.
    """
    raise NotImplementedError
