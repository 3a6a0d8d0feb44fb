# SPDX-License-Identifier: Apache-2.0
"""Imports for tests: a file, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from hubkeep.observatory.checking import problems_of
from hubkeep.observatory.imports.files import import_files
from hubkeep.observatory.manifest import Manifest
from hubkeep.observatory.store import SnapshotStore

TAKEN = "2025-03-01T00:00:00.000Z"


@dataclass
class Imports:
    """A store of its own, into which files are imported."""

    root: Path

    def files(self, *paths: Path, taken_at: str = TAKEN) -> "Imported":
        """Import files, which must make a snapshot without faults."""
        store = SnapshotStore(self.root)
        manifest = import_files(store, paths, taken_at)
        folder = store.find(manifest.id)
        assert problems_of(folder) == []
        return Imported(manifest, folder)

    def left(self) -> list[str]:
        """What is in the store's folder."""
        return [path.name for path in (self.root / "public").glob("*")]


@dataclass
class Imported:
    """A snapshot that was imported."""

    manifest: Manifest
    folder: Path

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """The values of some columns, in order."""
        return [tuple(row.values()) for row in self._read(table, columns)]

    def row(self, table: str = "models") -> dict[str, Any]:
        """The only row, without what is null."""
        [row] = self._read(table, None)
        return {name: value for name, value in row.items() if value is not None}

    def _read(self, table: str, columns: Sequence[str] | None) -> list[dict[str, Any]]:
        found = pq.read_table(self.folder / f"{table}.parquet")
        return found.select(list(columns) if columns else found.column_names).to_pylist()
