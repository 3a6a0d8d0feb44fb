# SPDX-License-Identifier: Apache-2.0
"""Figures, run: from a question and a snapshot to a table that says where it is from."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.engine import Engine
from hubkeep.observatory.figure import (
    Answer,
    BadParameter,
    Context,
    Figure,
    Finished,
    Parameter,
    Scalar,
    Value,
)
from hubkeep.observatory.filters import Filters, conditions
from hubkeep.observatory.manifest import Manifest
from hubkeep.observatory.schema import MODELS
from hubkeep.observatory.views import needed

if TYPE_CHECKING:
    import altair as alt
    import pyarrow as pa

__all__ = ["BadParameter", "Flag", "Result", "chosen", "empty", "lacking", "run"]

FLAGGED_SHOWN: Final = 20
NO_REFERENCE: Final = (
    "There is no snapshot of another hub to compare with: what depends on one is left empty."
)

_FLAGS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


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
    points: Mapping[str, "pa.Table"]
    """Further tables that the chart draws."""
    scalars: Mapping[str, Scalar]
    n: int
    """Rows that the figure is about."""
    excluded: Mapping[str, int]
    """Rows that were left out, by reason: what the reader's filters and the figure's rules do."""
    missing: Mapping[str, int]
    """Rows that the figure is about without the value, by column."""
    missing_columns: Sequence[str]
    """Columns that the source does not have and without which there is no answer: then n is 0."""
    flagged: Sequence[Flag]
    """The largest FLAGGED_SHOWN counters of the snapshot that stand out."""
    n_flagged: int
    """How many stand out in all."""
    notes: Sequence[str]
    snapshots: Sequence[Manifest]
    dimensions: str
    sql: str
    reference: Manifest | None = None
    """The snapshot of another hub that was at hand to compare with."""

    @property
    def window(self) -> str:
        """The day of the snapshot, or the first and the last of several."""
        days = [one.taken_at[:10] for one in self.snapshots]
        over_time = self.figure.snapshots > 1 and len(days) > 1
        return f"{days[0]} to {days[-1]}" if over_time else days[-1]

    def chart(self) -> "alt.TopLevelMixin":
        """Return the chart, with its data in it, as Altair has charts: a notebook draws it."""
        from hubkeep.observatory.notebook import chart_in_notebook

        return chart_in_notebook(self)


def run(
    figure: Figure,
    sql: str,
    engine: Engine,
    snapshots: Sequence[Manifest],
    dimensions: str,
    given: Mapping[str, Value] | None = None,
    filters: Filters | None = None,
    reference: Manifest | None = None,
) -> Result:
    """Answer a figure's question for the last of the snapshots, which `engine` has opened.

    Raises BadParameter. Where the snapshot lacks what the figure needs, or there are fewer
    snapshots than it needs, the table is empty, n is 0 and the result says what is missing.
    """
    filters = filters or Filters()
    parameters = chosen(figure, given or {})
    lacks = lacking(figure, snapshots, parameters)
    if lacks:
        finished = Finished(empty(figure), n=0)
    else:
        finished = _answered(figure, sql, engine, snapshots, parameters, reference)
    flagged = _flagged(engine)
    return Result(
        figure=figure,
        parameters=parameters,
        filters=filters,
        table=_typed(figure, finished.table),
        points=finished.points,
        scalars=finished.scalars,
        n=finished.n if finished.n is not None else _n(sql, engine, parameters),
        excluded={} if lacks else {**_filtered(engine, filters), **_some(finished.excluded)},
        missing=_some(finished.missing),
        missing_columns=lacks,
        flagged=flagged[:FLAGGED_SHOWN],
        n_flagged=len(flagged),
        notes=[]
        if lacks
        else [*finished.notes, *_notes(figure, snapshots[-1], parameters, reference)],
        snapshots=snapshots,
        dimensions=dimensions,
        sql=sql,
        reference=reference,
    )


def lacking(
    figure: Figure, snapshots: Sequence[Manifest], parameters: Mapping[str, Value] | None = None
) -> list[str]:
    """Return what a figure needs and the snapshots do not have: columns as `models.size`."""
    if len(snapshots) < figure.snapshots:
        return [f"{figure.snapshots} snapshots; there is {len(snapshots)}"]
    needs = {table: list(columns) for table, columns in figure.needs.items()}
    rule = (parameters or {}).get("rule")
    if isinstance(rule, str):
        models = needs.setdefault("models", [])
        models += [column for column in needed(rule) if column not in models]
    lacks = _absent(needs, snapshots[-1])
    looks = sum(MODELS.name in one.tables for one in snapshots)
    if lacks and figure.instead:
        if looks >= figure.instead:
            return []
        return [f"{', '.join(lacks)}, or {figure.instead} snapshots of models; there is {looks}"]
    usable = sum(not _absent(needs, one) for one in snapshots)
    if not lacks and usable < figure.snapshots:
        columns = ", ".join(f"{table}.{name}" for table in needs for name in needs[table])
        return [f"{figure.snapshots} snapshots with {columns}; there is {usable}"]
    return lacks


def _absent(columns: Mapping[str, Sequence[str]], snapshot: Manifest) -> list[str]:
    there = snapshot.tables
    return [
        f"{table}.{name}"
        for table, names in columns.items()
        for name in names
        if table not in there or name in there[table].missing
    ]


def chosen(figure: Figure, given: Mapping[str, Value]) -> dict[str, Value]:
    """Return the value of each parameter: what is given, of the right type and in its bounds."""
    known = {one.name: one for one in figure.parameters}
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        there = ", ".join(sorted(known)) or "none"
        raise BadParameter(f"{figure.id} has no parameter {unknown[0]!r}; it has: {there}")
    return {name: _value(one, given.get(name, one.default)) for name, one in known.items()}


def _value(parameter: Parameter, given: Value) -> Value:
    name, default = parameter.name, parameter.default
    value: Value
    try:
        value = _FLAGS[str(given).lower()] if isinstance(default, bool) else type(default)(given)
    except (ValueError, KeyError, OverflowError) as bad:
        raise BadParameter(f"{name} must be like {default!r}, got {given!r}") from bad
    if parameter.choices and value not in parameter.choices:
        raise BadParameter(f"{name} must be one of {', '.join(parameter.choices)}, got {value!r}")
    least, most = parameter.least, parameter.most
    low = -math.inf if least is None else least
    high = math.inf if most is None else most
    if isinstance(value, int | float) and not low <= value <= high:
        raise BadParameter(f"{name} must be {_bounds(least, most)}, got {value!r}")
    return value


def _bounds(least: float | None, most: float | None) -> str:
    if least is None:
        return f"at most {most:,}"
    return f"at least {least:,}" if most is None else f"{least:,} to {most:,}"


def empty(figure: Figure) -> "pa.Table":
    """Return a figure's table without rows."""
    return _typed(figure, None)


def _answered(
    figure: Figure,
    sql: str,
    engine: Engine,
    snapshots: Sequence[Manifest],
    parameters: Mapping[str, Value],
    reference: Manifest | None,
) -> Finished:
    table = engine.query(sql, parameters)
    if figure.finish is None:
        return Finished(table)
    context = Context(
        parameters=parameters,
        taken_at=[one.taken_at for one in snapshots],
        query=lambda more: engine.query(more, parameters),
        absent=_absent(figure.wants, snapshots[-1]),
        has_reference=reference is not None,
        reference_absent=_absent(figure.reference, reference) if reference else (),
    )
    return figure.finish(table, context)


def _n(sql: str, engine: Engine, parameters: Mapping[str, Value]) -> int:
    view = "universe" if "universe" in sql else "models"
    return engine.query(f"SELECT count(*) AS n FROM {view}", parameters)["n"][0].as_py()


def _filtered(engine: Engine, filters: Filters) -> dict[str, int]:
    """Models that the reader's filters leave out, by the first reason that holds."""
    failed = conditions(filters)
    if not failed:
        return {}
    whens = " ".join(
        f"WHEN NOT ({one.sql}) OR ({one.sql}) IS NULL THEN {at}" for at, one in enumerate(failed)
    )
    rows = engine.query(
        f"SELECT failed, count(*) AS n FROM (SELECT CASE {whens} END AS failed FROM known_models) "
        "AS m WHERE failed IS NOT NULL GROUP BY failed ORDER BY failed",
        {},
    )
    return {failed[row["failed"]].reason: row["n"] for row in rows.to_pylist()}


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: n for name, n in counts.items() if n}


def _notes(
    figure: Figure,
    snapshot: Manifest,
    parameters: Mapping[str, Value],
    reference: Manifest | None,
) -> list[str]:
    wanted = dict(figure.wants)
    if parameters.get("rule") == "union":
        wanted["models"] = [*wanted.get("models", ()), "trending"]
    notes = [
        f"The source does not have {column}: what depends on it is left empty."
        for column in _absent(wanted, snapshot)
    ]
    if figure.reference and reference is None:
        return [*notes, NO_REFERENCE]
    return notes + [
        f"The source of the other hub does not have {column}: what depends on it is left empty."
        for column in (_absent(figure.reference, reference) if reference else ())
    ]


def _flagged(engine: Engine) -> list[Flag]:
    rows = engine.query(
        "SELECT id, downloads_30d, reason FROM known_flags ORDER BY downloads_30d DESC, id",
        {},
    )
    return [Flag(**row) for row in rows.to_pylist()]


def _typed(figure: Figure, table: "pa.Table | None") -> "pa.Table":
    """The declared columns in their order and types; those of the SQL besides them are dropped."""
    import pyarrow as pa

    schema = pa.schema([pa.field(one.name, _arrow(one)) for one in figure.columns])
    if table is None or not table.num_rows:
        return schema.empty_table()
    return table.select(schema.names).cast(schema).combine_chunks()


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
