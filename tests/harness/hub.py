# SPDX-License-Identifier: Apache-2.0
"""Hubs for tests: `hub`, the application in this process, and `live_hub`, the program on a port."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2 as httpx
import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, select
from starlette.testclient import TestClient

from hubkeep.app import App
from hubkeep.asgi import Hub
from hubkeep.config import Config, load
from hubkeep.db import Database
from hubkeep.db.migrate import prepare
from hubkeep.db.tables import jobs
from hubkeep.job_kinds import worker_of
from hubkeep.kit.time import Millis, now
from tests.harness.world import Seeded, seed

T = TypeVar("T")

BASE = "http://127.0.0.1:8080"
ROOT = Path(__file__).parents[2]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Mark of tests (`pytestmark = on_sqlite`) that a second database engine would tell nothing new."""


class MovableClock:
    """The hub's clock: stands still until it is moved."""

    def __init__(self, start: Millis | None = None) -> None:
        self.now = now() if start is None else start

    def __call__(self) -> Millis:
        return self.now

    def move(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0):
        """Let time pass."""
        self.now += round(((days * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1000)


class TestHub:
    """A started hub and a client that calls it without a socket.

    Paths are sent as they are written (`%2F` stays), redirects are not followed, and requests are
    nobody's unless they say `token=`.
    """

    __test__ = False

    def __init__(self, application: Hub, client: TestClient, clock: MovableClock) -> None:
        self.application = application
        self.client = client
        self.clock = clock
        self.tokens = Seeded()

    @property
    def app(self) -> App:
        """The application's App: database, blob store and the rest."""
        assert self.application._app is not None
        return self.application._app

    def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        **how: Any,
    ) -> httpx.Response:
        """Send a request; `how` is httpx's: json, content (bytes or an iterator), params."""
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.request(method, path, headers={**sent, **(headers or {})}, **how)

    def get(self, path: str, **how: Any) -> httpx.Response:
        return self.request("GET", path, **how)

    def head(self, path: str, **how: Any) -> httpx.Response:
        return self.request("HEAD", path, **how)

    def post(self, path: str, **how: Any) -> httpx.Response:
        return self.request("POST", path, **how)

    def put(self, path: str, **how: Any) -> httpx.Response:
        return self.request("PUT", path, **how)

    def patch(self, path: str, **how: Any) -> httpx.Response:
        return self.request("PATCH", path, **how)

    def delete(self, path: str, **how: Any) -> httpx.Response:
        return self.request("DELETE", path, **how)

    def run_jobs(self) -> int:
        """Run the background jobs that are due; how many those were. None may fail."""
        assert self.client.portal is not None
        count = self.client.portal.call(worker_of(self.app).run_due)
        assert self.read(failed_jobs) == []
        return count

    def read(self, fn: Callable[[Connection], T]) -> T:
        """Run a read on the hub's database."""
        return self.app.db.read_now(fn)

    def write(self, fn: Callable[[Connection], T]) -> T:
        """Run a transaction on the hub's database."""
        return self.app.db.write_now(fn)


def failed_jobs(conn: Connection) -> list[tuple[str, str]]:
    """Kind and error of the jobs that raised and are still in the queue."""
    rows = conn.execute(select(jobs.c.kind, jobs.c.error).where(jobs.c.error.is_not(None)))
    return [(kind, error) for kind, error in rows]


@contextmanager
def started_hub(config: Config, clock: MovableClock | None = None) -> Iterator[TestHub]:
    """Start the application with these settings and stop it at the end.

    It takes no snapshots of itself: each would be a process that no other test has any use for.
    """
    clock = clock or MovableClock()
    config = replace(config, snapshots="off")
    application = Hub(config, clock)
    with TestClient(
        application, base_url=BASE, follow_redirects=False, client=("127.0.0.1", 50_000)
    ) as client:
        yield TestHub(application, client, clock)


@pytest.fixture
def hub(tmp_path: Path, database_url: str) -> Iterator[TestHub]:
    """A fresh hub with the accounts of `Seeded`, once on each database engine."""
    config = Config(data=tmp_path / "hub", database_url=database_url)
    with started_hub(config) as started:
        started.write(lambda conn: seed(conn, started.clock()))
        yield started


@dataclass
class LiveHub:
    """A `hubkeep serve` of its own."""

    url: str
    data: Path
    process: subprocess.Popen[str]
    tokens: Seeded = field(default_factory=Seeded)
    env: dict[str, str] = field(default_factory=dict)
    """Its settings, as it has them in its environment."""

    @property
    def database_url(self) -> str:
        """Its database, as another process opens it."""
        return load({**self.env, "HUBKEEP_DATA": str(self.data)}).database

    @property
    def token(self) -> str:
        """Alice's, with the role 'write'."""
        return self.tokens.alice

    @property
    def client_env(self) -> dict[str, str]:
        """What a stock client's process needs in its environment to use this hub as alice."""
        return {
            **os.environ,
            "HF_ENDPOINT": self.url,
            "HF_TOKEN": self.token,
            "HF_HOME": str(self.data.parent / "hf-home"),
        }

    def command(self, *arguments: str) -> None:
        """Run one of the hub's commands beside it."""
        words = [sys.executable, "-m", "hubkeep", *arguments, "--data", str(self.data)]
        done = subprocess.run(
            words, env={**program_env(), **self.env}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def stop(self) -> int:
        """Stop it cleanly and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def program_env() -> dict[str, str]:
    """The environment in which a process of ours finds this source."""
    source = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": source}


@contextmanager
def running_hub(
    data: Path, *arguments: str, env: dict[str, str] | None = None
) -> Iterator[LiveHub]:
    """Run `hubkeep serve` on a free port over a data folder, as it is; stopped at the end.

    It takes no snapshots of itself: what pages of the observatory are about would change with time.
    """
    command = [sys.executable, "-m", "hubkeep", "serve", "--data", str(data)]
    process = subprocess.Popen(
        [*command, "--port", "0", "--json", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**program_env(), "HUBKEEP_SNAPSHOTS": "off", **(env or {})},
    )
    assert process.stdout is not None
    with process, process.stdout as output:
        hub = LiveHub("", data, process, env=env or {})
        try:
            line = output.readline()
            assert line, f"hubkeep serve ended with code {process.wait()}"
            hub.url = json.loads(line)["url"]
            yield hub
        finally:
            hub.stop()


def seed_folder(data: Path) -> None:
    """Make a data folder whose database holds the accounts of `Seeded`."""
    data.mkdir(parents=True, exist_ok=True)
    seed_database(Config(data=data).database)


def seed_database(url: str) -> None:
    """Put the accounts of `Seeded` into a database."""
    db = Database(url)
    prepare(db)
    db.write_now(lambda conn: seed(conn, now()))
    db.close()


@pytest.fixture(scope="session")
def live_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """The real server with the accounts of `Seeded`, one for all tests of this worker.

    Tests share it, so each makes repositories with names of its own.
    """
    data = tmp_path_factory.mktemp("live") / "hub"
    seed_folder(data)
    with running_hub(data, "--no-job-worker") as hub:
        yield hub
