# SPDX-License-Identifier: Apache-2.0
"""What comes into a snapshot: each value of the type that the schema says, or null, and counted.

Everything is done in SQL, a column at a time: sources have millions of rows.
"""

from dataclasses import dataclass
from typing import Final

from hubkeep.observatory.schema import Column, Kind, Table

MOST: Final = 1 << 53
"""No count is higher: beyond, JSON and floats have lost its last digits already."""

MAX_TEXT: Final = 256
MAX_ID: Final = 193

_FIRST_DAY: Final = "TIMESTAMP '2015-01-01'"
# Control characters, and those that turn or hide what stands around them.
_HIDDEN: Final = (
    r"[\x00-\x1f\x7f-\x{9f}\x{ad}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{feff}]"
)
_ID: Final = r"^[\w.-]+(/[\w.-]+)?$"


@dataclass(frozen=True, slots=True)
class Check:
    """A reason why a value is no value: `when` is SQL that holds for such a row."""

    reason: str
    when: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A column on its way in: the SQL of its value, and what would make it null."""

    column: Column
    value: str
    checks: tuple[Check, ...]


def cleaned(column: Column, latest: str) -> Cleaned:
    """Return how a column of the source, of the same name, becomes one of the snapshot.

    `latest` is SQL for the last moment that a date may have.
    """
    name = f'"{column.name}"'
    match column.kind:
        case Kind.TEXT:
            return _text(column, name)
        case Kind.WHOLE:
            value = f"TRY_CAST({name} AS BIGINT)"
            wrong = f"({value} < 0 OR {value} > {MOST})"
        case Kind.REAL:
            value = f"TRY_CAST({name} AS DOUBLE)"
            wrong = f"(NOT isfinite({value}) OR {value} < 0)"
        case Kind.FLAG:
            value, wrong = f"TRY_CAST({name} AS BOOLEAN)", "false"
        case Kind.TIME | Kind.DAY:
            value = f"TRY_CAST({name} AS {column.kind.value})"
            wrong = f"({value} < {_FIRST_DAY} OR {value} > {latest})"
    checks = (
        Check(
            f"{column.name} is no {_word(column.kind)}", f"{name} IS NOT NULL AND {value} IS NULL"
        ),
        Check(f"{column.name} cannot be", f"coalesce({wrong}, false)"),
    )
    return Cleaned(column, f"CASE WHEN NOT coalesce({wrong}, false) THEN {value} END", checks)


def is_row(table: Table) -> str:
    """Return SQL that holds for rows that can stay: what has to be there is there."""
    return " AND ".join(
        f'"{column.name}" IS NOT NULL' for column in table.columns if column.required
    )


def _text(column: Column, name: str) -> Cleaned:
    text = f"CAST({name} AS VARCHAR)"
    if column.required:
        fits = f"length({text}) <= {MAX_ID} AND regexp_matches({text}, '{_ID}')"
        value = f"CASE WHEN {fits} THEN {text} END"
        if column.name not in ("id", "child", "parent", "name"):
            value = f"CASE WHEN length({text}) <= {MAX_TEXT} THEN {_shown(text)} END"
        return Cleaned(column, value, ())
    too_long = f"length({text}) > {MAX_TEXT}"
    check = Check(
        f"{column.name} is longer than {MAX_TEXT} letters", f"coalesce({too_long}, false)"
    )
    return Cleaned(
        column, f"CASE WHEN NOT coalesce({too_long}, false) THEN {_shown(text)} END", (check,)
    )


def _shown(text: str) -> str:
    """Text without what cannot be seen; null where nothing is left."""
    seen = f"regexp_replace({text}, '{_HIDDEN}', '', 'g')"
    kept = f"CASE WHEN regexp_matches({text}, '{_HIDDEN}') THEN {seen} ELSE {text} END"
    return f"nullif(trim({kept}), '')"


def _word(kind: Kind) -> str:
    return {
        Kind.WHOLE: "whole number",
        Kind.REAL: "number",
        Kind.FLAG: "yes or no",
        Kind.TIME: "time",
        Kind.DAY: "day",
    }.get(kind, "text")
