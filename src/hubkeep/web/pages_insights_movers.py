# SPDX-License-Identifier: Apache-2.0
"""What moved in a week, or in a month: between the last snapshot and the one that is closest to so
many days before it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal
from urllib.parse import quote, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.http import read_query
from hubkeep.observatory.manifest import Manifest
from hubkeep.observatory.reader.process import NoAnswer
from hubkeep.observatory.reader.wire import AskMovers, MoverOf, MoversOf
from hubkeep.web.insights import (
    NOTHING_YET,
    InsightsPage,
    Scene,
    SnapshotShown,
    about,
    answered,
    scene_of,
    snapshot_shown,
)

if TYPE_CHECKING:
    from hubkeep.app import App

_ALL: Final = 100_000
_DAY: Final = 86_400.0
_NOW: Final = {"after": "Now"}
_COUNTS: Final = {"before": "Before", **_NOW}
_CHANGE: Final = {"change": "Change"}
_PER_CENT: Final = {"percent": "%"}
_ONE: Final = "Movers need two snapshots of the same hub, with downloads of models; there is one."

ROWS: Final = 12
"""Of each list that the page shows; its JSON has all."""

# Title, what it means, what is counted, and what is shown of it by the titles of columns.
_LISTS: Final[Mapping[str, tuple[str, str, str, Mapping[str, str]]]] = {
    "gained": ("Most gained", "by downloads in 30 days", "models", {**_COUNTS, **_CHANGE}),
    "grown": ("Fastest growing", "in per cent", "models", {**_COUNTS, **_PER_CENT}),
    "new": ("New", "by downloads", "models", {**_NOW, "number": "Likes", "made": "Made"}),
    "fallen": ("Most fallen", "by downloads in 30 days", "models", {**_COUNTS, **_CHANGE}),
    "entered": ("Came into the top 100", "", "models", {**_COUNTS, "number": "Place"}),
    "left": ("Left the top 100", "", "models", {**_COUNTS, "number": "Place before"}),
    "organisations": (
        "Top namespaces",
        "by downloads of their models",
        "accounts",
        {**_NOW, **_CHANGE, **_PER_CENT, "number": "Models"},
    ),
    "families": (
        "Most built upon",
        "by models that name them as their base",
        "families",
        {"before": "Models before", **_NOW, **_CHANGE},
    ),
}


class MoversAddress(msgspec.Struct, frozen=True, kw_only=True):
    """What the address of the page may ask for."""

    snapshot: str = ""
    universe: str = ""
    days: Literal["7", "30", ""] = ""
    least: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 100
    format: Literal["html", "json"] | None = None


class MoverShown(msgspec.Struct, rename="camel", kw_only=True):
    """A row of a list; null where nothing is known."""

    id: str
    href: str
    before: int | None
    after: int | None
    change: int | None
    percent: float | None
    number: int | None
    made: str | None


class MoversList(msgspec.Struct, rename="camel", kw_only=True):
    """One list: what it is of, and which of its numbers are shown, by their titles."""

    id: str
    title: str
    note: str
    of: str
    columns: Mapping[str, str]
    rows: Sequence[MoverShown]


class MoversPage(InsightsPage, kw_only=True):
    """What moved between two snapshots."""

    template: ClassVar[str] = "insights_movers.html"
    days: int
    """That are asked for; `apart` are those that the two snapshots are apart."""
    least: int
    apart: float = 0.0
    before: SnapshotShown | None = None
    numbers: Mapping[str, int] = {}
    lists: Sequence[MoversList] = ()
    flagged: Sequence[MoverShown] = ()
    notes: Sequence[str] = ()
    permalink: str = ""
    families_href: str = ""

    @property
    def shown(self) -> int:
        """How many rows of each list are shown."""
        return ROWS


async def movers(app: "App", request: Request) -> Response:
    """Show what moved."""
    asked = read_query(request, MoversAddress)
    scene = await scene_of(app, request, asked.snapshot, asked.universe, _ALL)
    days = int(asked.days or "7")
    page = MoversPage(title="Movers", about=about(scene, "Movers"), days=days, least=asked.least)
    if scene.shelf is None or scene.series is None:
        page.problem = NOTHING_YET
        return answered(app, request, page, scene)
    history = scene.series.history
    place = _before(history, days)
    if place is None:
        page.problem = _ONE
        return answered(app, request, page, scene)
    shelf = scene.shelf.of([place, len(history) - 1])
    try:
        said = await app.reader.ask(AskMovers(shelf=shelf, least=asked.least), scene.who)
    except NoAnswer as none:
        page.problem = str(none)
        return answered(app, request, page, scene, none.status)
    _fill(page, scene, history[place], msgspec.json.decode(said, type=MoversOf))
    return answered(app, request, page, scene)


def _before(history: Sequence[Manifest], days: int) -> int | None:
    """The place of the snapshot that is closest to so many days before the last; None if there is
    none before it, or if the last has no counters.
    """
    if not _has_counts(history[-1]):
        return None
    now = _seconds(history[-1])
    there = [at for at, one in enumerate(history[:-1]) if _has_counts(one) and _seconds(one) < now]
    return min(there, key=lambda at: abs(now - _seconds(history[at]) - days * _DAY), default=None)


def _has_counts(snapshot: Manifest) -> bool:
    table = snapshot.tables.get("models")
    return table is not None and "downloads_30d" not in table.missing


def _seconds(snapshot: Manifest) -> float:
    return datetime.fromisoformat(snapshot.taken_at).timestamp()


def _fill(page: MoversPage, scene: Scene, before: Manifest, told: MoversOf) -> None:
    assert scene.snapshot is not None
    page.apart = round((_seconds(scene.snapshot) - _seconds(before)) / _DAY, 1)
    page.before = snapshot_shown(before, scene)
    page.numbers = {
        "compared": told.n_compared,
        "new": told.n_new,
        "gone": told.n_gone,
        "flagged": told.n_flagged,
    }
    page.lists = [
        MoversList(
            id=name,
            title=title,
            note=f"{note}, from {page.least:,} on" if name == "grown" else note,
            of=of,
            columns=columns,
            rows=[_row(one, of, scene) for one in told.lists[name]],
        )
        for name, (title, note, of, columns) in _LISTS.items()
    ]
    page.flagged = [_row(one, "models", scene) for one in told.lists["flagged"]]
    page.notes = _notes(page, told)
    page.families_href = scene.href("/insights/b2")
    kept = [("days", str(page.days)), ("least", str(page.least))]
    usual = {("days", "7"), ("least", "100")}
    asked = [("snapshot", scene.snapshot.id), *[one for one in kept if one not in usual]]
    universe = [("universe", "all")] if scene.universe == "all" else []
    page.permalink = f"/insights/movers?{urlencode([*asked, *universe])}"


def _row(one: MoverOf, of: str, scene: Scene) -> MoverShown:
    change = None if one.before is None or one.after is None else one.after - one.before
    kind = "accounts" if of == "accounts" else "models"
    return MoverShown(
        id=one.id,
        href=scene.href(f"/insights/{kind}/{quote(one.id)}"),
        before=one.before,
        after=one.after,
        change=change,
        percent=100 * change / one.before if change is not None and one.before else None,
        number=one.number,
        made=one.made,
    )


def _notes(page: MoversPage, told: MoversOf) -> Sequence[str]:
    n = f"n = {told.n_compared:,} models with a count in both snapshots, of {told.n:,}"
    said = [f"{n}; {told.n_new:,} are new, {told.n_gone:,} are gone."]
    if abs(page.apart - page.days) > page.days / 4:
        said.append(
            f"The snapshot that is closest to {page.days} days before is {page.apart:,.0f} days "
            "before: what follows is of that time."
        )
    said.append(
        "Counters are of 30 days: those of two snapshots that are less than 30 days apart share "
        "days, and a model that is new has not been counted for 30 days yet."
    )
    if told.n_flagged:
        counters = "counter stands" if told.n_flagged == 1 else "counters stand"
        said.append(f"{told.n_flagged:,} {counters} out, and are left out of all lists and sums.")
    return said
