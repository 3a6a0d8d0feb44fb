# SPDX-License-Identifier: Apache-2.0
"""Migrations lead to the schema that the program is written for."""

import re
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from hubkeep.db import Database, WrongSchema
from hubkeep.db.migrate import migrate, prepare
from hubkeep.db.tables import metadata

# FTS5 keeps tables of its own beside the one that we make.
_SHADOW = "search_fts"


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    db = Database(empty_database_url)
    yield db
    db.close()


def _differences(conn: Connection) -> list[object]:
    def ours(_object: object, name: str | None, *_rest: object) -> bool:
        return not (name or "").startswith((_SHADOW, "alembic_"))

    options = {"compare_type": True, "include_object": ours}
    return compare_metadata(MigrationContext.configure(conn, opts=options), metadata)


def test_an_empty_database_becomes_the_one_of_the_program(empty: Database) -> None:
    migrate(empty)
    found = empty.write_now(_differences)
    # An index of PostgreSQL alone is missed on SQLite by the comparison.
    assert [d for d in found if not (empty.is_sqlite and "ix_search_docs_terms" in str(d))] == []


def test_migrating_twice_changes_nothing(empty: Database) -> None:
    migrate(empty)
    migrate(empty)
    prepare(empty)


def _parts(sql: str) -> tuple[str, ...]:
    """Columns and constraints: these come in an order of their own, and columns that were added
    stand in one line.
    """
    parts = (part.strip(" \t") for part in re.split("[,\n]", sql.removesuffix(")")))
    return tuple(sorted(part for part in parts if part))


def test_sqlite_gets_the_same_statements_as_from_the_tables(
    empty_sqlite_url: str, tmp_path
) -> None:
    query = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version'"

    def schema(db: Database) -> set[tuple[str, str, tuple[str, ...]]]:
        rows = db.read_now(lambda conn: conn.execute(text(query)).all())
        return {(kind, name, _parts(sql or "")) for kind, name, sql in rows}

    migrated = Database(empty_sqlite_url)
    migrate(migrated)
    created = Database(f"sqlite:///{tmp_path}/created.db")
    created.write_now(metadata.create_all)
    assert schema(migrated) == schema(created)
    migrated.close()
    created.close()


def test_a_server_on_postgresql_wants_the_command_first(empty_postgresql_url: str) -> None:
    db = Database(empty_postgresql_url)
    with pytest.raises(WrongSchema, match="hubkeep migrate"):
        prepare(db)
    db.close()


def test_a_newer_schema_is_left_alone(empty: Database) -> None:
    migrate(empty)
    empty.write_now(
        lambda conn: conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    )
    with pytest.raises(WrongSchema, match="newer"):
        migrate(empty)
