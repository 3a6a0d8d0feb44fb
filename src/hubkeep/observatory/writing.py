# SPDX-License-Identifier: Apache-2.0
"""Tables of a snapshot, from whatever rows a source has: cleaned, counted, sorted, written."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.cleaning import MAX_TEXT, Cleaned, cleaned, lacking
from hubkeep.observatory.manifest import FileOf
from hubkeep.observatory.merging import merged
from hubkeep.observatory.schema import TABLES, Column, Kind, Table
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


@dataclass(frozen=True, slots=True)
class Prepared:
    """A table that is clean and has each key once; `place` is where it stands in the database."""

    place: str
    missing: frozenset[str]
    excluded: Mapping[str, int]
    cleared: Mapping[str, int]


def write_table(
    connection: "DuckDBPyConnection", name: str, source: str, folder: Path, taken_at: str
) -> Written:
    """Write a table of the schema from the rows that the SQL `source` gives, by column name.

    Columns that `source` does not have are null and stand as missing; further ones are left out.
    `taken_at` is when the snapshot was taken: no date may be a day later. The same rows give the
    same bytes, in whatever order they come.
    """
    prepared = prepare(connection, name, source, taken_at, f"clean_{name}")
    return write_prepared(connection, name, [prepared], folder)


def prepare(
    connection: "DuckDBPyConnection", name: str, source: str, taken_at: str, place: str
) -> Prepared:
    """Make the table `place` of the rows that `source` gives; see `write_table`."""
    table = TABLES[name]
    described = connection.execute(f"DESCRIBE {source}").fetchall()
    types = {row[0]: row[1] for row in described}
    latest = f"TIMESTAMP {quoted(taken_at[:19])} + INTERVAL 1 DAY"
    parts = [
        cleaned(column, types[column.name], latest)
        for column in table.columns
        if column.name in types
    ]
    have = ", ".join(_taken(part.column, types[part.column.name]) for part in parts)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE raw AS SELECT {have} FROM ({source})")
    cleared = _counted(connection, parts)
    excluded = _clean(connection, table, parts, place)
    connection.execute("DROP TABLE raw")
    if twice := _drop_duplicates(connection, table, place):
        excluded["duplicate"] = twice
    missing = frozenset(name for name in table.names if name not in types)
    return Prepared(place, missing, excluded, cleared)


def write_prepared(
    connection: "DuckDBPyConnection", name: str, prepared: Sequence[Prepared], folder: Path
) -> Written:
    """Write a table from parts that were prepared, which are gone then.

    Where several have a row of the same key, each of its values is the first part's that has one.
    """
    table = TABLES[name]
    place = merged(connection, table, [part.place for part in prepared])
    missing = frozenset.intersection(*(part.missing for part in prepared))
    path = folder / f"{name}.parquet"
    columns = ", ".join(f'"{column}"' for column in table.names)
    order = ", ".join(f'"{column}"' for column in table.order)
    connection.execute(
        f"COPY (SELECT {columns} FROM {place} ORDER BY {order}) TO {quoted(path.resolve())} "
        f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
    )
    rows = _number(connection, f"SELECT count(*) FROM {place}")
    for used in {place, *(part.place for part in prepared)}:
        connection.execute(f"DROP TABLE {used}")
    file = FileOf(
        rows=rows,
        bytes=path.stat().st_size,
        sha256=sha256_of(path),
        missing=tuple(column for column in table.names if column in missing),
    )
    excluded, cleared = Counter[str](), Counter[str]()
    for part in prepared:
        excluded.update(part.excluded)
        cleared.update(part.cleared)
    return Written(file, dict(sorted(excluded.items())), dict(sorted(cleared.items())))


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _taken(column: Column, source_type: str) -> str:
    """A column as it is kept until it is clean: of text, no more than shows that it is too long."""
    name = f'"{column.name}"'
    if column.kind is Kind.TEXT and source_type == "VARCHAR":
        return f"left({name}, {MAX_TEXT + 1}) AS {name}"
    return name


def _counted(connection: "DuckDBPyConnection", parts: Sequence[Cleaned]) -> dict[str, int]:
    """How many values there are of each kind that cannot be."""
    checks = [check for part in parts for check in part.checks]
    if not checks:
        return {}
    counts = ", ".join(f"count(*) FILTER (WHERE {check.when})" for check in checks)
    (row,) = connection.execute(f"SELECT {counts} FROM raw").fetchall()
    return {check.reason: n for check, n in zip(checks, row, strict=True) if n}


def _clean(
    connection: "DuckDBPyConnection", table: Table, parts: Sequence[Cleaned], place: str
) -> dict[str, int]:
    """Make the clean table and return how many rows it leaves out, by reason."""
    values = [f'{part.value} AS "{part.column.name}"' for part in parts]
    there = {part.column.name for part in parts}
    values += [
        f'CAST(NULL AS {column.kind.value}) AS "{column.name}"'
        for column in table.columns
        if column.name not in there
    ]
    rows = f"SELECT {', '.join(values)} FROM raw"
    why = lacking(table)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {place} AS SELECT * FROM ({rows}) WHERE {why} IS NULL"
    )
    kept = _number(connection, f"SELECT count(*) FROM {place}")
    if kept == _number(connection, "SELECT count(*) FROM raw"):
        return {}
    found = connection.execute(
        f"SELECT {why} AS why, count(*) FROM ({rows}) WHERE {why} IS NOT NULL "
        "GROUP BY ALL ORDER BY ALL"
    )
    return dict(found.fetchall())


def _drop_duplicates(connection: "DuckDBPyConnection", table: Table, place: str) -> int:
    """Keep one row of each key: the one with most downloads, then the first of all in order."""
    key = ", ".join(f'"{name}"' for name in table.order)
    first = f"SELECT 1 FROM {place} GROUP BY {key} HAVING count(*) > 1 LIMIT 1"
    if not connection.execute(first).fetchall():
        return 0
    most = [f'"{name}" DESC NULLS LAST' for name in table.names if name.startswith("downloads")]
    rest = [f'"{name}" NULLS LAST' for name in table.names]
    before = _number(connection, f"SELECT count(*) FROM {place}")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE once AS SELECT * FROM {place} QUALIFY "
        f"row_number() OVER (PARTITION BY {key} ORDER BY {', '.join([*most, *rest])}) = 1"
    )
    connection.execute(f"DROP TABLE {place}")
    connection.execute(f"ALTER TABLE once RENAME TO {place}")
    return before - _number(connection, f"SELECT count(*) FROM {place}")


def _number(connection: "DuckDBPyConnection", sql: str) -> int:
    ((number,),) = connection.execute(sql).fetchall()
    return number
