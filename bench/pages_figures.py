# SPDX-License-Identifier: Apache-2.0
"""Server time of pages of a hub with a million repositories, on both databases."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench import pages
from bench.hubs import postgresql
from bench.search import Sent
from bench.search_figures import p95
from bench.table import Figure

REPEATS = 5
LIMIT_MS = 60
_WHAT = {
    "card": "the page of a repository with a card of 10 kB",
    "list": "a list or search page with facets, the mix of the API's",
}


def figures(engine: str, database_url: str) -> list[Figure]:
    """Fill a hub, and measure both kinds of pages."""
    with tempfile.TemporaryDirectory(prefix="hubkeep-bench-") as folder:
        data = Path(folder)
        pages.build(data, database_url)
        taken = asyncio.run(pages.take(data, database_url, REPEATS))
    return [_figure(engine, kind, answers) for kind, answers in taken.items()]


def _figure(engine: str, kind: str, answers: Sequence[Sequence[Sent]]) -> Figure:
    best = pages.best(answers)
    first = p95([each[0].ms for each in answers])
    note = (
        f"{len(best)} pages, each the best of {REPEATS}; p50 {median(best):.1f} ms, longest "
        f"{max(best):.0f} ms; p95 of the first time, which renders a card, {first:.1f} ms"
    )
    what = f"server time of {_WHAT[kind]}, {pages.REPOS:,} repositories, p95, {engine}"
    return Figure(f"8 pages, {kind}, {engine}", what, p95(best), "<=", LIMIT_MS, "ms", note)


def run() -> list[Figure]:
    with postgresql() as url:
        return [*figures("SQLite", ""), *figures("PostgreSQL", url)]
