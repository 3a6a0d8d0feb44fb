# SPDX-License-Identifier: Apache-2.0
"""What follows a commit in its own transaction: its facts, its size, and the head of the
repository.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from hubkeep.cards.facts import Facts
from hubkeep.content.describing import changes_facts, describe_tree
from hubkeep.content.queries import revision_facts, save_facts
from hubkeep.git import store
from hubkeep.git.changes import CommitResult
from hubkeep.git.store import CommitRow, FileChange, Revision, set_revision_facts
from hubkeep.kit.time import Millis
from hubkeep.repos.queries_head import add_storage, move_head, touch_head
from hubkeep.repos.queries_info import load_facts
from hubkeep.repos.types import Repo


def land(conn: Connection, repo: Repo, branch: str, result: CommitResult, now: Millis) -> None:
    """Record what the new commit says of itself; for the default branch, also on the repository."""
    base = _Known(size=0)
    if result.parent is not None:
        base = _Known(*revision_facts(conn, repo.id, result.parent))
    is_head = branch == repo.default_branch
    _record(conn, repo, result.oid, result.tree, base, result.changed, now, is_head=is_head)
    add_storage(conn, repo.id, result.stored_bytes)


def land_tip(
    conn: Connection,
    repo: Repo,
    tip: CommitRow,
    base: CommitRow | None,
    now: Millis,
) -> None:
    """Record what a commit says of itself that the default branch was moved to.

    `base` is any commit that most is known of, such as where the branch was before: what is looked
    at is where the two differ. Without one, or where nothing is known of it, all files are.
    """
    if tip.facts_id is not None and tip.size is not None:
        show_head(conn, repo, tip.oid, tip.facts_id, tip.size, now, changed=False)
        return
    facts_id, size, old = None, 0, store.EMPTY_TREE
    if base is not None and base.size is not None:
        facts_id, size, old = base.facts_id, base.size, base.tree
    for part in store.compare_in_parts(conn, repo.id, old, tip.tree):
        size += part.grown
        if changes_facts(part.modified, part.added_or_deleted):
            facts_id = None
    _save(conn, repo, tip.oid, tip.tree, facts_id, size, now, is_head=True)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a commit; what came before the first is known to have no files."""

    facts_id: int | None = None
    size: int | None = None


def _record(
    conn: Connection,
    repo: Repo,
    commit: bytes,
    tree: bytes,
    base: _Known,
    changed: Sequence[FileChange],
    now: Millis,
    *,
    is_head: bool,
) -> None:
    """Find out what a commit says that differs from `base` by what `changed`."""
    facts_id = None if _is_changed(changed) else base.facts_id
    if base.size is None:
        parts = store.compare_in_parts(conn, repo.id, store.EMPTY_TREE, tree)
        size = sum(part.grown for part in parts)
    else:
        size = base.size + sum(change.grown for change in changed)
    _save(conn, repo, commit, tree, facts_id, size, now, is_head=is_head)


def _save(
    conn: Connection,
    repo: Repo,
    commit: bytes,
    tree: bytes,
    facts_id: int | None,
    size: int,
    now: Millis,
    *,
    is_head: bool,
) -> None:
    """Save what a commit says of itself; without facts, its tree is looked at for them."""
    fresh = facts_id is None
    if facts_id is None:
        facts_id = save_revision(conn, repo, tree)
    set_revision_facts(conn, repo.id, commit, facts_id, size)
    if is_head:
        show_head(conn, repo, commit, facts_id, size, now, changed=fresh)


def save_revision(conn: Connection, repo: Repo, tree: bytes) -> int:
    """Describe a tree and return the id of its facts."""
    facts = describe_tree(conn, repo.id, repo.type, repo.path, tree)
    return save_facts(conn, repo.id, msgspec.json.encode(facts).decode())


def show_head(
    conn: Connection,
    repo: Repo,
    commit: bytes,
    facts_id: int,
    size: int,
    now: Millis,
    *,
    changed: bool,
) -> None:
    """Make a commit the one that lists, searches and infos show of the repository."""
    if changed or facts_id != repo.facts_id:
        facts = msgspec.json.decode(load_facts(conn, facts_id), type=Facts)
        move_head(conn, repo.id, commit, facts, facts_id, size, now)
    else:
        touch_head(conn, repo.id, commit, size, now)


def _is_changed(changed: Sequence[FileChange]) -> bool:
    modified = [c.path for c in changed if c.old is not None and c.new is not None]
    others = [c.path for c in changed if c.old is None or c.new is None]
    return changes_facts(modified, others)


def squashed(
    conn: Connection, repo: Repo, branch: str, old: Revision, new: bytes, now: Millis
) -> None:
    """Carry what is known of a branch's head over to the commit that replaced its history."""
    base = _Known(*revision_facts(conn, repo.id, old.commit))
    is_head = branch == repo.default_branch
    _record(conn, repo, new, old.tree, base, (), now, is_head=is_head)
