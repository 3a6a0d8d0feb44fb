# SPDX-License-Identifier: Apache-2.0
"""Commits of one small file over HTTP: how long one takes, and how many eight writers make."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import msgspec

from bench.hubs import (
    Hub,
    commit,
    commit_body,
    commit_request,
    make_repo,
    pages,
    postgresql,
    running_hub,
)
from bench.load import Caller, pump, timed
from bench.table import Figure

WRITERS = 8
EACH = 40
ALONE = 60
ROUNDS = 5


class _Made(msgspec.Struct, rename="camel"):
    commit_oid: str


class _Listed(msgspec.Struct):
    id: str


def bodies(writer: int, count: int, mark: str) -> Iterator[bytes]:
    """Yield commits of one small file, each with another content."""
    for number in range(count):
        content = f"{mark} {writer} {number}".encode()
        yield commit_body(f"Number {number}", [(f"notes/{writer}.txt", content)])


def filled(caller: Caller, name: str) -> str:
    """Make a repository of 20 files; return the path of its API."""
    repo = make_repo(caller, name)
    files = [(f"folder-{n % 3}/part-{n:02}.txt", b"%d" % n) for n in range(19)]
    commit(caller, repo, commit_body("Files", [("README.md", b"# Repository\n"), *files]))
    return repo


def alone(caller: Caller, repo: str, mark: str) -> float:
    """Milliseconds that a commit takes while nothing else happens, p50."""
    requests = [commit_request(caller, repo, body) for body in bodies(0, ALONE, mark)]
    return median(timed(lambda r=r: pump([(caller, iter([r]))])) * 1000 for r in requests)


def together(hub: Hub, repos: Sequence[str], mark: str) -> float:
    """Commits a second of eight writers, each on the next of the repositories.

    RuntimeError if a commit that was acknowledged is not in the history afterwards.
    """
    with ExitStack() as stack:
        callers = [stack.enter_context(hub.caller()) for _ in range(WRITERS)]
        streams = []
        for writer, caller in enumerate(callers):
            repo = repos[writer % len(repos)]
            made = [commit_request(caller, repo, one) for one in bodies(writer, EACH, mark)]
            streams.append((caller, iter(made)))
        answers = []
        seconds = timed(lambda: answers.extend(pump(streams)))
        told = {msgspec.json.decode(each.body, type=_Made).commit_oid for each in answers}
        there = {one for repo in repos for one in history(callers[0], repo)}
    if len(told) != WRITERS * EACH or not told <= there:
        raise RuntimeError(f"{WRITERS * EACH - len(told & there)} commits were lost")
    return WRITERS * EACH / seconds


def history(caller: Caller, repo: str) -> Iterator[str]:
    """Yield the ids of all commits on the branch."""
    for page in pages(caller, f"{repo}/commits/main"):
        yield from (one.id for one in msgspec.json.decode(page.body, type=list[_Listed]))


def measured(database_url: str) -> tuple[list[float], list[float], list[float]]:
    """Of each round: p50 in ms, commits/s on one branch, commits/s on eight repositories."""
    with (
        tempfile.TemporaryDirectory() as name,
        running_hub(Path(name), database_url) as hub,
        hub.caller() as caller,
    ):
        one, *eight = [filled(caller, f"r{number}") for number in range(WRITERS + 1)]
        rounds = [
            (
                alone(caller, one, f"alone {number}"),
                together(hub, [one], f"together {number}"),
                together(hub, eight, f"apart {number}"),
            )
            for number in range(ROUNDS)
        ]
    p50, branch, apart = (list(taken) for taken in zip(*rounds, strict=True))
    return p50, branch, apart


def figures(engine: str, database_url: str, floor: float) -> Iterator[Figure]:
    p50, branch, apart = measured(database_url)
    if engine == "SQLite":
        what = "commit of one small file over HTTP, SQLite, p50"
        note = f"best of {ROUNDS} rounds; their median {median(p50):.1f} ms"
        yield Figure("2 commit, SQLite, p50", what, min(p50), "<=", 12, "ms", note)
    for name, rates in (("one branch", branch), ("eight repositories", apart)):
        what = f"commits of eight writers on {name}, {engine}, none lost"
        note = f"best of {ROUNDS} rounds; their median {median(rates):.0f}/s"
        if engine == "PostgreSQL":
            note += "; fsync on"
        title = f"2 commits, {engine}, {name}"
        yield Figure(title, what, max(rates), ">=", floor, "/s", note)


def run() -> list[Figure]:
    with postgresql() as url:
        return [*figures("SQLite", "", 150), *figures("PostgreSQL", url, 80)]
