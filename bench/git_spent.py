# SPDX-License-Identifier: Apache-2.0
"""What a server and the programs that it starts use: processor time and memory."""

import os
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.processes import family, own_cpu_seconds

# Programs are gone and counted a moment after the client has its answer.
_SETTLING = 0.05
_OFTEN = 0.01


@dataclass
class Spent:
    """Rounds of one thing: seconds that the client waited, and processor time of the server."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def typical(self) -> float:
        """Seconds, the median of the rounds."""
        return median(self.seconds)

    @property
    def typical_cpu(self) -> float:
        """Processor seconds a round. What ended programs used is counted in hundredths, so that
        the mean says more than the median.
        """
        return sum(self.cpu) / len(self.cpu)

    def take(self, pid: int, call: Callable[[], object], *, counted: bool = True) -> None:
        """Measure one call; a round that warms is not counted."""
        before, started = with_ended(pid), time.perf_counter()
        call()
        seconds = time.perf_counter() - started
        time.sleep(_SETTLING)
        if counted:
            self.seconds.append(seconds)
            self.cpu.append(with_ended(pid) - before)


def settle(pid: int, seconds: float = 60) -> None:
    """Return when a server has no program running for it, such as one that packs what was cloned
    before; TimeoutError.
    """
    for _ in range(round(seconds / _SETTLING)):
        if not any(map(_is_git, _family(pid))):
            return
        time.sleep(_SETTLING)
    raise TimeoutError(f"git still runs for process {pid}")


def with_ended(pid: int) -> float:
    """Processor time of a process, its descendants, and those of them that have ended."""
    total = 0.0
    for one in _family(pid):
        with suppress(OSError):
            total += own_cpu_seconds(one)
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    return total


@dataclass
class Memory:
    """The highest memory of a server with its programs, in MiB: all, and what is no file's."""

    resident: float = 0
    own: float = 0


def memory_of(pid: int) -> Memory:
    """Memory of a process and its descendants now, pages that several map counted in each."""
    resident = own = 0
    command = _command(pid)
    for one in _family(pid):
        # Between fork and exec a child is its parent's image, whose memory it does not add to.
        if one != pid and _command(one) == command:
            continue
        with suppress(OSError):
            for line in Path(f"/proc/{one}/status").read_text().splitlines():
                name, _, text = line.partition(":")
                if name == "VmRSS":
                    resident += int(text.split()[0])
                elif name in {"RssAnon", "RssShmem"}:
                    own += int(text.split()[0])
    return Memory(resident / 1024, own / 1024)


@contextmanager
def peak_memory(pid: int) -> Generator[Memory]:
    """Watch a server and all that it starts while the context lasts."""
    peak, over = memory_of(pid), threading.Event()

    def watch() -> None:
        while not over.wait(_OFTEN):
            now = memory_of(pid)
            peak.resident = max(peak.resident, now.resident)
            peak.own = max(peak.own, now.own)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def _family(pid: int) -> list[int]:
    """The family as far as it can be seen: a child may end while it is looked for."""
    with suppress(OSError):
        return family(pid)
    return [pid]


def _is_git(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().startswith(("git", "sh"))
    return False


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
