# SPDX-License-Identifier: Apache-2.0
"""The program `git`: found, and run within limits and in an environment of its own.

Nothing of the server's environment or of the machine's configuration reaches it: they could name
another repository, hooks or helpers.
"""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_SHOWN = 2000
_BLOCK = 512  # what `ulimit -f` counts in
# The limits are set by the shell that becomes git: between fork and exec a program with threads
# must not run Python. Not every system limits the address space.
_LIMITED = 'ulimit -t "$1"; ulimit -f "$2"; ulimit -v "$3" 2>/dev/null; shift 3; exec "$@"'


class GitMissing(Exception):
    """The program `git` is not installed."""


class GitFailed(Exception):
    """git refused what it was given; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run of git, and each process that it starts, may use."""

    cpu_seconds: int
    memory: int
    """Bytes of address space."""
    file_bytes: int
    """Bytes of each file that it writes."""
    seconds: int = 3600
    """Until it is ended, whatever it does."""


def find_git() -> str:
    """Return where the program is. GitMissing."""
    git = shutil.which("git")
    if git is None:
        raise GitMissing("git is not installed")
    return git


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return all that git finds in its environment."""
    return {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        # The folders are the hub's, even where a volume makes them look like another user's.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "GIT_TERMINAL_PROMPT": "0",
        **(extra or {}),
    }


def command(arguments: Sequence[str], limits: Limits) -> list[str]:
    """Return the words of a command line that runs git within limits. GitMissing."""
    blocks = max(1, limits.file_bytes // _BLOCK)
    bounds = [str(limits.cpu_seconds), str(blocks), str(limits.memory // 1024)]
    return ["/bin/sh", "-c", _LIMITED, "git", *bounds, find_git(), *arguments]


def run(
    arguments: Sequence[str],
    folder: Path,
    limits: Limits,
    *,
    given: bytes = b"",
    env: Mapping[str, str] | None = None,
    fine: Sequence[int] = (0,),
    into: IO[bytes] | None = None,
) -> bytes:
    """Run git in a folder until it ends, and return what it printed; for threads.

    With `into`, a file, what it prints goes there, and no more than `limits.file_bytes` of it; it
    has what was printed until then where git fails. GitFailed where its exit code is not among
    `fine` or its time is over, GitMissing.
    """
    with subprocess.Popen(
        command(arguments, limits),
        cwd=folder,
        env=environment(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if into is None else into,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            printed, complaint = process.communicate(given, timeout=limits.seconds)
        except BaseException as error:
            end(process.pid)
            if isinstance(error, subprocess.TimeoutExpired):
                raise GitFailed(f"git took longer than {limits.seconds} seconds") from error
            raise
    if process.returncode not in fine:
        raise GitFailed(said(complaint) or f"git ended with code {process.returncode}")
    return printed or b""


async def start(
    arguments: Sequence[str],
    folder: Path,
    limits: Limits,
    *,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    given: IO[bytes] | None = None,
) -> asyncio.subprocess.Process:
    """Start git with pipes for all three streams, in a session of its own, so that `end` ends all
    of it. A file that is `given` is read from where it stands instead of a pipe. GitMissing.
    """
    return await asyncio.create_subprocess_exec(
        *command(arguments, limits),
        cwd=folder,
        env=environment(env),
        stdin=subprocess.PIPE if given is None else given,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=pass_fds,
        start_new_session=True,
    )


def end(pid: int) -> None:
    """Kill a git that `start` or `run` began, with all processes that it began itself.

    Only while it has not been waited for: its number may belong to another program afterwards.
    """
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def said(complaint: bytes) -> str:
    """Return what git wrote to its error stream, as text of a bounded length."""
    return complaint.decode("utf-8", "replace")[:_SHOWN].strip()
