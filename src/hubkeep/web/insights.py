# SPDX-License-Identifier: Apache-2.0
"""What the pages of the observatory have in common: which snapshot they are about, who may see it,
their tabs, and how an answer is asked for again.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.identity.access import actor_of, administrator
from hubkeep.identity.actor import Actor
from hubkeep.observatory.library import MOST_HISTORY, oldest_own
from hubkeep.observatory.manifest import Manifest, Universe
from hubkeep.observatory.queries_concealed import Hidden, hidden_since
from hubkeep.observatory.reader.wire import Shelf
from hubkeep.observatory.series import Series
from hubkeep.observatory.store import NoSuchSnapshot
from hubkeep.web.repo_head import Link
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, Preview, shown
from hubkeep.web.wants import wants_html

if TYPE_CHECKING:
    from hubkeep.app import App

_TABS = (
    ("Overview", "/insights"),
    ("Figures", "/insights#figures"),
    ("Movers", "/insights/movers"),
    ("Compare", "/insights/compare"),
    ("Console", "/insights/console"),
)
_KINDS = {"hub": "this hub", "crawl": "crawled", "import": "imported"}
NOTHING_YET = "There is no snapshot yet: the hub takes one of itself every day."


class SnapshotShown(msgspec.Struct, rename="camel", kw_only=True):
    """A snapshot as pages name it."""

    id: str
    hash: str
    taken_at: str
    universe: Universe
    kind: str
    source: str
    rows: Mapping[str, int]
    """Of each table, as they were taken."""
    notes: Sequence[str]
    is_latest: bool
    """Whether it is what pages are about when nothing is asked for."""
    hidden: int
    """How many names are not read of it, since strangers may not see them any more."""

    @property
    def origin(self) -> str:
        """Where it is from, for people; a hub without an address of its own has no name."""
        return f"{self.source}, {self.kind}" if self.source else self.kind

    @property
    def day(self) -> str:
        """When it was taken, for people."""
        return self.taken_at[:10]


class SnapshotChoice(msgspec.Struct, rename="camel", kw_only=True):
    """A snapshot that one may choose; `value` is what a form says of it: nothing of the one that
    pages are about anyway.
    """

    id: str
    value: str
    day: str
    name: str
    is_current: bool


class About(msgspec.Struct, rename="camel", kw_only=True):
    """What all pages of the observatory say: which snapshot they are about, and where else to go.
    Without a snapshot `snapshot` is null.
    """

    tabs: Sequence[Link]
    snapshot: SnapshotShown | None
    snapshots: Sequence[SnapshotChoice]
    universe: Universe


class InsightsPage(Page, kw_only=True):
    """A page of the observatory. Where there is no answer, `problem` says why, and what to do."""

    about: About
    problem: str = ""

    @property
    def preview(self) -> Preview:
        """How a link to the page is shown."""
        return Preview("What is happening in an ecosystem of models")


@dataclass(frozen=True, slots=True)
class Scene:
    """Who looks at which snapshots. `series` and `shelf` are None where there is no snapshot."""

    actor: Actor
    who: str
    """Who the observatory's turns are shared among: the account, or the address of a visitor."""
    universe: Universe
    chosen: str
    """The snapshot that the address asks for; empty for the latest."""
    latest: str
    """The id of the one that pages are about when nothing is asked for."""
    known: Sequence[Manifest]
    series: Series | None
    shelf: Shelf | None

    @property
    def snapshot(self) -> Manifest | None:
        """The one that the page is about."""
        return self.series.history[-1] if self.series else None

    def pairs(self) -> list[tuple[str, str]]:
        """Return the parameters by which links keep to the snapshot and the universe."""
        kept = [("snapshot", self.chosen)] if self.chosen else []
        return [*kept, *([("universe", "all")] if self.universe == "all" else [])]

    def href(self, path: str, *more: tuple[str, str]) -> str:
        """Return the address of another page about the same snapshot."""
        query = urlencode([*self.pairs(), *more])
        return f"{path}?{query}" if query else path


async def scene_of(
    app: "App", request: Request, snapshot: str, universe: str, most: int = MOST_HISTORY
) -> Scene:
    """Return what a page is about: the series of the snapshot whose id begins with `snapshot`,
    thinned to `most`.

    Of this hub's own snapshots it leaves out what strangers may not see any more. The universe
    `all` is for administrators who are signed in here; for everybody else nothing is there. 404
    for a snapshot that there is not, 400 for a universe.
    """
    if universe not in ("", "public", "all"):
        raise errors.bad_request("universe must be public or all")
    wanted: Universe = "all" if universe == "all" else "public"
    known = app.snapshots.all(wanted)
    series: Series | None = None
    lost: NoSuchSnapshot | None = None
    latest = ""
    try:
        latest = app.snapshots.series("", wanted).history[-1].id if known else ""
        series = app.snapshots.series(snapshot, wanted, most)
    except NoSuchSnapshot as none:
        lost = none if snapshot else None
    oldest = oldest_own(series) if series and wanted == "public" else None

    def work(conn: Connection) -> tuple[Actor, Sequence[Hidden]]:
        now = app.clock()
        if wanted == "all":
            actor, _ = administrator(conn, request, now)
        else:
            actor = actor_of(conn, request, now)
        return actor, [] if oldest is None else hidden_since(conn, oldest)

    actor, hidden = await app.db.read(work)
    if lost is not None:
        raise errors.not_found(str(lost))
    shelf = app.snapshots.shelf(series, hidden) if series else None
    who = actor.user.name if actor.user else app.addresses.client_address(request)
    return Scene(actor, who, wanted, snapshot, latest, known, series, shelf)


def about(scene: Scene, current: str) -> About:
    """Return what all pages say; `current` names the tab that the page belongs under."""
    manifest = scene.snapshot
    return About(
        tabs=[Link(name, _at(scene, href), name == current) for name, href in _TABS],
        snapshot=snapshot_shown(manifest, scene) if manifest else None,
        snapshots=[
            SnapshotChoice(
                id=one.id,
                value="" if one.id == scene.latest else one.id,
                day=one.taken_at[:10],
                name=_name(one),
                is_current=manifest is not None and one.id == manifest.id,
            )
            for one in reversed(scene.known)
        ],
        universe=scene.universe,
    )


def answered(
    app: "App", request: Request, page: InsightsPage, scene: Scene, status: int = 200
) -> Response:
    """Answer with a page, or with 304 to who has the same already. What only administrators may see
    is kept nowhere. Who is no browser gets what is wrong as an error, like everywhere.
    """
    if status >= 400 and page.problem and not wants_html(request):
        raise errors.HubError(status, page.problem)
    kept = {"Cache-Control": "no-store"} if scene.universe == "all" else {}
    shell = shell_for(app, request, scene.actor)
    answer = shown(app, request, page, shell, status=status, headers=kept)
    return answer if kept or status != 200 else unless_known(request, answer)


def unless_known(request: Request, answer: Response) -> Response:
    """Give an answer its ETag, or 304 instead of it to who has it.

    The tag is of all that is sent: snapshots, their hashes, tables, parameters, what is hidden and
    who looks are in it, and nothing can be forgotten.
    """
    etag = f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
    answer.headers["ETag"] = etag
    if etag not in request.headers.get("if-none-match", ""):
        return answer
    same = Response(status_code=304)
    same.raw_headers = [
        (name, value)
        for name, value in answer.raw_headers
        if name not in (b"content-length", b"content-type")
    ]
    return same


def _at(scene: Scene, href: str) -> str:
    path, mark, fragment = href.partition("#")
    return scene.href(path) + mark + fragment


def snapshot_shown(manifest: Manifest, scene: Scene) -> SnapshotShown:
    """Return how pages name a snapshot that a scene is about."""
    return SnapshotShown(
        id=manifest.id,
        hash=manifest.hash,
        taken_at=manifest.taken_at,
        universe=manifest.universe,
        kind=_KINDS[manifest.source.kind],
        source=manifest.source.name,
        rows={name: table.rows for name, table in manifest.tables.items()},
        notes=manifest.notes,
        is_latest=manifest.id == scene.latest,
        hidden=_hidden(manifest, scene),
    )


def _hidden(manifest: Manifest, scene: Scene) -> int:
    shelf, series = scene.shelf, scene.series
    if shelf is None or series is None or manifest not in series.history:
        return 0
    return sum(shelf.hides[series.history.index(manifest)].values())


def _name(manifest: Manifest) -> str:
    return "this hub" if manifest.source.kind == "hub" else manifest.source.name
