# SPDX-License-Identifier: Apache-2.0
"""All kinds of background jobs, and when those come round that nobody asks for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from hubkeep.content.jobs import CollectGarbage
from hubkeep.jobs import Job, Kinds, Periodic, Worker, kinds_of
from hubkeep.kit.time import DAY
from hubkeep.repos.jobs import purge_deleted, roll_30_days, score_trending
from hubkeep.transfer.jobs import collect_files, drop_spare_copies, find_orphans, sweep_uploads

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
        await drop_spare_copies(context)


class FindOrphans(Job["App"], frozen=True):
    """A crash between storing bytes and noting them leaves bytes that no row knows."""

    KIND: ClassVar[str] = "transfer.find-orphans"

    async def run(self, context: "App") -> None:
        await find_orphans(context)


def all_kinds() -> Kinds["App"]:
    """Return the kinds that this version can run, by name."""
    return kinds_of(
        [
            PurgeDeleted,
            RollDownloads,
            ScoreTrending,
            SweepUploads,
            CollectFiles,
            FindOrphans,
            CollectGarbage,
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
        Periodic(FindOrphans(), 7 * DAY),
    )


def worker_of(app: "App") -> Worker["App"]:
    """Return a worker for this hub."""
    return Worker(app.db, all_kinds(), app, app.clock, periodic())
