# SPDX-License-Identifier: Apache-2.0
"""Processes that `serve` runs beside itself: restarted when they crash, gone when it is gone."""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence

from hubkeep.config import Config, environment_of

log = logging.getLogger("hubkeep.serve")

RESTART_SECONDS = 1.0
STOP_SECONDS = 30.0


class Child:
    """One process of this program, kept running until it is stopped.

    Its standard input is a pipe that nothing is written to: when this process dies, however that
    is, the kernel closes the pipe and the child sees it (`end_with_parent`).
    """

    def __init__(self, config: Config, arguments: Sequence[str], files: Sequence[int] = ()) -> None:
        self._env = environment_of(config)
        self._arguments = arguments
        self._files = files
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to keep the process running."""
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Ask the process to stop and wait until it has; after 30 seconds it is killed."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            log.warning("'hubkeep %s' did not stop and is killed", self._arguments[0])
            process.kill()
            await process.wait()

    async def _keep(self) -> None:
        while True:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "hubkeep", *self._arguments),
                env=self._env,
                stdin=asyncio.subprocess.PIPE,
                pass_fds=self._files,
            )
            code = await self._process.wait()
            log.warning(
                "'hubkeep %s' ended with code %d and is started again", self._arguments[0], code
            )
            await asyncio.sleep(RESTART_SECONDS)


def end_with_parent(end: Callable[[], None]) -> None:
    """Call `end`, in a thread, when the process that started this one as its Child is gone."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        end()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
