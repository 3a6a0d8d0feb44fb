# SPDX-License-Identifier: Apache-2.0
"""What a figure says in words, and its numbers as people write them: for pages and prints."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from hubkeep.observatory.document import Cell, FigureDocument

NOTHING: Final = "\N{EN DASH}"
"""What stands where there is no value, which is not a zero."""

_LONGEST: Final = 160
_UNITS: Final = ("kB", "MB", "GB", "TB", "PB")
_DONE_WITH: Final = {
    "mark": "left out of shares",
    "keep": "counted like all others",
    "drop": "left out of everything",
}


def cell_text(cell: Cell, unit: str = "") -> str:
    """Return a cell as people read it: rounded, in its unit; no more than 160 letters of a text."""
    if cell is None:
        return NOTHING
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, str):
        return cell if len(cell) <= _LONGEST else f"{cell[:_LONGEST]} …"
    if unit == "share":
        return _per_cent(float(cell))
    if unit == "bytes":
        return _bytes(float(cell))
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.4g}"


def remarks(document: FigureDocument) -> Sequence[str]:
    """Return what a reader has to know before believing a figure, in sentences."""
    said = []
    if document.missing_columns:
        said.append(lack(document))
    if document.excluded:
        said.append(f"Left out: {_counted(document.excluded)}.")
    if document.missing:
        said.append(f"Without a value, of those that count: {_counted(document.missing)}.")
    said += _filters(document)
    said += document.notes
    return said


def lack(document: FigureDocument) -> str:
    """Return why there is no answer; empty where there is one."""
    lacks = document.missing_columns
    if not lacks:
        return ""
    columns = ", ".join(one for one in lacks if " " not in one)
    if columns:
        return f"There is no answer: the source does not have {columns}."
    return f"There is no answer: it needs {', '.join(lacks)}."


def flags(document: FigureDocument) -> tuple[str, Sequence[str]]:
    """Return how many counters stand out and what became of them, and a line for each that is
    known by name; nothing where none does.
    """
    n = document.n_flagged
    if not n:
        return "", []
    stand = "counter stands" if n == 1 else "counters stand"
    lines = [
        f"{cell_text(one.id)}: {one.downloads_30d:,} downloads, {one.reason}"
        for one in document.flagged
    ]
    more = n - len(lines)
    rest = [f"and {more:,} more"] if more else []
    return f"{n:,} {stand} out, {_DONE_WITH[document.filters.flagged]}", [*lines, *rest]


def _filters(document: FigureDocument) -> Sequence[str]:
    chosen = document.filters
    said = []
    if chosen.org_type:
        said.append(f"of organisations of the type {chosen.org_type}")
    if chosen.since:
        said.append(f"made on {chosen.since} or later")
    if chosen.until:
        said.append(f"made on {chosen.until} or before")
    return [f"Only models {' and '.join(said)}."] if said else []


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {what.replace('_', ' ')}" for what, n in counts.items())


def _per_cent(share: float) -> str:
    part = 100 * share
    return f"{part:.1f}%" if not part or abs(part) >= 0.1 else f"{part:.2g}%"


def _bytes(size: float) -> str:
    if abs(size) < 1000:
        return f"{size:.0f} B"
    at = min(int(math.log10(abs(size)) / 3), len(_UNITS))
    return f"{size / 1000**at:.3g} {_UNITS[at - 1]}"
