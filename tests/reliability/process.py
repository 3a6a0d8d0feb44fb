# SPDX-License-Identifier: Apache-2.0
"""A hub that is killed and started again, always on the same port and the same data."""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2 as httpx

ROOT = Path(__file__).parents[2]
READY_SECONDS = 10


class Mortal:
    """`hubkeep serve` with all its children in one process group; `up` is set while it serves."""

    def __init__(self, data: Path, env: Mapping[str, str]) -> None:
        self.data = data
        self.up = threading.Event()
        self._port = _free_port()
        self._env = dict(env)
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where it is, dead or alive."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def database_url(self) -> str:
        """Its database, as a process on this machine opens it."""
        return self._env.get("HUBKEEP_DATABASE_URL") or f"sqlite:///{self.data}/hubkeep.db"

    def start(self) -> float:
        """Start it and return the seconds until /readyz said yes; AssertionError after ten."""
        began = time.monotonic()
        self._process = subprocess.Popen(
            [*self._hubkeep(), "serve", "--port", str(self._port), "--json"],
            env=self._environment(),
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        output = self._process.stdout
        assert output is not None
        announced, _, _ = select.select([output], [], [], READY_SECONDS)
        assert announced, f"no word of the hub within {READY_SECONDS} s"
        assert output.readline(), f"the hub ended with code {self._process.wait()}"
        answer = httpx.get(f"{self.url}/readyz", timeout=READY_SECONDS, trust_env=False)
        assert answer.status_code == 200, answer.text
        seconds = time.monotonic() - began
        assert seconds < READY_SECONDS
        self.up.set()
        return seconds

    def kill(self) -> None:
        """`kill -9` the whole group; it gets no chance to do anything."""
        process = self._process
        if process is None:
            return
        assert process.poll() is None, f"the hub ended by itself, with code {process.returncode}"
        self.up.clear()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        self._process = None

    def run(self, *arguments: str) -> None:
        """Run one of its commands beside it."""
        command = [*self._hubkeep(), *arguments]
        subprocess.run(command, env=self._environment(), check=True, stdout=subprocess.DEVNULL)

    def _hubkeep(self) -> list[str]:
        return [sys.executable, "-m", "hubkeep"]

    def _environment(self) -> dict[str, str]:
        source = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
        ours = {"PYTHONPATH": source, "HUBKEEP_DATA": str(self.data)}
        return {**os.environ, **ours, **self._env}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]
