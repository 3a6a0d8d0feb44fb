# SPDX-License-Identifier: Apache-2.0
"""The server's end of the process that reads snapshots: started when it is asked something, ended
when it takes too long or has had nothing to do for a while.
"""

import asyncio
import hashlib
import logging
import os
import signal
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

import msgspec

from hubkeep.kit.cache import ByteCache
from hubkeep.observatory.reader.wire import ANSWERED, HEAD, MOST, Question, Refusal

log = logging.getLogger("hubkeep.observatory")

PATIENCE: Final = 30.0
"""Seconds that an answer may take."""
WAITING: Final = 16
"""So many questions wait for their turn; further ones are not taken."""
EACH: Final = 3
"""So many questions of one asker wait or are being answered."""
KEPT: Final = 16 << 20
"""Bytes of answers that are remembered."""
IDLE: Final = 300.0
"""Seconds after which a process without work gives its memory back."""

_MODULE: Final = "hubkeep.observatory.reader.child"
_NEEDED: Final = ("duckdb", "numpy", "pyarrow")
_MISSING: Final = (
    "Figures need libraries that are not installed where the hub runs: they come with "
    "hubkeep[observatory]."
)


class NoAnswer(Exception):
    """There is no answer; the text says why. `status` is 400 (a wrong question), 404, 501 (the
    machine lacks what it takes), 503 (busy, or it took too long: asking again may help).
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def needed_is_there() -> None:
    """Raise NoAnswer (501) where what computes figures is not installed."""
    if any(find_spec(name) is None for name in _NEEDED):
        raise NoAnswer(501, _MISSING)


def bare_environment() -> dict[str, str]:
    """Return what a process of the observatory knows: where its modules are, and no setting."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LC_ALL": "C.UTF-8"}


class Reader:
    """Asks a process that reads snapshots, and remembers its answers: snapshots never change. For
    the event loop alone.
    """

    def __init__(self, patience: float = PATIENCE, idle: float = IDLE) -> None:
        self._patience = patience
        self._idle = idle
        self._kept = ByteCache(KEPT)
        self._child: _Child | None = None
        self._turn = asyncio.Lock()
        self._asked: dict[bytes, asyncio.Task[bytes]] = {}
        self._askers: Counter[str] = Counter()
        self._rest: asyncio.TimerHandle | None = None
        self._resting: asyncio.Task[None] | None = None

    async def ask(self, question: Question, who: str = "") -> bytes:
        """Return the answer to a question. NoAnswer.

        Who asks the same at the same time waits for the same answer; an answer that nobody waits
        for any more is computed nevertheless. `who` may ask EACH things at once, so that nobody
        takes all turns.
        """
        text = msgspec.json.encode(question)
        # A question may be long: it brings the names of all that is hidden.
        key = hashlib.sha256(text).digest()
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        work = self._asked.get(key)
        if work is None:
            needed_is_there()
            if len(self._asked) >= WAITING:
                raise NoAnswer(503, "The observatory is busy: ask again in a moment.")
            if who and self._askers[who] >= EACH:
                raise NoAnswer(
                    503, f"{EACH} of your questions wait already: ask again in a moment."
                )
            self._askers[who] += 1
            work = asyncio.create_task(self._answer(key, text))
            self._asked[key] = work
            work.add_done_callback(lambda done: self._done(key, who, done))
        try:
            return await asyncio.wait_for(asyncio.shield(work), self._patience)
        except TimeoutError as late:
            raise NoAnswer(503, "That is still being computed: ask again in a moment.") from late

    async def close(self) -> None:
        """End the process, and what is asked of it."""
        for work in list(self._asked.values()):
            work.cancel()
            with suppress(asyncio.CancelledError, NoAnswer):
                await work
        if self._resting is not None:
            await self._resting
        await self._end()

    def _done(self, key: bytes, who: str, work: asyncio.Task[bytes]) -> None:
        """Forget a question. What became of it is looked at, even where nobody waits any more."""
        del self._asked[key]
        self._askers[who] -= 1
        self._askers += Counter()  # forgets who asks nothing
        if not work.cancelled():
            work.exception()

    async def _answer(self, key: bytes, text: bytes) -> bytes:
        async with self._turn:
            if self._rest is not None:
                self._rest.cancel()
            child = self._child = self._child or await _Child.start()
            try:
                async with asyncio.timeout(self._patience):
                    kind, said = await child.exchange(text)
            except TimeoutError as late:
                await self._end()
                message = f"That took longer than {self._patience:.0f} seconds: ask for less."
                raise NoAnswer(503, message) from late
            except (asyncio.IncompleteReadError, ConnectionError, OSError) as broken:
                await self._end()
                log.warning("the process that reads snapshots has ended: %s", broken)
                raise NoAnswer(503, "The observatory had to start anew: ask again.") from broken
            except asyncio.CancelledError:
                await self._end()
                raise
            self._rest = asyncio.get_running_loop().call_later(self._idle, self._tire)
        if kind == ANSWERED:
            self._kept.put(key, said)
            return said
        refusal = msgspec.json.decode(said, type=Refusal)
        raise NoAnswer(refusal.status, refusal.text)

    def _tire(self) -> None:
        self._resting = asyncio.create_task(self._retire())

    async def _retire(self) -> None:
        async with self._turn:
            await self._end()

    async def _end(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
        child, self._child = self._child, None
        if child is not None:
            await child.end()


@dataclass(frozen=True, slots=True)
class _Child:
    process: asyncio.subprocess.Process
    folder: tempfile.TemporaryDirectory[str]
    """What it puts on disk; it may be killed before it has tidied up."""

    @classmethod
    async def start(cls) -> "_Child":
        """Start a process that knows none of the hub's settings, and so none of its secrets."""
        folder = tempfile.TemporaryDirectory(prefix="hubkeep-reader-")
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                _MODULE,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**bare_environment(), "TMPDIR": folder.name},
                cwd=folder.name,
                start_new_session=True,
            )
        except BaseException:
            folder.cleanup()
            raise
        return cls(process, folder)

    async def exchange(self, text: bytes) -> tuple[bytes, bytes]:
        """Return the letter that an answer begins with, and the answer."""
        given, said = self.process.stdin, self.process.stdout
        assert given is not None
        assert said is not None
        given.write(HEAD.pack(len(text)) + text)
        await given.drain()
        kind = await said.readexactly(1)
        length = HEAD.unpack(await said.readexactly(HEAD.size))[0]
        if length > MOST:
            raise ConnectionError("its answer is too long")
        return kind, await said.readexactly(length)

    async def end(self) -> None:
        """Kill it: it holds nothing that is not elsewhere."""
        try:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)
            await self.process.wait()
        finally:
            self.folder.cleanup()
