# SPDX-License-Identifier: Apache-2.0
"""SQL of the lists of tags."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from hubkeep.db.tables import tag_changes, tag_counts
from hubkeep.repos.types import RepoType

_COLUMNS = (
    tag_counts.c.term,
    tag_counts.c.repo_type,
    tag_counts.c.kind,
    tag_counts.c.tag,
    tag_counts.c.count,
)
_COMMONEST = (
    select(*_COLUMNS)
    .where(
        tag_counts.c.repo_type == bindparam("type"),
        tag_counts.c.kind == bindparam("kind"),
        tag_counts.c.count > 0,
    )
    .order_by(tag_counts.c.count.desc())
    .limit(bindparam("most"))
)
_WAITING = select(
    tag_changes.c.term,
    func.max(tag_changes.c.repo_type).label("repo_type"),
    func.max(tag_changes.c.kind).label("kind"),
    func.max(tag_changes.c.tag).label("tag"),
    func.sum(tag_changes.c.change).label("change"),
).group_by(tag_changes.c.term)


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag and how many public repositories of a type have it."""

    repo_type: str
    kind: str
    tag: str
    count: int


def common_tags(
    conn: Connection, repo_type: RepoType, kinds: Iterable[str], most: int
) -> list[TagCount]:
    """Return the commonest tags of public repositories, `most` of each kind, by count and tag."""
    waiting = {row.term: row for row in conn.execute(_WAITING)}
    known = select(*_COLUMNS).where(tag_counts.c.term.in_(waiting))
    rows = [row for row in conn.execute(known) if row.repo_type == repo_type]
    for kind in kinds:
        rows += conn.execute(_COMMONEST, {"type": repo_type.value, "kind": kind, "most": most})
    counts = {row.term: TagCount(row.repo_type, row.kind, row.tag, row.count) for row in rows}
    for term, row in waiting.items():
        before = counts.get(term)
        if before is not None:
            count = before.count + row.change
            counts[term] = TagCount(before.repo_type, before.kind, before.tag, count)
        elif row.repo_type == repo_type:
            counts[term] = TagCount(row.repo_type, row.kind, row.tag, row.change)
    found = sorted(counts.values(), key=lambda it: (-it.count, it.tag))
    return [it for it in found if it.count > 0]
