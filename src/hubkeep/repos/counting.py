# SPDX-License-Identifier: Apache-2.0
"""Counting of downloads: noted in memory, written in batches off the request's path.

A download counts once per repository, caller and query file within five minutes. What was noted is
written every two seconds and on a clean stop, so a kill loses at most the last seconds. Whether a
key was counted before is decided in the database, so several server processes count as one.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from hubkeep.db import Database, DatabaseError
from hubkeep.kit.time import Clock, Millis
from hubkeep.repos.queries_counting import Noted, write_downloads

log = logging.getLogger("hubkeep.downloads")

WINDOW: Millis = 5 * 60 * 1000
FLUSH_SECONDS = 2.0
MAX_PENDING = 100_000


def caller_of(user_id: int | None, address: str, agent: str) -> str:
    """Return whom a download is counted for: an account, else an address with what it runs."""
    return f"user:{user_id}" if user_id else f"{address} {agent}"


class DownloadCounter:
    """Collects downloads; `note` is cheap and never waits."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._pending: dict[bytes, Noted] = {}
        self._wake = asyncio.Event()

    def note(self, repo_id: int, caller: str, file: str) -> None:
        """Count one download of `file` by `caller` (an account, or address and agent), if it is
        new.
        """
        text = f"{repo_id}\0{caller}\0{file}"
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if key not in self._pending:
            self._pending[key] = Noted(key, repo_id, self._clock())
        if len(self._pending) >= MAX_PENDING:
            self._wake.set()

    async def flush(self) -> None:
        """Write what was noted so far; it is kept for the next flush if the database cannot take
        it.
        """
        batch, self._pending = self._pending, {}
        if not batch:
            return
        try:
            await self._db.write(lambda conn: write_downloads(conn, batch.values(), WINDOW))
        except DatabaseError as error:
            log.warning("%d downloads wait to be counted: %s", len(batch), error)
            self._pending = {**batch, **self._pending}

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Flush every two seconds while the context lasts, and once at its end."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self.flush()

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), FLUSH_SECONDS)
            self._wake.clear()
            await asyncio.shield(self.flush())
