# SPDX-License-Identifier: Apache-2.0
"""The server's end of the console: one process for each query, that may do next to nothing."""

import asyncio
import hashlib
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

from hubkeep.observatory.console.wire import (
    MOST_BYTES,
    MOST_ROWS,
    MOST_SQL,
    PREPARED,
    READY,
    Failed,
    Outcome,
    Preparation,
    Query,
    Rows,
)
from hubkeep.observatory.dimensions import Dimensions
from hubkeep.observatory.reader.process import NoAnswer, bare_environment, needed_is_there
from hubkeep.observatory.reader.wire import Shelf

log = logging.getLogger("hubkeep.observatory")

SECONDS: Final = 10.0
"""What a query may take once all is open."""
PATIENCE: Final = 10.0
"""Seconds that a query waits for others, and for a snapshot to be prepared."""
PREPARING: Final = 300.0
STARTING: Final = 20.0
ENDING: Final = 2.0
KEPT: Final = 2
"""So many prepared snapshots are kept; those that nobody asked for longest go."""

_PACKAGE: Final = "hubkeep.observatory.console"
_SPARING: Final = {"MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1"}
_TOO_LARGE: Final = (
    "The query needed more memory than there is for one: ask for fewer columns or rows, or for "
    "sums instead of rows."
)
_PREPARES: Final = "Another snapshot is being prepared for the console: ask again in a moment."


class Console:
    """Runs queries, one at a time; for the event loop alone."""

    def __init__(self, folder: Path, seconds: float = SECONDS, patience: float = PATIENCE) -> None:
        """`folder` is for what is prepared, a cache: it may be deleted."""
        self._folder = folder
        self._seconds = seconds
        self._patience = patience
        self._turn = asyncio.Semaphore(1)
        self._asking: set[int] = set()
        self._preparing: dict[Path, asyncio.Task[None]] = {}

    async def run(
        self, shelf: Shelf, sql: str, rows: int = 1_000, *, who: int | None = None
    ) -> Rows:
        """Return the first rows of one SELECT over the last snapshot of a shelf.

        NoAnswer: 400 says what is wrong with the query, or that it takes too long or too much; 429
        that `who` asks has a query running; 501 what is not installed; 503 that it may be asked
        again.
        """
        if who is None:
            return await self._run(shelf, sql, rows)
        if who in self._asking:
            raise NoAnswer(429, "A query of yours is still running: wait for it to end.")
        self._asking.add(who)
        try:
            return await self._run(shelf, sql, rows)
        finally:
            self._asking.discard(who)

    async def _run(self, shelf: Shelf, sql: str, rows: int) -> Rows:
        needed_is_there()
        if len(sql) > MOST_SQL:
            raise NoAnswer(400, f"A query has at most {MOST_SQL:,} letters.")
        database = await self._prepared(shelf)
        query = Query(database=str(database), sql=sql, rows=max(1, min(rows, MOST_ROWS)))
        async with self._own_turn():
            outcome = await self._ask(query)
        if isinstance(outcome, Failed):
            raise NoAnswer(400, outcome.text)
        return outcome

    async def close(self) -> None:
        """End what is being prepared."""
        for work in list(self._preparing.values()):
            work.cancel()
            with suppress(asyncio.CancelledError, NoAnswer):
                await work

    @asynccontextmanager
    async def _own_turn(self) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(self._patience):
                await self._turn.acquire()
        except TimeoutError as late:
            raise NoAnswer(503, "The console is busy: ask again in a moment.") from late
        try:
            yield
        finally:
            self._turn.release()

    async def _ask(self, query: Query) -> Outcome:
        async with _running("child", msgspec.json.encode(query)) as said:
            try:
                async with asyncio.timeout(STARTING):
                    ready = await said.read(len(READY))
                if ready != READY:
                    raise NoAnswer(503, "The console could not be started: ask again.")
                async with asyncio.timeout(self._seconds):
                    text = await _all_of(said)
            except TimeoutError as late:
                message = f"The query took longer than {self._seconds:.0f} seconds: ask for less."
                raise NoAnswer(400, message) from late
        try:
            return msgspec.json.decode(text, type=Outcome)
        except msgspec.DecodeError:
            return Failed(text=_TOO_LARGE, kind="memory")

    async def _prepared(self, shelf: Shelf) -> Path:
        """The database of a shelf, made if it is not there; whoever asks does not wait for long."""
        last = shelf.alone
        database = self._folder / f"{_key(last)}.duckdb"
        if not database.exists():
            work = self._preparing.get(database)
            if work is None:
                # One at a time: each takes memory, both processors, and room on the disk.
                if self._preparing:
                    raise NoAnswer(503, _PREPARES)
                work = asyncio.create_task(self._prepare(last, database))
                self._preparing[database] = work
                work.add_done_callback(lambda done: self._done(database, done))
            try:
                await asyncio.wait_for(asyncio.shield(work), self._patience)
            except TimeoutError as late:
                message = "The snapshot is being prepared for the console: ask again in a moment."
                raise NoAnswer(503, message) from late
        with suppress(FileNotFoundError):
            os.utime(database)
        return database

    def _done(self, database: Path, work: asyncio.Task[None]) -> None:
        del self._preparing[database]
        if not work.cancelled():
            work.exception()

    async def _prepare(self, shelf: Shelf, database: Path) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._tidy()
        asked = Preparation(shelf=shelf, target=str(database))
        async with _running("prepare", msgspec.json.encode(asked)) as said:
            async with asyncio.timeout(PREPARING):
                done = await _all_of(said)
        if done != PREPARED:
            log.warning("the console could not prepare %s", shelf.history[-1])
            raise NoAnswer(503, "The snapshot could not be prepared for the console.")

    def _tidy(self) -> None:
        """Leave room for one more."""
        there = sorted(self._folder.glob("*.duckdb"), key=lambda one: one.stat().st_mtime)
        for old in [*there[: max(0, len(there) - KEPT + 1)], *self._folder.glob(".making-*")]:
            if old not in self._preparing:
                old.unlink(missing_ok=True)


def _key(shelf: Shelf) -> str:
    """What all that a prepared snapshot follows from is told apart by."""
    known = Dimensions() if shelf.tables is None else Dimensions.with_own(Path(shelf.tables))
    said = msgspec.json.encode((shelf, known.digest, version("hubkeep")))
    return hashlib.sha256(said).hexdigest()


@asynccontextmanager
async def _running(module: str, given: bytes) -> AsyncGenerator[asyncio.StreamReader]:
    """Start a process that knows no secret of the hub, and end it in any case."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"{_PACKAGE}.{module}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**bare_environment(), **_SPARING},
        cwd="/",
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with suppress(ConnectionError):
            process.stdin.write(given)
            await process.stdin.drain()
            process.stdin.close()
        yield process.stdout
        # Who has said all ends by itself; to signal to it meanwhile would confuse who waits for it.
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDING):
                await process.wait()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
        await process.wait()


async def _all_of(said: asyncio.StreamReader) -> bytes:
    """All that a process says, unless it is more than an answer can be."""
    found = bytearray()
    while part := await said.read(1 << 16):
        found += part
        if len(found) > 8 * MOST_BYTES:
            raise NoAnswer(400, _TOO_LARGE)
    return bytes(found)
