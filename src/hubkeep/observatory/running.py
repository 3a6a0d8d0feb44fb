# SPDX-License-Identifier: Apache-2.0
"""Figures, run: from a question and a snapshot to a table that says where it is from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.engine import Engine, Filters
from hubkeep.observatory.figure import Answer, Context, Figure, Finished, Scalar, Value
from hubkeep.observatory.manifest import Manifest

if TYPE_CHECKING:
    import pyarrow as pa

FLAGGED_SHOWN: Final = 20


class BadParameter(ValueError):
    """A parameter that a figure does not have, or a value that it cannot take; the text says why."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A counter that stands out, and why."""

    id: str
    downloads_30d: int
    reason: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a figure says of a snapshot, and everything that a reader needs to trust it or not."""

    figure: Figure
    parameters: Mapping[str, Value]
    filters: Filters
    table: "pa.Table"
    """The figure's columns, in order, in rows whose order is total: the same every time."""
    scalars: Mapping[str, Scalar]
    n: int
    excluded: Mapping[str, int]
    missing: Mapping[str, int]
    missing_columns: Sequence[str]
    """Columns that the source does not have and without which there is no answer: then n is 0."""
    flagged: Sequence[Flag]
    notes: Sequence[str]
    snapshots: Sequence[Manifest]
    dimensions: str
    sql: str


def run(
    figure: Figure,
    sql: str,
    engine: Engine,
    snapshots: Sequence[Manifest],
    dimensions: str,
    given: Mapping[str, Value] | None = None,
    filters: Filters | None = None,
) -> Result:
    """Answer a figure's question for the last of the snapshots, which `engine` has opened.

    Raises BadParameter. Where the snapshot lacks what the figure needs, or there are fewer
    snapshots than it needs, the table is empty, n is 0 and the result says what is missing.
    """
    parameters = chosen(figure, given or {})
    lacks = lacking(figure, snapshots)
    finished = (
        Finished(empty(figure), n=0)
        if lacks
        else _answered(figure, sql, engine, snapshots, parameters)
    )
    return Result(
        figure=figure,
        parameters=parameters,
        filters=filters or Filters(),
        table=_typed(figure, finished.table),
        scalars=finished.scalars,
        n=finished.n if finished.n is not None else _n(sql, engine, parameters),
        excluded=finished.excluded,
        missing=finished.missing,
        missing_columns=lacks,
        flagged=[] if lacks else _flagged(engine, snapshots[-1]),
        notes=finished.notes,
        snapshots=snapshots,
        dimensions=dimensions,
        sql=sql,
    )


def lacking(figure: Figure, snapshots: Sequence[Manifest]) -> list[str]:
    """Return what a figure needs and the snapshots do not have: columns as `models.size`."""
    if len(snapshots) < figure.snapshots:
        return [f"{figure.snapshots} snapshots; there is {len(snapshots)}"]
    there = snapshots[-1].tables
    return [
        f"{table}.{column}"
        for table, columns in figure.needs.items()
        for column in columns
        if table not in there or column in there[table].missing
    ]


def chosen(figure: Figure, given: Mapping[str, Value]) -> dict[str, Value]:
    """Return the value of each parameter: what is given, of the right type and in its bounds."""
    known = {one.name: one for one in figure.parameters}
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        there = ", ".join(sorted(known)) or "none"
        raise BadParameter(f"{figure.id} has no parameter {unknown[0]!r}; it has: {there}")
    values: dict[str, Value] = {}
    for name, one in known.items():
        value = given.get(name, one.default)
        try:
            value = type(one.default)(value)
        except ValueError as bad:
            raise BadParameter(f"{name} must be like {one.default!r}, got {value!r}") from bad
        if one.choices and value not in one.choices:
            raise BadParameter(f"{name} must be one of {', '.join(one.choices)}, got {value!r}")
        if isinstance(value, int | float) and not (
            (one.least is None or value >= one.least) and (one.most is None or value <= one.most)
        ):
            raise BadParameter(f"{name} must be {one.least} to {one.most}, got {value!r}")
        values[name] = value
    return values


def empty(figure: Figure) -> "pa.Table":
    """Return a figure's table without rows."""
    return _typed(figure, None)


def _answered(
    figure: Figure,
    sql: str,
    engine: Engine,
    snapshots: Sequence[Manifest],
    parameters: Mapping[str, Value],
) -> Finished:
    table = engine.query(sql, parameters)
    if figure.finish is None:
        return Finished(table)
    context = Context(
        parameters=parameters,
        taken_at=[one.taken_at for one in snapshots],
        query=lambda more: engine.query(more, parameters),
    )
    return figure.finish(table, context)


def _n(sql: str, engine: Engine, parameters: Mapping[str, Value]) -> int:
    view = "universe" if "universe" in sql else "models"
    return engine.query(f"SELECT count(*) AS n FROM {view}", parameters)["n"][0].as_py()


def _flagged(engine: Engine, snapshot: Manifest) -> list[Flag]:
    if "models" not in snapshot.tables:
        return []
    rows = engine.query(
        "SELECT f.id, m.downloads_30d, min(f.reason) AS reason FROM known_flags AS f "
        "JOIN raw_models AS m ON m.id = f.id GROUP BY f.id, m.downloads_30d "
        f"ORDER BY m.downloads_30d DESC, f.id LIMIT {FLAGGED_SHOWN}",
        {},
    )
    return [Flag(**row) for row in rows.to_pylist()]


def _typed(figure: Figure, table: "pa.Table | None") -> "pa.Table":
    """The declared columns in their order and types; those of the SQL besides them are dropped."""
    import pyarrow as pa

    schema = pa.schema([pa.field(one.name, _arrow(one)) for one in figure.columns])
    if table is None:
        return schema.empty_table()
    return table.select(schema.names).cast(schema)


def _arrow(answer: Answer) -> "pa.DataType":
    import pyarrow as pa

    return {
        "text": pa.string(),
        "whole": pa.int64(),
        "real": pa.float64(),
        "flag": pa.bool_(),
        "day": pa.date32(),
        "time": pa.timestamp("us"),
    }[answer.kind]
