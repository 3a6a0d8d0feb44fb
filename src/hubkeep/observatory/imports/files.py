# SPDX-License-Identifier: Apache-2.0
"""Files that are imported: opened, told apart by their columns, and written as one snapshot."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.imports import census
from hubkeep.observatory.imports.shape import Shape
from hubkeep.observatory.manifest import Manifest, Source
from hubkeep.observatory.store import Making, SnapshotStore
from hubkeep.observatory.workbench import quoted, workbench
from hubkeep.observatory.writing import Written, sha256_of, write_table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHAPES: Final[tuple[Shape, ...]] = (census.MODELS, census.DATASETS)


class UnknownShape(ValueError):
    """A file that is none of the known shapes, or cannot be read; the text says which there are."""


def import_files(
    store: SnapshotStore, paths: Sequence[Path], taken_at: str, name: str | None = None
) -> Manifest:
    """Import files of one day as one snapshot; no two of them may tell of the same table.

    Raises UnknownShape.
    """
    notes: list[str] = []

    def fill(folder: Path) -> Mapping[str, Written]:
        with workbench(folder) as connection:
            written: dict[str, Written] = {}
            for path in paths:
                shape = _opened(connection, path)
                notes.extend(shape.notes)
                twice = written.keys() & shape.tables.keys()
                if twice:
                    raise UnknownShape(f"{path.name}: another file has {', '.join(twice)} already")
                for table, select in shape.tables.items():
                    written[table] = write_table(connection, table, select, folder, taken_at)
        for left in folder.glob("work.duckdb*"):
            left.unlink()
        return written

    detail = {path.name: sha256_of(path) for path in paths}
    source = Source(kind="import", name=name or paths[0].name, detail=detail)
    return store.create(Making(source, taken_at, notes=notes), fill)


def _opened(connection: "DuckDBPyConnection", path: Path) -> Shape:
    connection.execute(f"CREATE OR REPLACE TEMP VIEW source AS SELECT * FROM {quoted(path)}")
    columns = {row[0] for row in connection.execute("DESCRIBE source").fetchall()}
    for shape in SHAPES:
        if shape.columns <= columns:
            return shape
    known = "; ".join(f"{shape.name} ({', '.join(sorted(shape.columns))})" for shape in SHAPES)
    raise UnknownShape(f"{path.name} has none of the known sets of columns: {known}")
