# SPDX-License-Identifier: Apache-2.0
"""SQL that keeps what lists and search read: terms of repositories, counts of tags."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, bindparam, cast, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import TSVECTOR

from hubkeep.cards.facts import Facts
from hubkeep.db.tables import facts, repos, search_docs, tag_changes, tag_counts
from hubkeep.db.upserts import insert_for
from hubkeep.repos.search_terms import Indexed, tsvector
from hubkeep.repos.types import DELETED, RepoType

FOLD_EVERY = 512

_REPO = (
    select(
        repos.c.type,
        repos.c.private,
        repos.c.owner_id,
        repos.c.path_key,
        repos.c.tags,
        repos.c.pipeline_tag,
        repos.c.gated,
        repos.c.num_parameters,
        facts.c.data,
    )
    .outerjoin(facts, facts.c.id == repos.c.facts_id)
    .where(repos.c.id == bindparam("repo"), repos.c.type != DELETED)
)
_WAITING = select(tag_changes).order_by(tag_changes.c.id).limit(4 * FOLD_EVERY)
_ADD_TO_COUNT = (
    update(tag_counts)
    .where(tag_counts.c.term == bindparam("key"))
    .values(count=tag_counts.c.count + bindparam("n"))
)
# Any number that nothing else in the hub locks.
_ONLY_FOLDER = select(func.pg_try_advisory_xact_lock(0x7A6C))
_decode_tags = msgspec.json.Decoder(list[str]).decode
_decode_facts = msgspec.json.Decoder(Facts).decode


@dataclass(frozen=True, slots=True)
class CountedTag:
    """A tag that public repositories of one type have or had; `term` names the pair."""

    term: str
    repo_type: RepoType
    kind: str
    tag: str


def load_indexed(conn: Connection, repo_id: int) -> Indexed | None:
    """Return what there is to index of a repository; None for one that is deleted."""
    row = conn.execute(_REPO, {"repo": repo_id}).first()
    if row is None:
        return None
    kind = RepoType(row.type)
    used = _decode_facts(row.data) if kind is RepoType.SPACE and row.data else None
    return Indexed(
        kind,
        row.private,
        row.owner_id,
        row.path_key,
        tags=tuple(_decode_tags(row.tags)),
        pipeline_tag=row.pipeline_tag,
        gated=bool(row.gated),
        num_parameters=row.num_parameters,
        datasets=tuple(used.datasets) if used else (),
        models=tuple(used.models) if used else (),
    )


def load_terms(conn: Connection, repo_id: int) -> frozenset[str]:
    """Return the terms that a repository is found by now, and lock them."""
    terms = search_docs.c.terms
    if conn.dialect.name == "postgresql":
        terms = func.array_to_string(func.tsvector_to_array(terms), " ")
    text = conn.execute(
        select(terms).where(search_docs.c.repo_id == repo_id).with_for_update()
    ).scalar()
    return frozenset(text.split()) if text else frozenset()


def store_terms(conn: Connection, repo_id: int, terms: Collection[str]) -> None:
    """Find a repository by these terms from now on, or not at all if there are none."""
    if not terms:
        conn.execute(delete(search_docs).where(search_docs.c.repo_id == repo_id))
        return
    if conn.dialect.name == "postgresql":
        value = cast(tsvector(terms), TSVECTOR)
    else:
        # With a space around each, so that one can be looked for as text.
        value = f" {' '.join(sorted(terms))} "
    put = insert_for(conn, search_docs).values(repo_id=repo_id, terms=value)
    conn.execute(
        put.on_conflict_do_update(index_elements=["repo_id"], set_={"terms": put.excluded.terms})
    )


def count_tags(conn: Connection, more: Iterable[CountedTag], fewer: Iterable[str]) -> None:
    """Note that a public repository has these tags more, and those of these terms no longer."""
    rows = [
        {"term": t.term, "repo_type": t.repo_type.value, "kind": t.kind, "tag": t.tag, "change": 1}
        for t in more
    ]
    rows += [{"term": term, "repo_type": "", "kind": "", "tag": "", "change": -1} for term in fewer]
    if not rows:
        return
    conn.execute(insert(tag_changes), rows)
    newest = conn.execute(select(func.max(tag_changes.c.id))).scalar_one()
    if newest % FOLD_EVERY < len(rows):
        fold_tag_changes(conn)


def fold_tag_changes(conn: Connection) -> None:
    """Add the waiting changes to the counts; does nothing while another transaction does so.

    One at a time, since a tag that goes must find the row that its coming made.
    """
    if conn.dialect.name == "postgresql" and not conn.execute(_ONLY_FOLDER).scalar():
        return
    changes = conn.execute(_WAITING).all()
    if not changes:
        return
    totals: Counter[str] = Counter()
    for row in changes:
        totals[row.term] += row.change
    named = {row.term: row for row in changes if row.tag}
    if named:
        put = insert_for(conn, tag_counts)
        put = put.on_conflict_do_update(
            index_elements=["term"], set_={"count": tag_counts.c.count + put.excluded.count}
        )
        conn.execute(
            put,
            [
                {
                    "term": t,
                    "repo_type": r.repo_type,
                    "kind": r.kind,
                    "tag": r.tag,
                    "count": totals[t],
                }
                for t, r in named.items()
            ],
        )
    unnamed = [{"key": t, "n": n} for t, n in totals.items() if t not in named]
    if unnamed:
        conn.execute(_ADD_TO_COUNT, unnamed)
    conn.execute(delete(tag_changes).where(tag_changes.c.id.in_([row.id for row in changes])))
