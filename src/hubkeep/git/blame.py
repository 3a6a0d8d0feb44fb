# SPDX-License-Identifier: Apache-2.0
"""Which commit each line of a file comes from, as native git says."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from hubkeep.git.errors import ObjectMissing
from hubkeep.git.program import GitFailed, Limits, run

_LIMITS: Final = Limits(cpu_seconds=10, memory=3 << 30, file_bytes=16 << 20, seconds=20)
# Each run of lines as soon as it is known: what was found when time is over is of use.
_BLAME = ("-c", "core.quotePath=false", "blame", "--incremental", "--encoding=none")
_AT_ONCE = {"GIT_FLUSH": "1"}
_START = re.compile(rb"([0-9a-f]{40}) (\d+) (\d+) (\d+)\n")
_QUOTED = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPES = {
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
}


@dataclass(frozen=True, slots=True)
class Run:
    """Lines that came with one commit, numbered from 1.

    `before` is the commit and the path under which the file was found before that, None for what
    came with the file itself.
    """

    start: int
    count: int
    commit: bytes
    before: tuple[bytes, str] | None


@dataclass(frozen=True, slots=True)
class Blame:
    """Runs in the order of their lines; with `is_cut` git did not get to the end, and lines that
    are in no run are older than those that it got to.
    """

    runs: Sequence[Run]
    is_cut: bool


def blame(bare: Path, commit: bytes, path: str, limits: Limits = _LIMITS) -> Blame:
    """Say of each line of a file where it comes from. Blocking; reads history as far as it must.

    ObjectMissing where no ref of the repository leads to the commit, GitFailed, GitMissing.
    """
    is_cut = False
    with TemporaryFile() as printed:
        try:
            run((*_BLAME, commit.hex(), "--", path), bare, limits, env=_AT_ONCE, into=printed)
        except GitFailed as failed:
            if not printed.tell():
                if "bad object" in str(failed) or "bad revision" in str(failed):
                    raise ObjectMissing(commit.hex()) from failed
                raise
            is_cut = True
        printed.seek(0)
        runs = sorted(read_runs(printed), key=lambda found: found.start)
    return Blame(_joined(runs), is_cut)


def read_runs(lines: Iterable[bytes]) -> Iterator[Run]:
    """Read what `git blame --incremental` printed; one that breaks off is left out."""
    start: re.Match[bytes] | None = None
    before: tuple[bytes, str] | None = None
    for line in lines:
        if start is None:
            start, before = _START.fullmatch(line), None
            if start is None:
                raise GitFailed("git blame printed something else than expected")
        elif line.startswith(b"previous ") and line.endswith(b"\n"):
            commit, _, name = line.removeprefix(b"previous ").rstrip(b"\n").partition(b" ")
            before = bytes.fromhex(commit.decode()), unquoted(name).decode("utf-8", "replace")
        elif line.startswith(b"filename ") and line.endswith(b"\n"):
            yield Run(int(start[3]), int(start[4]), bytes.fromhex(start[1].decode()), before)
            start = None


def unquoted(name: bytes) -> bytes:
    """Return a name that git may have put into quotes, as C does, without them."""
    if not (name.startswith(b'"') and name.endswith(b'"') and len(name) > 1):
        return name
    return _QUOTED.sub(_unescaped, name[1:-1])


def _unescaped(found: re.Match[bytes]) -> bytes:
    what = found[1]
    return bytes([int(what, 8) & 0xFF]) if len(what) == 3 else _ESCAPES.get(what, what)


def _joined(runs: Sequence[Run]) -> list[Run]:
    """Runs of one commit that follow each other are one: git tells of them as it finds them."""
    joined: list[Run] = []
    for found in runs:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.start + last.count == found.start
            and (last.commit, last.before) == (found.commit, found.before)
        ):
            joined[-1] = Run(last.start, last.count + found.count, last.commit, last.before)
        else:
            joined.append(found)
    return joined
