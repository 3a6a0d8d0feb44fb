# SPDX-License-Identifier: Apache-2.0
"""SQL of what repositories are made from and what is made from them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, func, select

from hubkeep.cards.base_models import BaseModel
from hubkeep.db.tables import facts, repo_aliases, repos, tag_changes, tag_counts
from hubkeep.identity.actor import Actor
from hubkeep.kit.text import storable
from hubkeep.repos.queries_visible import visible_to
from hubkeep.repos.search_terms import class_of, tag_term
from hubkeep.repos.types import RepoType


@dataclass(frozen=True, slots=True)
class Named:
    """A repository that a card names and the actor may see, by the name that it has now."""

    id: int
    path: str
    facts_id: int | None


class _Parents(msgspec.Struct):
    """The part of facts that says what a model is made from."""

    base_models: list[BaseModel] = []


_decode_parents = msgspec.json.Decoder(_Parents).decode


def named(conn: Connection, actor: Actor, kind: RepoType, names: Iterable[str]) -> dict[str, Named]:
    """Return, by lower-case name, those of some repositories that the actor may see.

    Old names lead to the repository that had them last, as its address does.
    """
    keys = {name.lower() for name in names if storable(name)}
    columns = (repos.c.id, repos.c.path, repos.c.facts_id)
    visible = visible_to(actor)
    now = select(repos.c.path_key, *columns).where(
        repos.c.type == kind.value, repos.c.path_key.in_(keys), visible
    )
    found = _by_key(conn, now) if keys else {}
    if missing := keys - found.keys():
        before = (
            select(repo_aliases.c.path_key, *columns)
            .join(repos, repos.c.id == repo_aliases.c.repo_id)
            .where(repo_aliases.c.type == kind.value, repo_aliases.c.path_key.in_(missing), visible)
        )
        found |= _by_key(conn, before)
    return found


def _by_key(conn: Connection, statement: Select[Any, Any, Any, Any]) -> dict[str, Named]:
    return {key: Named(id_, path, facts) for key, id_, path, facts in conn.execute(statement)}


def parents_of(conn: Connection, facts_id: int) -> list[BaseModel]:
    """Return what the card of a model says that it is made from."""
    data = conn.execute(select(facts.c.data).where(facts.c.id == facts_id)).scalar()
    return _decode_parents(data).base_models if data else []


def count_tagged(conn: Connection, kind: RepoType, tags: Collection[str]) -> dict[str, int]:
    """Return how many public repositories have each of some tags: numbers that are kept, so that
    nothing is counted here.
    """
    terms = {tag_term(class_of(kind, private=False), tag): tag for tag in tags}
    counts = dict.fromkeys(tags, 0)
    kept = select(tag_counts.c.term, tag_counts.c.count).where(tag_counts.c.term.in_(terms))
    waiting = (
        select(tag_changes.c.term, func.sum(tag_changes.c.change))
        .where(tag_changes.c.term.in_(terms))
        .group_by(tag_changes.c.term)
    )
    for statement in (kept, waiting):
        for term, count in conn.execute(statement):
            counts[terms[term]] += int(count)
    return {tag: max(count, 0) for tag, count in counts.items()}
