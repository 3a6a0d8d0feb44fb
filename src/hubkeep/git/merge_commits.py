# SPDX-License-Identifier: Apache-2.0
"""A merged tree on its way into the database, held to the rules of any other change."""

from collections.abc import Sequence

from sqlalchemy import Connection

from hubkeep.git.changes import CommitResult
from hubkeep.git.compare import Pair, changed_files, file_changes
from hubkeep.git.editing import Edit
from hubkeep.git.errors import BranchMissing, BranchMoved, ObjectMissing
from hubkeep.git.folders import Trees, shown
from hubkeep.git.merging import Merged
from hubkeep.git.names import check_path
from hubkeep.git.objects import LfsPointer
from hubkeep.git.queries import commits, commits_at, move_ref
from hubkeep.git.queries_objects import lock_repo, object_infos
from hubkeep.git.refs import branch_ref
from hubkeep.git.trees import SUBMODULE, parse_tree
from hubkeep.git.types import CommitRow, NewCommit
from hubkeep.git.writing import store_blobs, store_commit


def merged_pointers(
    conn: Connection, repo_id: int, head_tree: bytes, merged: Merged
) -> dict[str, LfsPointer]:
    """Return the git-lfs pointers that a merge brings to a tree, by their paths. ObjectMissing."""
    pairs = _differences(conn, repo_id, head_tree, merged)
    oids = {new.oid for _, _, new in pairs if new is not None}
    infos = object_infos(conn, repo_id, list(oids))
    found = ((path, infos.get(new.oid)) for path, _, new in pairs if new is not None)
    return {shown(path): info[2] for path, info in found if info and info[2]}


def commit_merged(
    conn: Connection,
    repo_id: int,
    new: NewCommit,
    merged: Merged,
    head: bytes,
    other: bytes,
    *,
    joins: bool,
) -> CommitResult:
    """Write a commit of a merged tree on top of the branch's head, in the caller's transaction.

    `head` is the commit that was merged, and where the branch must still be; `other` is the commit
    that brought what is new, and becomes the second parent if the new commit `joins` the two.

    BranchMissing, BranchMoved, BadPath, PathConflict; ObjectMissing if `other` is there no more.
    """
    lock_repo(conn, repo_id)
    ref = branch_ref(new.branch)
    parents = _parents(conn, repo_id, ref, head, other)
    pairs = _differences(conn, repo_id, parents[0].tree, merged)
    trees = Trees(conn, repo_id)
    tree, payloads = _edited(trees, parents[0].tree, pairs)
    written = [entry.oid for _, _, entry in pairs if entry and entry.mode != SUBMODULE]
    stored = store_blobs(conn, repo_id, merged.blobs, written)
    row = store_commit(trees, new, tree, parents if joins else parents[:1], payloads)
    if not move_ref(conn, repo_id, ref, head, row.oid, new.at):
        raise BranchMoved(f"{ref} moved while the commit was written")
    changed = file_changes(trees, pairs)
    return CommitResult(row.oid, head, tree, is_noop=False, changed=changed, stored_bytes=stored)


def _parents(
    conn: Connection, repo_id: int, ref: str, head: bytes, other: bytes
) -> list[CommitRow]:
    at = commits_at(conn, repo_id, [ref]).get(ref)
    if at is None:
        raise BranchMissing(ref)
    if at.oid != head:
        raise BranchMoved(f"{ref} is at {at.oid.hex()}, not at {head.hex()}")
    second = commits(conn, repo_id, [other]).get(other)
    if second is None:
        raise ObjectMissing(f"The commit {other.hex()} is missing")
    return [at, second]


def _differences(conn: Connection, repo_id: int, tree: bytes, merged: Merged) -> list[Pair]:
    trees = Trees(conn, repo_id)
    for oid, payload in merged.trees.items():
        trees.add(oid, parse_tree(payload))
    return changed_files(trees, tree, merged.tree)


def _edited(trees: Trees, tree: bytes, pairs: Sequence[Pair]) -> tuple[bytes, dict[bytes, bytes]]:
    """Make the merged tree by changes of the old one: so names are checked as in any commit."""
    edit = Edit(trees, tree, [tuple(path.split(b"/")) for path, _, _ in pairs])
    for path, _, new in pairs:
        if new is None:
            edit.delete(tuple(path.split(b"/")))
    for path, old, new in pairs:
        if new is not None:
            segments = tuple(path.split(b"/"))
            if old is None:
                check_path(path.decode("utf-8", "surrogateescape"))
            edit.put(segments, new.oid, new.mode)
    return edit.finish()
