# SPDX-License-Identifier: Apache-2.0
"""How the hub fares, as its administrators see it: each look takes as long however large it is."""

import asyncio
import os
import platform
import re
import shutil
import time
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection

from hubkeep.blobs import StoreUnavailable, folder_of
from hubkeep.db.state import DatabaseState, state_of
from hubkeep.git.program import GitFailed, GitMissing, Limits, run
from hubkeep.jobs.listing import Queue, State, look_at_queue
from hubkeep.jobs.schedule import last_rounds
from hubkeep.kit.time import Millis
from hubkeep.observatory.taking.daily import lacks_libraries

if TYPE_CHECKING:
    from hubkeep.app import App

_PROBE = "probes/admin"
_PATIENCE = 3.0
_LIMITS = Limits(cpu_seconds=5, memory=1 << 30, file_bytes=1 << 20, seconds=5)
_VERSION = re.compile(rb"git version (\S+)")


class DatabaseHealth(msgspec.Struct, rename="camel"):
    """The database; `gitSize` is null where its tables cannot be told apart."""

    kind: str
    schema: str | None
    milliseconds: float
    """That it took to answer."""
    size: int
    git_size: int | None


class StoreHealth(msgspec.Struct, rename="camel"):
    """Where large files are; free and total bytes are those of a folder's disk."""

    kind: str
    place: str
    free: int | None = None
    total: int | None = None
    problem: str = ""
    """What keeps the hub from writing there, as far as can be told without writing."""


class QueueHealth(msgspec.Struct, rename="camel"):
    """Background work; counts end at a thousand and one. `seenAt` is when a worker was last known
    to look for work, `oldestDue` since when a job waits for one.
    """

    seen_at: Millis | None
    waiting: int
    running: int
    failed: int
    oldest_due: Millis | None


class ProcessHealth(msgspec.Struct, rename="camel"):
    """The server process that answered, and what it holds in memory of what is slow to make."""

    version: str
    python: str
    pid: int
    processes: int
    started_at: Millis
    cache_used: int
    cache_limit: int


class Health(msgspec.Struct, rename="camel"):
    """How the hub fares; `git` is its version, null where it is missing. `snapshotsLack` says that
    the hub ought to take snapshots of itself and does not have the libraries.
    """

    database: DatabaseHealth
    store: StoreHealth
    queue: QueueHealth
    git: str | None
    process: ProcessHealth
    snapshots_lack: bool = False


async def health_of(app: "App") -> Health:
    """Look at everything that the hub stands on, at once."""
    database, store, queue, git = await asyncio.gather(
        _database(app), _store(app), app.db.read(lambda conn: queue_health(conn, app.clock())),
        asyncio.get_running_loop().run_in_executor(app.git_threads, _git_version),
    )  # fmt: skip
    return Health(database, store, queue, git, _process(app), lacks_libraries(app.config))


def queue_health(conn: Connection, now: Millis) -> QueueHealth:
    """Look at the queue, and for a sign of life from a worker."""
    queue: Queue = look_at_queue(conn, now)
    seen = max(last_rounds(conn).values(), default=None)
    if queue.counts[State.RUNNING]:
        seen = now  # a worker that has a job says so three times a minute, and looks for no other
    return QueueHealth(
        seen,
        queue.counts[State.WAITING],
        queue.counts[State.RUNNING],
        queue.counts[State.FAILED],
        queue.oldest_due,
    )


async def _database(app: "App") -> DatabaseHealth:
    state: DatabaseState = await app.db.read(state_of)
    started = time.perf_counter()
    await app.db.ping()
    took = (time.perf_counter() - started) * 1000
    return DatabaseHealth(state.kind, state.schema, round(took, 2), state.size, state.git_size)


async def _store(app: "App") -> StoreHealth:
    url = app.config.blobs
    folder = folder_of(url)
    if folder is not None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(app.crunch, _folder_health, folder)
    if url == "memory:":
        return StoreHealth("memory", "this process", problem="nothing is kept when it ends")
    parts = urlsplit(url)
    health = StoreHealth("S3", f"{parts.hostname}{parts.path}")
    try:
        async with asyncio.timeout(_PATIENCE):
            await app.blobs.size(_PROBE)
    except TimeoutError:
        health.problem = f"it did not answer within {_PATIENCE:.0f} seconds"
    except StoreUnavailable:
        health.problem = "it does not answer, or refuses the keys; the log says more"
    return health


def _folder_health(folder: Path) -> StoreHealth:
    health = StoreHealth("folder", str(folder))
    try:
        disk = shutil.disk_usage(folder)
        is_read_only = bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError as error:
        health.problem = error.strerror or "it cannot be looked at"
        return health
    health.free, health.total = disk.free, disk.total
    if is_read_only:
        health.problem = "its disk is mounted for reading alone"
    elif not os.access(folder, os.W_OK | os.X_OK):
        health.problem = "the hub may not write there"
    return health


def _git_version() -> str | None:
    try:
        found = _VERSION.match(run(["--version"], Path("/"), _LIMITS))
    except (GitMissing, GitFailed, OSError):
        return None
    return found[1].decode("utf-8", "replace") if found else None


def _process(app: "App") -> ProcessHealth:
    return ProcessHealth(
        version=_own_version(),
        python=platform.python_version(),
        pid=os.getpid(),
        processes=app.config.workers,
        started_at=app.started_at,
        cache_used=app.cache.used,
        cache_limit=app.cache.limit,
    )


@cache
def _own_version() -> str:
    return metadata.version("hubkeep")
