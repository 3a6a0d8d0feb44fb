# SPDX-License-Identifier: Apache-2.0
"""A hub and its peer, each with the same repositories, to be measured in turns."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import hubs
from bench.git_native import BRANCH, Git
from bench.git_spent import Spent, settle
from bench.hubs import TOKEN, USER, Hub
from bench.processes import bare_granian


@dataclass(frozen=True)
class Side:
    """A server with repositories by name."""

    pid: int
    git: Git
    """Who pushes to it."""
    url_of: Callable[[str], str]
    make: Callable[[str], object]
    """Makes a repository that can be pushed to."""
    folder_of: Callable[[str], Path] | None = None
    """Where the peer has a repository."""

    def fill(self, name: str, source: Path) -> None:
        """Make a repository and push a branch to it; the peer packs it."""
        self.make(name)
        self.git.push(source, self.url_of(name), f"+{BRANCH}:{BRANCH}")
        if self.folder_of is not None:
            self.git.run("gc", "-q", cwd=self.folder_of(name))


def hub_side(hub: Hub, home: Path) -> Side:
    """The hub as a side; its repositories are public, and pushing takes a token."""

    def make(name: str) -> None:
        with hub.caller() as caller:
            hubs.make_repo(caller, name)

    return Side(hub.pid, Git(home, TOKEN), lambda name: f"{hub.url}/{USER}/{name}", make)


@contextmanager
def peers(folder: Path, home: Path) -> Generator[tuple[Side, Side]]:
    """Run `git http-backend` behind granian; gives it with git's defaults, and made to check and
    to sync all that comes, as the hub does.
    """
    git = Git(home)
    careful = {"receive.fsckObjects": "true", "core.fsync": "all"}

    def side(pid: int, url: str, kind: str, config: Mapping[str, str]) -> Side:
        def folder_of(name: str) -> Path:
            return folder / kind / f"{name}.git"

        def make(name: str) -> None:
            bare = folder_of(name)
            git.run("init", "-q", "--bare", "--initial-branch=main", str(bare))
            for key, value in {"http.receivepack": "true", **config}.items():
                git.run("config", key, value, cwd=bare)

        return Side(pid, git, lambda name: f"{url}/{kind}/{name}.git", make, folder_of)

    folder.mkdir(parents=True)
    with bare_granian("bench.git_peer:backend", BENCH_REPOSITORIES=str(folder)) as (pid, url):
        yield side(pid, url, "plain", {}), side(pid, url, "careful", careful)


@dataclass(frozen=True)
class Turn:
    """What is done for a figure in each round, and the process that serves it."""

    pid: int
    call: Callable[[int], object]
    before: Callable[[int], object] = lambda _: None
    """What has to be there first and is not measured."""


def in_turns(rounds: int, turns: Mapping[str, Turn]) -> dict[str, Spent]:
    """Measure each turn in each round, beginning with another each time; round 0 warms."""
    taken = {name: Spent() for name in turns}
    names = list(turns)
    for number in range(rounds + 1):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            turn = turns[name]
            turn.before(number)
            settle(turn.pid)
            taken[name].take(turn.pid, partial(turn.call, number), counted=number > 0)
    return taken
