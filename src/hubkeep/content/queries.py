# SPDX-License-Identifier: Apache-2.0
"""SQL of the room: what revisions say of themselves."""

import hashlib

from sqlalchemy import Connection, bindparam, select

from hubkeep.db.tables import facts, git_commits
from hubkeep.db.upserts import insert_for

_FACTS_ID = select(facts.c.id).where(
    facts.c.repo_id == bindparam("repo"), facts.c.digest == bindparam("digest")
)
_REVISION = select(git_commits.c.facts_id, git_commits.c.size).where(
    git_commits.c.repo_id == bindparam("repo"), git_commits.c.oid == bindparam("oid")
)


def save_facts(conn: Connection, repo_id: int, data: str) -> int:
    """Store what a revision says of itself and return its id; equal facts share a row."""
    digest = hashlib.sha1(data.encode(), usedforsecurity=False).digest()
    key = {"repo": repo_id, "digest": digest}
    present = conn.execute(_FACTS_ID, key).scalar()
    if present is not None:
        return present
    conn.execute(
        insert_for(conn, facts)
        .values(repo_id=repo_id, digest=digest, data=data)
        .on_conflict_do_nothing(index_elements=["repo_id", "digest"])
    )
    return conn.execute(_FACTS_ID, key).scalar_one()


def revision_facts(conn: Connection, repo_id: int, commit: bytes) -> tuple[int | None, int | None]:
    """Return the id of a revision's facts and the size of its files, as far as they are known."""
    row = conn.execute(_REVISION, {"repo": repo_id, "oid": commit}).first()
    return (row[0], row[1]) if row else (None, None)
