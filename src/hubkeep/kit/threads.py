# SPDX-License-Identifier: Apache-2.0
"""A few threads that an event loop hands functions to, for half of what ThreadPoolExecutor costs.

That one makes two futures with locks of their own for each call and keeps book of idle threads. A
request that looks up a row or two spent a third of its processor time on it.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class _Call(Generic[T]):
    """A function on its way to a thread and back; the future belongs to the loop."""

    __slots__ = ("error", "fn", "future", "loop", "result")

    def __init__(self, fn: Callable[[], T]) -> None:
        self.fn = fn
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self.loop.create_future()
        self.error: BaseException | None = None

    def run(self) -> None:
        """In a thread: call the function, unless its caller has gone before it began."""
        if self.future.cancelled():
            return
        try:
            self.result = self.fn()
        except BaseException as error:  # noqa: BLE001 - it is raised where the future is awaited
            self.error = error
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if self.future.cancelled():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Threads:
    """Runs functions in `count` threads, in the order in which they come.

    The threads start with the first call and do not keep the program from ending.
    """

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._is_closed = False

    async def run(self, fn: Callable[[], T]) -> T:
        """Call `fn` in a thread and return what it returns; RuntimeError after `close`.

        A caller that is cancelled while `fn` runs does not stop it.
        """
        if self._is_closed:
            raise RuntimeError(f"the threads {self._name!r} are closed")
        if not self._threads:
            self._start()
        call = _Call(fn)
        self._calls.put(call)
        return await call.future

    def close(self) -> None:
        """Wait until all that was given is done, and end the threads."""
        self._is_closed = True
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()

    def _start(self) -> None:
        with self._lock:  # two event loops may share the threads
            while len(self._threads) < self._count:
                name = f"{self._name}_{len(self._threads)}"
                thread = threading.Thread(target=self._work, name=name, daemon=True)
                thread.start()
                self._threads.append(thread)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call.run()
            del call  # or the result would be kept until there is another
