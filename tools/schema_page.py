# SPDX-License-Identifier: Apache-2.0
"""`docs/observatory/schema.md`: the tables of a snapshot, as the source defines them."""

from collections.abc import Iterator

from hubkeep.observatory.schema import TABLES, VERSION, Column, Kind, Table

_HEAD = f"""\
<!-- Written by `make docs` from the source; not by hand. -->
# The tables of a snapshot

This is version {VERSION} of the schema. A [snapshot](snapshots.md) has one Parquet file for each
table that its source tells of, always with all columns of the table, in this order. A column that
the source does not have is null throughout, and the manifest lists it as missing: null is never
zero. Times are UTC.
"""

_TYPES = {
    Kind.TEXT: "text",
    Kind.WHOLE: "whole number",
    Kind.REAL: "number",
    Kind.FLAG: "yes or no",
    Kind.TIME: "time",
    Kind.DAY: "day",
}


def schema_page() -> str:
    """Return the page as Markdown."""
    lines = [_HEAD]
    for table in TABLES.values():
        lines += _section(table)
    return "\n".join(lines).rstrip("\n") + "\n"


def _section(table: Table) -> Iterator[str]:
    order = ", ".join(f"`{name}`" for name in table.order)
    yield from (f"## {table.name}", "")
    yield from (f"{table.meaning.capitalize()}. Sorted by {order}, which no two rows share.", "")
    yield from ("| column | type | |", "| --- | --- | --- |")
    for column in table.columns:
        kind = f"{_TYPES[column.kind]}, always there" if column.required else _TYPES[column.kind]
        yield f"| `{column.name}` | {kind} | {_meaning(column)} |"
    yield ""


def _meaning(column: Column) -> str:
    choices = ", ".join(f"`{choice}`" for choice in column.choices)
    return f"{column.meaning}: {choices}" if choices else column.meaning
