# SPDX-License-Identifier: Apache-2.0
"""The real data as snapshots, and figures over them, each made and run once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hubkeep.observatory.dimensions import Dimensions
from hubkeep.observatory.duck import Duck
from hubkeep.observatory.engine import Selection, ViewEngine
from hubkeep.observatory.figure import Scalar, Value
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.imports.files import import_files
from hubkeep.observatory.running import Result
from hubkeep.observatory.session import Place, Places, Session
from hubkeep.observatory.store import SnapshotStore, read_manifest

Row = Mapping[str, Scalar]

CENSUS: Final = "census 2024-07"
CARDS: Final = "census 2022-10"
SUMMER: Final = "census 2022-07"
EMISSIONS: Final = "emissions 2023"
WEEKS: Final = "weeks 2025"

SURVIVING: Final = (
    "SELECT count(*) AS n FROM models WHERE created_at < TIMESTAMP '2023-08-01 00:00:00'"
)

SOURCES: Final[Mapping[str, tuple[str, str]]] = {
    CENSUS: ("hub_models_2024-07-11.parquet", "2024-07-11T00:00:00.000Z"),
    CARDS: ("hub_models_2022-10_liang.parquet", "2022-10-01T00:00:00.000Z"),
    SUMMER: ("hub_models_2022_huggingfaceR.parquet", "2022-07-02T00:00:00.000Z"),
    EMISSIONS: ("hub_co2_2023_castano.parquet", "2023-05-01T00:00:00.000Z"),
    WEEKS: ("hub_weekly_added_deleted_2025-03_2025-07.parquet", "2025-07-03T00:00:00.000Z"),
}
"""The file of each snapshot, and when it was taken."""


@dataclass
class Shelf:
    """Snapshots of the files in a folder, kept in another one."""

    data: Path
    folder: Path
    _results: dict[object, Result] = field(default_factory=dict)
    _answers: dict[object, list[Row]] = field(default_factory=dict)
    _places: dict[str, Place] = field(default_factory=dict)

    def id_of(self, name: str) -> str:
        """Return the id of a snapshot: its moment, and the beginning of its hash."""
        return self._place(name).manifest.id

    def figure(
        self,
        name: str,
        figure: str,
        *,
        earlier: Sequence[str] = (),
        until: str = "",
        **parameters: Value,
    ) -> Result:
        """Run a figure over a snapshot; one that the figure cannot be run over is an error."""
        key = (name, figure, tuple(earlier), until, tuple(sorted(parameters.items())))
        if key not in self._results:
            history = [self._place(one) for one in (*earlier, name)]
            with Session(Places(history), Filters(until=until)) as session:
                found = session.figure(figure, parameters)
            if found.missing_columns:
                raise ValueError(f"{figure} over {name} lacks {', '.join(found.missing_columns)}")
            self._results[key] = found
        return self._results[key]

    def rows(self, name: str, figure: str, **parameters: Value) -> list[Row]:
        """Return the rows of a figure's table."""
        return self.figure(name, figure, **parameters).table.to_pylist()

    def query(self, name: str, sql: str, **parameters: Value) -> list[Row]:
        """Return the rows of a SELECT over the views of figures, where no figure has the number."""
        key = (name, sql, tuple(sorted(parameters.items())))
        if key not in self._answers:
            selection = Selection([self._place(name).folder])
            with ViewEngine(Duck(), selection, Dimensions()) as engine:
                self._answers[key] = engine.query(sql, parameters).to_pylist()
        return self._answers[key]

    def census_tags(self, tag: str) -> tuple[int, int]:
        """Return how many models the file of the census has, and how many of them have a tag:
        snapshots keep of tags what figures need.
        """
        import duckdb

        with duckdb.connect() as connection:
            row = connection.execute(
                "SELECT count(*), count(*) FILTER (WHERE list_contains(tags, $tag)) "
                "FROM read_parquet($path)",
                {"tag": tag, "path": str(self.data / SOURCES[CENSUS][0])},
            ).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def _place(self, name: str) -> Place:
        if name not in self._places:
            file, taken_at = SOURCES[name]
            store = SnapshotStore(self.folder / Path(file).stem)
            there = store.folders("public")
            if not there:
                import_files(store, [self.data / file], taken_at)
                there = store.folders("public")
            self._places[name] = Place(there[-1], read_manifest(there[-1]))
        return self._places[name]
