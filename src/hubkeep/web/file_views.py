# SPDX-License-Identifier: Apache-2.0
"""Files as pages show them: lines of text, and rows of a table."""

import csv
import io
from collections.abc import Sequence

import msgspec

from hubkeep.web.markdown import highlight
from hubkeep.web.words import plain

MAX_LINES = 20_000
MAX_ROWS = 200
MAX_COLUMNS = 60
MAX_CELL = 500

_TABLE_BYTES = 1 << 20


class Lines(msgspec.Struct, rename="camel"):
    """Text by lines, each as safe HTML; `total` is how many the file has."""

    html: Sequence[str]
    total: int


class Table(msgspec.Struct, rename="camel"):
    """The first rows of a table; long cells end in an ellipsis. `isCut` if there is more."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    is_cut: bool


def text_of(content: bytes) -> str:
    """Return text whose lines end in line feeds; what is no UTF-8 is marked."""
    return content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")


def lines_of(text: str, name: str) -> Lines:
    """Return the lines of a text, in colours where its name says in which."""
    html = highlight(text, name)
    if html is not None:
        return Lines(html[:MAX_LINES], len(html))
    lines = text.removesuffix("\n").split("\n") if text else []
    return Lines([str(plain(line)) for line in lines[:MAX_LINES]], len(lines))


def table_of(content: bytes, name: str) -> Table | None:
    """Return the beginning of a CSV or TSV file; None for what is no such table."""
    start = content[:_TABLE_BYTES]
    if len(start) < len(content):
        start = start[: start.rfind(b"\n") + 1]
    text = start.decode("utf-8-sig", "replace")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, name))
    rows: list[list[str]] = []
    is_cut = len(start) < len(content)
    try:
        for row in reader:
            is_cut = is_cut or len(row) > MAX_COLUMNS or len(rows) > MAX_ROWS
            if len(rows) > MAX_ROWS:
                break
            rows.append([_cell(cell) for cell in row[:MAX_COLUMNS]])
    except csv.Error:
        return None
    if not rows:
        return None
    width = max(map(len, rows))
    head, *below = [row + [""] * (width - len(row)) for row in rows]
    return Table(head, below, is_cut)


def _delimiter(text: str, name: str) -> str:
    if name.lower().endswith(".tsv"):
        return "\t"
    first = text.partition("\n")[0]
    return max(",;\t|", key=first.count)


def _cell(text: str) -> str:
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}…"
