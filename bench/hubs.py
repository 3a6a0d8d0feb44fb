# SPDX-License-Identifier: Apache-2.0
"""Hubs to measure: `hubkeep serve` on either database, with one user and what is put into it."""

import base64
import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from bench.load import Answer, Caller, pump
from bench.processes import free_port, running
from hubkeep.config import Config
from hubkeep.db import Database
from hubkeep.db.migrate import migrate
from hubkeep.identity import commands
from hubkeep.identity.actor import TokenRole
from hubkeep.kit.time import now
from tests.harness.postgres import find_binaries, running_cluster

USER = "bench"
TOKEN = "hf_token_of_the_benchmark"
NDJSON = "x-ndjson"


@dataclass(frozen=True, slots=True)
class Hub:
    """A running hub: the process that began it, and where it answers."""

    pid: int
    url: str

    def caller(self) -> Caller:
        """Open a connection of the user with a token that may write."""
        return Caller(self.url, TOKEN)


@contextmanager
def running_hub(data: Path, database_url: str = "", *options: str) -> Generator[Hub]:
    """Run `hubkeep serve` over an empty folder, with a user and a token; stopped at the end."""
    fill(data, database_url)
    with serving(data, database_url, "--no-job-worker", *options) as hub:
        yield hub


def fill(data: Path, database_url: str = "") -> None:
    """Make a hub's data in an empty folder, with a user and a token."""
    data.mkdir(parents=True, exist_ok=True)
    config = Config(data=data, database_url=database_url)
    with closing(Database(config.database)) as db:
        migrate(db)
        db.write_now(_make_user)


@contextmanager
def serving(data: Path, database_url: str, *options: str) -> Generator[Hub]:
    """Run `hubkeep serve` over a folder as it is, until the context ends."""
    port = free_port()
    command = [sys.executable, "-m", "hubkeep", "serve", "--data", str(data), "--port", str(port)]
    settings = {"HUBKEEP_DATABASE_URL": database_url, "HUBKEEP_LOG_LEVEL": "warning"}
    with running([*command, *options], port, **settings) as pid:
        yield Hub(pid, f"http://127.0.0.1:{port}")


@contextmanager
def postgresql() -> Generator[str]:
    """Run a PostgreSQL that syncs every commit to the disk; gives the address of a database."""
    binaries = find_binaries()
    if binaries is None:
        raise RuntimeError("PostgreSQL is not installed")
    durable = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    with running_cluster(binaries, **durable) as cluster:
        yield cluster.create("bench")


def _make_user(conn: Connection) -> None:
    commands.create_user(conn, USER, now())
    commands.create_token(conn, USER, TokenRole.WRITE, now(), name="bench", value=TOKEN)


def make_repo(caller: Caller, name: str) -> str:
    """Make a model repository of the user; return the path of its API."""
    caller.post_json("/api/repos/create", {"name": name, "type": "model"})
    return f"/api/models/{USER}/{name}"


def commit_body(summary: str, files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return the body of a commit that writes files."""
    lines: list[dict[str, object]] = [{"key": "header", "value": {"summary": summary}}]
    for path, content in files:
        encoded = base64.b64encode(content).decode()
        value = {"path": path, "content": encoded, "encoding": "base64"}
        lines.append({"key": "file", "value": value})
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def commit(caller: Caller, repo: str, body: bytes, branch: str = "main") -> None:
    """Send a commit; RuntimeError if it is refused."""
    pump([(caller, iter([commit_request(caller, repo, body, branch)]))])


def commit_request(caller: Caller, repo: str, body: bytes, branch: str = "main") -> bytes:
    """Return the bytes of a request that commits."""
    return caller.head("POST", f"{repo}/commit/{branch}", len(body), NDJSON) + body


def pages(caller: Caller, path: str) -> Iterator[Answer]:
    """Yield all pages of a list, as the Link headers lead to them."""
    following: str | None = path
    while following is not None:
        answer = caller.get(following)
        if answer.status != 200:
            raise RuntimeError(f"{following}: {answer.status} {answer.body[:300]!r}")
        yield answer
        following = answer.next_page and answer.next_page.removeprefix(caller.url)
