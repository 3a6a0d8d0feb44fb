# SPDX-License-Identifier: Apache-2.0
"""Turns to run git: so many at once as the settings say, and the others wait, but not for ever."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hubkeep import errors

if TYPE_CHECKING:
    from hubkeep.app import App


async def take_turn(app: "App", seconds: float) -> None:
    """Wait until git may run; who took a turn gives it back. git_busy after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await app.git_turns.acquire()
    except TimeoutError as busy:
        raise errors.git_busy() from busy


@asynccontextmanager
async def turn(app: "App", seconds: float) -> AsyncGenerator[None]:
    """Wait until git may run, and have the turn while this is open. git_busy."""
    await take_turn(app, seconds)
    try:
        yield
    finally:
        app.git_turns.release()
