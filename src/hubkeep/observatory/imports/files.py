# SPDX-License-Identifier: Apache-2.0
"""Files that are imported: opened, told apart by their columns, and written as one snapshot."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.imports import census, studies
from hubkeep.observatory.imports.api import api_shape
from hubkeep.observatory.imports.known import with_emissions, with_names
from hubkeep.observatory.imports.reading import BadFile, Opened, must_be_there, open_file
from hubkeep.observatory.imports.shape import Shape
from hubkeep.observatory.manifest import Manifest, Source
from hubkeep.observatory.store import Making, SnapshotStore
from hubkeep.observatory.workbench import workbench
from hubkeep.observatory.writing import Prepared, Written, prepare, sha256_of, write_prepared

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHAPES: Final[tuple[Shape, ...]] = (
    census.MODELS,
    census.DATASETS,
    census.DETAILS,
    *studies.SHAPES,
)
"""Those whose columns are fixed; any other list of repositories is one of the hub API's fields."""

_SHOWN: Final = 20

Step = Callable[[str], None]
"""Is told what is done next."""


class UnknownShape(ValueError):
    """A file that is none of the known shapes; the text says which there are."""


def import_files(
    store: SnapshotStore,
    paths: Sequence[Path],
    taken_at: str,
    name: str | None = None,
    step: Step = lambda _: None,
) -> Manifest:
    """Import files of one day as one snapshot.

    Where several tell of the same repository, each value is that of the first file that has one;
    numbers of parameters are those that are known best. Raises UnknownShape, and BadFile for files
    that cannot be read; no snapshot is there then.
    """
    named = {path.name: path for path in paths}
    if len(named) != len(paths):
        raise BadFile("two of the files have the same name: rename one, or leave it out")
    notes: list[str] = []

    def fill(folder: Path) -> Mapping[str, Written]:
        with workbench(folder, files=paths) as connection:
            parts: dict[str, list[Prepared]] = {}
            for number, path in enumerate(paths):
                step(f"reading {path.name}")
                shape = _read(connection, path, number, taken_at, parts)
                notes.extend(note for note in shape.notes if note not in notes)
            written = {}
            for table, prepared in parts.items():
                step(f"writing {table}")
                written[table] = write_prepared(connection, table, prepared, folder)
        if not any(one.file.rows for one in written.values()):
            raise BadFile(f"{', '.join(named)}: there is no row that can be used{_why(written)}")
        return written

    for path in paths:
        must_be_there(path)
    detail = {path.name: sha256_of(path) for path in paths}
    source = Source(kind="import", name=name or " + ".join(named), detail=detail)
    return store.create(Making(source, taken_at, notes=notes), fill)


def shape_of(opened: Opened) -> Shape:
    """Return the shape of a file. Raises UnknownShape."""
    for shape in SHAPES:
        if shape.columns <= opened.columns.keys():
            return shape
    if listed := api_shape(opened):
        return listed
    there = ", ".join(list(opened.columns)[:_SHOWN])
    known = ", ".join(shape.name for shape in SHAPES)
    raise UnknownShape(
        f"{opened.name} is of no shape that is known ({known}, or a "
        "list with the fields of the hub API, with 'models', 'datasets' or 'spaces' in its name); "
        f"its columns are: {there}"
    )


def _read(
    connection: "DuckDBPyConnection",
    path: Path,
    number: int,
    taken_at: str,
    parts: dict[str, list[Prepared]],
) -> Shape:
    """Add to `parts` what a file has of each table, clean."""
    import duckdb

    try:
        opened = open_file(connection, path)
        shape = shape_of(opened)
        for table, select in shape.tables.items():
            given = with_emissions(connection, select) if table == "models" else select
            part = prepare(connection, table, given, taken_at, f"part_{table}_{number}")
            if table == "models":
                part = with_names(connection, part)
            parts.setdefault(table, []).append(part)
    except duckdb.Error as error:
        raise BadFile(f"{path.name} cannot be read: {_plain(error, path)}") from error
    if opened.unreadable:
        excluded = parts[next(iter(shape.tables))][-1].excluded
        assert isinstance(excluded, dict)
        excluded["unreadable line"] = opened.unreadable
    return shape


def _why(written: Mapping[str, Written]) -> str:
    reasons = [
        f"{n} x {reason} in {table}"
        for table, one in written.items()
        for reason, n in one.excluded.items()
    ]
    return f" ({', '.join(reasons)})" if reasons else ""


def _plain(error: Exception, path: Path) -> str:
    """The first line of what DuckDB says, without where the file lies."""
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return first.replace(str(path.resolve()), path.name)[:300]
