# SPDX-License-Identifier: Apache-2.0
"""SQL that copies what a repository holds into another; no bytes leave the database."""

from sqlalchemy import Column, Connection, Select, Table, bindparam, insert, literal, select, update
from sqlalchemy.engine import RowMapping

from hubkeep.db.tables import (
    facts,
    files,
    git_commits,
    git_objects,
    git_refs,
    repo_files,
    repos,
)
from hubkeep.kit.ids import new_id
from hubkeep.kit.time import Millis
from hubkeep.repos.types import DELETED

_LINKS = 1000

# What the head says is copied with it; identity, counters of use and times are not.
_COPIED = (
    "default_branch",
    "last_modified",
    "head",
    "head_size",
    "pipeline_tag",
    "library_name",
    "license",
    "sdk",
    "num_parameters",
    "emissions_grams",
    "tags",
    "used_storage",
    "has_card",
    "weight_formats",
    "parameters_from",
    "emissions_text",
)


def copy_contents(
    conn: Connection, source_id: int, target_id: int, *, pusher: int, now: Millis
) -> bool:
    """Fill an empty repository with the commits, branches, tags and files of another.

    Branches and tags only: pull requests and their like stay where they were opened. Files of the
    blob store are linked, and are safe from then on whatever becomes of the source. False, and
    nothing is copied, where the source has been deleted meanwhile.
    """
    head = _hold_head(conn, source_id)
    if head is None:
        return False
    # References first: what they lead to was there before them, so it is copied after them.
    _copy_refs(conn, source_id, target_id)
    _copy_rows(conn, git_objects, source_id, target_id)
    _copy_rows(conn, facts, source_id, target_id)
    _copy_commits(conn, source_id, target_id)
    _link_files(conn, source_id, target_id, pusher, now)
    _show_head(conn, target_id, head)
    return True


def _hold_head(conn: Connection, source_id: int) -> RowMapping | None:
    """What the source's head says; it does not move before this transaction ends."""
    return (
        conn.execute(
            select(*(repos.c[name] for name in _COPIED))
            .where(repos.c.id == source_id, repos.c.type != DELETED)
            .with_for_update()
        )
        .mappings()
        .first()
    )


def _columns_but(table: Table, *names: str) -> list[Column[object]]:
    return [column for column in table.c if column.name not in names]


def _copy_rows(conn: Connection, table: Table, source_id: int, target_id: int) -> None:
    columns = _columns_but(table, "id", "repo_id")
    rows = select(literal(target_id), *columns).where(table.c.repo_id == source_id)
    _insert_from(conn, table, ["repo_id", *(column.name for column in columns)], rows)


def _copy_commits(conn: Connection, source_id: int, target_id: int) -> None:
    """Each commit refers to the copy of its facts, found by what is in them."""
    columns = _columns_but(git_commits, "repo_id", "facts_id")
    theirs, ours = facts.alias("theirs"), facts.alias("ours")
    rows = (
        select(literal(target_id), ours.c.id, *columns)
        .outerjoin(theirs, theirs.c.id == git_commits.c.facts_id)
        .outerjoin(ours, (ours.c.repo_id == target_id) & (ours.c.digest == theirs.c.digest))
        .where(git_commits.c.repo_id == source_id)
    )
    names = ["repo_id", "facts_id", *(column.name for column in columns)]
    _insert_from(conn, git_commits, names, rows)


def _copy_refs(conn: Connection, source_id: int, target_id: int) -> None:
    columns = _columns_but(git_refs, "repo_id")
    rows = select(literal(target_id), *columns).where(
        git_refs.c.repo_id == source_id,
        git_refs.c.name.like("refs/heads/%") | git_refs.c.name.like("refs/tags/%"),
    )
    _insert_from(conn, git_refs, ["repo_id", *(column.name for column in columns)], rows)


def _insert_from(conn: Connection, table: Table, names: list[str], rows: Select) -> None:
    conn.execute(insert(table).from_select(names, rows))


def _link_files(conn: Connection, source_id: int, target_id: int, pusher: int, now: Millis) -> None:
    """The links have ids of their own, so they are made here, a page at a time."""
    page = (
        select(repo_files.c.file_id, repo_files.c.oid, repo_files.c.filename, repo_files.c.ref)
        .where(repo_files.c.repo_id == source_id, repo_files.c.file_id > bindparam("after"))
        .order_by(repo_files.c.file_id)
        .limit(_LINKS)
    )
    after = 0
    while found := conn.execute(page, {"after": after}).all():
        conn.execute(
            insert(repo_files),
            [
                {
                    "repo_id": target_id,
                    "file_id": file_id,
                    "oid": oid,
                    "public_id": new_id(),
                    "filename": filename,
                    "ref": ref,
                    "pushed_by": pusher,
                    "pushed_at": now,
                }
                for file_id, oid, filename, ref in found
            ],
        )
        # The source may be cleared away at this very moment: what is linked is in use again.
        ids = [row.file_id for row in found]
        conn.execute(
            update(files)
            .where(files.c.id.in_(ids), files.c.unlinked_at.is_not(None))
            .values(unlinked_at=None)
        )
        after = ids[-1]


def _show_head(conn: Connection, target_id: int, head: RowMapping) -> None:
    """The head's facts are found through its commit, which was copied before."""
    head_facts = (
        select(git_commits.c.facts_id)
        .where(git_commits.c.repo_id == target_id, git_commits.c.oid == head["head"])
        .scalar_subquery()
    )
    conn.execute(update(repos).where(repos.c.id == target_id).values(**head, facts_id=head_facts))
