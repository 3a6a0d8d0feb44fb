# SPDX-License-Identifier: Apache-2.0
"""What a figure is: a question, the SQL that answers it, and what is done with the rows after that.

A figure lies in two files of `figures/`: `f1.sql`, and `f1.py` with `FIGURE = Figure(...)`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Scalar = float | int | str | bool | None
Value = str | int | float | bool


class BadParameter(ValueError):
    """A parameter that there is not, or a value that it cannot take; the text says why."""


ColumnKind = Literal["text", "whole", "real", "flag", "day", "time"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A column of a figure's table. `unit` is what its numbers are: models, downloads, bytes, kg,
    share (0 to 1), ...
    """

    name: str
    kind: ColumnKind
    meaning: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a reader may set; it is `$name` in the SQL. `choices` are all values of a text."""

    name: str
    default: Value
    meaning: str
    choices: Sequence[str] = ()
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a finishing function may know besides its table."""

    parameters: Mapping[str, Value]
    taken_at: Sequence[str]
    """Of the snapshots, oldest first."""
    query: Callable[[str], "pa.Table"]
    """Runs more SQL over the same views, with the same parameters. Its rows come in the order that
    it asks for: without ORDER BY the order is any.
    """
    absent: Collection[str] = ()
    """What the figure wants and the source does not have, as `models.size`."""
    has_reference: bool = False
    """Whether the views `reference_*` have another hub, instead of no rows."""
    reference_absent: Collection[str] = ()
    """What the figure compares with and the source of that hub does not have."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What a figure says in the end: its table, and numbers by name (R2, Gini, reporting rate).

    `n` is how many rows of the snapshot the numbers are made of, without those that `excluded`
    counts; None stands for all rows of the view `universe`, if the SQL reads it, or `models`.
    """

    table: "pa.Table"
    scalars: Mapping[str, Scalar] = field(default_factory=dict)
    n: int | None = None
    excluded: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    """Rows of the universe without the value that is asked about, by column: no zero, nothing."""
    notes: Sequence[str] = ()
    points: Mapping[str, "pa.Table"] = field(default_factory=dict)
    """Further tables that the chart draws, by the name that it calls their data."""


Chart = Mapping[str, object]
"""A Vega-Lite specification whose data is the figure's table, by the name `table`, and what
`Finished.points` has.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure, as everything that shows one needs it."""

    id: str
    """F1, S6, B17: as readers and file names have it."""
    title: str
    question: str
    definitions: Sequence[str]
    """What each word of the title means, exactly: units, filters, what counts as missing."""
    columns: Sequence[Answer]
    needs: Mapping[str, Sequence[str]]
    """Columns of the snapshot without which there is no answer, by table."""
    chart: Callable[["pa.Table", Mapping[str, Scalar]], Chart]
    wants: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Columns that it can do without: what depends on them is null then, and a note says so."""
    parameters: Sequence[Parameter] = ()
    snapshots: int = 1
    """How many it needs at least."""
    instead: int = 0
    """So many snapshots of models stand in for what it needs of one; 0 is that nothing does."""
    reference: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Columns of another hub's snapshot that it compares with: without one, or without them, what
    depends on it is left empty, and a note says so.
    """
    finish: Callable[["pa.Table", Context], Finished] | None = None
    sources: Sequence[str] = ()
    """Where a formula or a rule is from."""
