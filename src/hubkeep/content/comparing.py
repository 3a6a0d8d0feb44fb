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
from hubkeep.git.diff import Allowance, DiffSide, file_patch, sides_diff
from hubkeep.git.queries import commits
from hubkeep.git.store import Entry, FileChange
from hubkeep.repos.types import Repo

MAX_FILES = 3000
_DIFF_LIMIT = 1 << 20
_TOTAL_LIMIT = 8 << 20
_READ_LIMIT = 16 << 20
_LINE = 8  # bytes that a line counts for beyond its own: many empty ones take time too
_STEPS = 4_000_000  # about half a second; what 300 commits to a program changed takes a twentieth

Sides = tuple[DiffSide | None, DiffSide | None]


class FileDifference(msgspec.Struct, rename="camel"):
    """One changed file; `isBinary` says there is no diff. It is empty where too much was read or
    shown before it: 16 MiB of texts, 8 MiB of diffs.
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
class Changes:
    """The first 3,000 changed files in path order as they stand in two trees, with their `sides`:
    fewer of these where there is more in them than is read. `is_cut` if there are more files.
    """

    files: Sequence[FileChange]
    sides: Sequence[Sides]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed in each file; `is_cut` if there is more than is shown.

    `is_rough` if some files are replaced line by line since finding out what their two versions
    share would have taken too long. As a patch, `files` is empty.
    """

    changes: Sequence[FileChange]
    files: Sequence[FileDifference]
    patch: bytes
    is_cut: bool
    is_rough: bool = False


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


def read_changes(conn: Connection, repo_id: int, old: bytes, new: bytes) -> Changes:
    """Read what differs between two trees; equal folders are not opened."""
    found = store.compare(conn, repo_id, old, new, limit=MAX_FILES + 1)
    files = found[:MAX_FILES]
    sides: list[Sides] = []
    left = _READ_LIMIT
    for change in files:
        both = (_side(conn, repo_id, change.old), _side(conn, repo_id, change.new))
        left -= sum(_weight(side) for side in both)
        if left < 0:
            break
        sides.append(both)
    return Changes(files, sides, len(found) > MAX_FILES)


def compared(changes: Changes, *, raw: bool) -> Comparison:
    """Compare what was read, file by file or, if `raw`, as one patch. For a thread: it may take a
    second, whatever the files are.
    """
    files: list[FileDifference] = []
    patch: list[bytes] = []
    left, allowance = _TOTAL_LIMIT, Allowance(_STEPS)
    for number, change in enumerate(changes.files):
        sides = changes.sides[number] if number < len(changes.sides) and left > 0 else None
        if not raw:
            files.append(_difference(change, sides, allowance))
            left -= len(files[-1].diff)
        elif sides is None:
            break
        else:
            text = file_patch(change.path, *sides, allowance).encode("utf-8", "surrogateescape")
            patch.append(text)
            left -= len(text)
    is_cut = changes.is_cut or left <= 0 or len(changes.sides) < len(changes.files)
    return Comparison(changes.files, files, b"".join(patch), is_cut, allowance.is_spent)


def _difference(change: FileChange, sides: Sides | None, allowance: Allowance) -> FileDifference:
    text = sides_diff(change.path, *sides, allowance) if sides else None
    return FileDifference(
        path=change.path,
        status=change.status,
        old_oid=change.old.oid.hex() if change.old else None,
        new_oid=change.new.oid.hex() if change.new else None,
        old_size=change.old.shown_size if change.old else None,
        new_size=change.new.shown_size if change.new else None,
        is_binary=sides is not None and text is None,
        diff=(text or "").encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
    )


def _weight(side: DiffSide | None) -> int:
    content = side.content if side else None
    return len(content) + _LINE * content.count(b"\n") if content else 0


def _side(conn: Connection, repo_id: int, entry: Entry | None) -> DiffSide | None:
    if entry is None:
        return None
    return DiffSide(f"{entry.mode:06o}", entry.oid.hex(), _content(conn, repo_id, entry))


def _content(conn: Connection, repo_id: int, entry: Entry) -> bytes | None:
    """The bytes of a side, None for one too large to show."""
    if entry.kind == "submodule":
        return f"Subproject commit {entry.oid.hex()}\n".encode()
    if entry.size > _DIFF_LIMIT:
        return None
    return store.blob(conn, repo_id, entry.oid, _DIFF_LIMIT)
