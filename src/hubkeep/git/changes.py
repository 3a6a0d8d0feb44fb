# SPDX-License-Identifier: Apache-2.0
"""A commit made of changes to single paths, as the API takes it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy import Connection

from hubkeep.git.compare import changed_files, file_changes
from hubkeep.git.editing import Edit
from hubkeep.git.errors import BadPath, BranchMissing, BranchMoved, PathConflict, PathMissing
from hubkeep.git.folders import Segments, Trees, split
from hubkeep.git.names import check_path, check_ref_name, is_attributes
from hubkeep.git.objects import StagedBlob, inflate
from hubkeep.git.queries import commits_at, has_refs, insert_ref, move_ref
from hubkeep.git.queries_objects import lock_repo, object_data
from hubkeep.git.refs import branch_ref
from hubkeep.git.trees import EMPTY_TREE, SUBMODULE, TreeEntry, is_folder
from hubkeep.git.types import CommitRow, FileChange, NewCommit, Ref
from hubkeep.git.writing import store_blobs, store_commit
from hubkeep.kit.time import Millis

ATTRIBUTES_LINE = 2048  # past this many bytes git refuses a line of .gitattributes


@dataclass(frozen=True, slots=True)
class PutFile:
    """Write a file, new or not. The blob's data is not needed here.

    Without a `mode` an executable stays one.
    """

    path: str
    blob: StagedBlob
    mode: bytes | None = None


@dataclass(frozen=True, slots=True)
class DeletePath:
    """Delete a file, or a folder with all in it; a slash at the end is allowed."""

    path: str


@dataclass(frozen=True, slots=True)
class CopyPath:
    """Write a file as it is in a tree of the same repository, mode included."""

    source: str
    source_tree: bytes
    path: str


Change: TypeAlias = PutFile | DeletePath | CopyPath


@dataclass(frozen=True, slots=True)
class CommitResult:
    """What became of a change set.

    With `is_noop` nothing was written and `oid` is the head as it was. `changed` lists files, never
    folders. `stored_bytes` counts files that the repository did not hold before, LFS files in full.
    """

    oid: bytes
    parent: bytes | None
    tree: bytes
    is_noop: bool
    changed: Sequence[FileChange] = field(default=())
    stored_bytes: int = 0


def commit_changes(
    conn: Connection,
    repo_id: int,
    new: NewCommit,
    changes: Sequence[Change],
    blobs: Iterable[StagedBlob],
) -> CommitResult:
    """Apply changes in order on top of a branch, in the caller's transaction.

    In a repository without refs the branch is made by its first commit. `blobs` is gone through
    once, after all else was found in order; those that no change names are passed over. Writers of
    one repository wait for each other. Changes that lead to the tree that is there make no commit,
    unless `allow_empty`.

    BranchMissing, BranchMoved, BadRef, BadPath, PathMissing, PathConflict.
    """
    lock_repo(conn, repo_id)
    ref = branch_ref(new.branch)
    head = _head(conn, repo_id, ref, new.expected_parent)
    trees = Trees(conn, repo_id)
    old_tree = head.tree if head else EMPTY_TREE
    edit, written = _apply(trees, old_tree, changes)
    new_tree, payloads = edit.finish()
    if head is not None and new_tree == old_tree and not new.allow_empty:
        return CommitResult(head.oid, head.oid, head.tree, is_noop=True)
    stored = store_blobs(conn, repo_id, blobs, written.values())
    _check_attributes(conn, repo_id, written)
    row = store_commit(trees, new, new_tree, [head] if head else [], payloads)
    _point(conn, repo_id, ref, head, row, new.at)
    return CommitResult(
        oid=row.oid,
        parent=head.oid if head else None,
        tree=new_tree,
        is_noop=False,
        changed=file_changes(trees, changed_files(trees, old_tree, new_tree)),
        stored_bytes=stored,
    )


def _head(
    conn: Connection, repo_id: int, name: str, expected_parent: str | None
) -> CommitRow | None:
    head = commits_at(conn, repo_id, [name]).get(name)
    if head is None:
        check_ref_name(name)
        if has_refs(conn, repo_id):
            raise BranchMissing(name)
    at = head.oid.hex() if head else ""
    if expected_parent is not None and not at.startswith(expected_parent.lower()):
        raise BranchMoved(f"{name} is at {at or 'no commit'}, not at {expected_parent}")
    return head


def _apply(
    trees: Trees, root: bytes, changes: Sequence[Change]
) -> tuple[Edit, dict[Segments, bytes]]:
    """Return the edited tree, and the blobs that were written by their paths."""
    paths = [_target(change) for change in changes]
    sources = _sources(trees, [change for change in changes if isinstance(change, CopyPath)])
    edit = Edit(trees, root, paths)
    written: dict[Segments, bytes] = {}
    for change, path in zip(changes, paths, strict=True):
        match change:
            case PutFile():
                edit.put(path, change.blob.oid, change.mode)
                written[path] = change.blob.oid
            case DeletePath():
                edit.delete(path)
            case CopyPath():
                source = sources[change]
                edit.put(path, source.oid, source.mode)
                written[path] = source.oid
    return edit, written


def _target(change: Change) -> Segments:
    if not isinstance(change, DeletePath):
        return check_path(change.path)
    # Names that came in by other ways must be deletable too, so they are only looked up.
    path = split(change.path.removesuffix("/"))
    if not path or b".." in path or b"." in path:
        raise BadPath(f"{change.path!r} is not a path that can be deleted")
    return path


def _sources(trees: Trees, copies: Sequence[CopyPath]) -> dict[CopyPath, TreeEntry]:
    places = {copy: (copy.source_tree, split(copy.source) or ()) for copy in copies}
    found = trees.find(places.values())
    result: dict[CopyPath, TreeEntry] = {}
    for copy, place in places.items():
        entry = found.get(place)
        if entry is None:
            raise PathMissing(copy.source)
        if is_folder(entry) or entry.mode == SUBMODULE:
            raise PathConflict(f"{copy.source!r} is not a file: only files are copied")
        result[copy] = entry
    return result


def _check_attributes(conn: Connection, repo_id: int, written: dict[Segments, bytes]) -> None:
    """Refuse what makes `git fsck`, and so every strict clone, reject the whole repository."""
    oids = {oid for path, oid in written.items() if is_attributes(path[-1])}
    for _, _, size, data in object_data(conn, repo_id, list(oids)):
        lines = inflate(data, size).split(b"\n")
        if any(len(line) >= ATTRIBUTES_LINE for line in lines):
            raise BadPath(
                f".gitattributes has a line of {ATTRIBUTES_LINE} bytes or more, which git refuses"
            )


def _point(
    conn: Connection, repo_id: int, name: str, head: CommitRow | None, row: CommitRow, at: Millis
) -> None:
    if head is None:
        moved = insert_ref(conn, repo_id, Ref(name, row.oid, row.oid), at)
    else:
        moved = move_ref(conn, repo_id, name, head.oid, row.oid, at)
    if not moved:
        raise BranchMoved(f"{name} moved while the commit was written")
