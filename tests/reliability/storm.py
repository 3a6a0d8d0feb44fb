# SPDX-License-Identifier: Apache-2.0
"""The storm: writers that never rest, and a hub that is killed at random moments and comes back."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx

from tests.reliability.checks import Auditor, check_blobs, check_repository, check_xorbs
from tests.reliability.git_writers import Pushes
from tests.reliability.ledger import Ledger
from tests.reliability.process import Mortal
from tests.reliability.writers import (
    REPO,
    TOKEN,
    Branches,
    FilesInParts,
    LargeFiles,
    SmallCommits,
    Writer,
)
from tests.reliability.xet_writers import XetFiles

LONGEST_LIFE = 1.0
_JOIN_SECONDS = 60


@dataclass
class Toll:
    """What a storm did, and what was found whole after it."""

    kills: int = 0
    commits: int = 0
    pushes: int = 0
    uploads: int = 0
    xet_uploads: int = 0
    refs: int = 0
    attempts: int = 0
    files_read: int = 0
    blobs_hashed: int = 0
    xorbs: int = 0
    commits_in_git: int = 0
    ready_seconds: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        slowest = max(self.ready_seconds)
        return (
            f"{self.kills} kills; acknowledged and found again: {self.commits} commits, "
            f"{self.pushes} of them pushed, "
            f"{self.uploads} large files by git-lfs, {self.xet_uploads} by Xet, "
            f"{self.refs} branches and tags; {self.attempts} attempts; "
            f"{self.files_read} files read back, {self.blobs_hashed} blobs hashed at the end, "
            f"{self.xorbs} of them xorbs; "
            f"git fsck --full --strict found nothing in {self.commits_in_git} commits; "
            f"ready again within {slowest:.2f} s"
        )


def storm(folder: Path, kills: int, env: Mapping[str, str], seed: int = 0) -> Toll:
    """Kill a hub `kills` times while it is written to; AssertionError if anything was lost.

    The hub's data stays in `folder` / "hub" for further checks.
    """
    chance = random.Random(seed)
    hub = Mortal(folder / "hub", env)
    ledger = Ledger(folder / "ledger.ndjson")
    toll = Toll()
    try:
        _prepare(hub)
        writers = _writers(hub, ledger, kills, folder)
        with _auditing(hub) as auditor:
            toll.ready_seconds.append(hub.start())
            _create_repository(hub)
            _start(writers)
            checked = 0
            for _ in range(kills):
                writers[0].join(chance.uniform(0.05, LONGEST_LIFE))
                _raise_failures(writers)
                hub.kill()
                toll.kills += 1
                toll.ready_seconds.append(hub.start())
                fresh = ledger.since(checked)
                checked += len(fresh)
                auditor.check(fresh)
            _stop(writers)
            _count(toll, ledger, writers)
            hub.kill()
            toll.ready_seconds.append(hub.start())
            entries = ledger.since(0)
            toll.files_read = auditor.check(entries)
            auditor.check_heads(entries)
            toll.files_read += auditor.check_listed()
            toll.blobs_hashed = check_blobs(hub.data / "blobs")
            toll.xorbs = check_xorbs(hub.database_url, hub.data / "blobs")
            hub.run("verify")
            toll.commits_in_git = check_repository(hub.database_url, folder / "bare")
    finally:
        hub.kill()
        ledger.close()
    return toll


@contextmanager
def _auditing(hub: Mortal) -> Iterator[Auditor]:
    auditor = Auditor(hub.url)
    try:
        yield auditor
    finally:
        auditor.close()


def _prepare(hub: Mortal) -> None:
    hub.run("migrate")
    hub.run("user", "create", "keeper")
    hub.run("token", "create", "keeper", "--role", "write", "--value", TOKEN, "--json")


def _create_repository(hub: Mortal) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    body = {"name": REPO.partition("/")[2], "visibility": "public"}
    url = f"{hub.url}/api/repos/create"
    answer = httpx.post(url, json=body, headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text


def _writers(hub: Mortal, ledger: Ledger, kills: int, folder: Path) -> list[Writer]:
    return [
        SmallCommits("small-1", hub, ledger),
        SmallCommits("small-2", hub, ledger),
        LargeFiles("large-1", hub, ledger),
        LargeFiles("large-2", hub, ledger),
        XetFiles("xet-1", hub, ledger),
        XetFiles("xet-2", hub, ledger),
        FilesInParts("parts", hub, ledger, most=1 + kills // 20),
        Branches("branches", hub, ledger),
        Pushes("push-1", hub, ledger, folder / "clients"),
        Pushes("push-2", hub, ledger, folder / "clients"),
    ]


def _start(writers: list[Writer]) -> None:
    for writer in writers:
        writer.start()


def _stop(writers: list[Writer]) -> None:
    for writer in writers:
        writer.stop()
    for writer in writers:
        writer.join(_JOIN_SECONDS)
        assert not writer.is_alive(), f"{writer.name} does not end"
    _raise_failures(writers)


def _raise_failures(writers: list[Writer]) -> None:
    for writer in writers:
        if writer.failure is not None:
            raise writer.failure


def _count(toll: Toll, ledger: Ledger, writers: list[Writer]) -> None:
    kinds = [entry.kind for entry in ledger.since(0)]
    toll.commits = kinds.count("commit")
    names = [entry.files[0].path for entry in ledger.since(0) if entry.kind == "commit"]
    toll.pushes = sum(name.startswith("push-") for name in names)
    toll.uploads = kinds.count("upload")
    toll.xet_uploads = kinds.count("xet")
    toll.refs = kinds.count("ref")
    toll.attempts = sum(next(writer.steps) for writer in writers)
