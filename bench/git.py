# SPDX-License-Identifier: Apache-2.0
"""Clones and pushes by real git, in turns with `git http-backend`, and listings of long histories.

`python -m bench.git` prints one JSON object. Each ratio is of medians of rounds within this run.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from bench import hubs
from bench.git_native import BRANCH, Git, commit, history, many, removed
from bench.git_sides import Side, Turn, hub_side, in_turns, peers
from bench.git_spent import Spent
from bench.load import Caller, timed

COMMITS = 300
FILES = 10_000
LONG = 20_000


@dataclass(frozen=True)
class Sources:
    """Bare repositories that are pushed and cloned, made once for all hubs of a run."""

    home: Path
    few: Path
    """20 files, 300 commits, and then one commit for each round of pushes."""
    steps: Sequence[str]
    """The last of the 300 commits and what follows it."""
    full: Path
    """One small commit, and on it one of 10,000 files."""
    loose: Path
    """The same, where the files were added a moment ago: not in a pack."""


def make_sources(folder: Path, rounds: int) -> Sources:
    """Write the repositories that all sides get."""
    home = folder / "home"
    home.mkdir()
    git = Git(home)
    few, full, loose = (folder / f"{name}.git" for name in ("few", "full", "loose"))
    git.make(few, history(20, COMMITS + rounds + 1))
    listed = git.run("rev-list", "--reverse", "main", cwd=few).split()
    git.make(full, [commit(0, [("README.md", b"# Files\n")]), many(FILES, "file", 1)])
    for each in (few, full):
        git.run("gc", "-q", cwd=each)
    git.run("init", "-q", "--bare", "--initial-branch=main", str(loose))
    for pack in (full / "objects/pack").glob("*.pack"):
        git.run("unpack-objects", "-q", cwd=loose, given=pack.read_bytes())
    git.run("update-ref", BRANCH, git.run("rev-parse", BRANCH, cwd=full).strip(), cwd=loose)
    return Sources(home, few, listed[COMMITS - 1 :], full, loose)


@contextmanager
def running(folder: Path, sources: Sources, database_url: str) -> Generator[dict[str, Side]]:
    """Run a hub and its peers over an empty folder."""
    with (
        hubs.running_hub(folder / "hub", database_url) as hub,
        peers(folder / "peers", sources.home) as (plain, careful),
    ):
        yield {"hub": hub_side(hub, sources.home), "peer": plain, "careful": careful}
    shutil.rmtree(folder)


def clones(
    folder: Path, sides: Mapping[str, Side], sources: Sources, rounds: int
) -> dict[str, float]:
    """Clones of both repositories from the hub's warm cache and from packed repositories."""
    figures: dict[str, float] = {}
    ours = {name: sides[name] for name in ("hub", "peer")}
    for name, source, times in (("few", sources.few, 3 * rounds), ("full", sources.full, rounds)):
        for side in ours.values():
            side.fill(name, source)
        # What is checked out is the client's work, and takes it long.
        for way, options, share in (("bare", ["--bare"], 1), ("checkout", [], 3)):
            turns = {key: _clone(side, name, folder, *options) for key, side in ours.items()}
            taken = in_turns(-(-times // share), turns)
            figures |= compared(f"clone_{name}_{way}", taken)
    return figures


def cold(folder: Path, hub: Side, cache: Path, rounds: int) -> dict[str, float]:
    """The first clone of 10,000 files after the cache is gone, against the next; see `clones`."""

    def lose(_number: int) -> None:
        removed(cache)
        removed(folder / "clone")

    warm = _clone(hub, "full", folder, "--bare")
    taken = in_turns(rounds, {"hub": Turn(hub.pid, warm.call, lose), "peer": warm})
    return compared("cold", taken)


def pushes(sides: Mapping[str, Side], sources: Sources, rounds: int) -> dict[str, float]:
    """Pushes of a commit that changes one file, and of one of 10,000 files: written down a moment
    ago, file by file as `git add` does, and out of a pack, as a clone has them.
    """
    for side in sides.values():
        side.make("steps")
        side.git.push(sources.few, side.url_of("steps"), f"+{sources.steps[0]}:{BRANCH}")

    def step(side: Side, number: int) -> None:
        side.git.push(sources.few, side.url_of("steps"), f"{sources.steps[number + 1]}:{BRANCH}")

    def prepare(source: Path, side: Side, number: int) -> None:
        name = f"{source.stem}-{number}"
        side.make(name)
        side.git.push(source, side.url_of(name), f"+main^:{BRANCH}")

    def load(source: Path, side: Side, number: int) -> None:
        side.git.push(source, side.url_of(f"{source.stem}-{number}"))

    ones = {name: Turn(side.pid, partial(step, side)) for name, side in sides.items()}
    figures = compared("push_one", in_turns(len(sources.steps) - 2, ones))
    for kind, source in (("full", sources.loose), ("packed", sources.full)):
        turns = {
            name: Turn(side.pid, partial(load, source, side), partial(prepare, source, side))
            for name, side in sides.items()
        }
        figures |= compared(f"push_{kind}", in_turns(rounds, turns))
    return figures


def compared(name: str, taken: Mapping[str, Spent]) -> dict[str, float]:
    """Medians of the hub and its peers, and the ratios between them."""
    figures: dict[str, float] = {}
    for side, spent in taken.items():
        figures[f"{name}_{side}_s"] = spent.typical
        figures[f"{name}_{side}_cpu_s"] = spent.typical_cpu
        if side != "hub":
            figures[f"{name}_to_{side}"] = taken["hub"].typical / spent.typical
    return figures


def listings(folder: Path, database_url: str, rounds: int) -> dict[str, float]:
    """Milliseconds of a listing with last commits right after a commit of the API, and a push.

    The folder holds a file that only the first of its commits touched.
    """
    home, source = folder / "home", folder / "long.git"
    home.mkdir()
    git = Git(home, hubs.TOKEN)
    git.make(source, history(20, LONG, lines=5))
    with ExitStack() as stack:
        hub = stack.enter_context(hubs.running_hub(folder / "hub", database_url))
        with hub.caller() as caller:
            repo = hubs.make_repo(caller, "long")
        url = f"{hub.url}/{hubs.USER}/long"
        pushed = timed(lambda: git.push(source, url, f"+{BRANCH}:{BRANCH}"))
        # Another connection: the push may take longer than one is kept that is not used.
        caller = stack.enter_context(hub.caller())
        first = _listed(caller, repo)

        def by_api(number: int) -> None:
            files = [("new.md", b"%d\n" % number)]
            hubs.commit(caller, repo, hubs.commit_body("Another", files))

        def by_push(number: int) -> None:
            git.run("fetch", "-q", url, f"+{BRANCH}:{BRANCH}", cwd=source)
            git.make(source, [commit(LONG + number, [("new.md", b"%d\n" % -number)], resumes=True)])
            git.push(source, url)

        by_way = {"commit": by_api, "push": by_push}
        after = {way: _after(make, caller, repo, rounds) for way, make in by_way.items()}
    figures = {"list_push_s": pushed, "list_first_ms": first}
    for way, taken in after.items():
        figures[f"list_after_{way}_ms"] = median(taken)
        figures[f"list_after_{way}_longest_ms"] = max(taken)
    return figures


def _after(make: Callable[[int], None], caller: Caller, repo: str, rounds: int) -> list[float]:
    """Milliseconds of a listing after each change; the first warms."""
    taken: list[float] = []
    for number in range(rounds + 1):
        make(number)
        taken.append(_listed(caller, repo))
    return taken[1:]


def _listed(caller: Caller, repo: str) -> float:
    started = timed(lambda: _whole(caller, f"{repo}/tree/main?expand=true"))
    return started * 1000


def _whole(caller: Caller, path: str) -> None:
    answer = caller.get(path)
    if answer.status != 200 or b'"lastCommit"' not in answer.body:
        raise RuntimeError(f"{path}: {answer.status} {answer.body[:300]!r}")


def _clone(side: Side, name: str, folder: Path, *options: str) -> Turn:
    target, stranger = folder / "clone", Git(side.git.home)
    return Turn(
        side.pid,
        lambda _: stranger.clone(side.url_of(name), target, *options),
        lambda _: removed(target),
    )


def measure(database_url: str, rounds: int, *, with_clones: bool = True) -> dict[str, float]:
    """Take the figures of a hub on a database, which is empty."""
    with tempfile.TemporaryDirectory(prefix="hubkeep-bench-") as name:
        folder = Path(name)
        sources = make_sources(folder, 3 * rounds)
        figures: dict[str, float] = {}
        with running(folder / "run", sources, database_url) as sides:
            if with_clones:
                figures |= clones(folder, sides, sources, rounds)
                figures |= cold(folder, sides["hub"], folder / "run/hub/git-cache", rounds)
            figures |= pushes(sides, sources, rounds)
        return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    figures = measure("", options.rounds)
    with tempfile.TemporaryDirectory(prefix="hubkeep-bench-") as name:
        figures |= listings(Path(name), "", 5 * options.rounds)
    print(json.dumps({key: round(value, 4) for key, value in figures.items()}, indent=1))


if __name__ == "__main__":
    main()
