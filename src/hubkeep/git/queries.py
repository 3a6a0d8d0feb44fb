# SPDX-License-Identifier: Apache-2.0
"""SQL of commits and of refs that lead to them."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Row, bindparam, delete, func, select, update

from hubkeep.db.tables import git_commits, git_refs
from hubkeep.db.upserts import insert_for
from hubkeep.git.commits import MAX_LINE, MAX_MESSAGE
from hubkeep.git.objects import OID_BYTES
from hubkeep.git.queries_objects import ByOids
from hubkeep.git.types import CommitRow, Ref
from hubkeep.kit.text import storable
from hubkeep.kit.time import Millis

COMMIT_COLUMNS = (
    git_commits.c.oid,
    git_commits.c.tree,
    git_commits.c.parents,
    git_commits.c.generation,
    git_commits.c.linear,
    git_commits.c.committed_at,
    git_commits.c.author,
    git_commits.c.author_id,
    git_commits.c.title,
    git_commits.c.message,
    git_commits.c.facts_id,
    git_commits.c.size,
)
_COMMITS = ByOids(select(*COMMIT_COLUMNS), git_commits.c.repo_id, git_commits.c.oid)
_CHANGES = ByOids(
    select(git_commits.c.oid, git_commits.c.last_changes),
    git_commits.c.repo_id,
    git_commits.c.oid,
)
_BY_REFS = (
    select(git_refs.c.name, *COMMIT_COLUMNS)
    .join_from(
        git_refs,
        git_commits,
        (git_commits.c.repo_id == git_refs.c.repo_id)
        & (git_commits.c.oid == git_refs.c.commit_oid),
    )
    .where(
        git_refs.c.repo_id == bindparam("repo"),
        git_refs.c.name.in_(bindparam("names", expanding=True)),
    )
)
_BY_PREFIX = (
    select(*COMMIT_COLUMNS)
    .where(
        git_commits.c.repo_id == bindparam("repo"),
        git_commits.c.oid.between(bindparam("first"), bindparam("last")),
    )
    .limit(2)
)
_REFS = (
    select(git_refs.c.name, git_refs.c.oid, git_refs.c.commit_oid)
    .where(git_refs.c.repo_id == bindparam("repo"))
    .order_by(git_refs.c.name)
)
_REF_ABOVE = select(git_refs.c.name).where(
    git_refs.c.repo_id == bindparam("repo"),
    git_refs.c.name.in_(bindparam("above", expanding=True)),
)
_REF_BELOW = (
    select(git_refs.c.name)
    .where(
        git_refs.c.repo_id == bindparam("repo"),
        func.substr(git_refs.c.name, 1, bindparam("length")) == bindparam("below"),
    )
    .limit(1)
)
_ANY_REF = select(git_refs.c.name).where(git_refs.c.repo_id == bindparam("repo")).limit(1)
_MOVE = (
    update(git_refs)
    .where(
        git_refs.c.repo_id == bindparam("repo"),
        git_refs.c.name == bindparam("ref"),
        git_refs.c.oid == bindparam("old"),
    )
    .values(oid=bindparam("new"), commit_oid=bindparam("leads_to"), updated_at=bindparam("at"))
)
_SET_FACTS = (
    update(git_commits)
    .where(git_commits.c.repo_id == bindparam("repo"), git_commits.c.oid == bindparam("commit"))
    .values(facts_id=bindparam("facts"), size=bindparam("bytes"))
)


def commit_row(row: Row | Sequence) -> CommitRow:
    """Make a CommitRow of a row of COMMIT_COLUMNS."""
    oid, tree, parents, *rest = row
    split = tuple(parents[i : i + OID_BYTES] for i in range(0, len(parents), OID_BYTES))
    return CommitRow(oid, tree, split, *rest)


def commits(conn: Connection, repo_id: int, oids: Sequence[bytes]) -> dict[bytes, CommitRow]:
    """Return commits by their ids; those that do not exist are left out."""
    return {row[0]: commit_row(row) for row in _COMMITS.rows(conn, repo_id, oids)}


def last_changes(
    conn: Connection, repo_id: int, oids: Sequence[bytes]
) -> dict[bytes, bytes | None]:
    """Return the records of `last_commits.py` of commits."""
    return {row[0]: row[1] for row in _CHANGES.rows(conn, repo_id, oids)}


def commits_at(conn: Connection, repo_id: int, names: Sequence[str]) -> dict[str, CommitRow]:
    """Return the commits that refs lead to, by the refs' full names, which may be any text."""
    possible = [name for name in names if storable(name)]
    rows = conn.execute(_BY_REFS, {"repo": repo_id, "names": possible}) if possible else ()
    return {name: commit_row(row) for name, *row in rows}


def commits_between(conn: Connection, repo_id: int, first: bytes, last: bytes) -> list[CommitRow]:
    """Return up to two commits whose ids lie between two, both included."""
    rows = conn.execute(_BY_PREFIX, {"repo": repo_id, "first": first, "last": last})
    return [commit_row(row) for row in rows]


def insert_commit(conn: Connection, repo_id: int, row: CommitRow, changes: bytes | None) -> None:
    """Insert a commit's row; the same commit is there once."""
    insert_commits(conn, repo_id, [(row, changes)])


def insert_commits(
    conn: Connection, repo_id: int, rows: Iterable[tuple[CommitRow, bytes | None]]
) -> None:
    """Insert the rows of commits, each with its record of `last_commits.py`; long texts are cut."""
    insert = insert_for(conn, git_commits).on_conflict_do_nothing(index_elements=["repo_id", "oid"])
    values = [
        {
            "repo_id": repo_id,
            "oid": row.oid,
            "tree": row.tree,
            "parents": b"".join(row.parents),
            "generation": row.generation,
            "linear": row.linear,
            "committed_at": row.committed_at,
            "author": row.author,
            "author_id": row.author_id,
            "title": row.title[:MAX_LINE],
            "message": row.message[:MAX_MESSAGE],
            "facts_id": row.facts_id,
            "size": row.size,
            "last_changes": changes,
        }
        for row, changes in rows
    ]
    if values:
        conn.execute(insert, values)


def set_revision_facts(
    conn: Connection, repo_id: int, commit: bytes, facts_id: int | None, size: int | None
) -> None:
    """Fill in what became known of a commit."""
    values = {"repo": repo_id, "commit": commit, "facts": facts_id, "bytes": size}
    conn.execute(_SET_FACTS, values)


def delete_commits(conn: Connection, repo_id: int, oids: Sequence[bytes]) -> int:
    """Delete the rows of commits and return how many there were."""
    mine = git_commits.c.oid.in_(oids)
    return conn.execute(delete(git_commits).where(git_commits.c.repo_id == repo_id, mine)).rowcount


def list_refs(conn: Connection, repo_id: int) -> list[Ref]:
    """Return all refs, by name."""
    return [Ref(*row) for row in conn.execute(_REFS, {"repo": repo_id})]


def has_refs(conn: Connection, repo_id: int) -> bool:
    """Say whether the repository has any ref."""
    return conn.execute(_ANY_REF, {"repo": repo_id}).first() is not None


def ref_in_the_way(conn: Connection, repo_id: int, name: str) -> str | None:
    """Return a ref that git cannot keep beside one of this name: itself, one above or below it."""
    parts = name.split("/")
    above = ["/".join(parts[:count]) for count in range(3, len(parts) + 1)]
    found = conn.execute(_REF_ABOVE, {"repo": repo_id, "above": above}).scalar()
    if found is not None:
        return found
    below = f"{name}/"
    values = {"repo": repo_id, "below": below, "length": len(below)}
    return conn.execute(_REF_BELOW, values).scalar()


def insert_ref(conn: Connection, repo_id: int, ref: Ref, at: Millis) -> bool:
    """Make a ref; False if there is one of this name."""
    insert = insert_for(conn, git_refs).on_conflict_do_nothing(index_elements=["repo_id", "name"])
    made = insert.returning(git_refs.c.name)
    values = {
        "repo_id": repo_id,
        "name": ref.name,
        "oid": ref.oid,
        "commit_oid": ref.commit,
        "updated_at": at,
    }
    return conn.execute(made, values).first() is not None


def move_ref(
    conn: Connection,
    repo_id: int,
    name: str,
    old: bytes,
    new: bytes,
    at: Millis,
    *,
    commit: bytes | None = None,
) -> bool:
    """Point a ref at another commit, or at an annotated tag of `commit`, if it is at `old` now."""
    values = {"repo": repo_id, "ref": name, "old": old, "new": new, "at": at}
    values["leads_to"] = commit or new
    return conn.execute(_MOVE, values).rowcount == 1


def delete_ref(conn: Connection, repo_id: int, name: str) -> bool:
    """Delete a ref, of whatever name; False if there was none."""
    if not storable(name):
        return False
    mine = (git_refs.c.repo_id == repo_id) & (git_refs.c.name == name)
    return conn.execute(delete(git_refs).where(mine)).rowcount == 1
