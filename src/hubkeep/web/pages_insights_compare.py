# SPDX-License-Identifier: Apache-2.0
"""Up to five repositories, or accounts, over time on one chart."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Final, Literal
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.errors import HubError
from hubkeep.http import read_query
from hubkeep.observatory.reader.process import NoAnswer
from hubkeep.observatory.reader.wire import CourseOf, PointOf
from hubkeep.web.fields import Choice, Field
from hubkeep.web.insights import NOTHING_YET, InsightsPage, Scene, about, answered, scene_of
from hubkeep.web.insights_history import MOST, Subject, Told, subject_of, told_of
from hubkeep.web.insights_history_chart import MEASURES, Drawn, Measure, drawn
from hubkeep.web.insights_history_said import caption, heading, notes

if TYPE_CHECKING:
    from hubkeep.app import App

MANY: Final = 5
PATH: Final = "/insights/compare"

_KINDS: Final = ("models", "datasets", "spaces", "accounts")
_TOO_MANY: Final = f"At most {MANY} can be compared: leave out {{}}."


class CompareAddress(msgspec.Struct, frozen=True, kw_only=True):
    """What the address of the page may ask for."""

    snapshot: str = ""
    universe: str = ""
    kind: Literal["models", "datasets", "spaces", "accounts", ""] = ""
    of: str = ""
    names: tuple[str, ...] = msgspec.field(default=(), name="with")
    measure: Measure | Literal[""] = ""
    scale: Literal["", "linear", "log"] = ""
    format: Literal["html", "json"] | None = None


class ComparedShown(msgspec.Struct, rename="camel", kw_only=True):
    """One of those that are compared, and the last that is known of it."""

    name: str
    href: str
    day: str
    latest: PointOf


class ComparePage(InsightsPage, kw_only=True):
    """A comparison; what was not found is said beside its field."""

    template: ClassVar[str] = "insights_compare.html"
    kind: str
    names: Sequence[Field]
    fields: Sequence[Field]
    kept: Mapping[str, str]
    permalink: str = ""
    compared: Sequence[ComparedShown] = ()
    days: Sequence[tuple[str, str, Sequence[int | None]]] = ()
    """Day, snapshot and what is drawn of each, newest first."""
    notes: Sequence[str] = ()
    caption: str = ""
    figure: Drawn | None = None
    heading: Mapping[str, object] = {}

    @property
    def has_some(self) -> bool:
        """Whether there is anything to draw."""
        return self.figure is not None and any(row[2] is not None for row in self.figure.table.rows)


async def compare(app: "App", request: Request) -> Response:
    """Show a comparison, or the form for one."""
    asked = read_query(request, CompareAddress)
    names = list(dict.fromkeys(name.strip() for name in asked.names if name.strip()))
    scene = await scene_of(app, request, asked.snapshot, asked.universe, MOST)
    subjects, wrong = _subjects(asked, names)
    page = _empty(scene, asked, names, wrong)
    if wrong:
        return answered(app, request, page, scene, 400)
    if scene.shelf is None:
        page.problem = NOTHING_YET
    if scene.shelf is None or not subjects:
        return answered(app, request, page, scene)
    try:
        told = await told_of(app, scene, subjects)
    except NoAnswer as none:
        page.problem = str(none)
        return answered(app, request, page, scene, none.status)
    unknown = {
        asked_for: f"No snapshot of this series has {asked_for}."
        for asked_for, course in zip(names, told.courses, strict=True)
        if all(point is None for point in course.points)
    }
    if unknown:
        page.names = _name_fields(names, unknown)
        page.problem = " ".join(unknown.values())
    known = [
        (subject, course)
        for subject, name, course in zip(subjects, names, told.courses, strict=True)
        if name not in unknown
    ]
    if known:
        _fill(page, scene, asked, told, known)
    return answered(app, request, page, scene, 200 if known else 404)


def _subjects(asked: CompareAddress, names: Sequence[str]) -> tuple[list[Subject], dict[str, str]]:
    """What the names say, and what is wrong with those that say nothing."""
    found, wrong = [], {}
    for place, name in enumerate(names):
        if place >= MANY:
            wrong[name] = _TOO_MANY.format(", ".join(names[MANY:])[:300])
            continue
        try:
            found.append(subject_of(asked.kind or "models", name, asked.of))
        except HubError as error:
            if error.status != 404:
                raise
            wrong[name] = f"{error.message}: write it as namespace/name."
    return found, wrong


def _empty(
    scene: Scene, asked: CompareAddress, names: Sequence[str], wrong: Mapping[str, str]
) -> ComparePage:
    return ComparePage(
        title="Compare",
        about=about(scene, "Compare"),
        kind=asked.kind or "models",
        names=_name_fields(names, wrong),
        fields=_fields(asked),
        kept={"universe": "all"} if scene.universe == "all" else {},
        problem=" ".join(dict.fromkeys(wrong.values())),
    )


def _fill(
    page: ComparePage,
    scene: Scene,
    asked: CompareAddress,
    all_told: Told,
    known: Sequence[tuple[Subject, CourseOf]],
) -> None:
    courses = list({course.name: course for _, course in known}.values())
    told = Told(all_told.history, all_told.there, courses)
    measure = asked.measure or "downloads_30d"
    page.compared = [
        _compared(scene, subject, course, told)
        for subject, course in known
        if any(course is one for one in courses)
    ]
    page.days = [
        (
            snapshot.taken_at[:10],
            snapshot.id,
            [getattr(one.points[at], measure, None) for one in courses],
        )
        for at, snapshot in reversed(list(enumerate(told.history)))
    ]
    page.figure = drawn(told, measure, asked.scale, "comparison")
    page.caption = caption(told, measure)
    page.notes = notes(told, measure, asked.scale)
    names = ", ".join(one.name for one in courses)
    page.heading = heading(names, MEASURES[measure], page.caption)
    pairs = [("snapshot", told.history[-1].id)]
    pairs += [("universe", "all")] if scene.universe == "all" else []
    pairs += [("kind", page.kind)] if page.kind != "models" else []
    told_pairs = [("of", asked.of), ("measure", asked.measure), ("scale", asked.scale)]
    pairs += [pair for pair in told_pairs if pair[1]]
    pairs += [("with", one.name) for one in courses]
    page.permalink = f"{PATH}?{urlencode(pairs, safe='/')}"


def _compared(scene: Scene, subject: Subject, course: CourseOf, told: Told) -> ComparedShown:
    at = max(at for at, point in enumerate(course.points) if point is not None)
    latest = course.points[at]
    assert latest is not None
    return ComparedShown(
        name=course.name,
        href=scene.href(f"/insights/{subject.kind}/{course.name}"),
        day=told.history[at].taken_at[:10],
        latest=latest,
    )


def _name_fields(names: Sequence[str], wrong: Mapping[str, str]) -> Sequence[Field]:
    """Five fields, and more only for what is too many."""
    shown = [*names, *[""] * (MANY - len(names))]
    return [
        Field(
            name=f"with-{place}",
            label=f"{place}",
            value=name[:200],
            error=wrong.get(name, "") if name else "",
            placeholder="namespace/name" if place == 1 else "",
        )
        for place, name in enumerate(shown, 1)
    ]


def _fields(asked: CompareAddress) -> Sequence[Field]:
    kinds = [Choice(one, one.capitalize()) for one in _KINDS]
    measures = [Choice(name, said) for name, said in MEASURES.items()]
    scales = [Choice("linear", "Linear"), Choice("log", "Logarithmic")]
    found = [
        _select("kind", "Of these", asked.kind or "models", kinds),
        _select("measure", "Shown", asked.measure or "downloads_30d", measures),
        _select("scale", "Axis", asked.scale or "linear", scales),
    ]
    if asked.kind == "accounts":
        tables = [Choice(one, one.capitalize()) for one in _KINDS[:3]]
        found.insert(1, _select("of", "Of their", asked.of or "models", tables))
    return found


def _select(name: str, label: str, value: str, choices: Sequence[Choice]) -> Field:
    return Field(name=name, label=label, kind="select", value=value, choices=choices)
