# SPDX-License-Identifier: Apache-2.0
"""Files of strangers, opened: Parquet, CSV and JSON as rows of a view, told apart by what is in
them.
"""

import csv
import io
import mmap
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from hubkeep.observatory.imports.fields import FIELDS
from hubkeep.observatory.workbench import quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Format = Literal["Parquet", "CSV", "JSON lines", "JSON"]

_HEAD: Final = 1 << 16
MAX_LINE: Final = 4 << 20
"""Longest line of a CSV file and largest object of a JSON file that is read, in bytes."""

_REJECTS: Final = 1_000_000
_LINE: Final = re.compile(rb"[^\r\n][^\n]*")


class BadFile(ValueError):
    """A file that cannot be read as what it seems to be; the text names it and says why."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file as the view `source`: the types of its columns by name, in the words of DuckDB."""

    name: str
    format: Format
    columns: Mapping[str, str]
    unreadable: int
    """Lines that could not be read and are left out."""


def open_file(connection: "DuckDBPyConnection", path: Path) -> Opened:
    """Make the view `source` of a file's rows.

    Text stays text: what is a number or a time is told when rows are cleaned. Raises BadFile, and
    the errors of DuckDB.
    """
    kind = _format(path)
    place = quoted(path.resolve())
    unreadable = 0
    connection.execute("DROP VIEW IF EXISTS source")
    connection.execute("DROP TABLE IF EXISTS source_rows")
    if kind == "Parquet":
        sql = f"SELECT * FROM read_parquet({place})"
    elif kind == "CSV":
        unreadable = _read_csv(connection, path, place)
        sql = "SELECT * FROM source_rows"
    else:
        unreadable = _read_json(connection, path, place, kind)
        sql = "SELECT * FROM source_rows"
    connection.execute(f"CREATE TEMP VIEW source AS {sql}")
    ((readable,),) = connection.execute("SELECT count(*) FROM source").fetchall()
    if unreadable > readable:
        raise BadFile(
            f"{path.name} is no {kind} file: {unreadable} lines cannot be read, {readable} can"
        )
    described = connection.execute("DESCRIBE source").fetchall()
    return Opened(path.name, kind, {row[0]: row[1] for row in described}, unreadable)


def must_be_there(path: Path) -> None:
    """Raise BadFile for what is no file."""
    if not path.is_file():
        raise BadFile(f"{path} is no file" if path.exists() else f"{path} is not there")


def _format(path: Path) -> Format:
    must_be_there(path)
    with path.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(max(0, path.stat().st_size - 4))
        tail = file.read(4)
    if not head:
        raise BadFile(f"{path.name} is empty")
    if head.startswith(b"PAR1"):
        if tail != b"PAR1":
            raise BadFile(f"{path.name} is a Parquet file that was cut off: its end is missing")
        return "Parquet"
    if head.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ", b"PK\x03\x04")):
        raise BadFile(f"{path.name} is compressed: unpack it first")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadFile(f"{path.name} is UTF-16: write it as UTF-8")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"{"):
        return "JSON lines"
    if start.startswith(b"["):
        return "JSON"
    if path.suffix.lower() in (".csv", ".tsv", ".txt") and b"\x00" not in head.partition(b"\n")[0]:
        return "CSV"
    raise BadFile(
        f"{path.name} is neither Parquet nor JSON by what is in it, nor CSV by its name (.csv)"
    )


def _read_csv(connection: "DuckDBPyConnection", path: Path, place: str) -> int:
    """Read a table with a head, and return how many lines do not fit it."""
    delimiter, names = _csv_head(path)
    columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in names)
    # What the file says is taken as it is: nothing is guessed from some of its lines.
    connection.execute(
        f"CREATE TEMP TABLE source_rows AS SELECT * FROM read_csv({place}, auto_detect = false, "
        f"columns = {{{columns}}}, delim = {quoted(delimiter)}, quote = '\"', escape = '\"', "
        f"header = true, store_rejects = true, rejects_limit = {_REJECTS}, "
        f"max_line_size = {MAX_LINE}, null_padding = false, parallel = false, "
        "compression = 'none')"
    )
    ((rejected,),) = connection.execute("SELECT count(DISTINCT line) FROM reject_errors").fetchall()
    connection.execute("DROP TABLE reject_errors")
    connection.execute("DROP TABLE reject_scans")
    # Nothing is said of what follows a quote that is opened and never closed: lines are counted.
    inner = " + ".join(
        f"coalesce(sum(len(string_split_regex({name}, '[\\r\\n]+')) - 1) "
        f"FILTER (WHERE contains({name}, chr(10))), 0)"
        for name in (f'"{name.replace(chr(34), chr(34) * 2)}"' for name in names)
    )
    ((read,),) = connection.execute(f"SELECT count(*) + {inner} FROM source_rows").fetchall()
    return max(rejected, _lines(path) - 1 - int(read))


def _lines(path: Path) -> int:
    """How many lines of a file are not empty."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        return sum(1 for _ in _LINE.finditer(text))


def _csv_head(path: Path) -> tuple[str, list[str]]:
    with path.open("rb") as file:
        line = file.readline(_HEAD)
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise BadFile(f"{path.name} is not UTF-8 in its first line") from error
    delimiter = max(",;\t", key=text.count)
    try:
        names = next(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise BadFile(f"{path.name} has no head that can be read: {error}") from error
    if not all(names) or len({name.lower() for name in names}) != len(names):
        raise BadFile(f"{path.name} names no column, or one twice, in its first line")
    return delimiter, names


def _read_json(connection: "DuckDBPyConnection", path: Path, place: str, kind: Format) -> int:
    """Read objects: the fields that are known, as JSON; those that no object has are no columns."""
    how = (
        "format = 'array'"
        if kind == "JSON"
        else "format = 'newline_delimited', ignore_errors = true"
    )
    rows = (
        f"SELECT json FROM read_json_objects({place}, {how}, compression = 'none', "
        f"maximum_object_size = {MAX_LINE})"
    )
    names = list(FIELDS)
    paths = ", ".join(quoted(f'$."{name}"') for name in names)
    values = ", ".join(
        f"CASE WHEN json_type(found[{at}]) <> 'NULL' THEN found[{at}] END AS \"{name}\""
        for at, name in enumerate(names, 1)
    )
    connection.execute(
        "CREATE TEMP TABLE source_rows AS SELECT json IS NOT NULL AND json_type(json) = 'OBJECT' "
        f"AS readable, {values} FROM (SELECT json, json_extract(json, [{paths}]) AS found "
        f"FROM ({rows}))"
    )
    counts = ", ".join(f'count("{name}")' for name in names)
    ((total, readable, *filled),) = connection.execute(
        f"SELECT count(*), count(*) FILTER (WHERE readable), {counts} FROM source_rows"
    ).fetchall()
    if not readable:
        raise BadFile(f"{path.name} has no line that is a JSON object")
    connection.execute("DELETE FROM source_rows WHERE NOT readable")
    connection.execute("ALTER TABLE source_rows DROP COLUMN readable")
    empty = [name for name, n in zip(names, filled, strict=True) if not n]
    if len(empty) == len(names):
        raise BadFile(f"{path.name} has no field that is known: {', '.join(names)}")
    for name in empty:
        connection.execute(f'ALTER TABLE source_rows DROP COLUMN "{name}"')
    return total - readable
