# SPDX-License-Identifier: Apache-2.0
"""The hub's snapshot of every day, taken by a process of its own.

The libraries that write one hold a hundred megabytes for as long as the process lives that loaded
them: neither the server nor the worker loads them.
"""

import asyncio
import sys
from collections.abc import Collection
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from hubkeep.config import Config, environment_of
from hubkeep.db import Database
from hubkeep.kit.time import DAY, Millis, unwire, wire
from hubkeep.observatory.manifest import Universe
from hubkeep.observatory.queries_concealed import forget_concealed
from hubkeep.observatory.store import SnapshotStore
from hubkeep.observatory.taking.queries_taking import has_repositories

if TYPE_CHECKING:
    from hubkeep.app import App

_SAID: Final = 2000
_DATE: Final = len("2026-11-21")


class NotTaken(RuntimeError):
    """The process that takes snapshots has failed; the text is what it said."""


def is_installed() -> bool:
    """Say whether what takes snapshots is there."""
    return all(find_spec(name) is not None for name in ("duckdb", "pyarrow"))


def lacks_libraries(config: Config) -> bool:
    """Say whether the hub ought to take snapshots and does not have what that needs."""
    return config.snapshots == "daily" and not is_installed()


async def take_daily(app: "App") -> None:
    """Have today's snapshots taken, of both universes; those that are there already are left so.

    A hub without repositories has nothing to tell. NotTaken.
    """
    config = app.config
    if config.snapshots != "daily" or lacks_libraries(config):
        return
    if not await app.db.read(has_repositories):
        return
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hubkeep", "snapshot", "take", "--daily", "--json"),
        env=environment_of(config),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise NotTaken(said.decode(errors="replace")[-_SAID:].strip() or "it said nothing")


def of_today(store: SnapshotStore, now: Millis) -> Collection[Universe]:
    """Return the universes that the hub has a snapshot of from this day, in UTC."""
    today = wire(now)[:_DATE]
    universes: tuple[Universe, ...] = ("public", "all")
    return [universe for universe in universes if today in _days(store, universe)]


def tidy(db: Database, store: SnapshotStore) -> None:
    """Forget names that were hidden before the oldest snapshot that could hold them.

    A day longer, for snapshots that another process is taking and others' clocks.
    """
    taken = [unwire(one.taken_at) for one in store.list("public") if one.source.kind == "hub"]
    if taken:
        oldest = min(taken) - DAY
        db.write_now(lambda conn: forget_concealed(conn, oldest))


def _days(store: SnapshotStore, universe: Universe) -> Collection[str]:
    own = [one for one in store.list(universe) if one.source.kind == "hub"]
    return {one.taken_at[:_DATE] for one in own}
