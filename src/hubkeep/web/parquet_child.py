# SPDX-License-Identifier: Apache-2.0
"""A program that looks into one Parquet file and says what it found; it has no other use.

The file is untrusted, and what reads it is a million lines of C++: so it runs in a process that may
take little memory and time, opens nothing and knows no secret. It asks for the parts of the file
that it needs by its standard output, and gets them by its standard input. It imports nothing of
Hubkeep, and pyarrow from where it is told.

Messages: a letter, a length in four bytes (big endian), and so many bytes. `R` asks for bytes, by
eight of offset and four of length; what comes back is a length in four bytes, and the bytes. `M` is
what the footer says, `C` the first values of a column, `E` what is wrong with the file: JSON.
"""

import json
import re
import resource
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, BinaryIO, TypeAlias

# What pyarrow has, which says nothing of types: a file, its parts, values and their types.
File: TypeAlias = Any
Footer: TypeAlias = Any
Schema: TypeAlias = Any
Field: TypeAlias = Any
Kind: TypeAlias = Any
Value: TypeAlias = Any

CPU_SECONDS = 5
READ_AT_ONCE = 1 << 20
MOST_READ = 16 << 20
MOST_OF_FOOTER = 8 << 20
ROWS = 50
COLUMNS = 60
SCHEMA = 500
CELL = 300
NAME = 200
ITEMS = 8
DEPTH = 6
GROUPS = 20
CHUNKS = 100_000
PAIRS = 30
VALUE = 1_000

_NO_FRACTION = re.compile(r"\.0+$")
_OWN_PAIR = b"ARROW:schema"
_BUFFER = 128 << 10
_ENTRIES = 1_000_000  # of a list in the footer, which is far more than any file has


class _TooMuch(Exception):
    """More of the file would have to be read than is allowed."""


class Remote:
    """The file, as pyarrow reads files; `allowed` is how many more bytes may be asked for."""

    def __init__(self, size: int, questions: BinaryIO, answers: BinaryIO) -> None:
        self._size = size
        self._questions = questions
        self._answers = answers
        self._at = 0
        self.allowed = 0
        self.closed = False

    def read(self, length: int = -1) -> bytes:
        """The next bytes."""
        left = self._size - self._at
        wanted = left if length < 0 else min(length, left)
        if wanted > self.allowed:
            raise _TooMuch
        self.allowed -= wanted
        parts: list[bytes] = []
        while wanted > 0:
            part = self._ask(min(wanted, READ_AT_ONCE))
            wanted -= len(part)
            parts.append(part)
        return b"".join(parts)

    def _ask(self, length: int) -> bytes:
        send(self._questions, b"R", struct.pack(">QI", self._at, length))
        head = self._answers.read(4)
        part = self._answers.read(int.from_bytes(head, "big")) if len(head) == 4 else b""
        if len(part) != length:
            raise SystemExit(1)  # whoever asked has gone
        self._at += length
        return part

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move."""
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        """Where it stands."""
        return self._at

    def seekable(self) -> bool:
        """It is."""
        return True

    def readable(self) -> bool:
        """It is."""
        return True

    def writable(self) -> bool:
        """It is not."""
        return False

    def close(self) -> None:
        """Nothing is open."""
        self.closed = True

    def flush(self) -> None:
        """Nothing is held."""


class Look:
    """A file that is looked into; it says what it finds as soon as it knows it."""

    def __init__(self, remote: Remote, out: BinaryIO) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._pa = pa
        self._open = pq.ParquetFile
        self._remote = remote
        self._out = out

    def at_all(self) -> None:
        """Say what the footer says, and then the first values of each column, small ones first."""
        pa = self._pa
        self._remote.allowed = MOST_OF_FOOTER
        try:
            file = self._open(
                pa.PythonFile(self._remote, mode="r"),
                pre_buffer=False,
                buffer_size=_BUFFER,
                thrift_string_size_limit=MOST_OF_FOOTER,
                thrift_container_size_limit=_ENTRIES,
                arrow_extensions_enabled=False,
            )
            fields = list(file.schema_arrow)
            sizes = self._footer(file, fields)
        except _TooMuch:
            self._say(b"E", {"error": "Its footer is too large to be read here."})
            return
        except (pa.ArrowException, MemoryError, OSError, OverflowError, ValueError) as bad:
            self._say(b"E", {"error": _cut(str(bad), CELL) or "It cannot be read."})
            return
        groups, rows = _first_groups(file.metadata)
        self._remote.allowed = MOST_READ
        for number in sorted(range(len(fields[:COLUMNS])), key=lambda each: sizes[each]):
            self._column(file, number, fields[number].name, groups, rows)

    def _say(self, kind: bytes, what: object) -> None:
        send(self._out, kind, json.dumps(what).encode())

    def _footer(self, file: File, fields: Sequence[Field]) -> list[int]:
        """Say what it says; return the bytes of each column, as far as they are looked at."""
        told = file.metadata
        columns = [
            {
                "name": _cut(field.name, NAME),
                "type": _cut(str(field.type), NAME),
                "nullable": field.nullable,
                "isNumber": self._is_number(field.type),
            }
            for field in fields[:SCHEMA]
        ]
        compressed, raw = [0] * len(fields), [0] * len(fields)
        owner = _owners(file.schema, fields)
        used: set[str] = set()
        groups = min(told.num_row_groups, CHUNKS // max(1, len(owner)))
        for group in range(groups):
            row_group = told.row_group(group)
            for leaf, number in enumerate(owner):
                chunk = row_group.column(leaf)
                used.add(chunk.compression.lower())
                compressed[number] += chunk.total_compressed_size
                raw[number] += chunk.total_uncompressed_size
        self._say(
            b"M",
            {
                "rows": told.num_rows,
                "rowGroups": told.num_row_groups,
                "sizedGroups": groups,
                "creator": _cut(told.created_by or "", NAME),
                "version": _cut(str(told.format_version), NAME),
                "compression": sorted(used),
                "columns": [
                    {**column, "compressed": compressed[at], "raw": raw[at]}
                    for at, column in enumerate(columns)
                ],
                "columnCount": len(fields),
                "metadata": _pairs(told.metadata or {}),
            },
        )
        return compressed

    def _is_number(self, kind: Kind) -> bool:
        types = self._pa.types
        return any(is_it(kind) for is_it in (types.is_integer, types.is_floating, types.is_decimal))

    def _column(self, file: File, number: int, name: str, groups: list[int], rows: int) -> None:
        """Say the first values of a column, or why they are not to be had."""
        cells: list[str | None] = []
        error = None
        try:
            for batch in file.iter_batches(
                batch_size=ROWS, row_groups=groups, columns=[name], use_threads=False
            ):
                values = batch.column(batch.schema.names.index(name))
                cells += [self._cell(value) for value in values[: rows - len(cells)]]
                if len(cells) >= rows:
                    break
        except _TooMuch:
            error = "too large to be shown here"
        except MemoryError:
            error = "takes too much memory to be shown here"
        except (self._pa.ArrowException, OSError, OverflowError, ValueError) as bad:
            error = _cut(str(bad), NAME) or "cannot be read"
        self._say(b"C", {"number": number, "cells": cells, "error": error})

    def _cell(self, value: Value) -> str | None:
        return None if value is None or not value.is_valid else _cut(self._text(value, DEPTH), CELL)

    def _text(self, value: Value, depth: int) -> str:
        """A value for people; no more is made of it than can be shown."""
        types, kind = self._pa.types, value.type
        if not value.is_valid:
            return "null"
        if types.is_dictionary(kind):
            return self._text(value.value, depth)
        if types.is_string(kind) or types.is_large_string(kind):
            return _decoded(value.as_buffer())
        if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
            return f"{value.as_buffer().size:,} bytes"
        return self._nested(value, depth) if types.is_nested(kind) else self._plain(value, kind)

    def _nested(self, value: Value, depth: int) -> str:
        kind = value.type
        if not depth:
            return "…"
        if not self._pa.types.is_struct(kind):
            return self._list(value.values, depth)
        inside = [
            f"{_cut(field.name, NAME)}: {self._inner(value[at], depth)}"
            for at, field in enumerate(list(kind)[:ITEMS])
        ]
        return "{" + ", ".join(inside + ["…"] * (kind.num_fields > ITEMS)) + "}"

    def _list(self, values: Value, depth: int) -> str:
        inside = [self._inner(each, depth) for each in values[:ITEMS]]
        more = [f"… {len(values):,} in all"] if len(values) > ITEMS else []
        return "[" + ", ".join(inside + more) + "]"

    def _inner(self, value: Value, depth: int) -> str:
        text = self._text(value, depth - 1)
        is_text = value.is_valid and self._pa.types.is_string(value.type)
        return json.dumps(_cut(text, CELL), ensure_ascii=False) if is_text else text

    def _plain(self, value: Value, kind: Kind) -> str:
        """Numbers, moments and the like, as Arrow writes them; of moments, those in UTC."""
        zone = ""
        if self._pa.types.is_timestamp(kind) and kind.tz is not None:
            value, zone = value.cast(self._pa.timestamp(kind.unit)), " UTC"
        with suppress(self._pa.ArrowNotImplementedError):
            text = value.cast(self._pa.string()).as_py()
            return (_NO_FRACTION.sub("", text) if ":" in text else text) + zone
        return str(value.as_py())


def _first_groups(told: Footer) -> tuple[list[int], int]:
    """The row groups that have the first rows, and how many rows to show."""
    groups: list[int] = []
    rows = 0
    for number in range(min(told.num_row_groups, GROUPS)):
        if rows >= ROWS:
            break
        groups.append(number)
        rows += max(0, told.row_group(number).num_rows)
    return groups, min(rows, ROWS)


def _owners(schema: Schema, fields: Sequence[Field]) -> list[int]:
    """Which column each leaf of the schema belongs to: leaves come in the order of columns."""
    owners: list[int] = []
    at = 0
    for leaf in range(len(schema)):
        path = schema.column(leaf).path
        for number in range(at, len(fields)):
            name = fields[number].name
            if path == name or path.startswith(f"{name}."):
                at = number
                break
        owners.append(at)
    return owners


def _pairs(told: dict[bytes, bytes]) -> list[tuple[str, str]]:
    some = [(key, value) for key, value in told.items() if key != _OWN_PAIR][:PAIRS]
    return [(_cut(_decoded(key), NAME), _cut(_decoded(value), VALUE)) for key, value in some]


def _decoded(raw: Value) -> str:
    return bytes(memoryview(raw)[: 4 * VALUE]).decode("utf-8", "replace")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}…"


def send(out: BinaryIO, kind: bytes, payload: bytes) -> None:
    """Send a message."""
    out.write(kind + len(payload).to_bytes(4, "big") + payload)
    out.flush()


def limit(memory: int) -> None:
    """Take no more from now on: so many bytes, and no more processor time, files and sockets."""
    for what, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    with suppress(OSError):  # without /proc, addresses are not limited by the system either
        with open("/proc/self/statm", "rb") as told:
            taken = int(told.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + memory, taken + memory))
    # What is open stays so. Below three, who closed one of these could open another in its place.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def main() -> None:
    """Look into a file of so many bytes, with pyarrow from a folder, in so many bytes of memory:
    these are the three arguments.

    All that pyarrow loads when it is first used is used before it may open no more files.
    """
    sys.path.append(sys.argv[2])
    import pyarrow as pa
    import pyarrow.compute
    import pyarrow.parquet

    pa.set_cpu_count(1)
    assert pyarrow.compute.cast(pa.scalar(1), pa.string()).as_py() == "1"
    assert pyarrow.parquet is not None
    limit(int(sys.argv[3]))
    out = sys.stdout.buffer
    Look(Remote(int(sys.argv[1]), out, sys.stdin.buffer), out).at_all()


if __name__ == "__main__":
    main()
