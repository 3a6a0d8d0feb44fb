# SPDX-License-Identifier: Apache-2.0
"""Whether a snapshot is as it was made: its manifest, its files, and what is in them."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hubkeep.observatory.manifest import MANIFEST, FileOf
from hubkeep.observatory.schema import TABLES, Table
from hubkeep.observatory.store import hash_of, read_manifest
from hubkeep.observatory.workbench import quoted, workbench
from hubkeep.observatory.writing import sha256_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def problems_of(folder: Path) -> list[str]:
    """Return what is wrong with a snapshot, in words; an empty list for one that is whole.

    Hashes are compared, and each table's columns, number of rows and order are looked at. Raises
    BrokenSnapshot where the manifest cannot be read at all.
    """
    manifest = read_manifest(folder)
    found = []
    if hash_of(manifest) != manifest.hash:
        found.append(f"{MANIFEST} was changed: its hash is another")
    if manifest.id != folder.name:
        found.append(f"the folder is called {folder.name}, and the snapshot is {manifest.id}")
    for name, file in manifest.tables.items():
        found += _problems_of_file(folder / f"{name}.parquet", name, file)
    known = {MANIFEST, *(f"{name}.parquet" for name in manifest.tables)}
    found += [
        f"{path.name} does not belong here"
        for path in sorted(folder.iterdir())
        if path.name not in known
    ]
    return found


def _problems_of_file(path: Path, name: str, file: FileOf) -> list[str]:
    if not path.is_file():
        return [f"{path.name} is gone"]
    if path.stat().st_size != file.bytes:
        return [f"{path.name} has {path.stat().st_size} bytes and had {file.bytes}"]
    if sha256_of(path) != file.sha256:
        return [f"{path.name} was changed: its sha256 is another"]
    if name not in TABLES:
        return [f"{path.name} is no table of the schema"]
    return _problems_of_rows(path, TABLES[name], file)


def _problems_of_rows(path: Path, table: Table, file: FileOf) -> list[str]:
    import duckdb

    with (
        tempfile.TemporaryDirectory(prefix="hubkeep-verify-") as scratch,
        workbench(Path(scratch), files=[path]) as connection,
    ):
        try:
            return _looked_at(connection, path, table, file)
        except duckdb.Error as error:
            return [f"{path.name} cannot be read: {str(error).splitlines()[0]}"]


def _looked_at(
    connection: "DuckDBPyConnection", path: Path, table: Table, file: FileOf
) -> list[str]:
    source = f"read_parquet({quoted(path.resolve())})"
    described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    if [row[:2] for row in described] != [
        (column.name, column.kind.value) for column in table.columns
    ]:
        return [f"{path.name} has other columns than the schema says"]
    key = "row(" + ", ".join(f'"{name}"' for name in table.order) + ")"
    present = " + ".join(f'count("{name}")' for name in file.missing) or "0"
    rows, out_of_order, filled = connection.execute(
        f"SELECT count(*), count(*) FILTER (WHERE NOT later), {present} "
        f"FROM (SELECT *, {key} > lag({key}) OVER () AS later FROM {source})"
    ).fetchall()[0]
    found = []
    if rows != file.rows:
        found.append(f"{path.name} has {rows} rows and had {file.rows}")
    if out_of_order:
        found.append(f"{path.name} is not sorted: {out_of_order} rows stand too late")
    if filled:
        found.append(f"{path.name} has values in columns that are said to be missing")
    return found
