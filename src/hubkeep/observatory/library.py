# SPDX-License-Identifier: Apache-2.0
"""The snapshots of a hub as its pages need them: which there are, and which go together."""

import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from hubkeep.kit.time import Millis
from hubkeep.observatory.manifest import Manifest, Universe
from hubkeep.observatory.queries_concealed import Hidden
from hubkeep.observatory.reader.wire import Shelf
from hubkeep.observatory.series import Series, series_of, thinned
from hubkeep.observatory.store import BrokenSnapshot, NoSuchSnapshot, SnapshotStore, read_manifest

MOST_HISTORY: Final = 60
"""So many snapshots of a series are read for a figure over time, evenly spread over it."""


_SETTLED: Final = 2_000_000_000
"""Nanoseconds after which a folder's time of change tells what changed since: clocks of file
systems are coarse.
"""


@dataclass(frozen=True, slots=True)
class _Listed:
    changed: int
    found: Sequence[Manifest]


class Library:
    """The snapshots below a folder. A manifest never changes, and is read once; the folder is
    listed again when it has changed, since pages of repositories ask too.

    `tables` is the folder of the hub's own tables, of what it knows better than Hubkeep.
    """

    def __init__(self, folder: Path, tables: Path | None = None) -> None:
        self._store = SnapshotStore(folder)
        self._tables = tables
        self._read: dict[Path, Manifest] = {}
        self._folders: dict[str, Path] = {}
        self._listed: dict[Universe, _Listed] = {}

    def all(self, universe: Universe = "public") -> Sequence[Manifest]:
        """Return all that can be read, oldest first."""
        now, changed = time.time_ns(), self._store.changed(universe)
        listed = self._listed.get(universe)
        if listed is not None and listed.changed == changed:
            return listed.found
        found = self._list(universe)
        if now - changed > _SETTLED:
            self._listed[universe] = _Listed(changed, found)
        return found

    def _list(self, universe: Universe) -> Sequence[Manifest]:
        there = self._store.folders(universe)
        for folder in there:
            if folder not in self._read:
                try:
                    self._read[folder] = read_manifest(folder)
                except BrokenSnapshot:
                    continue
        for gone in self._read.keys() - set(there):
            if gone.parent.name == universe:
                del self._read[gone]
        self._folders = {one.id: folder for folder, one in self._read.items()}
        found = [self._read[folder] for folder in there if folder in self._read]
        return sorted(found, key=lambda one: (one.taken_at, one.id))

    def series(
        self, name: str = "", universe: Universe = "public", most: int = MOST_HISTORY
    ) -> Series:
        """Return the series of the snapshot whose id begins with `name`, thinned to `most`.

        Without a name it is the last of this hub, else the last of all. What it is compared with is
        for everybody, whoever may see the series. NoSuchSnapshot.
        """
        known = self.all(universe)
        fits = [one for one in known if one.id.startswith(name)]
        if not fits or (name and len(fits) > 1):
            raise NoSuchSnapshot(
                f"No single snapshot begins with {name[:40]!r}." if name else "No snapshot yet."
            )
        own = [one for one in fits if one.source.kind == "hub"]
        others = [] if universe == "public" else self.all()
        foreign = [one for one in others if one.source.kind != "hub"]
        found = series_of((own or fits)[-1], [*known, *foreign])
        return Series(thinned(found.history, most), found.reference, found.later)

    def has_own_since(self, moment: Millis) -> bool:
        """Whether a snapshot of this hub was taken at a moment or later, for everybody."""
        return any(one.source.kind == "hub" and taken_millis(one) >= moment for one in self.all())

    def shelf(self, series: Series, hidden: Iterable[Hidden]) -> Shelf:
        """Return what to ask the reader about: a series, and of own snapshots what is not to be
        read of them because nobody may see it any more.
        """
        known: dict[str, list[Hidden]] = {}
        for one in sorted(hidden, key=lambda one: (-one.at, one.key)):
            known.setdefault(f"{one.type}s", []).append(one)
        reference = series.reference
        return Shelf(
            history=[str(self._folders[one.id]) for one in series.history],
            hidden={table: [one.key for one in names] for table, names in known.items()},
            hides=[_hides(one, known) for one in series.history],
            reference=None if reference is None else str(self._folders[reference.id]),
            reference_hides={} if reference is None else _hides(reference, known),
            tables=None if self._tables is None else str(self._tables),
        )


def oldest_own(series: Series) -> Millis | None:
    """Return when the first of the series' snapshots of this hub was taken: what was hidden before
    that matters to none of them.
    """
    read = [*series.history, *([series.reference] if series.reference else [])]
    return min((taken_millis(one) for one in read if one.source.kind == "hub"), default=None)


def taken_millis(snapshot: Manifest) -> Millis:
    """Return when a snapshot was taken, in milliseconds since 1970."""
    return round(datetime.fromisoformat(snapshot.taken_at).timestamp() * 1000)


def _hides(snapshot: Manifest, hidden: Mapping[str, Sequence[Hidden]]) -> Mapping[str, int]:
    """How many of the names of each table, which are in order of time, were hidden since."""
    if snapshot.source.kind != "hub":
        return {}
    taken = taken_millis(snapshot)
    counts = {
        table: bisect_right(names, -taken, key=lambda one: -one.at)
        for table, names in sorted(hidden.items())
    }
    return {table: count for table, count in counts.items() if count}
