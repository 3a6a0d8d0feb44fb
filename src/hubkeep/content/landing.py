# SPDX-License-Identifier: Apache-2.0
"""What follows a commit in its own transaction: its facts, its size, and the head of the
repository.
"""

import msgspec
from sqlalchemy import Connection

from hubkeep.cards.facts import Facts
from hubkeep.content.describing import changes_facts, describe_tree
from hubkeep.content.queries import revision_facts, save_facts
from hubkeep.git.changes import CommitResult
from hubkeep.git.store import Revision, set_revision_facts
from hubkeep.kit.time import Millis
from hubkeep.repos.queries_head import add_storage, move_head, touch_head
from hubkeep.repos.queries_info import load_facts
from hubkeep.repos.types import Repo


def land(conn: Connection, repo: Repo, branch: str, result: CommitResult, now: Millis) -> None:
    """Record what the new commit says of itself; for the default branch, also on the repository."""
    facts_id, size = _inherited(conn, repo, result)
    fresh = facts_id is None or _is_changed(result)
    if facts_id is None or fresh:
        facts_id = save_revision(conn, repo, result.tree)
    set_revision_facts(conn, repo.id, result.oid, facts_id, size)
    add_storage(conn, repo.id, result.stored_bytes)
    if branch == repo.default_branch:
        show_head(conn, repo, result.oid, facts_id, size, now, changed=fresh)


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


def _inherited(conn: Connection, repo: Repo, result: CommitResult) -> tuple[int | None, int]:
    """The parent's facts, and the size that follows from the parent's and what changed."""
    grown = sum(change.grown for change in result.changed)
    if result.parent is None:
        return None, grown
    facts_id, size = revision_facts(conn, repo.id, result.parent)
    return facts_id, (size or 0) + grown


def _is_changed(result: CommitResult) -> bool:
    modified = [c.path for c in result.changed if c.old is not None and c.new is not None]
    others = [c.path for c in result.changed if c.old is None or c.new is None]
    return changes_facts(modified, others)


def squashed(
    conn: Connection, repo: Repo, branch: str, old: Revision, new: bytes, now: Millis
) -> None:
    """Carry what is known of a branch's head over to the commit that replaced its history."""
    facts_id, size = revision_facts(conn, repo.id, old.commit)
    if facts_id is None:
        facts_id = save_revision(conn, repo, old.tree)
    set_revision_facts(conn, repo.id, new, facts_id, size or 0)
    if branch == repo.default_branch:
        show_head(conn, repo, new, facts_id, size or 0, now, changed=False)
