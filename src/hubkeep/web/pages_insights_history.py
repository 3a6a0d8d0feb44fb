# SPDX-License-Identifier: Apache-2.0
"""What became of one repository, or of all of one account: counters and rank over the snapshots,
as a chart, as a table, and in the shape in which huggingface.co exports its own.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.http import read_query
from hubkeep.observatory.document import TableOf
from hubkeep.observatory.reader.process import NoAnswer
from hubkeep.observatory.reader.wire import PointOf, RepositoryOf
from hubkeep.observatory.report.tables import csv_of_table
from hubkeep.web.fields import Choice, Field
from hubkeep.web.insights import InsightsPage, Scene, about, answered, scene_of, unless_known
from hubkeep.web.insights_history import KINDS, MOST, Subject, Told, subject_of, told_of
from hubkeep.web.insights_history_chart import MEASURES, Drawn, Measure, drawn, value_of
from hubkeep.web.insights_history_said import caption, heading, notes

if TYPE_CHECKING:
    from hubkeep.app import App

Scale = Literal["", "linear", "log"]

_EXPORT = ("repoType", "repoName", "total", "timestamp", "downloads")


class HistoryAddress(msgspec.Struct, frozen=True, kw_only=True):
    """What the address of the page may ask for."""

    snapshot: str = ""
    universe: str = ""
    of: str = ""
    """Of an account: which of its repositories count."""
    measure: Measure | Literal[""] = ""
    scale: Scale = ""
    format: Literal["html", "json", "csv"] | None = None


class DayShown(msgspec.Struct, rename="camel", kw_only=True):
    """A snapshot, and what it says; null where it says nothing, which is not zero."""

    day: str
    snapshot: str
    hash: str
    point: PointOf | None


class HistoryPage(InsightsPage, kw_only=True):
    """A repository or an account over time. `rows` are as huggingface.co exports them."""

    template: ClassVar[str] = "insights_history.html"
    kind: str
    name: str
    of: str
    address: str
    fields: Sequence[Field]
    kept: Mapping[str, str]
    permalink: str = ""
    csv: str = ""
    compare: str = ""
    here: str = ""
    """Its own page, where the snapshots are of this hub."""
    badge: str = ""
    markdown: str = ""
    """What shows the badge in a card."""
    days: Sequence[DayShown] = ()
    """Newest first."""
    latest: PointOf | None = None
    latest_day: str = ""
    largest: Sequence[RepositoryOf] = ()
    notes: Sequence[str] = ()
    caption: str = ""
    figure: Drawn | None = None
    heading: Mapping[str, object] = {}
    rows: TableOf | None = None

    @property
    def has_some(self) -> bool:
        """Whether there is anything to draw."""
        return self.figure is not None and any(row[2] is not None for row in self.figure.table.rows)


async def history(app: "App", request: Request) -> Response:
    """Show what became of a repository or an account."""
    asked = read_query(request, HistoryAddress)
    kind, name = request.path_params["kind"], request.path_params["subject"]
    subject = subject_of(kind, name, asked.of)
    scene = await scene_of(app, request, asked.snapshot, asked.universe, MOST)
    page = _empty(scene, subject, asked)
    try:
        told = await told_of(app, scene, [subject])
    except NoAnswer as none:
        page.problem = str(none)
        return answered(app, request, page, scene, none.status)
    if not told.is_known:
        what = f"{KINDS[kind]} {name[:100]}"
        raise errors.not_found(f"No snapshot of this series has the {what}")
    rows = _exported(subject, told)
    if asked.format == "csv":
        return _file(request, rows, subject, scene)
    _fill(app, request, page, (scene, subject, told), asked)
    page.rows = rows
    return answered(app, request, page, scene)


def _empty(scene: Scene, subject: Subject, asked: HistoryAddress) -> HistoryPage:
    return HistoryPage(
        title=subject.name,
        about=about(scene, ""),
        kind=subject.kind,
        name=subject.name,
        of=subject.table,
        address=subject.path,
        fields=_fields(subject, asked),
        kept={"universe": "all"} if scene.universe == "all" else {},
    )


def _fill(
    app: "App",
    request: Request,
    page: HistoryPage,
    found: tuple[Scene, Subject, Told],
    asked: HistoryAddress,
) -> None:
    scene, subject, told = found
    course = told.courses[0]
    measure = asked.measure or "downloads_30d"
    page.title = page.name = course.name
    page.days = [
        DayShown(day=one.taken_at[:10], snapshot=one.id, hash=one.hash, point=point)
        for one, point in reversed(list(zip(told.history, course.points, strict=True)))
    ]
    page.latest, page.latest_day = next((one.point, one.day) for one in page.days if one.point)
    page.largest = course.largest
    page.figure = drawn(told, measure, asked.scale, course.name.replace("/", "-"))
    page.caption = caption(told, measure)
    page.notes = notes(told, measure, asked.scale)
    page.heading = heading(course.name, MEASURES[measure], page.caption)
    pairs = _pairs(subject, asked)
    permanent = [("snapshot", told.history[-1].id), *scene.pairs()[1 if scene.chosen else 0 :]]
    page.permalink = f"{subject.path}?{urlencode([*permanent, *pairs])}"
    page.csv = f"{subject.path}?{urlencode([*permanent, *pairs, ('format', 'csv')])}"
    kind = [] if subject.kind == "models" else [("kind", subject.kind)]
    page.compare = scene.href("/insights/compare", *kind, ("with", course.name))
    if told.history[-1].source.kind == "hub":
        page.here = _here(subject, course.name)
    if not subject.is_account and scene.universe == "public":
        page.badge = f"/insights/badge{subject.path.removeprefix('/insights')}.svg"
        base = app.base_url(request)
        page.markdown = f"[![Downloads]({base}{page.badge})]({base}{subject.path})"


def _here(subject: Subject, name: str) -> str:
    prefix = "" if subject.kind in ("models", "accounts") else f"{subject.kind}/"
    return f"/{prefix}{name}"


def _pairs(subject: Subject, asked: HistoryAddress) -> list[tuple[str, str]]:
    told = [("of", subject.table if subject.is_account else "")]
    told += [("measure", asked.measure), ("scale", asked.scale)]
    usual = {("of", "models"), ("measure", "downloads_30d"), ("scale", "linear")}
    return [pair for pair in told if pair[1] and pair not in usual]


def _fields(subject: Subject, asked: HistoryAddress) -> Sequence[Field]:
    measures = [Choice(name, said) for name, said in MEASURES.items()]
    fields = [
        Field(
            name="measure",
            label="Shown",
            kind="select",
            value=asked.measure or "downloads_30d",
            choices=measures,
        ),
        Field(
            name="scale",
            label="Axis",
            kind="select",
            value=asked.scale or "linear",
            choices=[Choice("linear", "Linear"), Choice("log", "Logarithmic")],
        ),
    ]
    if subject.is_account:
        tables = [Choice(one, one.capitalize()) for one in ("models", "datasets", "spaces")]
        whose = Field(name="of", label="Of its", kind="select", value=subject.table, choices=tables)
        fields.insert(0, whose)
    return fields


def _exported(subject: Subject, told: Told) -> TableOf:
    """What each snapshot says, in the columns of huggingface.co's own export; `downloads` are those
    of the 30 days before, `total` those of all time.
    """
    course = told.courses[0]
    kind = KINDS[subject.table]
    return TableOf(
        columns=_EXPORT,
        rows=[
            (
                kind,
                course.name,
                value_of(point, "downloads_all"),
                one.taken_at,
                value_of(point, "downloads_30d"),
            )
            for one, point in zip(told.history, course.points, strict=True)
            if point is not None
        ],
    )


def _file(request: Request, rows: TableOf, subject: Subject, scene: Scene) -> Response:
    is_secret = scene.universe == "all"
    name = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in subject.name)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.csv"',
        "Cache-Control": "no-store" if is_secret else "private, no-cache",
        "Vary": "Cookie",
    }
    answer = Response(csv_of_table(rows), headers=headers, media_type="text/csv; charset=utf-8")
    return answer if is_secret else unless_known(request, answer)
