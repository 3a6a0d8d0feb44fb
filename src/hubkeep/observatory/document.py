# SPDX-License-Identifier: Apache-2.0
"""A figure's result as data: what a report writes as JSON, what a page shows, what a process that
computes says to one that serves. Nothing here needs the libraries that compute.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import msgspec

from hubkeep.observatory.figure import ColumnKind, Scalar, Value
from hubkeep.observatory.filters import Flagged

if TYPE_CHECKING:
    import pyarrow as pa

    from hubkeep.observatory.manifest import Manifest
    from hubkeep.observatory.running import Result

Cell = str | int | float | bool | None
Spec = dict[str, object]
"""A chart in Vega-Lite."""

_VEGA_LITE: Final = "https://vega.github.io/schema/vega-lite/v6.json"

_TAKEN: Final = frozenset(
    {
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
        "__proto__",
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "toString",
        "valueOf",
    }
)
"""What every object of JavaScript has."""


class ColumnOf(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a table; `unit` is what its numbers are, share being 0 to 1."""

    name: str
    kind: ColumnKind
    meaning: str
    unit: str = ""


class ParameterOf(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader may set, and what it is set to."""

    name: str
    value: Value
    default: Value
    meaning: str
    choices: Sequence[str] = ()
    least: float | None = None
    most: float | None = None


class FiltersOf(msgspec.Struct, frozen=True, kw_only=True):
    """Which models a reader asks about: see `filters.Filters`."""

    org_type: str = ""
    since: str = ""
    until: str = ""
    flagged: Flagged = "mark"


class SnapshotOf(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot that a figure read."""

    id: str
    hash: str
    taken_at: str
    universe: str
    kind: str
    source: str


class FlagOf(msgspec.Struct, frozen=True, kw_only=True):
    """A counter that stands out, and why."""

    id: str
    downloads_30d: int
    reason: str


class TableOf(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of cells under the names of their columns; days and times are ISO 8601."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def records(self) -> list[dict[str, Cell]]:
        """Return the rows as objects, as charts want them."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class FigureDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure says, and everything that a reader needs to trust it or not."""

    id: str
    title: str
    question: str
    definitions: Sequence[str]
    sources: Sequence[str]
    snapshot: SnapshotOf
    """The one that it is about."""
    history: Sequence[SnapshotOf]
    """All of its hub that were read, oldest first; the last is `snapshot`."""
    reference: SnapshotOf | None
    """The one of another hub that it is compared with."""
    window: str
    """The day of the snapshot, or the first and the last of several."""
    parameters: Sequence[ParameterOf]
    filters: FiltersOf
    n: int
    """Rows of the snapshot that the numbers are made of."""
    excluded: Mapping[str, int]
    """Rows that were left out, by reason."""
    missing: Mapping[str, int]
    """Rows of the n without the value that is asked about, by column."""
    missing_columns: Sequence[str]
    """What the source does not have and without which there is no answer: then n is 0."""
    flagged: Sequence[FlagOf]
    """The largest counters that stand out; `n_flagged` is how many there are."""
    n_flagged: int
    notes: Sequence[str]
    scalars: Mapping[str, Scalar]
    """Numbers by name: R2, Gini, reporting rate, and how intervals were come by."""
    columns: Sequence[ColumnOf]
    table: TableOf
    chart: Spec
    """Vega-Lite without data; its data are named `table` and as `points` are."""
    points: Mapping[str, TableOf]
    sql: str
    dimensions: str
    """sha256 of the tables of licences, organisations and tasks that were used."""
    version: str
    """Of Hubkeep."""

    @property
    def caption(self) -> str:
        """What stands under the chart: n, the day, the snapshot, what is left out."""
        parts = [f"n = {self.n:,}", self.window, f"snapshot {self.snapshot.id}"]
        left_out = sum(self.excluded.values())
        if left_out:
            parts.append(f"{left_out:,} left out")
        if self.n_flagged:
            counters = "counter stands" if self.n_flagged == 1 else "counters stand"
            parts.append(f"{self.n_flagged:,} {counters} out")
        return " · ".join(parts)


def documented(result: "Result") -> FigureDocument:
    """Return a result as data; the same result gives the same bytes."""
    figure = result.figure
    history = [_snapshot(one) for one in result.snapshots]
    return FigureDocument(
        id=figure.id,
        title=figure.title,
        question=figure.question,
        definitions=figure.definitions,
        sources=figure.sources,
        snapshot=history[-1],
        history=history,
        reference=_snapshot(result.reference) if result.reference else None,
        window=result.window,
        parameters=[
            ParameterOf(
                name=one.name,
                value=result.parameters[one.name],
                default=one.default,
                meaning=one.meaning,
                choices=one.choices,
                least=None if one.least is None else float(one.least),
                most=None if one.most is None else float(one.most),
            )
            for one in figure.parameters
        ],
        filters=msgspec.convert(result.filters, FiltersOf, from_attributes=True),
        n=result.n,
        excluded=result.excluded,
        missing=result.missing,
        missing_columns=result.missing_columns,
        flagged=[msgspec.convert(one, FlagOf, from_attributes=True) for one in result.flagged],
        n_flagged=result.n_flagged,
        notes=result.notes,
        scalars=result.scalars,
        columns=[msgspec.convert(one, ColumnOf, from_attributes=True) for one in figure.columns],
        table=_table(result.table),
        chart=chart_of(result),
        points={name: _table(one) for name, one in sorted(result.points.items())},
        sql=result.sql,
        dimensions=result.dimensions,
        version=version("hubkeep"),
    )


def chart_of(result: "Result") -> Spec:
    """Return a figure's chart as Vega-Lite, in the look of all charts, without its data."""
    from hubkeep.observatory.charts import CONFIG

    drawn = result.figure.chart(result.table, result.scalars)
    return {"$schema": _VEGA_LITE, "config": CONFIG, **drawn}


def filled(chart: Spec, table: TableOf, points: Mapping[str, TableOf]) -> Spec:
    """Return a chart with its data in it."""
    tables = {"table": table, **points}
    return {**chart, "datasets": {name: _drawable(one) for name, one in tables.items()}}


def _drawable(table: TableOf) -> list[dict[str, Cell]]:
    """Vega keeps what it groups by in plain objects, in which a name such as `constructor` is there
    before anybody puts it in: such names get a letter that nobody sees.
    """
    return [
        {
            name: f"{cell}\N{WORD JOINER}" if isinstance(cell, str) and cell in _TAKEN else cell
            for name, cell in row.items()
        }
        for row in table.records()
    ]


def _snapshot(manifest: "Manifest") -> SnapshotOf:
    return SnapshotOf(
        id=manifest.id,
        hash=manifest.hash,
        taken_at=manifest.taken_at,
        universe=manifest.universe,
        kind=manifest.source.kind,
        source=manifest.source.name,
    )


def _table(table: "pa.Table") -> TableOf:
    columns = [_cells(column) for column in table.itercolumns()]
    return TableOf(columns=table.column_names, rows=list(zip(*columns, strict=True)))


def _cells(column: "pa.ChunkedArray") -> list[Cell]:
    """Values as JSON has them: days and times as text, and no number for what is none."""
    import pyarrow as pa

    values = column.to_pylist()
    if pa.types.is_temporal(column.type):
        return [None if value is None else value.isoformat() for value in values]
    if pa.types.is_floating(column.type):
        return [None if value is None or value - value != 0 else value for value in values]
    return values
