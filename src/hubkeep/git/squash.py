# SPDX-License-Identifier: Apache-2.0
"""Replacing the history of a branch by one commit."""

from sqlalchemy import Connection

from hubkeep.git.errors import BranchMissing, BranchMoved
from hubkeep.git.folders import Trees
from hubkeep.git.queries import commits_at, move_ref
from hubkeep.git.queries_objects import lock_repo
from hubkeep.git.refs import branch_ref
from hubkeep.git.types import NewCommit
from hubkeep.git.writing import store_commit


def squash(conn: Connection, repo_id: int, new: NewCommit) -> bytes:
    """Point a branch at a commit without parents and with its head's files; return that commit.

    Other refs keep the old history, and what nothing leads to stays until it is purged.
    BranchMissing, BranchMoved.
    """
    lock_repo(conn, repo_id)
    ref = branch_ref(new.branch)
    head = commits_at(conn, repo_id, [ref]).get(ref)
    if head is None:
        raise BranchMissing(new.branch)
    if new.expected_parent and not head.oid.hex().startswith(new.expected_parent.lower()):
        raise BranchMoved(f"{ref} is at {head.oid.hex()}")
    row = store_commit(Trees(conn, repo_id), new, head.tree, [], {})
    if row.oid != head.oid and not move_ref(conn, repo_id, ref, head.oid, row.oid, new.at):
        raise BranchMoved(f"{ref} moved while its history was squashed")
    return row.oid
