# SPDX-License-Identifier: Apache-2.0
"""Look-ups by the driver itself: they say what SQLAlchemy says, errors included."""

from collections.abc import Iterator

import pytest
from sqlalchemy import bindparam, insert, select, text

from hubkeep.db import Database, DatabaseUnavailable
from hubkeep.db.lookups import Lookup
from hubkeep.db.tables import accounts, hub

ROW = {
    "public_id": "0" * 24,
    "kind": "user",
    "name": "Alice",
    "name_key": "alice",
    "fullname": "Alicë",
    "created_at": 2**40,
    "is_admin": True,
    "disabled": False,
    "default_private": False,
}
BY_NAME = select(accounts).where(accounts.c.name_key == bindparam("key"))


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    database.write_now(lambda conn: conn.execute(insert(accounts), ROW))
    yield database
    database.close()


def test_a_row_is_as_sqlalchemy_returns_it(db: Database) -> None:
    lookup = Lookup(BY_NAME)
    found = db.read_now(lambda conn: lookup.first(conn, {"key": "alice"}))
    assert found == db.read_now(lambda conn: tuple(conn.execute(BY_NAME, {"key": "alice"}).one()))
    assert found is not None
    assert [type(value) for value in found].count(bool) == 3


def test_what_is_not_there_is_none(db: Database) -> None:
    assert db.read_now(lambda conn: Lookup(BY_NAME).first(conn, {"key": "bob"})) is None


def test_a_unit_of_work_sees_what_it_wrote(db: Database) -> None:
    lookup = Lookup(select(hub.c.value).where(hub.c.name == bindparam("name")))

    def work(conn):
        conn.execute(insert(hub).values(name="a", value="b"))
        return lookup.first(conn, {"name": "a"})

    assert db.write_now(work) == ("b",)


def test_a_lost_connection_is_unavailable_once_and_then_replaced(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    lookup = Lookup(select(hub.c.value).where(hub.c.name == bindparam("name")))

    def die_and_look(conn):
        pid = conn.execute(text("SELECT pg_backend_pid()")).scalar_one()
        database.write_now(lambda other: other.execute(text(f"SELECT pg_terminate_backend({pid})")))
        return lookup.first(conn, {"name": "a"})

    with pytest.raises(DatabaseUnavailable):
        database.read_now(die_and_look)
    assert database.read_now(lambda conn: lookup.first(conn, {"name": "a"})) is None
    database.close()
