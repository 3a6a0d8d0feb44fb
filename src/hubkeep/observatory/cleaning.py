# SPDX-License-Identifier: Apache-2.0
"""What comes into a snapshot: each value of the type that the schema says, or null, and counted.

Everything is done in SQL, a column at a time: sources have millions of rows.
"""

from dataclasses import dataclass
from typing import Final

from hubkeep.observatory.schema import Column, Kind, Table

MOST: Final = 1 << 53
"""No count is higher: beyond, JSON and floats have lost its last digits already."""

MOST_COUNTED: Final = 10**12
"""No counter of downloads or likes is higher: hundreds of times what any hub has counted of one
repository, and few enough that millions of them have a sum.
"""

MAX_TEXT: Final = 256
MAX_ID: Final = 193

_FIRST_DAY: Final = "TIMESTAMP '2015-01-01'"
# Control characters, and those that turn or hide what stands around them.
_HIDDEN: Final = (
    r"[\x00-\x1f\x7f-\x{9f}\x{ad}\x{61c}\x{180e}\x{200b}-\x{200f}\x{2028}-\x{202e}"
    r"\x{2060}-\x{206f}\x{feff}\x{fff9}-\x{fffb}\x{e0000}-\x{e007f}]"
)
_ID: Final = r"^[\w.-]+(/[\w.-]+)?$"
_COUNTERS: Final = frozenset({"downloads_30d", "downloads_all", "likes"})
_IDS: Final = frozenset({"id", "child", "parent", "name"})
_WHOLE_TYPES: Final = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
    | {"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
)


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


def cleaned(column: Column, source_type: str, latest: str) -> Cleaned:
    """Return how a column of the source, of the same name, becomes one of the snapshot.

    `source_type` is what DuckDB says of the source's column. `latest` is SQL for the last moment
    that a date may have.
    """
    name = f'"{column.name}"'
    if column.kind is Kind.TEXT:
        return _text(column, _as_text(name, source_type))
    value = _typed(column.kind, name, source_type)
    match column.kind:
        case Kind.WHOLE:
            most = MOST_COUNTED if column.name in _COUNTERS else MOST
            wrong = f"({value} < 0 OR {value} > {most})"
        case Kind.REAL:
            wrong = f"(NOT isfinite({value}) OR {value} < 0 OR {value} > {MOST})"
        case Kind.TIME | Kind.DAY:
            wrong = f"({value} < {_FIRST_DAY} OR {value} > {latest})"
        case _:
            wrong = "false"
    checks = (
        Check(
            f"{column.name} is no {_word(column.kind)}", f"{name} IS NOT NULL AND {value} IS NULL"
        ),
        Check(f"{column.name} cannot be", f"coalesce({wrong}, false)"),
    )
    return Cleaned(column, f"CASE WHEN NOT coalesce({wrong}, false) THEN {value} END", checks)


def lacking(table: Table) -> str:
    """Return SQL for why a row cannot stay: what has to be there and is not; null if it can stay.

    It reads the cleaned columns.
    """
    cases = [
        f"WHEN \"{column.name}\" IS NULL THEN 'no usable {column.name}'"
        for column in table.columns
        if column.required
    ]
    return f"CASE {' '.join(cases)} END"


def _typed(kind: Kind, name: str, source_type: str) -> str:
    """A value of this type; null where it is none.

    Types that have nothing to do with each other are none: DuckDB would make 1 of true, and dates
    of text as if every zone was UTC.
    """
    text = f"trim({_as_text(name, source_type)})"
    match kind:
        case Kind.WHOLE if source_type in _WHOLE_TYPES:
            return f"TRY_CAST({name} AS BIGINT)"
        case Kind.WHOLE:
            whole = f"TRY_CAST({text} AS BIGINT)"
            return (
                f"CASE WHEN TRY_CAST({text} AS DOUBLE) = CAST({whole} AS DOUBLE) THEN {whole} END"
            )
        case Kind.REAL if source_type in ("DOUBLE", "FLOAT"):
            return f"TRY_CAST({name} AS DOUBLE)"
        case Kind.FLAG if source_type == "BOOLEAN":
            return name
        case Kind.TIME | Kind.DAY if source_type == "TIMESTAMP WITH TIME ZONE":
            return f"CAST({name} AT TIME ZONE 'UTC' AS {kind.value})"
        case Kind.TIME | Kind.DAY if source_type == "DATE" or source_type.startswith("TIMESTAMP"):
            return f"TRY_CAST({name} AS {kind.value})"
        case Kind.TIME | Kind.DAY:
            zoned = f"TRY_CAST({text} AS TIMESTAMPTZ)"
            return f"CAST({zoned} AT TIME ZONE 'UTC' AS {kind.value})"
        case _:
            return f"TRY_CAST({text} AS {kind.value})"


def _as_text(name: str, source_type: str) -> str:
    # The text of a JSON string is what stands between its quotes.
    return f"({name} ->> '$')" if source_type == "JSON" else f"CAST({name} AS VARCHAR)"


def _text(column: Column, text: str) -> Cleaned:
    if column.name in _IDS and column.required:
        fits = f"length({text}) <= {MAX_ID} AND regexp_matches({text}, '{_ID}')"
        return Cleaned(column, f"CASE WHEN {fits} THEN {text} END", ())
    if column.choices:
        known = ", ".join(f"'{choice}'" for choice in column.choices)
        value = f"CASE WHEN {text} IN ({known}) THEN {text} END"
        check = Check(
            f"{column.name} is none of {', '.join(column.choices)}",
            f"{text} IS NOT NULL AND NOT {text} IN ({known})",
        )
        return Cleaned(column, value, () if column.required else (check,))
    too_long = f"coalesce(length({text}) > {MAX_TEXT}, false)"
    hidden = f"coalesce(regexp_matches({text}, '{_HIDDEN}'), false)"
    seen = f"CASE WHEN {hidden} THEN regexp_replace({text}, '{_HIDDEN}', '', 'g') ELSE {text} END"
    value = f"CASE WHEN NOT {too_long} THEN nullif(trim({seen}), '') END"
    checks = (
        Check(f"{column.name} is longer than {MAX_TEXT} letters", too_long),
        Check(f"{column.name} had characters that cannot be seen", f"NOT {too_long} AND {hidden}"),
    )
    return Cleaned(column, value, checks)


def _word(kind: Kind) -> str:
    return {
        Kind.WHOLE: "whole number",
        Kind.REAL: "number",
        Kind.FLAG: "yes or no",
        Kind.TIME: "time",
        Kind.DAY: "day",
    }.get(kind, "text")
