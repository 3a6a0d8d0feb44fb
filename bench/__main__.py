# SPDX-License-Identifier: Apache-2.0
"""`python -m bench`: measure all figures and write docs/benchmarks.md; NAMEs measure a part."""

import argparse
import importlib
import sys
from collections.abc import Callable

import msgspec

from bench.table import Entry, Figure, entries, show, write

# By name, the module whose `run` returns figures. The longest come last.
BENCHES = {
    "info": "bench.info",
    "commits": "bench.commits",
    "many": "bench.many",
    "starting": "bench.starting",
    "crawl": "bench.crawl",
    "verification": "bench.verification",
    "transfer": "bench.transfer_figures",
    "xet": "bench.xet_figures",
    "git": "bench.git_figures",
    "observatory": "bench.observatory",
    "git-memory": "bench.git_memory_figures",
    "first-view": "bench.pages_first_view",
    "search": "bench.search_figures",
    "pages": "bench.pages_figures",
}


def run(name: str) -> list[Entry]:
    """Measure one benchmark."""
    measure: Callable[[], list[Figure]] = importlib.import_module(BENCHES[name]).run
    return entries(f"python -m bench {name}", measure())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="*", choices=[*BENCHES, []], help="; ".join(BENCHES))
    parser.add_argument("--json", action="store_true", help="print JSON, and write no table")
    options = parser.parse_args()
    taken: list[Entry] = []
    for name in options.name or BENCHES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        fresh = run(name)
        for entry in fresh:
            print(show(entry.figure), file=sys.stderr, flush=True)
        taken += fresh
        if not options.json:
            write(fresh)
    if options.json:
        print(msgspec.json.encode(taken).decode())


if __name__ == "__main__":
    main()
