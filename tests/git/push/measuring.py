# SPDX-License-Identifier: Apache-2.0
"""One push in a process of its own, so that its memory can be told from the tests'.

    python -m tests.git.push.measuring DATABASE FOLDER PACK TIP

Prints as JSON what became of it, the most memory over idle of this process with its children, in
MiB, and how many seconds each step took.
"""

import asyncio
import json
import os
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection

from hubkeep.db import Database
from hubkeep.git.push.incoming import Refused, receive
from tests.git.push.pushing import BOUNDS
from tests.git.workshop import new_repo

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Memory(threading.Thread):
    """Watches how much memory this process and its children hold in all."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.idle = held()
        self.most = 0
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.005):
            self.most = max(self.most, held() - self.idle)

    def stop(self) -> float:
        self._done.set()
        self.join()
        return self.most / (1 << 20)


def held() -> int:
    me = os.getpid()
    pids = [me]
    for task in Path(f"/proc/{me}/task").iterdir():
        try:
            pids += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return sum(map(resident, pids))


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def measure(url: str, folder: Path, pack: Path, tip: bytes) -> dict[str, object]:
    seconds: dict[str, float] = {}
    refused: list[str] = []
    with closing(Database(url)) as database:
        repo_id = new_repo(database)
        memory = Memory()
        memory.start()
        at = time.perf_counter()

        def step(name: str) -> None:
            nonlocal at
            now = time.perf_counter()
            seconds[name] = round(now - at, 3)
            at = now

        try:
            incoming = asyncio.run(receive(folder, from_file(pack), BOUNDS))
            step("receive")
            with closing(incoming):
                checked = database.read_now(lambda conn: incoming.check(conn, repo_id, [tip]))
                step("check")

                def write(conn: Connection) -> None:
                    incoming.write(conn, repo_id, checked)

                database.write_now(write)
                step("write")
        except Refused as bad:
            refused = list(bad.lines)
            step("refused")
        return {"refused": refused, "memory": round(memory.stop(), 1), "seconds": seconds}


async def from_file(pack: Path):
    with pack.open("rb") as file:
        while piece := file.read(1 << 18):
            yield piece


if __name__ == "__main__":
    given = sys.argv
    found = measure(given[1], Path(given[2]), Path(given[3]), bytes.fromhex(given[4]))
    sys.stdout.write(json.dumps(found))
