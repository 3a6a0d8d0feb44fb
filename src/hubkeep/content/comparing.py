# SPDX-License-Identifier: Apache-2.0
"""What changed between two revisions, file by file, with a unified diff where both sides are
text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from hubkeep import errors
from hubkeep.content.reading import revision_of
from hubkeep.git import store
from hubkeep.git.ancestry import merge_bases
from hubkeep.git.diff import DiffSide, file_patch, sides_diff
from hubkeep.git.queries import commits
from hubkeep.git.store import Entry, FileChange
from hubkeep.repos.types import Repo

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


@dataclass(frozen=True, slots=True)
class Comparison:
    """The first 3,000 changed files in path order; `is_cut` if there is more than is shown.

    `changes` are the same files as they stand in the two trees; as a patch, `files` is empty.
    """

    changes: Sequence[FileChange]
    files: Sequence[FileDifference]
    patch: bytes
    is_cut: bool


def trees_named(conn: Connection, repo: Repo, revisions: str) -> tuple[bytes, bytes]:
    """Return the trees that `OLD..NEW` or `OLD...NEW` compares.

    With three dots the old side is the best commit that both have in common, as in git; where there
    are several (a criss-cross of merges), the one with the smallest id. 400, revision_not_found;
    404 where nothing is in common, which is GitHub's answer.
    """
    dots = "..." if "..." in revisions else ".."
    old_name, separator, new_name = revisions.partition(dots)
    if not separator or not old_name or not new_name:
        raise errors.bad_request("Name two revisions: /compare/OLD..NEW or /compare/OLD...NEW")
    old, new = revision_of(conn, repo, old_name), revision_of(conn, repo, new_name)
    if dots == "..":
        return old.tree, new.tree
    bases = merge_bases(conn, repo.id, old.commit, new.commit)
    if not bases:
        raise errors.not_found(f"No common ancestor between {old_name} and {new_name}")
    return commits(conn, repo.id, bases[:1])[bases[0]].tree, new.tree


def compare_trees(
    conn: Connection, repo_id: int, old: bytes, new: bytes, *, raw: bool
) -> Comparison:
    """Compare two trees, file by file or, if `raw`, as one patch; equal folders are not opened."""
    changes = store.compare(conn, repo_id, old, new, limit=MAX_FILES + 1)
    files: list[FileDifference] = []
    patch: list[bytes] = []
    budget = _TOTAL_LIMIT
    shown = changes[:MAX_FILES]
    for change in shown:
        if raw and budget <= 0:
            break
        sides = _sides(conn, repo_id, change, with_content=budget > 0)
        if raw:
            text = file_patch(change.path, *sides).encode("utf-8", "surrogateescape")
            patch.append(text)
            budget -= len(text)
        else:
            files.append(_difference(change, *sides, with_text=budget > 0))
            budget -= len(files[-1].diff)
    return Comparison(shown, files, b"".join(patch), len(changes) > MAX_FILES or budget <= 0)


def _difference(
    change: FileChange, old: DiffSide | None, new: DiffSide | None, *, with_text: bool
) -> FileDifference:
    text = sides_diff(change.path, old, new) if with_text else None
    return FileDifference(
        path=change.path,
        status=change.status,
        old_oid=old.oid if old else None,
        new_oid=new.oid if new else None,
        old_size=change.old.shown_size if change.old else None,
        new_size=change.new.shown_size if change.new else None,
        is_binary=with_text and text is None,
        diff=(text or "").encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
    )


def _sides(
    conn: Connection, repo_id: int, change: FileChange, *, with_content: bool
) -> list[DiffSide | None]:
    sides: list[DiffSide | None] = []
    for entry in (change.old, change.new):
        if entry is None:
            sides.append(None)
            continue
        content = _content(conn, repo_id, entry) if with_content else None
        sides.append(DiffSide(f"{entry.mode:06o}", entry.oid.hex(), content))
    return sides


def _content(conn: Connection, repo_id: int, entry: Entry) -> bytes | None:
    """The bytes of a side, None for one too large to show."""
    if entry.kind == "submodule":
        return f"Subproject commit {entry.oid.hex()}\n".encode()
    if entry.size > _DIFF_LIMIT:
        return None
    return store.blob(conn, repo_id, entry.oid, _DIFF_LIMIT)
