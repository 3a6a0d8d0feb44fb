# SPDX-License-Identifier: Apache-2.0
"""SQL of lists and search: two ways to a page, each of bounded work. `search.py` chooses.

`walk` goes down a sort index and tests each row; `sort_few` intersects terms and sorts what it
finds. Each is for one side (public, or private and the viewer's), so that no row that a viewer may
not see is walked, counted or told by a place.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal,
    null,
    or_,
    select,
    table,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.types import BigInteger, Double

from hubkeep.cards.facts import Facts
from hubkeep.cards.tags import REGION
from hubkeep.db.tables import accounts, facts, memberships, repos, search_docs, tag_counts
from hubkeep.identity.actor import Actor
from hubkeep.repos.info import read_facts
from hubkeep.repos.queries import INFO_COLUMNS
from hubkeep.repos.search_terms import (
    Terms,
    as_text,
    can_be_in_a_name,
    class_of,
    fts5_query,
    tag_term,
    tsquery,
)
from hubkeep.repos.search_wanted import Place, Side, Viewer, Wanted, terms_on
from hubkeep.repos.types import InfoRow

# The columns of `repos`, or those of a subquery of it, by name.
Columns: TypeAlias = Mapping[str, ColumnElement[Any]] | ReadOnlyColumnCollection[str, Any]

_FTS = table("search_fts", column("rowid"))
_TESTED = tuple(
    repos.c[name]
    for name in ("id", "type", "private", "owner_id", "path_key", "gated", "num_parameters")
)
_ORGANISATIONS = select(memberships.c.org_id).where(memberships.c.user_id == bindparam("user"))
_ACCOUNT = select(accounts.c.id).where(accounts.c.name_key == bindparam("key"))
_COUNTS = select(tag_counts.c.term, tag_counts.c.count).where(
    tag_counts.c.term.in_(bindparam("terms", expanding=True))
)
# A hit costs FTS5 0.1 us, and PostgreSQL 4, which looks each of them up; a row that is walked and
# looked up costs 5 to 10.
_SET_ON_SQLITE, _SET_ON_POSTGRESQL = 20_000, 8_000
# Of names; words differ by orders of magnitude.
_SHARE_OF_A_WORD = 0.02
# For PostgreSQL, until the end of the transaction. It would plan for any value after some
# executions, and words differ too much for that; and where it expects many rows it would read whole
# tables, while every statement here needs a bounded number of rows that an index leads to.
_BY_INDEX = select(
    func.set_config("plan_cache_mode", "force_custom_plan", True),
    *(
        func.set_config(f"enable_{way}", "off", True)
        for way in ("seqscan", "hashjoin", "mergejoin")
    ),
)


@dataclass(frozen=True, slots=True)
class Expected:
    """A list likely has about so many repositories, among so many of its type."""

    count: int
    among: int


def viewer_of(conn: Connection, actor: Actor) -> Viewer:
    """Return whose private repositories an actor may see: as the policy says of READ."""
    if actor.user is None:
        return Viewer()
    if actor.user.is_admin:
        return Viewer(sees_all=True)
    user = actor.user.id
    return Viewer((user, *conn.execute(_ORGANISATIONS, {"user": user}).scalars()))


def owner_named(conn: Connection, name: str) -> int | None:
    """Return the id of the account of this name; None where there is none."""
    key = name.lower()
    # Not every text can be asked for: PostgreSQL takes no NUL.
    return conn.execute(_ACCOUNT, {"key": key}).scalar() if can_be_in_a_name(key) else None


def prepare(conn: Connection) -> None:
    """Let the database plan the statements of this unit of work for what they ask, by indexes."""
    if conn.dialect.name == "postgresql":
        conn.execute(_BY_INDEX)


def expected(conn: Connection, side: Side, wanted: Wanted) -> Expected | None:
    """Return how long a list may be by the counts of its tags; None where it asks for none.

    As if tags had nothing to do with each other. It decides nothing but which way is tried first.
    """
    tags = [*wanted.tags, *([wanted.pipeline_tag] if wanted.pipeline_tag else [])]
    if side.private or not tags:
        return None
    letter = class_of(wanted.type, side.private)
    # Each repository with anything in it has the tag of the region.
    all_term, terms = tag_term(letter, REGION), {tag_term(letter, tag) for tag in tags}
    rows = conn.execute(_COUNTS, {"terms": [all_term, *terms]})
    counts = {row.term: row.count for row in rows}
    among = max(counts.get(all_term, 0), 1)
    share = math.prod(min(counts.get(term, 0) / among, 1.0) for term in terms)
    return Expected(round(among * share * _SHARE_OF_A_WORD ** len(wanted.words)), among)


def is_small_set(conn: Connection, side: Side, wanted: Wanted, likely: Expected | None) -> bool:
    """Whether all that have the list's terms are few enough to be fetched for each page."""
    if conn.dialect.name == "postgresql":
        return likely is not None and likely.count <= _SET_ON_POSTGRESQL
    hits = _having(conn, terms_on(replace(side, owners=None), wanted)).limit(_SET_ON_SQLITE + 1)
    return _count(conn, hits) <= _SET_ON_SQLITE


def walk(
    conn: Connection,
    side: Side,
    wanted: Wanted,
    after: Place | None,
    rows: int,
    limit: int,
    *,
    by_set: bool = False,
) -> list[Place]:
    """Return the places of at most `limit` of the list among the next `rows` of its side.

    Each row's terms are looked up; `by_set` fetches instead, once, all that have the terms: for
    many rows, if those are few.
    """
    stretch = _stretch(side, wanted, after, rows)
    if wanted.is_plain:
        return _places(conn, stretch)
    near = stretch.subquery()
    found = select(near.c.id, near.c.key)
    # Tests as values of a row that is looked up, not as joins: a planner would turn a join around
    # and read all that has a common term to find what few rows want.
    # Owners were asked for in the stretch, and may be too many for one expression.
    terms = terms_on(replace(side, owners=None), wanted)
    if terms.groups and by_set:
        # As a value too: PostgreSQL makes a hash of the set for that, and a join of a condition.
        found = found.where(near.c.id.in_(_having(conn, terms)).is_(True))
    elif terms.groups:
        has = select(_has_terms(conn, terms)).where(search_docs.c.repo_id == near.c.id)
        found = found.where(has.scalar_subquery())
    if exact := _exactly(repos.c, wanted):
        is_exact = select(and_(*exact)).where(repos.c.id == near.c.id)
        found = found.where(is_exact.scalar_subquery())
    return _places(conn, found.order_by(*_order(near.c, wanted)).limit(limit))


def place_at(
    conn: Connection, side: Side, wanted: Wanted, after: Place | None, rows: int
) -> Place | None:
    """Return the place that `walk` comes to after `rows` rows; None where the side ends before."""
    places = _places(conn, _stretch(side, wanted, after, rows).offset(rows - 1))
    return places[0] if places else None


def sort_few(
    conn: Connection, side: Side, wanted: Wanted, after: Place | None, most: int, limit: int
) -> list[Place] | None:
    """Return the places of the first `limit` repositories of the list after a place.

    None if more than `most` repositories have its terms.
    """
    some = _having(conn, terms_on(side, wanted)).limit(most + 1)
    # To count hits costs SQLite next to nothing, and more to leave the statement below half-way.
    if conn.dialect.name == "sqlite" and _count(conn, some) > most:
        return None
    hits = some.cte("hits")
    number = select(func.count()).select_from(hits).scalar_subquery()
    # Fetched by id and by nothing else: the inner limit keeps the other conditions from the
    # planner.
    near = (
        select(*_TESTED, repos.c[wanted.sort].label("key"))
        .where(repos.c.id.in_(select(hits.c.id)), number <= most)
        .limit(most)
        .subquery()
    )
    page = (
        select(near.c.id, near.c.key)
        .where(*_on(near.c, side, wanted), *_after(near.c, wanted, after))
        .where(*_exactly(near.c, wanted))
        .order_by(*_order(near.c, wanted))
        .limit(limit)
        .subquery()
    )
    one = select(number.label("number")).subquery()
    rows = conn.execute(
        select(one.c.number, page.c.id, page.c.key)
        .select_from(one.outerjoin(page, true()))
        .order_by(*_order(page.c, wanted))
    ).all()
    if rows[0].number > most:
        return None
    return [Place(row.key, row.id) for row in rows if row.id is not None]


def load_listed(
    conn: Connection, ids: Sequence[int], *, with_facts: bool
) -> list[tuple[InfoRow, Facts | None]]:
    """Return what is shown of repositories, in the order of `ids`."""
    shown = select(*INFO_COLUMNS, repos.c.id, facts.c.data if with_facts else null())
    if with_facts:
        shown = shown.outerjoin(facts, facts.c.id == repos.c.facts_id)
    rows = {row[-2]: row for row in conn.execute(shown.where(_any_of(conn, ids)))}
    return [(InfoRow(*rows[id_][: len(INFO_COLUMNS)]), read_facts(rows[id_][-1])) for id_ in ids]


def _count(conn: Connection, statement: Select[Any]) -> int:
    return conn.execute(select(func.count()).select_from(statement.subquery())).scalar_one()


def _places(conn: Connection, statement: Select[Any, Any]) -> list[Place]:
    return [Place(key, id_) for id_, key in conn.execute(statement)]


def _stretch(side: Side, wanted: Wanted, after: Place | None, rows: int) -> Select[Any, Any]:
    """The next `rows` of a side after a place, in order.

    Its limit bounds the work, whatever a planner thinks of the conditions that are put around it.
    Ties are a range of their own, since SQLite does not seek to an id inside of one key by
    `(key, id) < (?, ?)`, and half of a hub may tie at no downloads.
    """
    key = repos.c[wanted.sort]
    columns = select(repos.c.id, key.label("key")).where(*_on(repos.c, side, wanted))
    if side.owners is None:
        # SQLite would take any index that begins with type and visibility for as good, if it has
        # no statistics of it yet: then it sorts all rows, for a second.
        columns = columns.with_hint(repos, f"INDEXED BY ix_repos_by_{wanted.sort}", "sqlite")
    order = _order({"key": key, "id": repos.c.id}, wanted)
    if after is None:
        return columns.order_by(*order).limit(rows)
    up = wanted.ascending
    there = _value(after)
    ties = columns.where(key == there, repos.c.id > after.id if up else repos.c.id < after.id)
    rest = columns.where(key > there if up else key < there)
    both = union_all(
        *(select(part.order_by(*order).limit(rows).subquery()) for part in (ties, rest))
    ).subquery()
    return select(both.c.id, both.c.key).order_by(*_order(both.c, wanted)).limit(rows)


def _value(place: Place) -> ColumnElement[Any]:
    """The key of a place, in a type that holds whatever a place may hold."""
    return literal(place.key, BigInteger() if isinstance(place.key, int) else Double())


def _order(columns: Columns, wanted: Wanted) -> tuple[ColumnElement[Any], ...]:
    if wanted.ascending:
        return columns["key"], columns["id"]
    return columns["key"].desc(), columns["id"].desc()


def _on(columns: Columns, side: Side, wanted: Wanted) -> list[ColumnElement[bool]]:
    on = [columns["type"] == wanted.type.value, columns["private"].is_(side.private)]
    if side.owners is not None:
        on.append(columns["owner_id"].in_(side.owners))
    return on


def _after(columns: Columns, wanted: Wanted, after: Place | None) -> list[ColumnElement[bool]]:
    if after is None:
        return []
    here = tuple_(columns["key"], columns["id"])
    there = tuple_(_value(after), literal(after.id, BigInteger()))
    return [here > there if wanted.ascending else here < there]


def _exactly(columns: Columns, wanted: Wanted) -> list[ColumnElement[bool]]:
    """What terms do not say, or say only nearly."""
    exact = [columns["path_key"].contains(word, autoescape=True) for word in wanted.words]
    if wanted.gated is False:
        exact.append(columns["gated"] == "")
    if wanted.counts_parameters:
        exact.append(columns["num_parameters"] >= (wanted.least_parameters or 0))
        if wanted.most_parameters is not None:
            exact.append(columns["num_parameters"] <= wanted.most_parameters)
    return exact


def _having(conn: Connection, terms: Terms) -> Select[Any]:
    """The ids of the repositories that have the terms, in any order."""
    if conn.dialect.name == "postgresql":
        query = cast(literal(tsquery(terms)), TSQUERY)
        return select(search_docs.c.repo_id.label("id")).where(search_docs.c.terms.op("@@")(query))
    match = column("search_fts").op("MATCH")(fts5_query(terms))
    return select(_FTS.c.rowid.label("id")).where(match)


def _has_terms(conn: Connection, terms: Terms) -> ColumnElement[bool]:
    """Whether a row of `search_docs` has the terms."""
    if conn.dialect.name == "postgresql":
        return search_docs.c.terms.op("@@")(cast(literal(tsquery(terms)), TSQUERY))
    return and_(
        *(
            or_(*(func.instr(search_docs.c.terms, as_text(term)) > 0 for term in group))
            for group in terms.groups
        )
    )


def _any_of(conn: Connection, ids: Sequence[int]) -> ColumnElement[bool]:
    """A condition for any number of ids, in one parameter."""
    if conn.dialect.name == "postgresql":
        return repos.c.id == func.any(cast(list(ids), ARRAY(BigInteger)))
    each = func.json_each(json.dumps(list(ids))).table_valued("value")
    return repos.c.id.in_(select(each.c.value))
