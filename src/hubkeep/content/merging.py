# SPDX-License-Identifier: Apache-2.0
"""Merging and taking back, in three steps: what is to be merged is read, git merges it and what
that changes is worked out, both outside of any transaction, and one transaction writes the result
if the branch is where it was.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection
from starlette.requests import Request

from hubkeep import errors
from hubkeep.content.commits import as_answers, branch_named, link_all, signature_of
from hubkeep.content.landing import land
from hubkeep.content.reading import revision_of
from hubkeep.content.upload_mode import REGULAR_LIMIT
from hubkeep.content.wire import MergeRequest, RevertRequest
from hubkeep.git.ancestry import is_ancestor, merge_bases
from hubkeep.git.errors import BranchMoved, ObjectMissing, TooLarge
from hubkeep.git.merge_commits import Prepared, commit_merged, prepare_merged
from hubkeep.git.merging import Conflict, Merged, Side, merge_commits, merge_trees
from hubkeep.git.program import GitFailed, GitMissing
from hubkeep.git.queries import commits
from hubkeep.git.store import BRANCHES, TAGS, Revision
from hubkeep.git.trees import EMPTY_TREE
from hubkeep.git.types import CommitRow, NewCommit
from hubkeep.git.work_folder import work_folder
from hubkeep.identity.rules import Action
from hubkeep.repos.access import Visit, visit
from hubkeep.repos.types import Repo
from hubkeep.transfer.queries import WantedFile
from hubkeep.transfer.smart.turns import turn

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.git")

_TURN_SECONDS: Final = 30.0
_TRIES: Final = 5


class _Stale(Exception):
    """The branch, or what was to be merged into it, is not as it was."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done to a branch, as it was when it was looked at.

    `other` brings what is new; with a `base`, a tree, only what lies between the two. Without an
    `other` there is nothing to do.
    """

    repo: Repo
    branch: str
    head: CommitRow
    other: CommitRow | None
    sides: tuple[Side, Side]
    base: bytes | None
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the branch is now; `made` is the new commit, None where none was made."""

    repo: Repo
    head: bytes
    made: bytes | None


Planner = Callable[[Connection, Repo, str], Plan]


async def carry_out(
    app: "App",
    request: Request,
    branch: str,
    wish: MergeRequest | RevertRequest,
    planner: Planner,
) -> Outcome:
    """Do to a branch what a plan says. Where it moves meanwhile it is planned anew, a few times.

    409 with the conflicts; 412 where the branch is not at `parentCommit`, or keeps moving; 422 for
    what cannot be merged at all; 501 without git.
    """
    for left in reversed(range(_TRIES)):
        plan = await app.db.read(lambda conn: _planned(app, conn, request, branch, wish, planner))
        if plan.other is None:
            return Outcome(plan.repo, plan.head.oid, None)
        try:
            merged = await _merged(app, plan)
            if merged.tree == plan.head.tree and plan.base is not None:
                raise errors.unprocessable("Taking this commit back changes nothing")
            if wish.dry_run:
                return Outcome(plan.repo, plan.head.oid, None)
            made = await app.db.write(_writing(app, request, plan, merged))
        except _Stale as moved:
            if wish.parent_commit is None and left:
                continue
            raise errors.branch_moved() from moved
        return Outcome(plan.repo, made, made)
    raise AssertionError("unreachable")


def _planned(
    app: "App",
    conn: Connection,
    request: Request,
    branch: str,
    wish: MergeRequest | RevertRequest,
    planner: Planner,
) -> Plan:
    repo = visit(conn, request, Action.WRITE, app.clock()).repo
    plan = planner(conn, repo, branch_named(conn, repo, branch))
    expected = (wish.parent_commit or "").lower()
    if not plan.head.oid.hex().startswith(expected):
        raise errors.branch_moved()
    title = wish.summary.strip()
    return replace(plan, title=title or plan.title, body=wish.description or plan.body)


def plan_merge(conn: Connection, repo: Repo, branch: str, source: str) -> Plan:
    """Plan to merge a revision into a branch; there is nothing to do if it is in there already."""
    head = revision_of(conn, repo, BRANCHES + branch).row
    found = revision_of(conn, repo, source)
    other = found.row
    if is_ancestor(conn, repo.id, other.oid, head.oid):
        return Plan(repo, branch, head, None, (Side(b"", ""), Side(b"", "")), None, "", "")
    if not merge_bases(conn, repo.id, head.oid, other.oid):
        raise errors.unprocessable(f"{source!r} and {branch!r} have no commit in common")
    sides = (Side(head.oid, branch), Side(other.oid, source))
    return Plan(repo, branch, head, other, sides, None, f"Merge {_called(found)} into {branch}", "")


def _called(revision: Revision) -> str:
    ref = revision.ref or ""
    for prefix, kind in ((BRANCHES, "branch"), (TAGS, "tag")):
        if ref.startswith(prefix):
            return f"{kind} '{ref.removeprefix(prefix)}'"
    return f"commit '{revision.commit.hex()}'"


def plan_revert(conn: Connection, repo: Repo, branch: str, commit: str) -> Plan:
    """Plan to take back what a commit changed; of a merge, what it changed of its first parent."""
    head = revision_of(conn, repo, BRANCHES + branch).row
    undone = revision_of(conn, repo, commit).row
    before = EMPTY_TREE
    if undone.parents:
        before = commits(conn, repo.id, undone.parents[:1])[undone.parents[0]].tree
    sides = (Side(head.tree, branch), Side(before, f"parent of {undone.oid.hex()[:7]}"))
    return Plan(repo, branch, head, undone, sides, undone.tree, *words_of_revert(undone))


def words_of_revert(undone: CommitRow) -> tuple[str, str]:
    """Return title and text of a commit that takes another one back, in git's words."""
    text = f"This reverts commit {undone.oid.hex()}."
    if len(undone.parents) > 1:
        text = f"{text[:-1]}, reversing\nchanges made to {undone.parents[0].hex()}."
    return f'Revert "{undone.title}"', text


async def _merged(app: "App", plan: Plan) -> Prepared:
    """Let git merge, in a thread, when it is its turn, and prepare what is to be written."""
    loop = asyncio.get_running_loop()
    try:
        async with turn(app, _TURN_SECONDS), work_folder(app.config.data / "incoming") as scratch:
            with as_answers():
                found = await loop.run_in_executor(app.git_threads, _merge, app, plan, scratch)
    except GitMissing as missing:
        raise errors.not_implemented("Merging, as long as git is not installed,") from missing
    except ObjectMissing as missing:
        raise errors.unprocessable(f"{missing}: name a commit that a branch leads to") from missing
    except TooLarge as large:
        raise errors.unprocessable(f"{large}: merge with git, and push") from large
    except GitFailed as failed:
        # What git says may name folders of the server.
        log.warning("git could not merge in repository %s: %s", plan.repo.id, failed)
        raise errors.unprocessable(
            "git cannot merge this here: merge with git, and push"
        ) from failed
    if not isinstance(found, Prepared):
        raise errors.merge_conflicts(
            plan.branch,
            [{"paths": each.paths, "kind": each.kind, "message": each.message} for each in found],
        )
    if any(blob.size > REGULAR_LIMIT for blob in found.blobs):
        raise errors.unprocessable(
            f"A merged file has more than {REGULAR_LIMIT} bytes; merge with git, upload it through "
            "git-lfs, and push"
        )
    return found


def _merge(app: "App", plan: Plan, scratch: Path) -> Prepared | list[Conflict]:
    found = _by_git(app, plan, scratch)
    if isinstance(found, list):
        return found
    try:
        return app.db.read_now(
            lambda conn: prepare_merged(conn, plan.repo.id, plan.head.tree, found)
        )
    except ObjectMissing as gone:
        raise _Stale from gone


def _by_git(app: "App", plan: Plan, scratch: Path) -> Merged | list[Conflict]:
    with app.git_cache.current(app.db, plan.repo.id, plan.repo.default_branch) as cached:
        if plan.base is None:
            return merge_commits(cached.path, scratch, *plan.sides)
        return merge_trees(cached.path, scratch, plan.base, *plan.sides)


def _writing(
    app: "App", request: Request, plan: Plan, merged: Prepared
) -> Callable[[Connection], bytes]:
    """The transaction: who asks may still write, and the branch is where it was."""

    def work(conn: Connection) -> bytes:
        now = app.clock()
        visitor = visit(conn, request, Action.WRITE, now)
        if visitor.repo.id != plan.repo.id or plan.other is None:
            raise _Stale
        _link(conn, visitor, plan, merged, now)
        new = NewCommit(
            branch=plan.branch,
            title=plan.title,
            body=plan.body,
            author=signature_of(visitor.actor.user),
            author_id=visitor.actor.user_id,
            at=now,
        )
        repo, joins = visitor.repo, plan.base is None
        with as_answers():
            try:
                result = commit_merged(
                    conn, repo.id, new, merged, plan.head.oid, plan.other.oid, joins=joins
                )
            except (BranchMoved, ObjectMissing) as moved:
                raise _Stale from moved
        land(conn, repo, plan.branch, result, now)
        return result.oid

    return work


def _link(conn: Connection, visitor: Visit, plan: Plan, merged: Prepared, now: int) -> None:
    """Make sure of the large files that come in: after a deletion for good one may be gone."""
    repo = visitor.repo
    ref = BRANCHES + plan.branch
    wanted = {
        each.sha256: WantedFile(path, each.size, ref) for path, each in merged.pointers.items()
    }
    if wanted:
        link_all(conn, repo, visitor.actor, wanted, now)
