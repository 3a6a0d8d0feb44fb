# SPDX-License-Identifier: Apache-2.0
"""Servers as processes of their own, and what they use of processor and memory."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def family(pid: int) -> list[int]:
    """The process and all its descendants."""
    found = [pid]
    # A child hangs on the thread that started it.
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in listed.read_text().split():
            found += family(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time of the process and its descendants, user and system.

    Their clocks count nanoseconds, where /proc counts hundredths of a second.
    """
    return sum(map(own_cpu_seconds, family(pid)))


def own_cpu_seconds(pid: int) -> float:
    """Processor time of the process alone."""
    # What clock_getcpuclockid(3) makes of a process id; that is part of Linux' interface.
    return time.clock_gettime((~pid << 3) | 2)


def resident_mib(pid: int) -> float:
    """Memory of the process and its descendants, shared libraries counted in each, in MiB."""
    pages = (int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in family(pid))
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def unshared_mib(pid: int) -> float:
    """Memory of the process and its descendants, each shared page counted once, in MiB."""
    total = 0
    for one in family(pid):
        for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def rss_mib(pid: int) -> float:
    """Resident memory of the process alone, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


@contextmanager
def peak_rss(pid: int) -> Iterator[list[float]]:
    """Watch a process while the context lasts; the list holds its highest memory in MiB."""
    peak, over = [rss_mib(pid)], threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            peak[0] = max(peak[0], rss_mib(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def touch_memory(folder: Path, size: int) -> None:
    """Write and remove a file of `size` bytes, so that who is measured next finds memory for one.

    A virtual machine may give free memory back to its host after two seconds. To get a GiB of it
    again, for the pages of a file that is written, took two seconds of CPU, which were counted to
    the program that wrote it.
    """
    path, piece = folder / "touched", bytes(1 << 20)
    with path.open("wb") as file:
        for _ in range(-(-size // len(piece))):
            file.write(piece)
    path.unlink()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def wait_for(port: int, seconds: float = 20) -> None:
    """Return when something listens on a port of this machine; TimeoutError."""
    for _ in range(round(seconds / 0.05)):
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


@contextmanager
def running(command: list[str], port: int, **env: str) -> Iterator[int]:
    """Run a server until the context ends; gives its process id."""
    process = subprocess.Popen(
        command, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=sys.stderr
    )
    try:
        wait_for(port)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def bare_granian(target: str, *more: str, **env: str) -> Iterator[tuple[int, str]]:
    """Run an ASGI application under granian; gives process id and address."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "asginl", "--port", str(port)]
    options = ["--host", "127.0.0.1", "--log-level", "error", "--no-ws", "--http", "1"]
    with running([*command, *options, *more, target], port, **env) as pid:
        yield pid, f"http://127.0.0.1:{port}"
