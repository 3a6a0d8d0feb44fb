# SPDX-License-Identifier: Apache-2.0
"""What changed between two revisions, file by file, with a unified diff where both sides are
text.
"""

import msgspec
from sqlalchemy import Connection

from hubkeep.git import store
from hubkeep.git.diff import unified_diff
from hubkeep.git.store import Entry, FileChange, Revision

MAX_FILES = 3000
_DIFF_LIMIT = 1 << 20
_TOTAL_LIMIT = 8 << 20


class FileDifference(msgspec.Struct, rename="camel"):
    """One changed file; `diff` is empty past 8 MiB of diffs in all, and `isBinary` says there is
    none.
    """

    path: str
    status: str
    old_oid: str | None
    new_oid: str | None
    old_size: int | None
    new_size: int | None
    is_binary: bool
    diff: str


def compare_revisions(
    conn: Connection, repo_id: int, old: Revision, new: Revision
) -> list[FileDifference]:
    """Return the first 3,000 changed files in path order, equal folders never looked into."""
    differences: list[FileDifference] = []
    budget = _TOTAL_LIMIT
    for change in store.compare(conn, repo_id, old.tree, new.tree, limit=MAX_FILES):
        difference = _difference(conn, repo_id, change, with_text=budget > 0)
        budget -= len(difference.diff)
        differences.append(difference)
    return differences


def _difference(
    conn: Connection, repo_id: int, change: FileChange, *, with_text: bool
) -> FileDifference:
    before = _content(conn, repo_id, change.old) if with_text else None
    after = _content(conn, repo_id, change.new) if with_text else None
    text = (
        unified_diff(change.path, before, after)
        if before is not None and after is not None
        else None
    )
    return FileDifference(
        path=change.path,
        status=change.status,
        old_oid=change.old.oid.hex() if change.old else None,
        new_oid=change.new.oid.hex() if change.new else None,
        old_size=change.old.shown_size if change.old else None,
        new_size=change.new.shown_size if change.new else None,
        is_binary=with_text and text is None,
        diff=text or "",
    )


def _content(conn: Connection, repo_id: int, entry: Entry | None) -> bytes | None:
    """The bytes of a side; nothing for a side that is absent, None for one too large to show."""
    if entry is None:
        return b""
    if entry.size > _DIFF_LIMIT:
        return None
    return store.blob(conn, repo_id, entry.oid, _DIFF_LIMIT)
