# SPDX-License-Identifier: Apache-2.0
"""SQLite and PostgreSQL behind one interface: functions of a connection, run in bounded threads.

A unit of work is one function `fn(conn) -> T`. It runs whole, in one thread, in one transaction, so
no transaction ever spans an await. It may be run again when the database asks for it (a deadlock),
so it has no effects but those on the database.
"""

import sqlite3
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection, Engine, FromClause, create_engine, event, exc, make_url
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import URL
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from hubkeep.db.errors import DatabaseFull, DatabaseUnavailable
from hubkeep.kit.threads import Threads

if TYPE_CHECKING:
    import psycopg  # an extra: SQLite does without it

T = TypeVar("T")

READERS = 4
PG_WRITERS = 8
BUSY_MS = 15_000
_RETRIES = 5
_RETRY_STATES = ("40001", "40P01")  # serialization failure, deadlock
_FULL_STATES = ("53100",)


class Database:
    """Reads in a few threads; writes in one thread on SQLite and in several on PostgreSQL.

    Each thread keeps a connection of its own. A read sees one snapshot. A write on SQLite starts
    with `BEGIN IMMEDIATE`, so it never fails half-way for want of the lock; on PostgreSQL it is
    READ COMMITTED, and functions lock the rows that they decide on.
    """

    def __init__(
        self,
        url: str,
        *,
        readers: int = READERS,
        writers: int = PG_WRITERS,
        busy_ms: int = BUSY_MS,
    ) -> None:
        self.url: URL = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._read_side = _Side(_engine(self.url, busy_ms, write=False), readers, "db-read")
        self._write_side = _Side(
            _engine(self.url, busy_ms, write=True),
            1 if self.is_sqlite else writers,
            "db-write",
            eager=True,
        )

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` on a read-only snapshot. DatabaseUnavailable."""
        return await self._read_side.threads.run(partial(self._read_side.run, fn))

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in a transaction, committed durably when this returns; an exception rolls back.

        DatabaseFull, DatabaseUnavailable. A cancelled caller does not undo the write.
        """
        return await self._write_side.threads.run(partial(self._write_side.run, fn))

    async def ping(self) -> None:
        """Wait for a sign of life. DatabaseUnavailable."""
        await self.read(_ping)

    def read_now(self, fn: Callable[[Connection], T]) -> T:
        """Like `read`, in the calling thread: for commands and jobs."""
        return self._read_side.run(fn)

    def write_now(self, fn: Callable[[Connection], T]) -> T:
        """Like `write`, in the calling thread: for commands and jobs."""
        return self._write_side.run(fn)

    def close(self) -> None:
        """Wait for what runs, then close all connections."""
        self._write_side.close()
        self._read_side.close()


class _Side:
    """One engine, its threads, and a connection kept open by each thread that used it."""

    def __init__(self, engine: Engine, threads: int, name: str, *, eager: bool = False) -> None:
        self.engine = engine
        self.threads = Threads(threads, name, eager=eager)
        self._local = threading.local()
        self._all: list[Connection] = []
        self._lock = threading.Lock()

    def run(self, fn: Callable[[Connection], T]) -> T:
        for attempt in range(_RETRIES):
            try:
                return self._once(fn)
            except sqlite3.OperationalError as error:  # from BEGIN, which SQLAlchemy does not see
                raise _sqlite_error(error) or error from error
            except exc.DBAPIError as error:
                if _state(error) in _RETRY_STATES and attempt + 1 < _RETRIES:
                    continue
                raise _translated(error) from error
        raise AssertionError("unreachable")

    def _once(self, fn: Callable[[Connection], T]) -> T:
        conn = self._connection()
        try:
            with conn.begin():
                return fn(conn)
        except exc.DBAPIError as error:
            if error.connection_invalidated:
                self._forget(conn)
            raise

    def _connection(self) -> Connection:
        conn: Connection | None = getattr(self._local, "conn", None)
        if conn is None:
            conn = self.engine.connect()
            self._local.conn = conn
            with self._lock:
                self._all.append(conn)
        return conn

    def _forget(self, conn: Connection) -> None:
        self._local.conn = None
        with self._lock:
            self._all.remove(conn)
        conn.close()

    def close(self) -> None:
        self.threads.close()
        with self._lock:
            for conn in self._all:
                conn.close()
            self._all.clear()
        self._local = threading.local()
        self.engine.dispose()


def _ping(conn: Connection) -> None:
    conn.exec_driver_sql("SELECT 1")


class _WithHints(SQLiteCompiler):
    """Writes what `Select.with_hint` says of a table behind its name: `INDEXED BY ...`."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:  # noqa: ARG002
        return text


def _engine(url: URL, busy_ms: int, *, write: bool) -> Engine:
    if url.get_backend_name() != "sqlite":
        options = {} if write else {"isolation_level": "REPEATABLE READ"}
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            poolclass=NullPool,
            connect_args={"application_name": "hubkeep", "connect_timeout": 10},
            **options,
        )
        event.listen(engine, "connect", _without_jit)
        if not write:
            engine = engine.execution_options(postgresql_readonly=True)
        return engine
    engine = create_engine(
        url,
        poolclass=NullPool,
        connect_args={"timeout": busy_ms / 1000, "check_same_thread": False},
    )
    engine.dialect.statement_compiler = _WithHints
    begin = "BEGIN IMMEDIATE" if write else "BEGIN"

    def on_connect(dbapi: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        dbapi.isolation_level = None  # transactions are begun below, not guessed by the driver
        dbapi.execute("PRAGMA journal_mode=WAL")
        dbapi.execute("PRAGMA synchronous=FULL")
        dbapi.execute("PRAGMA foreign_keys=ON")
        dbapi.execute("PRAGMA cache_size=-32768")
        dbapi.execute("PRAGMA mmap_size=268435456")
        if not write:
            dbapi.execute("PRAGMA query_only=ON")

    def on_begin(conn: Connection) -> None:
        conn.connection.dbapi_connection.execute(begin)  # ty: ignore

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def _without_jit(dbapi: "psycopg.Connection", _entry: ConnectionPoolEntry) -> None:
    """Compiling a statement takes longer than any statement of the hub; estimates often ask it."""
    dbapi.execute("SET jit = off")
    dbapi.commit()


def _state(error: exc.DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def _translated(error: exc.DBAPIError) -> Exception:
    if isinstance(error.orig, sqlite3.OperationalError):
        return _sqlite_error(error.orig) or error
    if _state(error) in _FULL_STATES:
        return DatabaseFull("the disk with the database is full")
    if isinstance(error, exc.OperationalError):
        return DatabaseUnavailable(str(error.orig))
    return error


def _sqlite_error(error: sqlite3.OperationalError) -> Exception | None:
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_FULL":
        return DatabaseFull("the disk with the database is full")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_CANTOPEN")):
        return DatabaseUnavailable(str(error))
    return None
