# SPDX-License-Identifier: Apache-2.0
"""What the lock addresses take and answer.

The API is git-lfs' (https://github.com/git-lfs/git-lfs/blob/main/docs/api/locking.md).
"""

from typing import Annotated

import msgspec

from hubkeep.transfer.wire import RefSpec

PAGE = 100
"""Locks on a page, at most."""

Limit = Annotated[int, msgspec.Meta(ge=0)]
"""0, like no limit at all, is as many as a page has."""
LockPath = Annotated[str, msgspec.Meta(max_length=4096)]


class LocksQuery(msgspec.Struct, frozen=True):
    """`GET .../locks`: all of them, or the one with a path or an id.

    A lock holds for its path on all branches, so `refspec`, the branch on which somebody asks,
    leaves none out.
    """

    path: LockPath | None = None
    id: str | None = None
    cursor: str | None = None
    limit: Limit = PAGE
    refspec: str | None = None


class LockRequest(msgspec.Struct, frozen=True):
    path: LockPath
    ref: RefSpec | None = None


class VerifyRequest(msgspec.Struct, frozen=True):
    """What git-lfs asks before it pushes: which locks are the sender's, and which are others'."""

    ref: RefSpec | None = None
    cursor: str | None = None
    limit: Limit = PAGE


class UnlockRequest(msgspec.Struct, frozen=True):
    force: bool = False
    ref: RefSpec | None = None


class LockOwner(msgspec.Struct, frozen=True):
    name: str


class LockLine(msgspec.Struct, frozen=True):
    """A lock as git-lfs reads it."""

    id: str
    path: str
    locked_at: str
    owner: LockOwner


class OneLock(msgspec.Struct, frozen=True):
    lock: LockLine


class LockPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page of locks; `next_cursor` is there if another one follows."""

    locks: list[LockLine]
    next_cursor: str = ""


class VerifiedLocks(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page of locks, parted by whose they are."""

    ours: list[LockLine]
    theirs: list[LockLine]
    next_cursor: str = ""
