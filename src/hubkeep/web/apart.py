# SPDX-License-Identifier: Apache-2.0
"""Work on a page that takes too long for the thread that serves all requests."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from hubkeep.app import App

T = TypeVar("T")


async def apart(app: "App", work: Callable[[], T]) -> T:
    """Do some work in one of the threads for that, and return what it returns."""
    return await asyncio.get_running_loop().run_in_executor(app.page_threads, work)
