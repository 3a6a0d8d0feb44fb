# SPDX-License-Identifier: Apache-2.0
"""What is in a Parquet file: its columns, and its first rows, from a process that may do nothing
else. See `parquet_child.py`, which is that process.
"""

import asyncio
import logging
import struct
import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from hubkeep.web import parquet_child
from hubkeep.web.looks import BUSY, Busy, look_turn

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.web")

Read = Callable[[int, int], Awaitable[bytes]]
"""Gives so many bytes from an offset on; what it raises is raised to who looks."""

SECONDS = 10.0
"""How long a look may take, whatever it waits for."""
MEMORY = 384 << 20
"""Bytes that reading may take beyond what pyarrow itself does."""
MOST_SAID = 8 << 20

_CUT_FOR = 600_000
_MOST_READ: Final = parquet_child.MOST_OF_FOOTER + parquet_child.MOST_READ
_PROGRAM: Final = parquet_child.__file__
# Memory that is refused raises an error in pyarrow, where it is the system that is asked for it.
_ENVIRONMENT: Final = {"LC_ALL": "C.UTF-8", "ARROW_DEFAULT_MEMORY_POOL": "system"}


class ParquetColumn(msgspec.Struct, rename="camel"):
    """A column; bytes are those of the row groups that were looked at."""

    name: str
    type: str
    nullable: bool
    is_number: bool
    compressed: int
    raw: int


class ParquetFooter(msgspec.Struct, rename="camel"):
    """What a footer says. Not all columns are listed where there are hundreds; `sized_groups` is
    how many row groups were looked at for their sizes.
    """

    rows: int
    row_groups: int
    sized_groups: int
    creator: str
    version: str
    compression: Sequence[str]
    columns: Sequence[ParquetColumn]
    column_count: int
    metadata: Sequence[tuple[str, str]]


class ParquetCells(msgspec.Struct, rename="camel"):
    """The first values of the column of this number, as people read them; null is no value."""

    number: int
    cells: Sequence[str | None]
    error: str | None


class Parquet(msgspec.Struct, rename="camel"):
    """A look into a file: `error` says why there is no footer, `note` why cells are missing."""

    footer: ParquetFooter | None = None
    columns: Sequence[ParquetCells] = ()
    error: str | None = None
    note: str | None = None
    is_lasting: bool = True
    """Whether another look would find the same."""

    @property
    def shown(self) -> list[ParquetCells]:
        """The columns whose values are shown, in the order of the file."""
        return [column for column in self.columns if column.error is None]

    @property
    def unshown(self) -> list[ParquetCells]:
        """The columns whose values could not be read."""
        return [column for column in self.columns if column.error is not None]

    @property
    def rows(self) -> list[list[str | None]]:
        """The first rows, of the columns that are shown."""
        shown = self.shown
        longest = max((len(column.cells) for column in shown), default=0)
        return [
            [column.cells[at] if at < len(column.cells) else None for column in shown]
            for at in range(longest)
        ]


class _Error(msgspec.Struct):
    error: str


async def look_into(app: "App", key: str, size: int, read: Read) -> Parquet:
    """Look into a file whose content `key` names, or remember what was found before.

    What is wrong with the file is in the answer; only what `read` raises is raised.
    """
    whole, cut = ("parquet", key), ("parquet", key, app.clock() // _CUT_FOR)
    kept = app.cache.get(whole) or app.cache.get(cut)
    if kept is not None:
        return msgspec.msgpack.decode(kept, type=Parquet)
    folder = _pyarrow()
    if folder is None:
        return Parquet(
            error="Looking into Parquet files needs pyarrow, which is not installed where the hub "
            "runs: it comes with hubkeep[observatory].",
            is_lasting=False,
        )
    try:
        async with look_turn(app):
            found = await _Looking(size, read).look(folder)
    except Busy:
        return Parquet(error=BUSY, is_lasting=False)
    app.cache.put(whole if found.is_lasting else cut, msgspec.msgpack.encode(found))
    return found


def _pyarrow() -> str | None:
    """The folder that pyarrow is in, None where it is not installed."""
    found = find_spec("pyarrow")
    return None if found is None or found.origin is None else str(Path(found.origin).parents[1])


class _Looking:
    """A process under way, and what it has said so far; it is believed in nothing but what it says
    of the file.
    """

    def __init__(self, size: int, read: Read) -> None:
        self._size = size
        self._read = read
        self._found = Parquet()
        self._columns: dict[int, ParquetCells] = {}
        self._may_read = _MOST_READ
        self._may_say = MOST_SAID

    async def look(self, folder: str) -> Parquet:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", _PROGRAM, str(self._size), folder, str(MEMORY)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_ENVIRONMENT,
        )
        try:
            async with asyncio.timeout(SECONDS):
                is_whole = await self._listen(process)
        except TimeoutError:
            is_whole = False
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
        return self._result(is_whole=is_whole)

    async def _listen(self, process: asyncio.subprocess.Process) -> bool:
        """Answer and note down what it says; return whether it came to its end."""
        assert process.stdout is not None
        assert process.stdin is not None
        while True:
            try:
                head = await process.stdout.readexactly(5)
                length = int.from_bytes(head[1:], "big")
                self._may_say -= length
                if self._may_say < 0:
                    return False
                payload = await process.stdout.readexactly(length)
                if head[:1] == b"R":
                    part = await self._part(payload)
                    process.stdin.write(len(part).to_bytes(4, "big") + part)
                    await process.stdin.drain()
                else:
                    self._note(head[:1], payload)
            except asyncio.IncompleteReadError:
                return await process.wait() == 0
            except (ConnectionError, msgspec.DecodeError, struct.error) as odd:
                log.warning("the process that looks into a Parquet file said odd things: %s", odd)
                return False

    async def _part(self, question: bytes) -> bytes:
        offset, length = struct.unpack(">QI", question)
        self._may_read -= length
        if self._may_read < 0 or length > parquet_child.READ_AT_ONCE:
            raise ConnectionError("it wants too much")
        return await self._read(offset, length) if offset + length <= self._size else b""

    def _note(self, kind: bytes, payload: bytes) -> None:
        if kind == b"M":
            self._found.footer = msgspec.json.decode(payload, type=ParquetFooter)
        elif kind == b"C":
            column = msgspec.json.decode(payload, type=ParquetCells)
            self._columns[column.number] = column
        else:
            self._found.error = msgspec.json.decode(payload, type=_Error).error

    def _result(self, *, is_whole: bool) -> Parquet:
        found, footer = self._found, self._found.footer
        there = len(footer.columns) if footer else 0
        found.columns = [self._columns[n] for n in sorted(self._columns) if 0 <= n < there]
        found.is_lasting = is_whole
        if footer is None and found.error is None:
            found.error = "Reading it took more time or memory than it may take here."
        elif not is_whole and len(found.columns) < min(there, parquet_child.COLUMNS):
            found.note = "Reading the other columns took more time or memory than it may take here."
        return found
