# SPDX-License-Identifier: Apache-2.0
"""Crawls for tests: a folder, a hub, and a time in which nobody has to wait."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from hubkeep.kit.time import now
from hubkeep.observatory.checking import problems_of
from hubkeep.observatory.crawling.crawl import Wanted, crawl
from hubkeep.observatory.crawling.endpoint import Endpoint
from hubkeep.observatory.crawling.pace import Pace
from hubkeep.observatory.manifest import Manifest
from hubkeep.observatory.store import SnapshotStore


@dataclass
class Quick:
    """A clock that goes on when somebody waits, and how long they did."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def __call__(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> bool:
        with self.lock:
            self.seconds += seconds
            self.waits.append(seconds)
        return False

    def pace(self) -> Pace:
        return Pace(self, self.wait)


@dataclass
class Crawls:
    """A data folder into which hubs are crawled."""

    data: Path
    time: Quick = field(default_factory=Quick)
    at: int | None = None
    """When the crawl thinks it is, in milliseconds; None for now."""

    def __call__(self, url: str, **how: Any) -> "Crawled":
        """Crawl a hub, which must make a snapshot without faults."""
        manifest = crawl(
            self.store,
            self.data / "crawls",
            Wanted(endpoint=Endpoint.parse(url), **how),
            clock=lambda: now() if self.at is None else self.at,
            pace=self.time.pace(),
        )
        folder = self.store.find(manifest.id)
        assert problems_of(folder) == []
        assert self.left() == []
        return Crawled(manifest, folder)

    @property
    def store(self) -> SnapshotStore:
        return SnapshotStore(self.data / "snapshots")

    def made(self) -> list[str]:
        """Everything that could be taken for a snapshot."""
        return [path.name for path in (self.data / "snapshots").glob("*/*")]

    def left(self) -> list[str]:
        """The crawls that are not at their end."""
        return [path.name for path in (self.data / "crawls").iterdir() if path.is_dir()]


@dataclass
class Crawled:
    """A snapshot that came of a crawl."""

    manifest: Manifest
    folder: Path

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """The values of some columns, in order."""
        found = pq.read_table(self.folder / f"{table}.parquet").select(list(columns)).to_pylist()
        return [tuple(row.values()) for row in found]

    def row(self, table: str, name: str) -> dict[str, Any]:
        """The row of this id or name, without what is null."""
        key = "name" if table == "accounts" else "id"
        rows = pq.read_table(self.folder / f"{table}.parquet").to_pylist()
        [row] = [row for row in rows if row[key] == name]
        return {column: value for column, value in row.items() if value is not None}

    def ids(self, table: str = "models") -> list[str]:
        return [name for (name,) in self.rows(table, "id")]

    def hashes(self) -> dict[str, str]:
        """The hash of each table."""
        return {name: file.sha256 for name, file in self.manifest.tables.items()}

    def missing(self, table: str = "models") -> set[str]:
        return set(self.manifest.tables[table].missing)

    def left_out(self, table: str = "models") -> dict[str, int]:
        return dict(self.manifest.excluded.get(table, {}))

    def says(self, words: str) -> bool:
        """Whether a note has these words."""
        return any(words in note for note in self.manifest.notes)
