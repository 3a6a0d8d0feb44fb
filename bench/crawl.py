# SPDX-License-Identifier: Apache-2.0
"""`hubkeep snapshot crawl` of a Hubkeep with 20,000 repositories, held against its database.

    python -m bench.crawl [--repos N]

RuntimeError where the snapshot is not what the database has.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import httpx2
from sqlalchemy import text

from bench.hubs import serving
from bench.search_load import load
from bench.search_repos import draw_repositories
from bench.table import Figure
from hubkeep.config import Config
from hubkeep.db import Database
from hubkeep.db.migrate import migrate

REPOS = 20_000
LISTS = {"models": "model", "datasets": "dataset", "spaces": "space"}
_REQUESTS = re.compile(r'^hubkeep_requests_total\{route="/api/.*"\} ([0-9.e+]+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a crawl cost; `requests` are those that the hub answered."""

    seconds: float
    mib: float
    requests: int


def crawled(folder: Path, repos: int) -> Taken:
    """Make a hub, crawl it, and compare."""
    hub_folder, data = folder / "hub", folder / "crawl"
    hub_folder.mkdir()
    with closing(Database(Config(data=hub_folder).database)) as db:
        migrate(db)
        load(db, draw_repositories(repos, 1, None))
        with serving(hub_folder, "", "--no-job-worker") as hub:
            taken = _crawl(hub.url, data)
        [snapshot] = (data / "snapshots/public").iterdir()
        compare(db, snapshot)
    return taken


def _crawl(url: str, data: Path) -> Taken:
    words = ["snapshot", "crawl", "--endpoint", url, "--data", str(data), "--json"]
    started = time.perf_counter()
    said = subprocess.run(
        [sys.executable, "-m", "hubkeep", *words], stdout=subprocess.PIPE, check=True
    ).stdout
    seconds = time.perf_counter() - started
    # It is the largest of all children that have ended, and the hub has not.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    json.loads(said)
    metrics = httpx2.get(f"{url}/metrics").raise_for_status().text
    return Taken(seconds, peak, sum(round(float(n)) for n in _REQUESTS.findall(metrics)))


def compare(db: Database, snapshot: Path) -> None:
    """RuntimeError unless a snapshot says of each public repository what the database does."""
    for table, kind in LISTS.items():
        columns = "path, downloads, downloads_all, likes, lower(license)"
        if kind == "space":
            columns = "path, likes, lower(license)"
        sql = text(f"SELECT {columns} FROM repos WHERE type = :kind AND NOT private ORDER BY path")
        has = db.read_now(lambda conn, sql=sql, kind=kind: conn.execute(sql, {"kind": kind}).all())
        names = columns.replace("path", "id").replace("downloads,", "downloads_30d,")
        found = duckdb.sql(
            f"SELECT {names} FROM '{snapshot}/{table}.parquet' ORDER BY id"
        ).fetchall()
        if [tuple(row) for row in has] != found:
            differ = next(
                pair for pair in zip(has, found, strict=False) if tuple(pair[0]) != pair[1]
            )
            raise RuntimeError(f"{len(has)} {table} became {len(found)}; {differ}")


def figures(repos: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="hubkeep-bench-") as name:
        taken = crawled(Path(name), repos)
    size = f"{repos:,} repositories"
    note = f"{taken.requests} requests, 4 at once; all counts and licences as in the database"
    yield Figure("5 crawl", f"crawl of {size}", taken.seconds, "<=", 60, "s", note)
    yield Figure("5 crawl, memory", f"peak RSS, crawl of {size}", taken.mib, "<=", 512, "MiB")


def run() -> list[Figure]:
    return list(figures(REPOS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repos", type=int, default=REPOS)
    for figure in figures(parser.parse_args().repos):
        print(f"{figure.what}: {figure.value:.1f} {figure.unit} {figure.note}")


if __name__ == "__main__":
    main()
