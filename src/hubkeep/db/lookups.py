# SPDX-License-Identifier: Apache-2.0
"""The few SELECTs that nearly every request runs, handed to the driver without SQLAlchemy between.

Running a prebuilt statement through SQLAlchemy costs four times what SQLite needs for a look-up by
key, and three times what psycopg needs (`bench/info.py` shows what that comes to). Statements are
still written with SQLAlchemy and mean the same on both databases.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Boolean, ColumnElement, Connection, Select, exc
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIModule

Value = int | str | bytes | None


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    names: tuple[str, ...] | None
    """The parameters in the order of the marks; None on PostgreSQL, where they go by name."""
    booleans: tuple[int, ...]
    """The columns of truth values where the database knows only numbers."""


class Lookup:
    """A SELECT of a row, compiled once for each database; its parameters are all given by name.

    Its columns are numbers, texts, bytes and truth values. To be run inside a unit of work, like
    any statement. Errors are those of SQLAlchemy.
    """

    def __init__(self, query: Select) -> None:
        self._query = query
        self._compiled: dict[str, _Compiled] = {}

    def first(self, conn: Connection, parameters: Mapping[str, Value]) -> tuple | None:
        """Return the first row as a tuple in the order of the columns; None if there is none."""
        compiled = self._compiled.get(conn.dialect.name) or self._compile(conn.dialect)
        names = compiled.names
        given = parameters if names is None else [parameters[name] for name in names]
        driver = conn.connection.driver_connection
        assert driver is not None
        try:
            row = driver.execute(compiled.sql, given).fetchone()
        except conn.dialect.loaded_dbapi.Error as error:
            raise _wrapped(conn, compiled.sql, given, error) from error
        if row is None or not compiled.booleans:
            return row
        values = list(row)
        for at in compiled.booleans:
            values[at] = bool(values[at])
        return tuple(values)

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled = self._query.compile(dialect=dialect)
        is_sqlite = dialect.name == "sqlite"
        columns = enumerate(self._query.selected_columns)
        done = _Compiled(
            str(compiled),
            tuple(compiled.positiontup or ()) if is_sqlite else None,
            tuple(at for at, column in columns if is_sqlite and _is_boolean(column)),
        )
        self._compiled[dialect.name] = done
        return done


def _is_boolean(column: ColumnElement) -> bool:
    return isinstance(column.type, Boolean)


def _wrapped(
    conn: Connection,
    sql: str,
    given: Mapping[str, Value] | Sequence[Value],
    error: DBAPIModule.Error,
) -> Exception:
    """Return a driver's error as SQLAlchemy would raise it; a lost connection is given up."""
    dialect = conn.dialect
    is_lost = dialect.is_disconnect(error, conn.connection.driver_connection, None)
    if is_lost:
        conn.invalidate(error)
    base = dialect.loaded_dbapi.Error
    return exc.DBAPIError.instance(
        sql, given, error, base, dialect=dialect, connection_invalidated=is_lost
    )
