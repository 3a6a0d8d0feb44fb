# SPDX-License-Identifier: Apache-2.0
"""SQL of the room: facts of revisions, and the headers of the files that they describe."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from hubkeep.db.tables import facts, files, git_commits, repo_files
from hubkeep.db.upserts import insert_for

_FACTS_ID = select(facts.c.id).where(
    facts.c.repo_id == bindparam("repo"), facts.c.digest == bindparam("digest")
)
_REVISION = select(git_commits.c.facts_id, git_commits.c.size).where(
    git_commits.c.repo_id == bindparam("repo"), git_commits.c.oid == bindparam("oid")
)
_HEADERS = (
    select(files.c.sha256, files.c.header)
    .join(repo_files, repo_files.c.file_id == files.c.id)
    .where(
        repo_files.c.repo_id == bindparam("repo"),
        files.c.sha256.in_(bindparam("oids", expanding=True)),
        files.c.header.is_not(None),
    )
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


def facts_of(conn: Connection, facts_id: int) -> str:
    """Return the facts' JSON (`cards.Facts`)."""
    return conn.execute(select(facts.c.data).where(facts.c.id == facts_id)).scalar_one()


def headers_of(conn: Connection, repo_id: int, oids: Sequence[bytes]) -> dict[bytes, str]:
    """Return the headers (`cards.FileHeader` as JSON) of the repository's files, by sha256."""
    if not oids:
        return {}
    rows = conn.execute(_HEADERS, {"repo": repo_id, "oids": list(oids)})
    return {row[0]: row[1] for row in rows}
