# SPDX-License-Identifier: Apache-2.0
"""What pages are slow to make of: rendered cards, pictures for links. Made apart, once, and kept.

Work on what users wrote takes a time that they choose, within limits. So it is done in threads
beside the one that serves requests; who asks for the same waits for the same work; what is long
takes turns, so that one thread is left for what is short; and nobody waits longer than `PATIENCE`.
"""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

from hubkeep.kit.cache import ByteCache

PATIENCE = 4.0
"""Seconds that a request waits for something to be made; the work goes on without it."""
MAX_WAITING = 32
"""So many long works wait for their turn; further ones are not begun."""


class NotYet(Exception):
    """It is not made yet: asking again in a moment helps."""


class Kept:
    """Bytes by keys that say all they are made of, in a cache that forgets the least used.

    For the event loop alone.
    """

    def __init__(self, cache: ByteCache, threads: ThreadPoolExecutor) -> None:
        self._cache = cache
        self._threads = threads
        self._making: dict[Hashable, asyncio.Task[bytes]] = {}
        self._turn = asyncio.Semaphore(1)
        self._long = 0

    async def get(
        self,
        key: Hashable,
        make: Callable[[], bytes],
        *,
        is_long: bool = False,
    ) -> bytes:
        """Return what is kept under a key, or what `make` returns in a thread. NotYet.

        `is_long` says that making it may take more than some tens of milliseconds.
        """
        found = self._cache.get(key)
        if found is not None:
            return found
        work = self._making.get(key)
        if work is None:
            if is_long and self._long >= MAX_WAITING:
                raise NotYet
            work = asyncio.create_task(self._make(key, make, is_long=is_long))
            self._making[key] = work
            work.add_done_callback(lambda _: self._making.pop(key))
        try:
            return await asyncio.wait_for(asyncio.shield(work), PATIENCE)
        except TimeoutError as late:
            raise NotYet from late

    async def _make(self, key: Hashable, make: Callable[[], bytes], *, is_long: bool) -> bytes:
        async with AsyncExitStack() as stack:
            if is_long:
                self._long += 1
                stack.callback(self._one_less)
                await stack.enter_async_context(self._turn)
            made = await asyncio.get_running_loop().run_in_executor(self._threads, make)
        self._cache.put(key, made)
        return made

    def _one_less(self) -> None:
        self._long -= 1
