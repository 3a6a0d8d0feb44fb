# SPDX-License-Identifier: Apache-2.0
"""What the hub stores, for administrators: against what is held, by kind, what is to go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.db.state import DatabaseState, state_of
from hubkeep.identity.access import administrator
from hubkeep.identity.actor import Actor
from hubkeep.jobs.schedule import last_rounds
from hubkeep.kit.time import DAY, Millis
from hubkeep.transfer.cas.queries_storage import Sized, Totals, latest_totals
from hubkeep.transfer.cas.queries_storage_notes import (
    Day,
    Unneeded,
    days_of_storage,
    last_read,
    latest_unneeded,
)
from hubkeep.transfer.cas.spare import kinds
from hubkeep.transfer.cas.storage import HubStorage, Part, hub_storage
from hubkeep.web.pages_admin import AdminPage, admin_tabs, for_administrators
from hubkeep.web.pages_admin_repositories import AdminRepoRow, admin_repo_row, largest
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown

if TYPE_CHECKING:
    from hubkeep.app import App

_LARGEST = 10
_COLLECTING = ("transfer.collect-files", "cas.collect-xorbs", "transfer.sweep-uploads")
_READING = "cas.scrub"
_ORPHANS = "transfer.find-orphans"


class Slice(msgspec.Struct, rename="camel"):
    """A part of what is stored: how many bytes, and how many percent of all of it."""

    name: str
    text: str
    count: int | None
    bytes: int
    percent: float


class Waiting(msgspec.Struct, rename="camel"):
    """What of a kind nobody needs: `due` goes with the next round, `waiting` after its grace time;
    `nextAt` is when the first of it goes.
    """

    kind: str
    why: str
    due: Part
    waiting: Part
    next_at: Millis | None


class Upkeep(msgspec.Struct, rename="camel"):
    """When a worker last began to look after what is stored, and when something was last read."""

    collecting_at: Millis | None
    reading_at: Millis | None
    orphans_at: Millis | None
    last_read_at: Millis | None
    scrub_days: int


class StoragePage(AdminPage, kw_only=True):
    """What the hub stores; `storage` is null until a job has counted it once. `days` are lines of
    days since 1970, bytes held, bytes stored.
    """

    template: ClassVar[str] = "admin_storage.html"
    storage: HubStorage | None
    counted_at: Millis | None
    kept_percent: float | None
    """What is stored, in percent of what is held."""
    slices: Sequence[Slice]
    database: int
    waiting: Sequence[Waiting]
    upkeep: Upkeep
    days: Sequence[Day]
    largest: Sequence[AdminRepoRow]

    @property
    def lines(self) -> Mapping[str, str]:
        """How held and stored bytes grew, as paths in a picture of 600 by 120."""
        return lines_of(self.days)

    @property
    def known_since(self) -> Millis:
        """When the first of the days began."""
        return self.days[0].day * DAY


@dataclass(frozen=True, slots=True)
class _Found:
    actor: Actor
    totals: Totals | None
    database: DatabaseState
    unneeded: Sequence[Unneeded]
    upkeep: Upkeep
    days: Sequence[Day]
    largest: Sequence[AdminRepoRow]


@for_administrators
async def storage(app: "App", request: Request) -> Response:
    """Show what is stored, as a job counted it within the last hour."""
    found = await app.db.read(lambda conn: _load(app, conn, request))
    totals = found.totals
    rules = {kind.name: kind for kind in kinds(app.config.xet_grace_days)}
    page = StoragePage(
        title="Storage",
        tabs=admin_tabs("storage"),
        storage=hub_storage(totals) if totals else None,
        counted_at=totals.counted_at if totals else None,
        kept_percent=_percent(totals.stored, totals.logical.size) if totals else None,
        slices=_slices(totals, found.database),
        database=found.database.size,
        waiting=[
            Waiting(
                one.kind,
                rules[one.kind].why,
                _part(one.due),
                _part(one.waiting),
                None if one.next_since is None else one.next_since + rules[one.kind].grace,
            )
            for one in found.unneeded
            if one.kind in rules
        ],
        upkeep=found.upkeep,
        days=found.days,
        largest=found.largest,
    )
    return shown(app, request, page, shell_for(app, request, found.actor))


def _load(app: "App", conn: Connection, request: Request) -> _Found:
    actor, _ = administrator(conn, request, app.clock())
    rounds = last_rounds(conn)
    upkeep = Upkeep(
        max((rounds[kind] for kind in _COLLECTING if kind in rounds), default=None),
        rounds.get(_READING),
        rounds.get(_ORPHANS),
        last_read(conn),
        app.config.scrub_days,
    )
    return _Found(
        actor,
        latest_totals(conn),
        state_of(conn),
        latest_unneeded(conn),
        upkeep,
        days_of_storage(conn),
        [admin_repo_row(kind, row) for kind, row in largest(conn, actor, _LARGEST)],
    )


def _slices(totals: Totals | None, database: DatabaseState) -> list[Slice]:
    """What takes space, in the order in which it is shown."""
    found: list[tuple[str, str, int | None, int]] = []
    if totals is not None:
        found += [
            ("Whole files", "by git-lfs", totals.whole.count, totals.whole.size),
            ("Chunks", "by Xet, in xorbs", totals.xorbs.count, totals.xorbs.size),
            ("Spare copies", "to be deleted", totals.spare.count, totals.spare.size),
        ]
    if database.git_size is not None:
        found.append(("Git objects", "in the database", None, database.git_size))
        found.append(("Database", "all else in it", None, database.size - database.git_size))
    else:
        found.append(("Database", "git objects among it", None, database.size))
    total = sum(one[3] for one in found)
    return [
        Slice(name, text, count, size, _percent(size, total)) for name, text, count, size in found
    ]


def lines_of(days: Sequence[Day], width: int = 600, height: int = 120) -> dict[str, str]:
    """Return the paths of two lines over days, both to one scale; none for fewer than two days."""
    if len(days) < 2:
        return {}
    most = max(max(one.logical, one.stored) for one in days) or 1
    first, last = days[0].day, days[-1].day

    def path(values: Sequence[int]) -> str:
        spots = [
            f"{(day.day - first) / (last - first) * width:.1f} {height - value / most * height:.1f}"
            for day, value in zip(days, values, strict=True)
        ]
        return "M" + "L".join(spots)

    return {
        "logical": path([one.logical for one in days]),
        "stored": path([one.stored for one in days]),
    }


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def _part(sized: Sized) -> Part:
    return Part(*sized)
