# SPDX-License-Identifier: Apache-2.0
"""Snapshots that are open for figures: what a notebook, a report and a page run them in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final

from hubkeep.observatory.dimensions import Dimensions
from hubkeep.observatory.duck import Duck
from hubkeep.observatory.engine import Backend, Engine, Names, Selection, ViewEngine
from hubkeep.observatory.figure import Value
from hubkeep.observatory.figures import all_figures
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.manifest import Manifest
from hubkeep.observatory.running import Result, run
from hubkeep.observatory.series import Series
from hubkeep.observatory.store import read_manifest

LARGE: Final = 50_000
"""From so many models on it is worth while to get ready for further figures."""

MANY: Final = 12
"""So many figures are worth it at once."""


class NoSuchFigure(LookupError):
    """There is no figure of this id; the text says which there are."""


@dataclass(frozen=True, slots=True)
class Place:
    """A snapshot on disk."""

    folder: Path
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Places:
    """What figures read, by where it lies: see `series.Series`."""

    history: Sequence[Place]
    reference: Place | None = None
    hidden: Sequence[Names] = ()
    """For each of the history, what is not to be read of it; none for those without."""
    reference_hidden: Names = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        history: Sequence[Path],
        hidden: Sequence[Names] = (),
        reference: Path | None = None,
        reference_hidden: Names | None = None,
    ) -> "Places":
        """Read the manifests of folders. BrokenSnapshot where one is none."""
        return cls(
            [Place(folder, read_manifest(folder)) for folder in history],
            None if reference is None else Place(reference, read_manifest(reference)),
            hidden,
            reference_hidden or {},
        )

    @classmethod
    def in_series(cls, series: Series, folders: Mapping[str, Path]) -> "Places":
        """Return where the snapshots of a series lie, given the folder of each id."""
        reference = series.reference
        return cls(
            [Place(folders[one.id], one) for one in series.history],
            None if reference is None else Place(folders[reference.id], reference),
        )

    @property
    def selection(self) -> Selection:
        """What an engine opens of it."""
        return Selection(
            [one.folder for one in self.history],
            self.hidden,
            None if self.reference is None else self.reference.folder,
            self.reference_hidden,
        )


class Session:
    """Open snapshots, and what a reader asks about; runs one figure after the other."""

    def __init__(
        self,
        places: Places,
        filters: Filters | None = None,
        *,
        dimensions: Dimensions | None = None,
        backend: Backend | None = None,
    ) -> None:
        """Open the snapshots; with DuckDB in this process, unless there is a backend."""
        self._places = places
        self._filters = filters or Filters()
        self._dimensions = dimensions or Dimensions()
        self._engine = ViewEngine(
            backend or Duck(), places.selection, self._dimensions, self._filters
        )

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def about(self) -> Manifest:
        """The snapshot that figures are about."""
        return self._places.history[-1].manifest

    @property
    def is_secret(self) -> bool:
        """Whether any of the snapshots is for administrators alone."""
        reference = self._places.reference
        opened = [*self._places.history, *([reference] if reference else [])]
        return any(one.manifest.universe == "all" for one in opened)

    @property
    def engine(self) -> Engine:
        """What runs SQL over the snapshots."""
        return self._engine

    def close(self) -> None:
        """Give back what is open."""
        self._engine.close()

    def ask_about(self, filters: Filters) -> None:
        """Let the figures that follow be about other models: much quicker than a new session."""
        if filters != self._filters:
            self._engine.ask_about(filters)
            self._filters = filters

    def settle(self, figures: int = MANY) -> None:
        """Get ready for so many figures, if that is worth while: see `ViewEngine.settle`."""
        models = self.about.tables.get("models")
        if figures >= MANY and models is not None and models.rows >= LARGE:
            self._engine.settle()

    def figure(self, name: str, parameters: Mapping[str, Value] | None = None) -> Result:
        """Run a figure. NoSuchFigure; BadParameter."""
        known = all_figures().get(name.upper())
        if known is None:
            there = ", ".join(all_figures())
            raise NoSuchFigure(f"there is no figure {name[:20]!r}; there are: {there}")
        reference = self._places.reference
        return run(
            known.figure,
            known.sql,
            self._engine,
            [one.manifest for one in self._places.history],
            self._dimensions.digest,
            parameters,
            self._filters,
            None if reference is None else reference.manifest,
        )
