# SPDX-License-Identifier: Apache-2.0
"""How far a hub's memory rises, git's that it starts counted too: hostile pushes, clones at once.

`python -m bench.git_memory` prints one JSON object.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from bench import hubs
from bench.git_hostile import delta_bomb, push, zip_bomb
from bench.git_native import BRANCH, MIB, Git, commit, many, noise, removed
from bench.git_sides import Side, hub_side
from bench.git_spent import memory_of, peak_memory, settle

CLIENTS = 4
OBJECTS = 250_000
_MANY_FILES = 247_000  # with their folders not quite that many objects
_NOISE = 32
_LARGE_FILES = 100_000


def measure(files: int = _MANY_FILES, noisy: int = _NOISE) -> dict[str, float]:
    """MiB over idle in each case: all, and what is not pages of files."""
    with tempfile.TemporaryDirectory(prefix="hubkeep-bench-") as name:
        folder, home = Path(name), Path(name) / "home"
        home.mkdir()
        data, git = folder / "hub", Git(home)
        hubs.fill(data)
        _large(git, folder, files, noisy)
        figures: dict[str, float] = {}

        def case(name: str, act: Callable[[Side], object]) -> None:
            with _ready(data, home) as side:
                settle(side.pid)
                idle = memory_of(side.pid)
                with peak_memory(side.pid) as peak:
                    act(side)
                figures[f"{name}_mib"] = peak.resident - idle.resident
                figures[f"{name}_own_mib"] = peak.own - idle.own
                figures["idle_mib"] = idle.resident

        case("zip_bomb", lambda side: push(side.url_of("small"), zip_bomb()))
        case("delta_bomb", lambda side: push(side.url_of("small"), delta_bomb()))
        for kind in ("objects", "bytes"):
            case(f"push_{kind}", lambda side, k=kind: side.fill(k, folder / f"{k}.git"))
            shutil.rmtree(folder / f"{kind}.git")
            case(f"clone_cold_{kind}", lambda side, k=kind: _clones(side, k, folder))
            case(f"clone_warm_{kind}", lambda side, k=kind: _clones(side, k, folder))
        return figures


@contextmanager
def _ready(data: Path, home: Path) -> Generator[Side]:
    """A hub that has just started, and was pushed to and cloned from once."""
    with hubs.serving(data, "", "--no-job-worker") as hub:
        side = hub_side(hub, home)
        if not (home / "small").exists():
            Git(home).make(home / "small", [commit(0, [("README.md", b"# Small\n")])])
            side.make("small")
        side.git.push(home / "small", side.url_of("small"), f"+{BRANCH}:{BRANCH}")
        side.git.clone(side.url_of("small"), removed(home / "clone"), "--bare")
        yield side


def _large(git: Git, folder: Path, files: int, noisy: int) -> None:
    git.make(folder / "objects.git", [many(files, "object")])
    large = [commit(0, noise(noisy, 8 * MIB)), many(min(files, _LARGE_FILES), "large", 1)]
    git.make(folder / "bytes.git", large)


def _clones(side: Side, name: str, folder: Path) -> None:
    stranger, url = Git(side.git.home), side.url_of(name)
    targets = [removed(folder / f"clone-{number}") for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda target: stranger.clone(url, target, "--bare"), targets))
    for target in targets:
        removed(target)


if __name__ == "__main__":
    print(json.dumps({key: round(value) for key, value in measure().items()}, indent=1))
