# SPDX-License-Identifier: Apache-2.0
"""How commits descend from each other; work grows with what lies between them, not with history."""

from collections.abc import Sequence

from sqlalchemy import Connection

from hubkeep.git.types import CommitRow


def commits_beyond(
    conn: Connection, repo_id: int, wanted: Sequence[bytes], had: Sequence[bytes]
) -> list[CommitRow]:
    """Return the commits that lead to `wanted` and to none of `had`, parents before children.

    Like `git rev-list --topo-order --reverse WANTED --not HAD`. Ids without a commit are passed
    over among `had`; ObjectMissing among `wanted`.
    """
    raise NotImplementedError


def is_ancestor(conn: Connection, repo_id: int, old: bytes, new: bytes) -> bool:
    """Say whether `old` leads to `new`, or is it: whether moving a branch so forgets nothing."""
    raise NotImplementedError


def merge_bases(conn: Connection, repo_id: int, one: bytes, other: bytes) -> list[bytes]:
    """Return the best common ancestors of two commits, as `git merge-base --all` does, sorted."""
    raise NotImplementedError
