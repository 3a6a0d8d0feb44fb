# SPDX-License-Identifier: Apache-2.0
"""Writes drawn repositories straight into the tables of a migrated, empty database."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import msgspec
import psycopg
from sqlalchemy import Connection, Table, text

from bench.search_repos import NOW, Drawn, owner_id
from hubkeep.db import Database
from hubkeep.db.tables import accounts, facts, repos, search_docs, tag_counts
from hubkeep.repos.search_tags import kind_of_tag
from hubkeep.repos.search_terms import class_of, tag_term, terms_of, tsvector

BATCH = 20_000
Rows = list[tuple[object, ...]]

_ACCOUNT = ("id", "public_id", "kind", "name", "name_key", "created_at", "is_admin", "disabled")
_ACCOUNT += ("default_private",)
_REPO = (
    "id", "public_id", "type", "owner_id", "creator_id", "path", "path_key", "private", "gated",
    "disabled", "created_at", "last_modified", "head", "facts_id", "pipeline_tag", "library_name",
    "license", "num_parameters", "tags", "downloads", "downloads_all", "likes", "trending",
)  # fmt: skip
_FACTS = ("id", "repo_id", "digest", "data")
_COUNT = ("term", "repo_type", "kind", "tag", "count")


def load(db: Database, drawn: Iterable[Drawn]) -> int:
    """Write all of them with their owners, cards, terms and counts of tags; return how many."""
    return db.write_now(lambda conn: _load(conn, iter(drawn)))


def _load(conn: Connection, drawn: Iterator[Drawn]) -> int:
    is_sqlite = conn.dialect.name == "sqlite"
    indexes = [index for table in (repos, search_docs) for index in table.indexes]
    if is_sqlite:
        indexes = [index for index in indexes if index.table is repos]
        triggers = _take_triggers(conn)
    for index in indexes:
        index.drop(conn)
    known: dict[str, int] = {}
    tags: Counter[tuple[str, str, str, str]] = Counter()
    total = 0
    while batch := list(islice(drawn, BATCH)):
        total += len(batch)
        _write_batch(conn, [_with_owner(one, known) for one in batch], known, tags)
    rows = [(*key, count) for key, count in tags.items()]
    _insert(conn, tag_counts, _COUNT, rows)
    for index in indexes:
        index.create(conn)
    if is_sqlite:
        conn.execute(text("INSERT INTO search_fts (search_fts) VALUES ('rebuild')"))
        for statement in triggers:
            conn.exec_driver_sql(statement)
    conn.execute(text("ANALYZE"))
    return total


def _take_triggers(conn: Connection) -> Sequence[str]:
    found = conn.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
    for name, _ in found:
        conn.exec_driver_sql(f"DROP TRIGGER {name}")
    return [statement for _, statement in found]


def _with_owner(one: Drawn, known: dict[str, int]) -> Drawn:
    owner = owner_id(one.path.partition("/")[0].lower(), known)
    return msgspec.structs.replace(one, indexed=replace(one.indexed, owner_id=owner))


def _write_batch(
    conn: Connection,
    batch: list[Drawn],
    known: dict[str, int],
    tags: Counter[tuple[str, str, str, str]],
) -> None:
    first = conn.info.get("owners_written", 0)
    names = list(known)[first:]
    conn.info["owners_written"] = len(known)
    _insert(conn, accounts, _ACCOUNT, [_account(first + i + 1, n) for i, n in enumerate(names)])
    _insert(conn, repos, _REPO, [_repo(one) for one in batch])
    _insert(conn, facts, _FACTS, [_card(one) for one in batch])
    is_sqlite = conn.dialect.name == "sqlite"
    docs: Rows = []
    for one in batch:
        terms = terms_of(one.indexed)
        docs.append((one.id, f" {' '.join(sorted(terms))} " if is_sqlite else tsvector(terms)))
        if not one.indexed.private:
            kind = one.indexed.type
            letter = class_of(kind, private=False)
            tags.update(
                (tag_term(letter, t), kind.value, kind_of_tag(kind, t), t) for t in one.indexed.tags
            )
    _insert(conn, search_docs, ("repo_id", "terms"), docs)


def _account(number: int, name: str) -> tuple[object, ...]:
    return (number, f"{number:024x}", "user", name, name, NOW, False, False, False)


def _repo(one: Drawn) -> tuple[object, ...]:
    it = one.indexed
    return (
        one.id, f"{one.id:024x}", it.type.value, it.owner_id, it.owner_id, one.path, it.path_key,
        it.private, "auto" if it.gated else "", False, one.created_at, one.last_modified,
        one.id.to_bytes(20, "big"), one.id, it.pipeline_tag, one.library, one.license,
        it.num_parameters, msgspec.json.encode(it.tags).decode(), one.downloads,
        one.downloads * 5, one.likes, one.trending,
    )  # fmt: skip


def _card(one: Drawn) -> tuple[object, ...]:
    card = {
        "tags": one.indexed.tags,
        "card_data": {"license": one.license, "tags": one.indexed.tags},
    }
    return (one.id, one.id, one.id.to_bytes(20, "big"), msgspec.json.encode(card).decode())


def _insert(conn: Connection, table: Table, columns: Sequence[str], rows: Rows) -> None:
    names = ", ".join(columns)
    driver = conn.connection.driver_connection
    if isinstance(driver, psycopg.Connection):
        with driver.cursor().copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        marks = ", ".join("?" * len(columns))
        driver.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)
