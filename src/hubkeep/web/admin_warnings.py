# SPDX-License-Identifier: Apache-2.0
"""What administrators ought to see to, and what helps. Pure: all that it looks at is given."""

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from hubkeep.config import LOOPBACK, Config
from hubkeep.kit.time import Millis
from hubkeep.transfer.cas.queries_storage import Totals
from hubkeep.web.admin_health import Health, QueueHealth, StoreHealth
from hubkeep.web.words import ago, size

_MINUTE: Millis = 60_000
_QUIET_FOR = 5 * _MINUTE
_LONG_WAIT = 15 * _MINUTE
_STALE_COUNT = 3 * 60 * _MINUTE
_LEAST_FREE = 5 << 30
_LEAST_GIT = (2, 38)


class Concern(msgspec.Struct, rename="camel"):
    """Something to see to: what is wrong, what helps, and the page that says more."""

    level: Literal["bad", "warn"]
    what: str
    do: str
    href: str = ""


def warnings_of(
    health: Health, totals: Totals | None, config: Config, now: Millis
) -> list[Concern]:
    """Return what is to be seen to, the worst first."""
    found = [
        *_of_store(health.store),
        *_of_queue(health.queue, now),
        *_of_storage(totals, now),
        *_of_git(health.git),
        *_of_snapshots(health),
        *_of_settings(config),
    ]
    return sorted(found, key=lambda one: one.level)


def _of_store(store: StoreHealth) -> Iterator[Concern]:
    if store.problem:
        what = f"Large files cannot be trusted to {store.place}: {store.problem}."
        do = "Uploads fail or are lost. Look at HUBKEEP_BLOBS_URL and at the rights of the place."
        yield Concern("bad", what, do, "/admin/settings")
    if store.free is not None and store.free < max(_LEAST_FREE, (store.total or 0) // 20):
        level = "bad" if store.free < _LEAST_FREE // 5 else "warn"
        what = f"{size(store.free)} are free on the disk of the large files."
        do = "Uploads are refused when it is full: make room, or use another disk."
        yield Concern(level, what, do, "/admin/storage")


def _of_queue(queue: QueueHealth, now: Millis) -> Iterator[Concern]:
    if queue.seen_at is None or queue.seen_at < now - _QUIET_FOR:
        since = "yet" if queue.seen_at is None else f"since {ago(queue.seen_at, now)}"
        do = (
            "Checks, cleaning and counts wait. 'hubkeep serve' starts a worker unless "
            "HUBKEEP_JOB_WORKER is false; 'hubkeep worker' runs one."
        )
        yield Concern("bad", f"No job worker has been seen {since}.", do, "/admin/jobs")
    elif queue.oldest_due is not None and queue.oldest_due < now - _LONG_WAIT:
        what = f"A job was due {ago(queue.oldest_due, now)} and waits for a worker."
        do = "One job is long, or there are many: run 'hubkeep worker' beside."
        yield Concern("warn", what, do, "/admin/jobs")
    if queue.failed:
        many = "1 job was" if queue.failed == 1 else f"{queue.failed} jobs were"
        do = "Read why, then have them run again or forget them."
        yield Concern("warn", f"{many} given up.", do, "/admin/jobs?state=failed")


def _of_storage(totals: Totals | None, now: Millis) -> Iterator[Concern]:
    if totals is None:
        return
    damaged = totals.damaged_files.count + totals.damaged_xorbs.count
    if damaged:
        what = f"{damaged} stored {'thing is' if damaged == 1 else 'things are'} damaged."
        do = "'hubkeep verify' says whose: bring them back from a backup, or have them sent anew."
        yield Concern("bad", what, do, "/admin/storage")
    if totals.counted_at < now - _STALE_COUNT:
        what = f"What is stored was last counted {ago(totals.counted_at, now)}."
        do = "A job does so every hour: see whether it fails."
        yield Concern("warn", what, do, "/admin/jobs")


def _of_git(version: str | None) -> Iterator[Concern]:
    least = ".".join(map(str, _LEAST_GIT))
    if version is None:
        do = f"Clones, pushes and merges need it: install git {least} or newer."
        yield Concern("bad", "git is not installed, or does not run.", do)
        return
    numbers = re.findall(r"\d+", version)[:2]
    if len(numbers) == 2 and tuple(map(int, numbers)) < _LEAST_GIT:
        yield Concern("warn", f"git {version} is too old.", f"Install git {least} or newer.")


def _of_snapshots(health: Health) -> Iterator[Concern]:
    if health.snapshots_lack:
        what = "The hub takes no snapshots of itself: what that needs is not installed."
        do = "pip install 'hubkeep[observatory]', or set HUBKEEP_SNAPSHOTS to off."
        yield Concern("warn", what, do)


def _of_settings(config: Config) -> Iterator[Concern]:
    if config.public_url:
        return
    if config.host not in LOOPBACK:
        what = f"The hub listens on {config.host} and does not know how clients call it."
        do = "Set HUBKEEP_PUBLIC_URL, or HUBKEEP_ALLOWED_HOSTS."
        if not config.allowed_hosts:
            yield Concern("warn", what, do, "/admin/settings")
