# SPDX-License-Identifier: Apache-2.0
"""Changes by somebody who looked at a commit: taken as long as what they change is as it was.

A branch that moved is no reason to refuse them, if other files moved it. So this is finer than the
`parentCommit` of the API, which it ends in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import structs
from sqlalchemy import Connection

from hubkeep import errors
from hubkeep.content import attributes
from hubkeep.content.commit_body import CommitPlan
from hubkeep.content.commits import branch_named, commit_plan
from hubkeep.content.patterns import TooMuchWork, check_work
from hubkeep.content.reading import rules_text
from hubkeep.content.upload_mode import SAMPLE, upload_mode
from hubkeep.git import store
from hubkeep.git.queries_objects import lock_repo
from hubkeep.git.store import BRANCHES, EMPTY_TREE, Entry, Revision
from hubkeep.kit.time import Millis
from hubkeep.repos.access import Visit
from hubkeep.repos.types import Repo


class Overtaken(Exception):
    """Somebody else has changed `path` since; `head` is where the branch is now."""

    def __init__(self, path: str, head: Revision | None) -> None:
        super().__init__(path)
        self.path = path
        self.head = head


class Taken(Exception):
    """What is to be new at `path` would stand where a file or folder is."""

    def __init__(self, path: str, entry: Entry) -> None:
        super().__init__(path)
        self.path = path
        self.entry = entry


@dataclass(frozen=True, slots=True)
class Touched:
    """What a change is about: `old` has to be as it was seen, at `new` nothing may be.

    `seen` is the hex id of the commit that was looked at; "" where there was none.
    """

    seen: str
    old: Sequence[str] = ()
    new: Sequence[str] = ()


def head_of(conn: Connection, repo: Repo, revision: str) -> tuple[str, Revision | None]:
    """Return the branch that an address names and where it is, None before its first commit.

    revision_not_found for what does not exist, 400 for what exists and is no branch.
    """
    branch = branch_named(conn, repo, revision)
    head = store.resolve(conn, repo.id, BRANCHES + branch, default_branch=repo.default_branch)
    return branch, head


def tree_of(revision: Revision | None) -> bytes:
    """Return the root folder of a revision; the empty one where there is no commit."""
    return revision.tree if revision else EMPTY_TREE


def seen_tree(conn: Connection, repo: Repo, seen: str) -> bytes:
    """Return the root folder of a commit that was looked at; the empty one if it is gone."""
    return tree_of(store.resolve(conn, repo.id, seen) if len(seen) == 40 else None)


def commit_seen(
    conn: Connection,
    visitor: Visit,
    revision: str,
    touched: Touched,
    plan: CommitPlan,
    now: Millis,
) -> bytes:
    """Write the commit as `commit_plan` does, on top of whatever the branch is at.

    Overtaken, Taken, and all that `commit_plan` raises.
    """
    repo = visitor.repo
    lock_repo(conn, repo.id)  # what is compared here is what the commit is put on
    branch, head = head_of(conn, repo, revision)
    tree = tree_of(head)
    for entry in store.entries(conn, repo.id, tree, touched.new):
        raise Taken(entry.path, entry)
    if head is None or head.commit.hex() != touched.seen:
        before = _states(conn, repo, seen_tree(conn, repo, touched.seen), touched.old)
        for path, state in _states(conn, repo, tree, touched.old).items():
            if before[path] != state:
                raise Overtaken(path, head)
    if plan.header is not None and head is not None:
        plan.header = structs.replace(plan.header, parent_commit=head.commit.hex())
    return commit_plan(conn, visitor, branch, plan, now)


def _states(
    conn: Connection, repo: Repo, tree: bytes, paths: Sequence[str]
) -> dict[str, tuple[int, bytes] | None]:
    """What git knows of paths: mode and id, which of a folder is that of all in it."""
    found = {each.path: each for each in store.entries(conn, repo.id, tree, paths)}
    return {path: (found[path].mode, found[path].oid) if path in found else None for path in paths}


def is_for_upload(
    conn: Connection, repo: Repo, revision: Revision | None, path: str, content: bytes
) -> bool:
    """Say whether a new file is one that clients are told to send as a large file."""
    there = store.entry(conn, repo.id, tree_of(revision), attributes.FILE)
    rules = attributes.LfsRules(rules_text(conn, repo.id, there))
    try:
        check_work(rules.work, [path])
    except TooMuchWork as bad:
        raise errors.bad_request(str(bad)) from bad
    is_lfs = rules.is_lfs(path)
    return upload_mode(len(content), content[:SAMPLE], lfs_by_attributes=is_lfs) == "lfs"


def folder_left(conn: Connection, repo: Repo, commit: bytes, path: str) -> str:
    """Return the nearest folder above a path that is there at a commit; "" is the root."""
    steps = path.split("/")
    above = ["/".join(steps[:depth]) for depth in range(1, len(steps))]
    revision = store.resolve(conn, repo.id, commit.hex())
    found = store.entries(conn, repo.id, tree_of(revision), above)
    folders = [each.path for each in found if each.kind == "directory"]
    return max(folders, key=len, default="")
