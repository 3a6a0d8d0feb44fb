# SPDX-License-Identifier: Apache-2.0
"""The info of one repository, its token checked, against a bare route that sends the same bytes."""

import os
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from itertools import repeat
from pathlib import Path
from statistics import median

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.hubs import TOKEN, USER, Hub, commit, commit_body, make_repo, postgresql, running_hub
from bench.load import Caller, pump
from bench.processes import bare_granian, cpu_seconds
from bench.table import Figure

PATH = f"/api/models/{USER}/info"
CONNECTIONS = 32
REQUESTS = 1600
ROUNDS = 7

_CARD = b"""---
license: apache-2.0
language: [en, de]
library_name: transformers
pipeline_tag: text-classification
tags: [sentiment, reviews]
datasets: [imdb]
base_model: bench/base
---
# A model
"""


def bare() -> Starlette:
    """A route like the hub's that sends the bytes of the file that BENCH_BODY names."""
    body = Path(os.environ["BENCH_BODY"]).read_bytes()

    async def info(_request: Request) -> Response:
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route("/api/models/{ns}/{name}", info)])


def fill(hub: Hub) -> bytes:
    """Make a repository with a card and 20 files; return its info."""
    files = [(f"part-{number:02}.txt", b"%d" % number) for number in range(18)]
    with hub.caller() as caller:
        body = commit_body("Files", [("README.md", _CARD), ("config.json", b"{}"), *files])
        commit(caller, make_repo(caller, "info"), body)
        answer = caller.get(PATH)
        if answer.status != 200:
            raise RuntimeError(f"info: {answer.status} {answer.body!r}")
        return answer.body


def per_request(pid: int, url: str) -> float:
    """Microseconds of processor time that the server's processes spend on one request."""
    with ExitStack() as stack:
        callers = [stack.enter_context(Caller(url, TOKEN)) for _ in range(CONNECTIONS)]
        each = REQUESTS // CONNECTIONS
        before = cpu_seconds(pid)
        pump([(caller, repeat(caller.head("GET", PATH), each)) for caller in callers])
        return (cpu_seconds(pid) - before) / (each * CONNECTIONS) * 1e6


@contextmanager
def sides(folder: Path, database_url: str) -> Generator[dict[str, tuple[int, str]]]:
    """The hub and the bare application, which sends what the hub sent."""
    with ExitStack() as stack:
        hub = stack.enter_context(running_hub(folder / "hub", database_url))
        body = folder / "body"
        body.write_bytes(fill(hub))
        peer = bare_granian("bench.info:bare", "--factory", BENCH_BODY=str(body))
        yield {"hub": (hub.pid, hub.url), "bare": stack.enter_context(peer)}


def measured(database_url: str) -> tuple[float, str]:
    """The ratio of the best rounds, and what it was made of."""
    with tempfile.TemporaryDirectory() as name, sides(Path(name), database_url) as both:
        for pid, url in both.values():
            per_request(pid, url)
        taken = [{side: per_request(*where) for side, where in both.items()} for _ in range(ROUNDS)]
    hub, peer = (min(one[side] for one in taken) for side in ("hub", "bare"))
    middle = median(one["hub"] / one["bare"] for one in taken)
    return hub / peer, f"{hub:.0f} to {peer:.0f} us of CPU; median of the rounds {middle:.1f}x"


def run() -> list[Figure]:
    what = "info of a repository, token checked, CPU per request against a bare Starlette route"
    value, note = measured("")
    figures = [Figure("1 info, SQLite", f"{what}; SQLite", value, "<=", 5, "x", note)]
    with postgresql() as url:
        value, note = measured(url)
    figures.append(Figure("1 info, PostgreSQL", f"{what}; PostgreSQL", value, "<=", 12, "x", note))
    return figures
