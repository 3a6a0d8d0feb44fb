# SPDX-License-Identifier: Apache-2.0
"""The real git, far from whatever the machine has configured."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "LC_ALL": "C.UTF-8",
}


def git(
    *args: str,
    cwd: Path | None = None,
    stdin: bytes = b"",
    check: bool = True,
    env: Mapping[str, str] | None = None,
) -> bytes:
    """Run git and return what it printed."""
    done = subprocess.run(
        ["git", *args],
        cwd=cwd,
        env={**ENVIRONMENT, **(env or {})},
        input=stdin,
        capture_output=True,
        check=False,
    )
    if check and done.returncode:
        raise AssertionError(f"git {args}: {done.stderr.decode()}")
    return done.stdout


def accepts(*args: str, cwd: Path | None = None) -> bool:
    """Say whether a git command succeeds."""
    done = subprocess.run(
        ["git", *args], cwd=cwd, env=ENVIRONMENT, capture_output=True, check=False
    )
    return done.returncode == 0


def lines(output: bytes) -> list[str]:
    """Lines of output, without the empty one at the end."""
    return output.decode().splitlines()
