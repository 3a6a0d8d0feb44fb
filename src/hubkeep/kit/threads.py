# SPDX-License-Identifier: Apache-2.0
"""A few threads that an event loop hands functions to, made for functions that take microseconds.

Each time that a thread wakes another, both want the interpreter, and on an idle machine a look-up
that takes 50 microseconds cost 200 more in such quarrels. So calls are handed over together, one
thread does them one after the other, and their results are handed back together. Another thread
joins in when that one is held up.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")

PATIENCE = 0.003
"""Seconds after which the loop fetches what is done of many calls, and lets another thread join in
if none was begun meanwhile.
"""


class _Call(Generic[T]):
    """A function on its way to a thread and back; the future belongs to the loop."""

    __slots__ = ("error", "fn", "future", "loop", "result")

    def __init__(self, fn: Callable[[], T], loop: asyncio.AbstractEventLoop) -> None:
        self.fn = fn
        self.loop = loop
        self.future: asyncio.Future[T] = loop.create_future()
        self.error: BaseException | None = None

    def run(self) -> None:
        """In a thread: call the function, unless its caller has gone before it began."""
        if self.future.cancelled():
            return
        try:
            self.result = self.fn()
        except BaseException as error:  # noqa: BLE001 - it is raised where the future is awaited
            self.error = error

    def finish(self) -> None:
        """In the loop: hand over what came of it."""
        if self.future.cancelled():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Threads:
    """Runs functions in up to `count` threads, and begins them in the order in which they come.

    `eager` is for functions that wait for a disk: each gets a thread at once, and what is done is
    told at once. The threads start with the first call and do not keep the program from ending.
    """

    def __init__(self, count: int, name: str, *, eager: bool = False) -> None:
        self._count = count
        self._name = name
        self._eager = eager
        self._calls: deque[_Call] = deque()
        self._done: deque[_Call] = deque()
        self._wake: SimpleQueue[bool] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._active = 0
        self._begun = 0
        self._handing: asyncio.AbstractEventLoop | None = None
        self._watching: asyncio.AbstractEventLoop | None = None
        self._is_closed = False

    async def run(self, fn: Callable[[], T]) -> T:
        """Call `fn` in a thread and return what it returns; RuntimeError after `close`.

        A caller that is cancelled while `fn` runs does not stop it.
        """
        if self._is_closed:
            raise RuntimeError(f"the threads {self._name!r} are closed")
        if not self._threads:
            self._start()
        loop = asyncio.get_running_loop()
        call = _Call(fn, loop)
        self._calls.append(call)
        if self._eager:
            self._wake.put(True)
        elif self._handing is not loop:
            # Once the loop has gone through all that is ready, which may bring more calls.
            self._handing = loop
            loop.call_soon(self._hand_over, loop)
        return await call.future

    def close(self) -> None:
        """Wait until all that was given is done, and end the threads."""
        self._is_closed = True
        self._wake.put(True)
        for _ in self._threads:
            self._wake.put(False)
        for thread in self._threads:
            thread.join()

    def _start(self) -> None:
        with self._lock:  # two event loops may share the threads
            while len(self._threads) < self._count:
                name = f"{self._name}_{len(self._threads)}"
                thread = threading.Thread(target=self._work, name=name, daemon=True)
                thread.start()
                self._threads.append(thread)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        self._handing = None
        if not self._active:
            self._wake.put(True)
        self._watch(loop)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._watching is not loop:
            self._watching = loop
            loop.call_later(PATIENCE, self._relieve, loop, self._begun)

    def _relieve(self, loop: asyncio.AbstractEventLoop, begun: int) -> None:
        """Let another thread join if none began anything for a while, and fetch what is done."""
        self._watching = None
        self._finish()
        if not self._calls:
            return
        if self._begun == begun and self._active < self._count:
            self._wake.put(True)
        self._watch(loop)

    def _work(self) -> None:
        while self._wake.get():
            with self._lock:
                self._active += 1
            self._run_all()
            with self._lock:
                self._active -= 1

    def _run_all(self) -> None:
        while self._calls:
            try:
                call = self._calls.popleft()
            except IndexError:  # another thread was quicker
                break
            self._begun += 1
            call.run()
            self._done.append(call)
            if self._eager or not self._calls:
                with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                    call.loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        """Hand over all that is done, in the loop that it was done for."""
        loop = asyncio.get_running_loop()
        while self._done:
            try:
                call = self._done.popleft()
            except IndexError:  # another loop was quicker
                break
            if call.loop is loop:
                call.finish()
            else:
                with suppress(RuntimeError):
                    call.loop.call_soon_threadsafe(call.finish)
