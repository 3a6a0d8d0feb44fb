# SPDX-License-Identifier: Apache-2.0
"""Tables of a snapshot, from whatever rows a source has: cleaned, counted, sorted, written."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.cleaning import cleaned, is_row
from hubkeep.observatory.manifest import FileOf
from hubkeep.observatory.schema import TABLES, Table
from hubkeep.observatory.workbench import quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROW_GROUP: Final = 122_880
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Written:
    """A table that was written, and what was not taken into it, by reason."""

    file: FileOf
    excluded: Mapping[str, int]
    cleared: Mapping[str, int]


def write_table(
    connection: "DuckDBPyConnection", name: str, source: str, folder: Path, taken_at: str
) -> Written:
    """Write a table of the schema from the rows that the SQL `source` gives, by column name.

    Columns that `source` does not have are null and stand as missing; further ones are left out.
    `taken_at` is when the snapshot was taken: no date may be a day later. The same rows give the
    same bytes.
    """
    table = TABLES[name]
    have = [row[0] for row in connection.execute(f"DESCRIBE {source}").fetchall()]
    parts = [
        cleaned(column, f"TIMESTAMP {quoted(taken_at)} + INTERVAL 1 DAY")
        for column in table.columns
        if column.name in have
    ]
    missing = tuple(column.name for column in table.columns if column.name not in have)
    counts = ", ".join(
        f"count(*) FILTER (WHERE {check.when})" for part in parts for check in part.checks
    )
    reasons = [check.reason for part in parts for check in part.checks]
    raw = f"raw_{name}"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {raw} AS {source}")
    row = connection.execute(f"SELECT count(*), {counts or '0'} FROM {raw}").fetchone()
    assert row is not None
    cleared = {reason: n for reason, n in zip(reasons, row[1:], strict=False) if n}
    values = [f'{part.value} AS "{part.column.name}"' for part in parts]
    values += [
        f'CAST(NULL AS {column.kind.value}) AS "{column.name}"'
        for column in table.columns
        if column.name in missing
    ]
    clean = f"clean_{name}"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {clean} AS SELECT * FROM "
        f"(SELECT {', '.join(values)} FROM {raw}) WHERE {is_row(table)}"
    )
    connection.execute(f"DROP TABLE {raw}")
    kept = _count(connection, clean)
    excluded = {"no usable id": row[0] - kept}
    unique = _without_duplicates(connection, table, clean)
    excluded["duplicate"] = kept - _count(connection, unique)
    path = folder / f"{name}.parquet"
    _copy(connection, table, unique, path)
    rows = _count(connection, unique)
    for used in {clean, unique}:
        connection.execute(f"DROP TABLE {used}")
    return Written(
        FileOf(rows=rows, bytes=path.stat().st_size, sha256=sha256_of(path), missing=missing),
        {reason: n for reason, n in excluded.items() if n},
        cleared,
    )


def _without_duplicates(connection: "DuckDBPyConnection", table: Table, clean: str) -> str:
    """Keep one row of each key: the one with most downloads, then the first of all in order."""
    key = ", ".join(f'"{name}"' for name in table.order)
    found = connection.execute(
        f"SELECT 1 FROM {clean} GROUP BY {key} HAVING count(*) > 1 LIMIT 1"
    ).fetchone()
    if found is None:
        return clean
    most = [f'"{name}" DESC NULLS LAST' for name in table.names if name.startswith("downloads")]
    rest = [f'"{name}" NULLS LAST' for name in table.names]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE once_{table.name} AS SELECT * FROM {clean} QUALIFY "
        f"row_number() OVER (PARTITION BY {key} ORDER BY {', '.join([*most, *rest])}) = 1"
    )
    return f"once_{table.name}"


def _copy(connection: "DuckDBPyConnection", table: Table, source: str, path: Path) -> None:
    columns = ", ".join(f'"{name}"' for name in table.names)
    order = ", ".join(f'"{name}"' for name in table.order)
    connection.execute(
        f"COPY (SELECT {columns} FROM {source} ORDER BY {order}) TO {quoted(path)} "
        f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
    )


def _count(connection: "DuckDBPyConnection", table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return row[0]


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
