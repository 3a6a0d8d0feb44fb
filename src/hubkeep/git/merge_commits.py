# SPDX-License-Identifier: Apache-2.0
"""A merged tree on its way into the database, held to the rules of any other change.

All that depends on how much a merge changes is worked out in a read: whoever writes keeps all other
writers waiting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hubkeep.git.changes import CommitResult
from hubkeep.git.compare import Pair, changed_files, file_changes
from hubkeep.git.editing import Edit
from hubkeep.git.errors import BranchMissing, BranchMoved, ObjectMissing
from hubkeep.git.folders import Trees
from hubkeep.git.merging import Merged
from hubkeep.git.names import check_path
from hubkeep.git.objects import Kind, LfsPointer, StagedBlob
from hubkeep.git.queries import commits, commits_at, move_ref
from hubkeep.git.queries_objects import lock_repo, object_infos
from hubkeep.git.refs import branch_ref
from hubkeep.git.trees import SUBMODULE, parse_tree
from hubkeep.git.types import CommitRow, FileChange, NewCommit
from hubkeep.git.writing import store_blobs, store_commit

MAX_CHANGED = 100_000
"""Files, and folders, that a merge may change of a branch."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a merge changes of the tree of a branch's head.

    `trees` are the folders to store, `there` the ids of folders and files that the repository had
    when the merge was prepared, and that the new tree needs.
    """

    tree: bytes
    trees: Mapping[bytes, bytes]
    blobs: Sequence[StagedBlob]
    there: Sequence[bytes]
    changed: Sequence[FileChange]

    @property
    def pointers(self) -> dict[str, LfsPointer]:
        """The git-lfs pointers that the merge brings, by their paths."""
        news = (change.new for change in self.changed)
        return {new.path: new.lfs for new in news if new is not None and new.lfs is not None}


def prepare_merged(conn: Connection, repo_id: int, head_tree: bytes, merged: Merged) -> Prepared:
    """Work out what a merge changes of the tree of a branch's head; for a read.

    TooLarge past MAX_CHANGED; BadPath, PathConflict; ObjectMissing if what the merge needs is there
    no more.
    """
    known = Trees(conn, repo_id)
    for oid, payload in merged.trees.items():
        known.add(oid, parse_tree(payload))
    pairs = changed_files(known, head_tree, merged.tree, MAX_CHANGED)
    tree, payloads = _edited(Trees(conn, repo_id), head_tree, pairs)
    wanted = {new.oid for _, _, new in pairs if new is not None and new.mode != SUBMODULE}
    fresh = {b.oid: (Kind.BLOB, b.size, b.lfs) for b in merged.blobs if b.oid in wanted}
    there = object_infos(conn, repo_id, [*payloads, *wanted])
    return Prepared(
        tree,
        {oid: payload for oid, payload in payloads.items() if oid not in there},
        [blob for blob in merged.blobs if blob.oid in wanted],
        [oid for oid in there if oid not in fresh],
        file_changes(known, pairs, fresh),
    )


def commit_merged(
    conn: Connection,
    repo_id: int,
    new: NewCommit,
    merged: Prepared,
    head: bytes,
    other: bytes,
    *,
    joins: bool,
) -> CommitResult:
    """Write a commit of a merged tree on top of the branch's head, in the caller's transaction.

    `head` is the commit that was merged, and where the branch must still be; `other` is the commit
    that brought what is new, and becomes the second parent if the new commit `joins` the two.

    BranchMissing, BranchMoved; ObjectMissing if `other`, or what else the merge needs, is there no
    more.
    """
    lock_repo(conn, repo_id)
    ref = branch_ref(new.branch)
    parents = _parents(conn, repo_id, ref, head, other)
    gone = len(merged.there) - len(object_infos(conn, repo_id, merged.there))
    if gone:
        raise ObjectMissing(f"{gone} object(s) of the merge are missing")
    stored = store_blobs(conn, repo_id, merged.blobs, [blob.oid for blob in merged.blobs])
    trees = Trees(conn, repo_id)
    parents_kept = parents if joins else parents[:1]
    row = store_commit(trees, new, merged.tree, parents_kept, merged.trees)
    if not move_ref(conn, repo_id, ref, head, row.oid, new.at):
        raise BranchMoved(f"{ref} moved while the commit was written")
    return CommitResult(
        row.oid, head, merged.tree, is_noop=False, changed=merged.changed, stored_bytes=stored
    )


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
