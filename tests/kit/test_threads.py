# SPDX-License-Identifier: Apache-2.0
"""Threads behind an event loop: results and errors come back, and closing loses nothing."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from hubkeep.kit.threads import Threads

pytestmark = pytest.mark.anyio


@pytest.fixture
def threads() -> Iterator[Threads]:
    made = Threads(2, "test")
    yield made
    made.close()


async def test_the_result_comes_back_from_a_thread(threads: Threads) -> None:
    assert (await threads.run(threading.current_thread)).name.startswith("test_")


async def test_an_error_is_raised_where_it_is_awaited(threads: Threads) -> None:
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)
    assert await threads.run(lambda: 1) == 1


async def test_as_many_run_at_once_as_there_are_threads(threads: Threads) -> None:
    both = threading.Barrier(2, timeout=10)
    await asyncio.gather(threads.run(both.wait), threads.run(both.wait))


async def test_quick_calls_do_not_wait_for_a_slow_one(threads: Threads) -> None:
    go = threading.Event()
    before = [asyncio.create_task(threads.run(lambda n=n: n)) for n in range(20)]
    slow = asyncio.create_task(threads.run(lambda: go.wait(10)))
    behind = [asyncio.create_task(threads.run(lambda n=n: n)) for n in range(20)]
    quick = asyncio.gather(*before, *behind)
    assert await asyncio.wait_for(quick, 5) == [*range(20), *range(20)]
    assert not slow.done()
    go.set()
    assert await slow


async def test_eager_threads_all_begin_at_once() -> None:
    eager = Threads(4, "eager", eager=True)
    all_four = threading.Barrier(4, timeout=10)
    await asyncio.gather(*(eager.run(all_four.wait) for _ in range(4)))
    eager.close()


async def test_one_thread_keeps_the_order() -> None:
    one = Threads(1, "one")
    seen: list[int] = []
    await asyncio.gather(*(one.run(lambda n=n: seen.append(n)) for n in range(100)))
    one.close()
    assert seen == list(range(100))


async def test_a_cancelled_caller_stops_what_has_not_begun_and_nothing_else() -> None:
    one = Threads(1, "one")
    began, go = threading.Event(), threading.Event()
    seen: list[str] = []

    def slow() -> None:
        began.set()
        go.wait(10)
        seen.append("slow")

    running = asyncio.create_task(one.run(slow))
    waiting = asyncio.create_task(one.run(lambda: seen.append("waiting")))
    await asyncio.to_thread(began.wait, 10)
    running.cancel()
    waiting.cancel()
    await asyncio.wait({running, waiting})
    go.set()
    await one.run(lambda: seen.append("last"))
    one.close()
    assert seen == ["slow", "last"]


async def test_closing_waits_for_what_was_given_and_takes_no_more() -> None:
    one = Threads(1, "one")
    seen: list[int] = []
    tasks = [asyncio.create_task(one.run(lambda n=n: seen.append(n))) for n in range(50)]
    await asyncio.sleep(0)
    one.close()
    assert seen == list(range(50))
    await asyncio.gather(*tasks)
    with pytest.raises(RuntimeError):
        await one.run(lambda: None)


def test_a_loop_that_ended_meanwhile_harms_nobody() -> None:
    one = Threads(1, "one")
    began, go = threading.Event(), threading.Event()

    def slow() -> None:
        began.set()
        go.wait(10)

    loop = asyncio.new_event_loop()
    task = loop.create_task(one.run(slow))
    loop.run_until_complete(asyncio.sleep(0))
    began.wait(10)
    task.cancel()
    loop.run_until_complete(asyncio.wait({task}))
    loop.close()
    go.set()
    assert asyncio.run(one.run(lambda: 1)) == 1
    one.close()


async def test_a_result_is_not_kept(threads: Threads) -> None:
    class Large:
        pass

    gone = weakref.ref(await threads.run(Large))
    await threads.run(lambda: None)
    gc.collect()
    assert gone() is None
