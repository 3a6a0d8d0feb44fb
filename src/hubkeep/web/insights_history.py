# SPDX-License-Identifier: Apache-2.0
"""What pages over time have in common: who they are about, what is asked of the reader, and what is
said beside the chart.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

import msgspec

from hubkeep import errors
from hubkeep.kit.time import Millis
from hubkeep.observatory.manifest import Manifest
from hubkeep.observatory.reader.process import NoAnswer
from hubkeep.observatory.reader.wire import AskCourse, CourseOf
from hubkeep.web.insights import Scene

if TYPE_CHECKING:
    from hubkeep.app import App

Table = Literal["models", "datasets", "spaces"]

KINDS: Final[dict[str, str]] = {
    "models": "model",
    "datasets": "dataset",
    "spaces": "space",
    "accounts": "account",
}
"""What a page over time may be about, by what stands in its address."""
MOST: Final = 400
"""Snapshots that are looked into; with many rows in each they are fewer."""

_ROWS: Final = {"id": 60_000_000, "author": 20_000_000}
_LEAST: Final = 24
# As snapshots have them: nothing else gets into one.
_NAME: Final = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Subject:
    """A repository, or an account as far as one table tells of its repositories."""

    kind: str
    """models, datasets, spaces, or accounts."""
    name: str
    table: Table

    @property
    def is_account(self) -> bool:
        """Whether it is an account."""
        return self.kind == "accounts"

    @property
    def path(self) -> str:
        """The address of its page, without parameters."""
        return f"/insights/{self.kind}/{quote(self.name)}"


@dataclass(frozen=True, slots=True)
class Told:
    """What snapshots say of some subjects, and which snapshots were asked."""

    history: Sequence[Manifest]
    """Oldest first."""
    there: int
    """How many there are of the hub; those in between were not asked."""
    courses: Sequence[CourseOf]

    @property
    def is_known(self) -> bool:
        """Whether any snapshot has anything of any of them."""
        return any(point is not None for one in self.courses for point in one.points)


def subject_of(kind: str, name: str, of: str = "") -> Subject:
    """Return what an address names; `of` says which repositories of an account count. 404."""
    if kind not in KINDS or not _NAME.fullmatch(name) or (kind == "accounts" and "/" in name):
        raise errors.not_found(f"Nothing is known of {name[:100]}")
    wanted = of or "models" if kind == "accounts" else kind
    for table in ("models", "datasets", "spaces"):
        if wanted == table:
            return Subject(kind, name, table)
    raise errors.bad_request("of must be models, datasets or spaces")


def over_time(app: "App", kind: str, name: str, since: Millis) -> str | None:
    """Return where something of this hub is told of, if a snapshot may have it: one was taken after
    the moment at which it was made.
    """
    if kind not in KINDS or not app.snapshots.has_own_since(since):
        return None
    return f"/insights/{kind}/{quote(name)}"


async def told_of(app: "App", scene: Scene, subjects: Sequence[Subject]) -> Told:
    """Ask what became of up to five subjects of one kind and table. NoAnswer."""
    if scene.shelf is None or scene.series is None:
        raise NoAnswer(404, "There is no snapshot yet: the hub takes one of itself every day.")
    first = subjects[0]
    by = "author" if first.is_account else "id"
    history = scene.series.history
    chosen = _chosen(history, first.table, by)
    ask = AskCourse(
        shelf=scene.shelf.of(chosen),
        table=first.table,
        names=[one.name for one in subjects],
        by=by,
    )
    said = await app.reader.ask(ask, scene.who)
    return Told(
        [history[at] for at in chosen],
        len(history),
        msgspec.json.decode(said, type=list[CourseOf]),
    )


def _chosen(history: Sequence[Manifest], table: str, by: str) -> Sequence[int]:
    """The places of the snapshots to look into: evenly spread where all would take too long."""
    rows = max((one.tables[table].rows for one in history if table in one.tables), default=0)
    most = max(_LEAST, min(MOST, _ROWS[by] // max(rows, 1)))
    step = max(1.0, (len(history) - 1) / (most - 1))
    wanted = {round(len(history) - 1 - at * step) for at in range(most)}
    return sorted(at for at in wanted if at >= 0)
