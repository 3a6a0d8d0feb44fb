# SPDX-License-Identifier: Apache-2.0
"""What differs between two snapshots, counted by table and column."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hubkeep.observatory.schema import TABLES, Table
from hubkeep.observatory.store import read_manifest
from hubkeep.observatory.workbench import quoted, workbench

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class TableChange(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a table: rows by their key, and for rows in both, values by column."""

    rows_before: int
    rows_after: int
    added: int
    removed: int
    changed: int
    """Rows in both of which at least one value is another."""
    columns: Mapping[str, int]
    """Of how many rows in both this value is another; columns that one of the snapshots does not
    have are not compared.
    """


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """How two snapshots differ, in tables that both have, and which tables only one has."""

    before: str
    after: str
    tables: Mapping[str, TableChange]
    only_before: list[str]
    only_after: list[str]


def compare(before: Path, after: Path) -> Difference:
    """Compare two snapshots by their folders. BrokenSnapshot where one is none."""
    old, new = read_manifest(before), read_manifest(after)
    both = [name for name in TABLES if name in old.tables and name in new.tables]
    files = [folder / f"{name}.parquet" for name in both for folder in (before, after)]
    tables = {}
    with (
        tempfile.TemporaryDirectory(prefix="hubkeep-diff-") as scratch,
        workbench(Path(scratch), files=files) as connection,
    ):
        for name in both:
            missing = {*old.tables[name].missing, *new.tables[name].missing}
            tables[name] = _compared(connection, TABLES[name], before, after, missing)
    return Difference(
        before=old.id,
        after=new.id,
        tables=tables,
        only_before=sorted(old.tables.keys() - new.tables.keys()),
        only_after=sorted(new.tables.keys() - old.tables.keys()),
    )


def _compared(
    connection: "DuckDBPyConnection", table: Table, before: Path, after: Path, missing: set[str]
) -> TableChange:
    compared = [name for name in table.names if name not in table.order and name not in missing]
    changes = [f'(a."{name}" IS DISTINCT FROM b."{name}")' for name in compared]
    both = f'a."{table.order[0]}" IS NOT NULL AND b."{table.order[0]}" IS NOT NULL'
    any_change = f"({' OR '.join(changes) or 'false'})"
    counts = [f"count(*) FILTER (WHERE {both} AND {one})" for one in (any_change, *changes)]
    on = " AND ".join(f'a."{name}" = b."{name}"' for name in table.order)
    first = f'"{table.order[0]}"'
    old, new = (
        f"read_parquet({quoted((folder / f'{table.name}.parquet').resolve())})"
        for folder in (before, after)
    )
    rows_before, rows_after, added, removed, changed, *by_column = connection.execute(
        f"SELECT count(a.{first}), count(b.{first}), count(*) FILTER (WHERE a.{first} IS NULL), "
        f"count(*) FILTER (WHERE b.{first} IS NULL), "
        f"{', '.join(counts)} "
        f"FROM {old} AS a FULL JOIN {new} AS b ON {on}"
    ).fetchall()[0]
    return TableChange(
        rows_before=rows_before,
        rows_after=rows_after,
        added=added,
        removed=removed,
        changed=changed,
        columns={name: n for name, n in zip(compared, by_column, strict=True) if n},
    )
