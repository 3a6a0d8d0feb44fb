# SPDX-License-Identifier: Apache-2.0
"""From the command to a hub that is ready, and the memory of all its processes at rest."""

import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median

import httpx2

from bench.hubs import serving
from bench.processes import family, resident_mib, unshared_mib
from bench.table import Figure
from hubkeep.config import Config
from hubkeep.db import Database
from hubkeep.db.migrate import migrate

ROUNDS = 5
SETTLING = 3.0


def once(data: Path) -> tuple[float, float, float, int]:
    """Seconds until /readyz answers; MiB resident and MiB not shared at rest; processes."""
    started = time.perf_counter()
    with serving(data, "") as hub:
        httpx2.get(f"{hub.url}/readyz").raise_for_status()
        seconds = time.perf_counter() - started
        time.sleep(SETTLING)  # the job worker starts after the server
        return seconds, resident_mib(hub.pid), unshared_mib(hub.pid), len(family(hub.pid))


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name)
        with closing(Database(Config(data=data).database)) as db:
            migrate(db)
        again = [once(data) for _ in range(ROUNDS)]
        first = [once(data / f"empty-{number}")[0] for number in range(ROUNDS)]
    seconds, resident, unshared, processes = zip(*again, strict=True)
    rest = (
        f"{max(processes)} processes, the server and the job worker; pages that both share are "
        f"counted twice: once it is {min(unshared):.0f} MiB"
    )
    return [
        _start("4 start", "start to readyz", seconds),
        _start("4 start, first", "start to readyz in an empty folder: the schema is made", first),
        Figure("4 memory", "idle RSS of all processes", min(resident), "<=", 160, "MiB", rest),
    ]


def _start(name: str, what: str, taken: Sequence[float]) -> Figure:
    note = f"best of {len(taken)}; their median {median(taken):.2f} s"
    return Figure(name, what, min(taken), "<=", 1.5, "s", note)
