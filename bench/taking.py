# SPDX-License-Identifier: Apache-2.0
"""Snapshots of a large hub, of both universes at once, as the daily job takes them:
`python -m bench.taking --repos 1000000`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench.hubs import postgresql
from bench.search_load import load
from bench.search_repos import draw_repositories
from hubkeep.config import Config
from hubkeep.db import Database
from hubkeep.db.migrate import migrate


def measured(repos: int, database_url: str) -> Mapping[str, float]:
    """Fill a hub, take its snapshots; seconds by the clock and of CPU, and the most memory."""
    with tempfile.TemporaryDirectory(prefix="hubkeep-bench-") as folder:
        config = Config(data=Path(folder), database_url=database_url)
        db = Database(config.database)
        migrate(db)
        load(db, draw_repositories(repos, 1, None))
        db.close()
        asked = [sys.executable, "-m", "hubkeep", "snapshot", "take", "--daily", "--json"]
        asked += ["--data", folder, *(["--database-url", database_url] if database_url else [])]
        started = time.perf_counter()
        process = subprocess.Popen(asked)
        _, status, used = os.wait4(process.pid, 0)
        if status:
            raise RuntimeError("the snapshots were not taken")
        seconds = time.perf_counter() - started
        stored = sum(path.stat().st_size for path in Path(folder, "snapshots").rglob("*.parquet"))
    return {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_mb": used.ru_maxrss // 1024,
        "stored_mb": round(stored / 1e6, 1),
    }


def main() -> None:
    """Fill, take, print, on both databases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repos", type=int, default=1_000_000)
    asked = parser.parse_args()
    with postgresql() as url:
        for name, database_url in (("SQLite", ""), ("PostgreSQL", url)):
            print(json.dumps({"database": name, **measured(asked.repos, database_url)}))


if __name__ == "__main__":
    main()
