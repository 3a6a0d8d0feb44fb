# SPDX-License-Identifier: Apache-2.0
"""All kinds of background jobs, and when those come round that nobody asks for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from hubkeep.content.jobs import CollectGarbage
from hubkeep.jobs import Job, Kinds, Periodic, Worker, kinds_of
from hubkeep.kit.time import DAY
from hubkeep.observatory.taking.daily import take_daily
from hubkeep.repos.jobs import count_hub, purge_deleted, roll_30_days, score_trending
from hubkeep.transfer.cas.checking import CheckFiles, check_forgotten
from hubkeep.transfer.cas.collecting import MOST_AT_A_TIME, collect_xorbs, find_stray_xorbs
from hubkeep.transfer.cas.converting import CONVERT_EVERY, convert_some, release_copies
from hubkeep.transfer.cas.scrubbing import SCRUB_EVERY, scrub_some
from hubkeep.transfer.cas.storage import count_storage
from hubkeep.transfer.jobs import (
    collect_files,
    drop_spare_copies,
    find_orphans,
    recall_copies,
    sweep_uploads,
)

if TYPE_CHECKING:
    from hubkeep.app import App

_MINUTE = 60_000
_HOUR = 60 * _MINUTE


class PurgeDeleted(Job["App"], frozen=True):
    """Deleting a repository only hides it, so that the request is quick; this clears it away."""

    KIND: ClassVar[str] = "repos.purge-deleted"

    async def run(self, context: "App") -> None:
        await purge_deleted(context)


class RollDownloads(Job["App"], frozen=True):
    """A download leaves the 30-day count when its day is over, not when it is next looked at."""

    KIND: ClassVar[str] = "repos.roll-downloads"

    async def run(self, context: "App") -> None:
        await roll_30_days(context)


class ScoreTrending(Job["App"], frozen=True):
    """Trending scores fade with time, and lists sort by what is in the column."""

    KIND: ClassVar[str] = "repos.score-trending"

    async def run(self, context: "App") -> None:
        await score_trending(context)


class SweepUploads(Job["App"], frozen=True):
    """Uploads that nobody went on with hold space that nothing will ever refer to."""

    KIND: ClassVar[str] = "transfer.sweep-uploads"

    async def run(self, context: "App") -> None:
        await sweep_uploads(context)


class CollectFiles(Job["App"], frozen=True):
    """Large files are deleted once no repository has referred to them for the grace time."""

    KIND: ClassVar[str] = "transfer.collect-files"

    async def run(self, context: "App") -> None:
        await collect_files(context)
        await recall_copies(context)
        await drop_spare_copies(context)


class CheckForgotten(Job["App"], frozen=True):
    """A file whose check was given up, or found it unreadable, would stay unchecked for ever."""

    KIND: ClassVar[str] = "cas.check-forgotten"

    async def run(self, context: "App") -> None:
        await check_forgotten(context)


class CollectXorbs(Job["App"], frozen=True):
    """Chunks are deleted once no file has needed them for longer than clients remember them."""

    KIND: ClassVar[str] = "cas.collect-xorbs"

    async def run(self, context: "App") -> None:
        await collect_xorbs(context, MOST_AT_A_TIME)


class Scrub(Job["App"], frozen=True):
    """Disks change bits and say nothing; a part of what is stored is read again in each run."""

    KIND: ClassVar[str] = "cas.scrub"

    async def run(self, context: "App") -> None:
        await scrub_some(context)


class ConvertFiles(Job["App"], frozen=True):
    """Files that came by git-lfs share nothing with their relatives until they are in chunks."""

    KIND: ClassVar[str] = "cas.convert-files"

    async def run(self, context: "App") -> None:
        await convert_some(context)
        await release_copies(context)


class CountStorage(Job["App"], frozen=True):
    """Counting all that is stored takes longer than whoever asks for it wants to wait."""

    KIND: ClassVar[str] = "cas.count-storage"

    async def run(self, context: "App") -> None:
        await count_storage(context)


class CountHub(Job["App"], frozen=True):
    """Counting all accounts, repositories and likes is work that grows with the hub."""

    KIND: ClassVar[str] = "repos.count-hub"

    async def run(self, context: "App") -> None:
        await count_hub(context)


class FindOrphans(Job["App"], frozen=True):
    """A crash between storing bytes and noting them leaves bytes that no row knows; so does going
    back to an older database.
    """

    KIND: ClassVar[str] = "transfer.find-orphans"

    async def run(self, context: "App") -> None:
        await find_orphans(context)
        await find_stray_xorbs(context)


class TakeSnapshot(Job["App"], frozen=True):
    """What a hub held yesterday is known tomorrow only if somebody wrote it down."""

    KIND: ClassVar[str] = "observatory.take-snapshot"

    async def run(self, context: "App") -> None:
        await take_daily(context)


def all_kinds() -> Kinds["App"]:
    """Return the kinds that this version can run, by name."""
    return kinds_of(
        [
            PurgeDeleted,
            RollDownloads,
            ScoreTrending,
            SweepUploads,
            CollectFiles,
            CheckFiles,
            CheckForgotten,
            CollectXorbs,
            ConvertFiles,
            CountStorage,
            CountHub,
            Scrub,
            FindOrphans,
            CollectGarbage,
            TakeSnapshot,
        ]
    )


def periodic() -> Sequence[Periodic]:
    """Return what comes round by the clock."""
    return (
        Periodic(PurgeDeleted(), _MINUTE),
        Periodic(ScoreTrending(), 10 * _MINUTE),
        Periodic(RollDownloads(), DAY),
        Periodic(SweepUploads(), _HOUR),
        Periodic(CollectFiles(), _HOUR),
        Periodic(CheckForgotten(), _HOUR),
        Periodic(CollectXorbs(), _HOUR),
        Periodic(ConvertFiles(), CONVERT_EVERY),
        Periodic(CountStorage(), _HOUR),
        Periodic(CountHub(), _HOUR),
        Periodic(Scrub(), SCRUB_EVERY),
        Periodic(FindOrphans(), 7 * DAY),
        # Behind the counts that begin a new day.
        Periodic(TakeSnapshot(), DAY),
    )


def worker_of(app: "App") -> Worker["App"]:
    """Return a worker for this hub."""
    return Worker(app.db, all_kinds(), app, app.clock, periodic())
