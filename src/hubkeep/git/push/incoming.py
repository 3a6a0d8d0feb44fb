# SPDX-License-Identifier: Apache-2.0
"""A push on its way in: its pack in a folder of its own, what it holds, and what is wrong with it.

    incoming = await receive(folder, pieces, bounds)     # git's own checks, before anything else
    checked = incoming.check(conn, repo_id, tips)        # in a read: names, sizes, what is missing
    incoming.write(conn, repo_id, checked)               # in the transaction that moves the refs

Nothing of it is visible before that transaction ends, and nothing is left of it after `close`.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from sqlalchemy import Connection

from hubkeep.git.push.checking import check
from hubkeep.git.push.pack import Pack
from hubkeep.git.push.quarantine import take_in
from hubkeep.git.push.spool import SpoolFile
from hubkeep.git.push.storing import store
from hubkeep.git.push.types import Bounds, Checked, Pointer, Refused

__all__ = ["Bounds", "Checked", "Incoming", "Pointer", "Refused", "receive"]


class Incoming:
    """What `receive` has taken in; without a pack where a push only deletes or only moves refs."""

    def __init__(self, folder: Path, pack: Pack, bounds: Bounds) -> None:
        self._folder = folder
        self._pack = pack
        self._bounds = bounds
        self._file: SpoolFile | None = None

    @property
    def objects(self) -> int:
        """How many objects came."""
        return len(self._pack)

    def check(self, conn: Connection, repo_id: int, tips: Sequence[bytes]) -> Checked:
        """Look through all that the pack holds, and say what the tips lead to.

        Refused: a tip, or something that it leads to, that is neither in the pack nor in the
        repository; names, modes and sizes that the API would not take either. What no tip leads to
        is not looked at, and not stored. What was returned before is not valid any more.
        """
        if self._file is not None:
            self._file.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file = SpoolFile(self._folder / "spool", self._bounds.pack_bytes)
        return check(conn, repo_id, self._pack, self._file, tips, self._bounds)

    def write(self, conn: Connection, repo_id: int, checked: Checked) -> None:
        """Store objects and commits. The caller holds the repository's lock.

        Refused where something that was in the repository when it was checked is there no more.
        """
        store(conn, repo_id, self._pack, checked)

    def close(self) -> None:
        """Delete what there is of it on disk."""
        self._pack.close()
        if self._file is not None:
            self._file.close()
            self._file = None
        shutil.rmtree(self._folder, ignore_errors=True)


async def receive(folder: Path, pieces: AsyncIterator[bytes], bounds: Bounds) -> Incoming:
    """Take in a pack (no bytes at all for none) and have git check each of its objects.

    `folder` is new and the push's own; it is gone again where this does not return. Memory and
    time are bounded whatever comes. Refused, GitMissing.
    """
    try:
        return Incoming(folder, await take_in(folder, pieces, bounds), bounds)
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise
