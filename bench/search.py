# SPDX-License-Identifier: Apache-2.0
"""Lists and search over many repositories: server work per request, by class of query.

    python -m bench.search [--repos N] [--database-url URL] [--census FILE] [--seed N]

The repositories are written straight into the tables of an empty database (SQLite in a temporary
folder unless a URL says otherwise), and each query of the mix is asked for through the application,
without a socket, by a caller with no token. What is timed is the whole request in the server:
routing, the database, the answer's JSON. Pages have 30 objects. `first` is page 1; `deep` is page
50, or the last where the list ends before. Prints JSON, then a table in Markdown.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlencode, urlsplit

from sqlalchemy import text
from starlette.types import Message

from bench.search_load import load
from bench.search_repos import draw_repositories
from hubkeep.asgi import Hub
from hubkeep.config import Config
from hubkeep.db import Database
from hubkeep.db.migrate import migrate

PAGE = 30
DEEP = 50
SORTS = ("downloads", "createdAt")
# Each class has several queries, so that no figure is that of one lucky word.
MIX: dict[str, list[dict[str, str]]] = {
    "rare word": [{"search": word} for word in ("walker-7b", "qzx", "genome-1", "zzzzzz", "kwj")],
    "common word": [{"search": word} for word in ("bert", "llama", "model", "er", "7b")],
    "word, two filters": [
        {"search": "bert", "filter": "license:mit,text-classification"},
        {"search": "llama", "filter": "transformers,safetensors"},
        {"search": "lunarlander", "filter": "transformers,text-to-image"},
        {"search": "gguf", "filter": "license:apache-2.0,en"},
        {"search": "base", "filter": "robotics,license:gpl-3.0"},
    ],
    "author": [],  # filled from the database: large, middling and small ones
    "newest": [{"sort": "createdAt"}],
    "most downloaded, task": [
        {"pipeline_tag": task, "sort": "downloads"}
        for task in ("text-generation", "image-classification", "object-detection", "text-to-3d")
    ],
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answered request: milliseconds by the clock and of this process's CPU, and what it said.

    On SQLite the CPU is all the work there is; on PostgreSQL its server's work is not in it.
    """

    ms: float
    cpu_ms: float
    objects: int
    following: str | None


async def ask(hub: Hub, target: str) -> Answer:
    """Send a GET to the application and read the whole answer."""
    sent = await exchange(hub, target, ())
    link = sent.headers.get(b"link", b"").decode()
    parts = urlsplit(link.partition(">")[0].removeprefix("<"))
    following = f"{parts.path}?{parts.query}" if link else None
    return Answer(sent.ms, sent.cpu_ms, len(json.loads(sent.body)), following)


@dataclass(frozen=True, slots=True)
class Sent:
    """What the application sent, with milliseconds as in an Answer."""

    ms: float
    cpu_ms: float
    headers: dict[bytes, bytes]
    body: bytes


async def exchange(hub: Hub, target: str, headers: Sequence[tuple[bytes, bytes]]) -> Sent:
    """Send a GET to the application. RuntimeError unless it is answered by 200."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
        "query_string": query.encode(), "headers": [(b"host", b"localhost"), *headers],
        "scheme": "http", "client": ("127.0.0.1", 1), "server": ("localhost", 80),
        "http_version": "1.1", "root_path": "",
    }  # fmt: skip
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    started, cpu = time.perf_counter(), time.process_time()
    await hub(scope, receive, send)
    ms, cpu_ms = (time.perf_counter() - started) * 1000, (time.process_time() - cpu) * 1000
    body = b"".join(message.get("body", b"") for message in sent)
    if sent[0]["status"] != 200:
        raise RuntimeError(f"{target}: {sent[0]['status']} {body[:300]!r}")
    return Sent(ms, cpu_ms, dict(sent[0]["headers"]), body)


async def measure(hub: Hub, repeats: int) -> dict[str, dict[str, list[Answer]]]:
    """Ask the whole mix, `repeats` times in turn, so that no class has a quiet minute to itself."""
    found: dict[str, dict[str, list[Answer]]] = {name: {"first": [], "deep": []} for name in MIX}
    for _ in range(repeats):
        for name, queries in MIX.items():
            for query in queries:
                for sort in [query["sort"]] if "sort" in query else SORTS:
                    asked = urlencode({**query, "sort": sort, "limit": PAGE})
                    first, deep = await _first_and_deep(hub, f"/api/models?{asked}")
                    found[name]["first"].append(first)
                    found[name]["deep"].append(deep)
    return found


async def _first_and_deep(hub: Hub, target: str) -> tuple[Answer, Answer]:
    first = answer = await ask(hub, target)
    for _ in range(DEEP - 1):
        if answer.following is None:
            break
        answer = await ask(hub, answer.following)
    return first, answer


def summary(answers: list[Answer]) -> dict[str, float]:
    """Return milliseconds (p50, p95, max; CPU p95), n, and how many pages were short."""
    ms = [answer.ms for answer in answers]
    cuts, cpu = _percentiles(ms), _percentiles([answer.cpu_ms for answer in answers])
    short = sum(answer.objects < PAGE and answer.following is not None for answer in answers)
    figures = {"p50": cuts[49], "p95": cuts[94], "max": max(ms), "cpu p95": cpu[94]}
    return {**{k: round(v, 1) for k, v in figures.items()}, "n": len(ms), "short": short}


def _percentiles(values: list[float]) -> list[float]:
    return quantiles(values, n=100, method="inclusive") if len(values) > 1 else values * 99


def authors(db: Database) -> list[dict[str, str]]:
    """Return owners of many, of some and of few models."""
    ranked = text(
        "SELECT a.name FROM accounts a JOIN (SELECT owner_id, count(*) AS n FROM repos "
        "WHERE type = 'model' AND NOT private GROUP BY owner_id) o ON o.owner_id = a.id "
        "ORDER BY o.n DESC"
    )
    names = db.read_now(lambda conn: conn.execute(ranked).scalars().all())
    return [{"author": names[min(rank, len(names) - 1)]} for rank in (0, 3, 50, 2000, 20_000)]


async def take(config: Config, repeats: int) -> dict[str, dict[str, list[Answer]]]:
    """Open the hub on the loaded database and ask the mix, once more than it is measured."""
    hub = Hub(config)
    app = await hub.start()
    try:
        MIX["author"] = authors(app.db)
        await measure(hub, 1)  # the caches of a server that has been up for a while
        return await measure(hub, repeats)
    finally:
        await hub.stop()


async def run(config: Config, repeats: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return the figures of each class, and of all."""
    found = await take(config, repeats)
    everything = [a for pages in found.values() for answers in pages.values() for a in answers]
    figures = {
        name: {page: summary(answers) for page, answers in pages.items()}
        for name, pages in found.items()
    }
    return {**figures, "all": {"both": summary(everything)}}


def table(figures: dict[str, dict[str, dict[str, float]]]) -> str:
    """Write the figures as Markdown."""
    columns = ("p50", "p95", "max", "cpu p95", "n", "short")
    lines = [f"| query | page | {' | '.join(columns)} |", "|---|---|" + "---|" * len(columns)]
    for name, pages in figures.items():
        for page, row in pages.items():
            lines.append(f"| {name} | {page} | {' | '.join(str(row[c]) for c in columns)} |")
    return "\n".join(lines)


def main() -> None:
    """Generate, load, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repos", type=int, default=1_000_000)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--census", type=Path, help="draw from a listing of models (Parquet)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--loaded", action="store_true", help="the database is filled already")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hubkeep-bench-") as folder:
        config = Config(data=Path(folder), database_url=asked.database_url)
        started = time.perf_counter()
        if not asked.loaded:
            db = Database(config.database)
            migrate(db)
            load(db, draw_repositories(asked.repos, asked.seed, asked.census))
            db.close()
        seconds = round(time.perf_counter() - started, 1)
        figures = asyncio.run(run(config, asked.repeats))
    print(json.dumps({"repos": asked.repos, "load_seconds": seconds, "ms": figures}))
    print(table(figures))


if __name__ == "__main__":
    main()
