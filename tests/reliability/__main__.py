# SPDX-License-Identifier: Apache-2.0
"""`make kill`: the kill test in full, on SQLite or on a throw-away PostgreSQL."""

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.harness.postgres import find_binaries, running_cluster
from tests.reliability.storm import storm


def main() -> None:
    """Run the storm and print what it did; an AssertionError says what was lost."""
    parser = argparse.ArgumentParser(prog="make kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=time.time_ns() & 0xFFFF)
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite")
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hubkeep-kill-")))
        env = {}
        if wanted.postgres:
            binaries = find_binaries()
            if binaries is None:
                parser.error("PostgreSQL is not installed")
            cluster = stack.enter_context(running_cluster(binaries))
            env["HUBKEEP_DATABASE_URL"] = cluster.create("storm")
        toll = storm(folder, wanted.kills, env, wanted.seed)
    print(f"{toll}; {time.monotonic() - began:.0f} s in all")


if __name__ == "__main__":
    main()
