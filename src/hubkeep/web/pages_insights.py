# SPDX-License-Identifier: Apache-2.0
"""The first page of the observatory: which snapshot it is about, what there is to know of it at a
glance, and which figures there are.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.http import read_query
from hubkeep.observatory.reader.process import NoAnswer
from hubkeep.observatory.reader.wire import AskFigures, AskNumbers, FigureOf, NumberOf
from hubkeep.observatory.report.said import cell_text
from hubkeep.web.insights import NOTHING_YET, InsightsPage, about, answered, scene_of
from hubkeep.web.insights_groups import FigureGroup, grouped, path_of

if TYPE_CHECKING:
    from hubkeep.app import App


class OverviewAddress(msgspec.Struct, frozen=True, kw_only=True):
    """What the address of the page may ask for."""

    snapshot: str = ""
    universe: str = ""
    format: Literal["html", "json"] | None = None


class NumberShown(msgspec.Struct, rename="camel", kw_only=True):
    """A number, and how it is written; null where the source does not have it."""

    name: str
    title: str
    value: int | float | None
    text: str
    note: str
    href: str
    """The figure that says more."""


class OverviewPage(InsightsPage, kw_only=True):
    """A snapshot at a glance, and the figures about it."""

    template: ClassVar[str] = "insights.html"
    numbers: Sequence[NumberShown] = ()
    groups: Sequence[FigureGroup] = ()


async def overview(app: "App", request: Request) -> Response:
    """Show what there is to know of a snapshot."""
    asked = read_query(request, OverviewAddress)
    scene = await scene_of(app, request, asked.snapshot, asked.universe)
    page = OverviewPage(title="Insights", about=about(scene, "Overview"))
    if scene.shelf is None:
        page.problem = NOTHING_YET
        return answered(app, request, page, scene)
    try:
        told = await app.reader.ask(AskFigures(shelf=scene.shelf), scene.who)
        numbers = await app.reader.ask(AskNumbers(shelf=scene.shelf), scene.who)
    except NoAnswer as none:
        page.problem = str(none)
        return answered(app, request, page, scene, none.status)
    figures = msgspec.json.decode(told, type=list[FigureOf])
    page.groups = grouped(figures, scene)
    there = {one.id for one in figures}
    page.numbers = [
        NumberShown(
            name=one.name,
            title=one.title,
            value=one.value,
            text=cell_text(one.value, one.unit),
            note=_note(one),
            href=scene.href(path_of(one.figure)) if one.figure in there else "",
        )
        for one in msgspec.json.decode(numbers, type=list[NumberOf])
    ]
    return answered(app, request, page, scene)


def _note(number: NumberOf) -> str:
    """What a number is made of, or why there is none."""
    if number.missing:
        return "not in this snapshot"
    if number.value is not None and number.n == number.value:
        return number.note
    of = f"of {number.n:,} {number.of}"
    return f"{number.note}, {of}" if number.note else of
