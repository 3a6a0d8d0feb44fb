# SPDX-License-Identifier: Apache-2.0
"""Cached repositories packed better, in the background, by git itself.

Packs from rows have no deltas, and each fetch after a commit adds one more. git's `repack` deletes
packs that others may be reading; so it works on a second repository of the same files, which takes
the place of the first when it is done.
"""

import logging
import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path

from hubkeep.git.fetch.bare import MANY_PACKS, Bare
from hubkeep.git.fetch.places import alone_in, drafting, numbers, sweep
from hubkeep.git.program import GitFailed, GitMissing, Limits, command, end, environment, said

log = logging.getLogger("hubkeep.git")

LIMITS = Limits(cpu_seconds=3600, memory=3 << 30, file_bytes=1 << 40)
# Deltas are looked for once; afterwards what is new is put together so that each pack has twice as
# much as all that are smaller, which leaves few packs and copies an object few times.
_WITH_DELTAS = ("repack", "-a", "-d", "-f", "-n", "-q", "--write-bitmap-index")
_FEWER_PACKS = ("repack", "--geometric=2", "-d", "-n", "-q")


class Tidier:
    """A thread that is there while there is something to do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._homes: dict[Path, None] = {}
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    def ask(self, home: Path) -> None:
        """Have the repository of a home looked at soon."""
        with self._lock:
            if self._is_closed:
                return
            self._homes[home] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="git-tidy", daemon=True)
                self._thread.start()

    def wait(self) -> None:
        """Wait until all that was asked for is done."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def close(self) -> None:
        """Break off what runs; nothing is lost by it."""
        with self._lock:
            self._is_closed = True
            self._homes.clear()
            if self._process is not None and self._process.returncode is None:
                end(self._process.pid)
        self.wait()

    def _work(self) -> None:
        while True:
            with self._lock:
                home = next(iter(self._homes), None)
                if home is None:
                    self._thread = None
                    return
            try:
                self._tidy(home)
            except (OSError, GitFailed, GitMissing) as error:
                if not self._is_closed:
                    log.info("%s could not be packed better: %s", home, error)
                    _give_up(home)
            with self._lock:
                self._homes.pop(home, None)

    def _tidy(self, home: Path) -> None:
        with ExitStack() as stack:
            with alone_in(home):
                number = max(numbers(home), default=0)
                old = Bare(home / str(number))
                how = _how(old)
                if not number or old.is_doubtful or how is None:
                    return
                draft, fd = stack.enter_context(drafting(home))
                old.link_to(draft)
            self._repack(how, draft, fd)
            with alone_in(home):
                if number == max(numbers(home), default=0) and not old.is_doubtful:
                    place = home / str(number + 1)
                    draft.rename(place)
                    sweep(home, keep=place)

    def _repack(self, arguments: tuple[str, ...], folder: Path, fd: int) -> None:
        words = command(arguments, LIMITS)
        with self._lock:
            if self._is_closed:
                raise GitFailed("the hub stops")
            self._process = subprocess.Popen(
                words,
                cwd=folder,
                env=environment({"GIT_DIR": "."}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(fd,),
                start_new_session=True,
            )
        with self._process as process:
            _, complaint = process.communicate()
        with self._lock:
            self._process = None
        if process.returncode:
            raise GitFailed(said(complaint) or f"git ended with code {process.returncode}")


def _give_up(home: Path) -> None:
    """Do not look for deltas again in what there is."""
    for number in numbers(home):
        Bare(home / str(number)).give_up_deltas()


def _how(bare: Bare) -> tuple[str, ...] | None:
    if bare.lacks_deltas():
        return _WITH_DELTAS
    return _FEWER_PACKS if bare.count_packs() >= MANY_PACKS else None
