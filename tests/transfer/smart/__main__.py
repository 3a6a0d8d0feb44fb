# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.transfer.smart`: long random histories by git and by the API together."""

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.harness.postgres import find_binaries, running_cluster
from tests.transfer.smart.test_random import run_against


def main() -> None:
    """Run one long history; an AssertionError shows the operations that led to it."""
    parser = argparse.ArgumentParser(prog="tests.transfer.smart", description=__doc__)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--check-each", type=int, default=25)
    parser.add_argument("--seed", type=int, default=time.time_ns() & 0xFFFF)
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite")
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hubkeep-git-")))
        url = f"sqlite:///{folder}/hub.db"
        if wanted.postgres:
            binaries = find_binaries()
            if binaries is None:
                parser.error("PostgreSQL is not installed")
            url = stack.enter_context(running_cluster(binaries)).create("mixed")
        # The first of hypothesis's examples is the simplest that there is.
        done = run_against(
            folder, url, 2, wanted.steps, check_each=wanted.check_each, seed=wanted.seed
        )
    print(f"{done} operations and nothing wrong; {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
