# SPDX-License-Identifier: Apache-2.0
"""Work off the event loop: thread hops, and long work that callers share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """A few threads for blocking calls.

    Few, because threads that wait for one interpreter lock slow each other down.
    """

    def __init__(self, *, count: int, name: str) -> None:
        self._executor = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Await a blocking call. Cancelling stops the waiting, not the call."""
        return await self.start(call, *args, **kwargs)

    def start(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Begin a blocking call, to be awaited later."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._executor, partial(call, *args, **kwargs))

    def pipeline(self) -> Pipeline:
        """Calls that run one ahead of their caller, in their order."""
        return Pipeline(self)

    def later(self, call: Callable[[], object]) -> None:
        """Have a tidying call made without waiting: safe where the caller is being cancelled.

        Its failure is nobody's business but the sweep's. Once the threads are gone the call is
        made here and now, so that nothing stays open.
        """
        try:
            self._executor.submit(call)
        except RuntimeError:
            call()

    async def close(self) -> None:
        """Wait for what runs."""
        await asyncio.to_thread(self._executor.shutdown)


class Pipeline:
    """Lets the next bytes arrive while a thread is busy with the last ones.

    `run` waits for the call before and starts this one; leaving the block waits for the last.
    When the block fails, a call that is still running goes on unwatched.
    """

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._last: asyncio.Future[object] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def run(self, call: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Raises what the call before raised."""
        await self._wait()
        self._last = self._threads.start(call, *args, **kwargs)

    async def _wait(self) -> None:
        last, self._last = self._last, None
        if last is not None:
            await last

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            await self._wait()
        elif self._last is not None:
            self._last.add_done_callback(_seen)
            self._last.cancel()


def _seen(task: asyncio.Future[T]) -> None:
    """Look at a failure for which nobody is left."""
    if not task.cancelled():
        task.exception()


class SharedWork:
    """Work that goes on when a caller leaves, and that callers with one key share.

    A client that gives up waiting for a long check and asks again meets the check still running.
    """

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}

    async def run(self, key: Hashable, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Wait for the work of this key, begun here unless it runs already."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(work())
            task.add_done_callback(partial(self._landed, key))
        await asyncio.shield(task)

    def _landed(self, key: Hashable, task: asyncio.Task[None]) -> None:
        del self._tasks[key]
        _seen(task)

    async def close(self) -> None:
        """Break off what runs."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
