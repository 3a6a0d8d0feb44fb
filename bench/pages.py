# SPDX-License-Identifier: Apache-2.0
"""Server time of pages of a hub with many repositories: a repository's first page, and lists.

    python -m bench.pages --data FOLDER [--database-url URL] [--loaded]

Without `--loaded` the empty database is filled with a million repositories first; with it that was
done by an earlier run, which leaves the folder. Pages are asked for through the application,
without a socket, by somebody who is not signed in.
"""

import argparse
import asyncio
import json
import re
from collections.abc import Sequence
from contextlib import closing
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

from bench.pages_cards import fill
from bench.search import MIX, SORTS, Sent, authors, exchange
from bench.search_figures import p95
from bench.search_load import load
from bench.search_repos import draw_repositories
from hubkeep.asgi import Hub
from hubkeep.config import Config
from hubkeep.db import Database
from hubkeep.db.migrate import migrate

REPOS = 1_000_000
_PATHS = "pages.json"
_BROWSER = ((b"accept", b"text/html"),)
_NEXT = re.compile(rb'href="([^"]+)" rel="next"')


def build(data: Path, database_url: str, repos: int = REPOS) -> None:
    """Fill an empty hub with generated repositories, and with some that have cards."""
    data.mkdir(parents=True, exist_ok=True)
    with closing(Database(Config(data=data, database_url=database_url).database)) as db:
        migrate(db)
        load(db, draw_repositories(repos, seed=1, census=None))
    (data / _PATHS).write_text(json.dumps(fill(data, database_url)))


async def take(data: Path, database_url: str, repeats: int) -> dict[str, list[list[Sent]]]:
    """Ask for every page `repeats` times, all pages in turn; per page its answers, first first."""
    hub = Hub(Config(data=data, database_url=database_url))
    app = await hub.start()
    try:
        cards = [f"/{path}" for path in json.loads((data / _PATHS).read_text())]
        lists = await _lists(hub, authors(app.db))
        found: dict[str, list[list[Sent]]] = {"card": [], "list": []}
        for kind, pages in (("card", cards), ("list", lists)):
            rounds = [
                [await exchange(hub, page, _BROWSER) for page in pages] for _ in range(repeats)
            ]
            found[kind] = [list(answers) for answers in zip(*rounds, strict=True)]
        return found
    finally:
        await hub.stop()


async def _lists(hub: Hub, by_author: Sequence[dict[str, str]]) -> list[str]:
    """Return the addresses of the lists of the mix of the API's benchmark, and their next pages."""
    found: list[str] = []
    for query in [*(one for queries in MIX.values() for one in queries), *by_author]:
        for sort in [query["sort"]] if "sort" in query else SORTS:
            found.append(f"/models?{urlencode({**query, 'sort': sort})}")
            following = _NEXT.search((await exchange(hub, found[-1], _BROWSER)).body)
            if following:
                found.append(unescape(following[1].decode()))
    return found


def best(pages: Sequence[Sequence[Sent]]) -> list[float]:
    """Return the least milliseconds that each page took."""
    return [min(answer.ms for answer in answers) for answers in pages]


def main() -> None:
    """Fill if need be, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--loaded", action="store_true", help="the folder is filled already")
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    if not asked.loaded:
        build(asked.data, asked.database_url)
    for kind, pages in asyncio.run(take(asked.data, asked.database_url, asked.repeats)).items():
        cpu = [min(answer.cpu_ms for answer in answers) for answers in pages]
        first = [answers[0].ms for answers in pages]
        size = max(len(answer.body) for answers in pages for answer in answers)
        print(
            f"{kind}: {len(pages)} pages, p95 {p95(best(pages)):.1f} ms (CPU {p95(cpu):.1f} ms), "
            f"first time {p95(first):.1f} ms, longest {max(best(pages)):.1f} ms, "
            f"at most {size / 1000:.0f} kB"
        )


if __name__ == "__main__":
    main()
