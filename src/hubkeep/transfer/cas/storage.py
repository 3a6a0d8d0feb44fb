# SPDX-License-Identifier: Apache-2.0
"""What the hub stores against what its repositories hold, counted where nobody waits for it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection

from hubkeep.kit.time import wire
from hubkeep.metrics import Figure
from hubkeep.transfer.cas.queries_storage import RepoTotals, Sized, Totals, count_all, note_totals
from hubkeep.transfer.cas.queries_storage_notes import Unneeded, note_day, note_unneeded
from hubkeep.transfer.cas.spare import count_kinds

if TYPE_CHECKING:
    from hubkeep.app import App


class Part(msgspec.Struct):
    """A kind of thing: how many, and how many bytes."""

    count: int
    bytes: int


class Held(msgspec.Struct):
    """What repositories hold, as their users see it."""

    files: int
    bytes: int


class RepoStored(msgspec.Struct):
    """What is in the blob store for a repository; `bytes` are all of the parts."""

    bytes: int
    whole: Part
    xorbs: Part


class RepoStorage(msgspec.Struct):
    """Answer to what a repository stores."""

    logical: Held
    stored: RepoStored


class Stored(msgspec.Struct):
    """What is in the blob store; `bytes` are all of the parts."""

    bytes: int
    whole: Part
    spare: Part
    xorbs: Part


class Chunked(msgspec.Struct, rename="camel"):
    """Files that are stored as chunks alone, and what their xorbs take."""

    files: int
    bytes: int
    stored_bytes: int


class Twofold(msgspec.Struct):
    """The same of whole copies and of xorbs."""

    whole: Part
    xorbs: Part


class HubStorage(msgspec.Struct, rename="camel"):
    """Answer to what the hub stores."""

    counted_at: str
    logical: Held
    different: Held
    stored: Stored
    saved_bytes: int
    chunked: Chunked
    waiting: Twofold
    unchecked: Twofold
    damaged: Twofold


async def count_storage(app: "App") -> Totals:
    """Count what the hub stores and what of it nobody needs, and keep it for those who ask."""
    days, xet_days = app.config.scrub_days, app.config.xet_grace_days
    totals = await app.db.read(lambda conn: count_all(conn, app.clock(), days))
    counted = await app.db.read(lambda conn: count_kinds(conn, xet_days, app.clock()))
    unneeded = [
        Unneeded(kind.name, spare.due, spare.waiting, spare.next_since) for kind, spare in counted
    ]

    def work(conn: Connection) -> None:
        note_totals(conn, totals)
        note_day(conn, totals)
        note_unneeded(conn, unneeded)

    await app.db.write(work)
    return totals


def repo_storage(totals: RepoTotals) -> RepoStorage:
    """Return what a repository stores, as it is told."""
    stored = RepoStored(totals.stored, _part(totals.whole), _part(totals.xorbs))
    return RepoStorage(Held(*totals.logical), stored)


def hub_storage(totals: Totals) -> HubStorage:
    """Return what the hub stores, as it is told."""
    return HubStorage(
        counted_at=wire(totals.counted_at),
        logical=Held(*totals.logical),
        different=Held(*totals.files),
        stored=Stored(totals.stored, _part(totals.whole), _part(totals.spare), _part(totals.xorbs)),
        saved_bytes=totals.saved,
        chunked=Chunked(*totals.chunked, totals.xorbs.size - totals.waiting_xorbs.size),
        waiting=Twofold(_part(totals.waiting_files), _part(totals.waiting_xorbs)),
        unchecked=Twofold(_part(totals.unchecked_files), _part(totals.unchecked_xorbs)),
        damaged=Twofold(_part(totals.damaged_files), _part(totals.damaged_xorbs)),
    )


def figures(totals: Totals) -> Iterator[Figure]:
    """Yield what the hub stores, as Prometheus takes it."""
    yield Figure(
        "hubkeep_storage_counted_seconds",
        "When the storage was counted, in seconds since 1970.",
        totals.counted_at / 1000,
    )
    held = "What repositories hold, each file once in each repository."
    yield Figure("hubkeep_logical_bytes", held, totals.logical.size)
    yield Figure("hubkeep_logical_files", held, totals.logical.count)
    parts = {"whole": totals.whole, "spare": totals.spare, "xorbs": totals.xorbs}
    twofold = {
        "waiting": (
            "What nobody needs any more, until its grace time is over.",
            totals.waiting_files,
            totals.waiting_xorbs,
        ),
        "unchecked": (
            "What was not read again in HUBKEEP_SCRUB_DAYS.",
            totals.unchecked_files,
            totals.unchecked_xorbs,
        ),
        "damaged": ("What is known to be damaged.", totals.damaged_files, totals.damaged_xorbs),
    }
    for kind, part in parts.items():
        yield Figure("hubkeep_stored_bytes", "What is in the blob store.", part.size, kind)
        yield Figure("hubkeep_stored", "How many things are in the blob store.", part.count, kind)
    for name, (text, whole, xorbs) in twofold.items():
        for kind, part in (("whole", whole), ("xorbs", xorbs)):
            yield Figure(f"hubkeep_{name}_bytes", text, part.size, kind)
            yield Figure(f"hubkeep_{name}", text, part.count, kind)


def _part(sized: Sized) -> Part:
    return Part(*sized)
