# SPDX-License-Identifier: Apache-2.0
"""Turns to look into files for a page: so many at once, and the others wait, but not for long."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubkeep.app import App

PATIENCE = 5.0
"""Seconds that a page waits for its turn."""
BUSY = "The hub is busy looking into other files."


class Busy(Exception):
    """Others had all turns for too long: asking again in a moment helps."""


@asynccontextmanager
async def look_turn(app: "App") -> AsyncGenerator[None]:
    """Wait for a turn, and have it while this is open. Busy."""
    try:
        async with asyncio.timeout(PATIENCE):
            await app.look_gate.acquire()
    except TimeoutError as late:
        raise Busy from late
    try:
        yield
    finally:
        app.look_gate.release()
