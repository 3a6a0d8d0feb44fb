# SPDX-License-Identifier: Apache-2.0
"""Folders in which git works for one request: gone at its end, or a day after a crash."""

import asyncio
import secrets
import shutil
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_FORGOTTEN_SECONDS = 24 * 3600


@asynccontextmanager
async def work_folder(above: Path) -> AsyncGenerator[Path]:
    """Make a new folder in `above`, and delete it at the end, whatever has become of the work."""
    folder = above / secrets.token_hex(12)
    folder.mkdir(parents=True, mode=0o700)
    await asyncio.to_thread(_sweep, above)
    try:
        yield folder
    finally:
        await asyncio.to_thread(_delete, folder)


def _sweep(above: Path) -> None:
    """Delete what a process that died has left; no push and no merge takes a day."""
    too_old = time.time() - _FORGOTTEN_SECONDS
    for folder in above.iterdir():
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime < too_old:
                _delete(folder)


def _delete(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
