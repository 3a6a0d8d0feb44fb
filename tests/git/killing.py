# SPDX-License-Identifier: Apache-2.0
"""A program that kills itself, each time a step later, while it brings a cache up to date.

Arguments: the database's URL, the cache's folder, and a folder that the cache begins as, or "".
After each time the cache is used once more; what git then finds wrong ends the program. Prints how
many times it was killed.
"""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from hubkeep.db import Database
from hubkeep.git.fetch.cache import GitCache

MOST = 60
FSCK = ["git", "fsck", "--full", "--strict"]


def use(url: str, folder: Path) -> None:
    """Bring the repository up to date and have git look at it."""
    with (
        closing(Database(url)) as database,
        closing(GitCache(folder, 10**9)) as cache,
        cache.current(database, 1, "main") as cached,
    ):
        subprocess.run(FSCK, cwd=cached.path, check=True, capture_output=True)
        assert sorted(os.listdir(cached.path.parent)) == [cached.path.name, "lock"]


def die_at(step: int, url: str, folder: Path) -> bool:
    """Do the same in another process, which is killed before its nth change to the folder; whether
    it was.
    """
    pid = os.fork()
    if not pid:
        left = step

        def watch(event: str, args: tuple[object, ...]) -> None:
            nonlocal left
            is_new = event == "open" and isinstance(args[2], int) and args[2] & os.O_CREAT
            if is_new or event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir"):
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)

        with closing(Database(url)) as database:
            database.read_now(lambda _: None)
            sys.addaudithook(watch)
            with GitCache(folder, 10**9).current(database, 1, "main"):
                os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or status == 0
    return os.WIFSIGNALED(status)


def main(url: str, folder: Path, begin: str) -> None:
    """Be killed a step later each time, until there is no step left."""
    for step in range(1, MOST):
        shutil.rmtree(folder, ignore_errors=True)
        if begin:
            shutil.copytree(begin, folder)
        killed = die_at(step, url, folder)
        use(url, folder)
        if not killed:
            sys.stdout.write(f"{step - 1}\n")
            return


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
