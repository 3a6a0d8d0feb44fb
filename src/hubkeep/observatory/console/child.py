# SPDX-License-Identifier: Apache-2.0
"""The process that runs one query: `python -m hubkeep.observatory.console.child`.

It opens what was prepared, then gives up the right to open anything at all (no file and no
connection can be opened by a process that may hold no descriptors), runs one SELECT, says its rows
and ends. Who asked ends it when its time is over.
"""

import os
import resource
import sys
import time
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from hubkeep.observatory.console.wire import (
    MOST_BYTES,
    MOST_CELL,
    READY,
    Failed,
    Outcome,
    Query,
    Rows,
)
from hubkeep.observatory.document import Cell

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY: Final = 512 << 20
FOR_DUCKDB: Final = "250MB"
CPU_SECONDS: Final = 30
"""Both threads together; the clock of who asked is stricter."""

CUT: Final = "…"

_READING: Final = ("StatementType.SELECT", "StatementType.EXPLAIN")
_TOO_LARGE: Final = (
    f"The query needed more than {MEMORY >> 20} MiB of memory: ask for fewer columns or rows, or "
    "for sums instead of rows."
)
_AT_ONCE: Final = 256
_EXACT: Final = 2**53
# One value of each type: what fetches them loads parts of Python that cannot be opened later.
_WARM: Final = (
    "SELECT TIMESTAMP '2020-01-01', DATE '2020-01-01', TIME '00:00', INTERVAL 1 DAY, "
    "1.5::DECIMAL(9, 2), 1::HUGEINT, uuid(), [1], {'a': 1}, MAP {'a': 1}, 'x'::BLOB, 1.5, true"
)
_WALLS: Final = (
    "SET TimeZone = 'UTC'",
    "SET enable_progress_bar = false",
    "SET temp_directory = ''",
    "SET python_enable_replacements = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)
_LIMITS: Final = (
    (resource.RLIMIT_DATA, MEMORY),
    (resource.RLIMIT_CPU, CPU_SECONDS),
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_FSIZE, 0),
    # No descriptor can be had any more: no file is opened, and no connection.
    (resource.RLIMIT_NOFILE, 0),
)


def main() -> None:
    """Run the query that standard input brings, and say what comes of it."""
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    query = msgspec.json.decode(sys.stdin.buffer.read(), type=Query)
    connection = opened(query.database)
    wall_in(connection)
    _say(said, READY)
    _say(said, msgspec.json.encode(outcome(connection, query)))
    # Without tidying up: there is nothing to tidy, and libraries would talk about it.
    os._exit(0)


def opened(database: str) -> "DuckDBPyConnection":
    """Open what was prepared; it stays open."""
    import duckdb

    settings = {"memory_limit": FOR_DUCKDB, "threads": 2, "autoload_known_extensions": False}
    return duckdb.connect(database, read_only=True, config=settings)


def wall_in(connection: "DuckDBPyConnection") -> None:
    """Give up the right to open anything and to take more than there is, and to change that."""
    for sql in (_WARM, *_WALLS):
        connection.execute(sql).fetchall()
    for limit, most in _LIMITS:
        resource.setrlimit(limit, (most, most))


def outcome(connection: "DuckDBPyConnection", query: Query) -> Outcome:
    """Run a query, if it is one SELECT (or EXPLAIN of one)."""
    import duckdb

    began = time.monotonic()
    try:
        statements = connection.extract_statements(query.sql)
        if len(statements) != 1 or str(statements[0].type) not in _READING:
            return Failed(text="One SELECT at a time, and nothing else: the snapshot is read-only.")
        ran = connection.execute(statements[0])
        described = ran.description or []
        rows, is_cut = _rows(ran, query.rows)
    except (duckdb.OutOfMemoryException, MemoryError):
        return Failed(text=_TOO_LARGE, kind="memory")
    except duckdb.InvalidInputException as wrong:
        if "pytz" not in str(wrong):
            return Failed(text=str(wrong)[:MOST_CELL])
        return Failed(text="Times with a zone cannot be shown: cast them, as in now()::TIMESTAMP.")
    except duckdb.Error as wrong:
        if "Out of memory" in str(wrong):
            return Failed(text=_TOO_LARGE, kind="memory")
        return Failed(text=str(wrong)[:MOST_CELL])
    return Rows(
        columns=[str(one[0]) for one in described],
        kinds=[str(one[1]) for one in described],
        rows=rows,
        is_cut=is_cut,
        seconds=round(time.monotonic() - began, 3),
    )


def _rows(ran: "DuckDBPyConnection", wanted: int) -> tuple[list[list[Cell]], bool]:
    """The first rows, as far as they have room, and whether something is missing."""
    found: list[list[Cell]] = []
    room, is_cut = MOST_BYTES, False
    while some := ran.fetchmany(_AT_ONCE):
        for row in some:
            cells = [_cell(value) for value in row]
            room -= sum(len(cell) if isinstance(cell, str) else 8 for cell in cells) + 4
            if room < 0 or len(found) >= wanted:
                return found, True
            is_cut = is_cut or any(isinstance(cell, str) and cell.endswith(CUT) for cell in cells)
            found.append(cells)
    return found, is_cut


def _cell(value: object) -> Cell:
    """A value as JSON has it; whole numbers that JSON's readers would round are text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < _EXACT:
        return value
    if isinstance(value, float) and value - value == 0:
        return value
    text = str(value)
    return text if len(text) <= MOST_CELL else text[:MOST_CELL] + CUT


def _say(said: BinaryIO, what: bytes) -> None:
    said.write(what)
    said.flush()


if __name__ == "__main__":
    main()
