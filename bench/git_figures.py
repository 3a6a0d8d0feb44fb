# SPDX-License-Identifier: Apache-2.0
"""Clones, pushes and long histories: the figures of `bench/git*.py` and what each has to reach."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import disk_usage

from bench import git
from bench.hubs import postgresql
from bench.table import Figure

ROUNDS = 9
LISTINGS = 30
# The repositories of both sides, and what clients make of them.
ROOM = 6 << 30
_PEER = "git http-backend behind granian"


def run() -> list[Figure]:
    if disk_usage(Path(tempfile.gettempdir())).free < ROOM:
        raise RuntimeError(f"the temporary folder needs {ROOM >> 30} GiB")
    taken = git.measure("", ROUNDS)
    figures = [*_clones(taken), *_pushes(taken, "SQLite", 1.5), *_listing("SQLite", "")]
    with postgresql() as url:
        figures += _pushes(git.measure(url, ROUNDS, with_clones=False), "PostgreSQL", 2.5)
    with postgresql() as url:
        figures += _listing("PostgreSQL", url)
    return figures


def _clones(taken: Mapping[str, float]) -> Iterator[Figure]:
    for name, what in (
        ("few", f"20 files and {git.COMMITS} commits"),
        ("full", f"{git.FILES:,} files"),
    ):
        checkout = f"; with checkout {taken[f'clone_{name}_checkout_to_peer']:.2f}x"
        yield Figure(
            f"9 git clone, {name}",
            f"git clone --bare of {what} against {_PEER} with a packed repository",
            taken[f"clone_{name}_bare_to_peer"],
            "<=", 1.25, "x",
            _sides(taken, f"clone_{name}_bare", "peer") + checkout,
        )  # fmt: skip
    yield Figure(
        "9 git clone, cold",
        f"the first git clone --bare of {git.FILES:,} files after the cache is gone, against the "
        "next",
        taken["cold_to_peer"], "<=", 2, "x", _sides(taken, "cold", "peer"),
    )  # fmt: skip


def _pushes(taken: Mapping[str, float], engine: str, limit: float) -> Iterator[Figure]:
    peers = (("peer", ""), ("careful", ", which checks objects and syncs as the hub does"))
    for name, what in (
        ("one", "a commit that changes one file"),
        ("full", f"{git.FILES:,} files that were just committed"),
        ("packed", f"{git.FILES:,} files that lie in a pack already, as in a clone"),
    ):
        for peer, how in peers:
            yield Figure(
                f"9 git push, {engine}, {name}, {peer}",
                f"git push of {what}, {engine}, against {_PEER}{how}",
                taken[f"push_{name}_to_{peer}"],
                "<=", limit, "x",
                _sides(taken, f"push_{name}", peer),
            )  # fmt: skip


def _sides(taken: Mapping[str, float], name: str, peer: str) -> str:
    """What a ratio was made of: milliseconds that the client waited, and the server's CPU."""
    hub, other = taken[f"{name}_hub_s"] * 1000, taken[f"{name}_{peer}_s"] * 1000
    hub_cpu, other_cpu = (taken[f"{name}_{side}_cpu_s"] * 1000 for side in ("hub", peer))
    return f"{hub:.0f} to {other:.0f} ms; server CPU {hub_cpu:.0f} to {other_cpu:.0f} ms"


def _listing(engine: str, database_url: str) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="hubkeep-bench-") as name:
        taken = git.listings(Path(name), database_url, LISTINGS)
    for after, way in (("commit", "a commit through the API"), ("push", "a push")):
        yield Figure(
            f"9 git listing, {engine}, {after}",
            f"listing of a folder with last commits after {git.LONG:,} commits, right after {way}, "
            f"{engine}, p50",
            taken[f"list_after_{after}_ms"], "<=", 50, "ms",
            f"longest {taken[f'list_after_{after}_longest_ms']:.0f} ms; the first after the push "
            f"of all commits, which took {taken['list_push_s']:.0f} s, "
            f"{taken['list_first_ms']:.0f} ms",
        )  # fmt: skip
