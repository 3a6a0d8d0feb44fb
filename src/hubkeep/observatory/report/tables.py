# SPDX-License-Identifier: Apache-2.0
"""A figure's table as files: CSV that no spreadsheet runs, and Parquet that says its units."""

import io
import re
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.document import Cell, FigureDocument, TableOf

if TYPE_CHECKING:
    import pyarrow as pa

HARMFUL: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a text begins with that spreadsheets take for a formula."""

_QUOTE: Final = '"'
_SPECIAL: Final = re.compile(r'[",\r\n]')


def csv_of(document: FigureDocument) -> bytes:
    """Return the table of a figure as CSV: see `csv_of_table`."""
    return csv_of_table(document.table)


def csv_of_table(table: TableOf) -> bytes:
    """Return a table as CSV (RFC 4180, lines end with a line feed), the same bytes every time.

    A text that a spreadsheet would run begins with an apostrophe; numbers are as they are, in the
    fewest digits that give the same number again. What is missing is empty.
    """
    rows = (table.columns, *table.rows)
    text = "".join(f"{','.join(map(_written, row))}\n" for row in rows)
    return text.encode("utf-8", errors="replace")


def parquet_of(table: "pa.Table", document: FigureDocument) -> bytes:
    """Return the table as Parquet; its metadata say figure, snapshot, and what columns mean."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [
        field.with_metadata({"meaning": one.meaning, "unit": one.unit})
        for field, one in zip(table.schema, document.columns, strict=True)
    ]
    about = {
        "figure": document.id,
        "title": document.title,
        "snapshot": document.snapshot.id,
        "snapshot_hash": document.snapshot.hash,
        "n": str(document.n),
    }
    file = io.BytesIO()
    pq.write_table(table.cast(pa.schema(fields, about)), file, compression="zstd")
    return file.getvalue()


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if not isinstance(cell, str):
        return repr(cell)
    text = f"'{cell}" if cell.startswith(HARMFUL) else cell
    return f'"{text.replace(_QUOTE, _QUOTE * 2)}"' if _SPECIAL.search(text) else text
