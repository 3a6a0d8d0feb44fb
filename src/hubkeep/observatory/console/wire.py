# SPDX-License-Identifier: Apache-2.0
"""What the server tells the process that runs one query, and what comes back."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from hubkeep.observatory.document import Cell
from hubkeep.observatory.reader.wire import Shelf

READY: Final = b"ready\n"
"""Said when the database is open and the walls are up: from here on the query's own time runs."""
PREPARED: Final = b"prepared\n"
"""Said when the file is there, whole."""
MOST_SQL: Final = 100_000
"""Letters of a query."""
MOST_ROWS: Final = 10_000
MOST_BYTES: Final = 4 << 20
"""What the cells of an answer may take."""
MOST_CELL: Final = 2_000
"""Letters of a cell."""


class Preparation(msgspec.Struct, frozen=True, kw_only=True):
    """The snapshot to prepare, and the file to write."""

    shelf: Shelf
    target: str


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """One SELECT over what was prepared, and how many of its rows are wanted."""

    database: str
    sql: str
    rows: int = 1_000


class Rows(msgspec.Struct, frozen=True, kw_only=True, tag="rows"):
    """The first rows; `kinds` are the types of the columns in DuckDB's words."""

    columns: Sequence[str]
    kinds: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    is_cut: bool
    """Whether there are more rows, or letters of a cell, than are here."""
    seconds: float


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """Why there are none: what DuckDB says of the SQL, or what it asked for that nobody gets."""

    text: str
    kind: Literal["sql", "memory"] = "sql"


Outcome = Rows | Failed
