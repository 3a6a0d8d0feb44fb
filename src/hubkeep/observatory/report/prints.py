# SPDX-License-Identifier: Apache-2.0
"""A figure as Markdown: with its picture, its table and all that it says, ready to be printed."""

import re
from collections.abc import Sequence
from html import escape
from typing import Final

from hubkeep.observatory.document import FigureDocument
from hubkeep.observatory.report.said import cell_text, flags, remarks

ROWS: Final = 50
_MARKS: Final = re.compile(r"([\\`*_\[\]#!|~$@:])")
_WWW: Final = re.compile(r"\bwww\.", re.IGNORECASE)
_NUMBERS: Final = ("whole", "real")


def markdown_of(document: FigureDocument, picture: str | None = None) -> bytes:
    """Return a figure as Markdown; `picture` is the name of the file beside it that draws it.

    What a snapshot says in its texts is never a mark, a link or HTML.
    """
    parts = [f"# {document.id} {document.title}", f"*{document.question}*"]
    if picture:
        parts.append(f"![{document.title}]({picture})")
    parts.append(f"{plain(document.caption)}")
    parts += [plain(one) for one in remarks(document)]
    told, flagged = flags(document)
    if told:
        parts += [f"{told}:", _list([plain(one) for one in flagged])]
    parts += _table(document)
    if document.scalars:
        lines = [
            f"| {plain(name)} | {plain(cell_text(value))} |" for name, value in _scalars(document)
        ]
        parts.append("\n".join(["| number | |", "| --- | --- |", *lines]))
    parts += ["## Definitions", _list(document.definitions)]
    parts.append(
        _list([f"`{one.name}`: {one.meaning}{_unit(one.unit)}" for one in document.columns])
    )
    if document.sources:
        parts += ["## Sources", _list(document.sources)]
    parts += ["## SQL", f"```sql\n{document.sql.strip()}\n```"]
    made = f"Hubkeep {document.version}, snapshot {document.snapshot.hash}"
    return "\n\n".join([*parts, made, ""]).encode("utf-8", errors="replace")


def plain(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    marked = _MARKS.sub(r"\\\1", " ".join(text.split()))
    return escape(_WWW.sub(r"www\\.", marked), quote=False)


def _table(document: FigureDocument) -> Sequence[str]:
    table = document.table
    if not table.rows:
        return ["The table has no rows."]
    units = [one.unit for one in document.columns]
    marks = ["---:" if one.kind in _NUMBERS else "---" for one in document.columns]
    lines = [_row(table.columns), _row(marks)]
    lines += [
        _row([plain(cell_text(cell, unit)) for cell, unit in zip(row, units, strict=True)])
        for row in table.rows[:ROWS]
    ]
    parts = ["\n".join(lines)]
    if len(table.rows) > ROWS:
        parts.append(f"The first {ROWS} of {len(table.rows):,} rows.")
    return parts


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _list(texts: Sequence[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _unit(unit: str) -> str:
    return f" ({unit})" if unit else ""


def _scalars(document: FigureDocument) -> Sequence[tuple[str, "str | int | float | bool | None"]]:
    return list(document.scalars.items())
