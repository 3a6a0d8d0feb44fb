# SPDX-License-Identifier: Apache-2.0
"""One figure: its question, its chart, what has to be known to believe it, its table, its SQL; and
its table as a file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.http import raw_path, split_pairs
from hubkeep.observatory.document import FigureDocument
from hubkeep.observatory.figure import BadParameter
from hubkeep.observatory.reader.process import NoAnswer
from hubkeep.observatory.reader.wire import AskFigure, AskFigures, FigureOf
from hubkeep.observatory.report.pictures import heading
from hubkeep.observatory.report.said import cell_text, flags, lack, remarks
from hubkeep.observatory.report.tables import csv_of
from hubkeep.web.fields import Field
from hubkeep.web.insights import (
    NOTHING_YET,
    InsightsPage,
    Scene,
    about,
    answered,
    scene_of,
    unless_known,
)
from hubkeep.web.insights_console import console_href
from hubkeep.web.insights_fields import (
    Asked,
    asked_in,
    defaults_of,
    fields_of,
    kept_pairs,
)
from hubkeep.web.insights_groups import FigureGroup, grouped, path_of
from hubkeep.web.insights_scales import scales_of, with_scale

if TYPE_CHECKING:
    from hubkeep.app import App

ROWS = 100
"""Of the table that the page shows; the downloads have all."""

_FILES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


class FigurePage(InsightsPage, kw_only=True):
    """A figure about a snapshot. Where there is no answer, `figure` is null."""

    template: ClassVar[str] = "insights_figure.html"
    id: str
    question: str
    address: str
    """Without parameters."""
    kept: Mapping[str, str]
    """What the form sends besides its fields."""
    fields: Sequence[Field]
    defaults: Mapping[str, str]
    """What the fields say where an address says nothing."""
    permalink: str
    """The address of what is shown: the same snapshot, the same parameters."""
    csv: str
    parquet: str
    console: str
    """Where its SQL can be changed and run, if the console has what it reads."""
    groups: Sequence[FigureGroup]
    figure: FigureDocument | None = None
    heading: Mapping[str, object] = {}
    """What stands above the chart where it is passed on as a picture."""

    @property
    def rows(self) -> Sequence[Sequence[str]]:
        """The first rows of the table, as people read them."""
        if self.figure is None:
            return ()
        units = [one.unit for one in self.figure.columns]
        return [
            [cell_text(cell, unit) for cell, unit in zip(row, units, strict=True)]
            for row in self.figure.table.rows[:ROWS]
        ]

    @property
    def scalars(self) -> Sequence[tuple[str, str]]:
        """Numbers by name, as people read them."""
        told = self.figure.scalars if self.figure else {}
        return [(name.replace("_", " "), cell_text(value)) for name, value in told.items()]

    @property
    def lacks(self) -> str:
        """Why there is no answer; empty where there is one."""
        return lack(self.figure) if self.figure and self.figure.missing_columns else ""

    @property
    def remarks(self) -> Sequence[str]:
        """What has to be known before believing the figure."""
        return remarks(self.figure)[1 if self.lacks else 0 :] if self.figure else ()

    @property
    def flags(self) -> tuple[str, Sequence[str]]:
        """How many counters stand out, and which."""
        return flags(self.figure) if self.figure else ("", ())


@dataclass(frozen=True, slots=True)
class _Told:
    """A figure, what is asked of it, and about what."""

    scene: Scene
    asked: Asked
    figures: Sequence[FigureOf]
    figure: FigureOf


async def figure_page(app: "App", request: Request) -> Response:
    """Show a figure; `/insights/f1.csv` and `/insights/f1.parquet` are its table as a file."""
    name, _, form = request.path_params["figure"].partition(".")
    if form and form not in _FILES:
        raise errors.nothing_at(raw_path(request))
    asked = asked_in(split_pairs(request.scope["query_string"].decode("latin-1")))
    scene = await scene_of(app, request, asked.snapshot, asked.universe)
    if scene.shelf is None:
        return _without(app, request, scene, name, NOTHING_YET, 404)
    try:
        told = await app.reader.ask(AskFigures(shelf=scene.shelf), scene.who)
    except NoAnswer as none:
        return _without(app, request, scene, name, str(none), none.status)
    figures = msgspec.json.decode(told, type=list[FigureOf])
    figure = next((one for one in figures if one.id == name.upper()), None)
    if figure is None:
        raise errors.nothing_at(raw_path(request))
    found = _Told(scene, asked, figures, figure)
    return await (_file(app, request, found, form) if form else _page(app, request, found))


async def _page(app: "App", request: Request, told: _Told) -> Response:
    try:
        scale = told.asked.drawn_on()
        said = await app.reader.ask(_question(told), told.scene.who)
    except BadParameter as bad:
        return answered(app, request, _shown(told, None, str(bad)), told.scene, 400)
    except NoAnswer as none:
        return answered(app, request, _shown(told, None, str(none)), told.scene, none.status)
    document = msgspec.json.decode(said, type=FigureDocument)
    page = _shown(told, document)
    tables = {"table": document.table, **document.points}
    page.figure = msgspec.structs.replace(document, chart=with_scale(document.chart, scale, tables))
    return answered(app, request, page, told.scene)


async def _file(app: "App", request: Request, told: _Told, form: str) -> Response:
    """The whole table as a file: the same bytes for the same address with a snapshot in it."""
    try:
        told.asked.drawn_on()
        question = _question(told)
        if form == "parquet":
            question = msgspec.structs.replace(question, form="parquet")
        said = await app.reader.ask(question, told.scene.who)
    except BadParameter as bad:
        raise errors.bad_request(str(bad)) from bad
    except NoAnswer as none:
        raise errors.HubError(none.status, str(none)) from none
    if form == "csv":
        said = csv_of(msgspec.json.decode(said, type=FigureDocument))
    is_secret = told.scene.universe == "all"
    headers = {
        "Content-Disposition": f'attachment; filename="{told.figure.id}.{form}"',
        "Cache-Control": "no-store" if is_secret else "private, no-cache",
        "Vary": "Cookie",
    }
    answer = Response(said, headers=headers, media_type=_FILES[form])
    return answer if is_secret else unless_known(request, answer)


def _question(told: _Told) -> AskFigure:
    assert told.scene.shelf is not None
    return AskFigure(
        shelf=told.scene.shelf,
        figure=told.figure.id,
        parameters=told.asked.parameters,
        filters=told.asked.filters(),
    )


def _shown(told: _Told, document: FigureDocument | None, problem: str = "") -> FigurePage:
    scene, asked, figure = told.scene, told.asked, told.figure
    pairs = kept_pairs(figure, asked)
    path = path_of(figure.id)
    permanent = [("snapshot", scene.snapshot.id if scene.snapshot else "")]
    if scene.universe == "all":
        permanent.append(("universe", "all"))
    query = urlencode([*permanent, *pairs])
    tables = {"table": document.table, **document.points} if document else {}
    return FigurePage(
        title=figure.title,
        about=about(scene, "Figures"),
        id=figure.id,
        question=figure.question,
        address=path,
        kept={"universe": "all"} if scene.universe == "all" else {},
        fields=fields_of(
            figure, asked, scales_of(document.chart, tables) if document else (), problem
        ),
        defaults=defaults_of(figure),
        permalink=f"{path}?{query}",
        csv=f"{path}.csv?{query}",
        parquet=f"{path}.parquet?{query}",
        console=console_href(document) if document and scene.universe == "public" else "",
        groups=grouped(told.figures, scene, figure.id),
        heading=heading(document) if document else {},
        problem=problem,
    )


def _without(
    app: "App", request: Request, scene: Scene, name: str, problem: str, status: int
) -> Response:
    """A page that only says why there is nothing to say."""
    page = FigurePage(
        title="Insights",
        about=about(scene, "Figures"),
        id=name[:20],
        question="",
        address="/insights",
        kept={},
        fields=(),
        defaults={},
        permalink="/insights",
        csv="",
        parquet="",
        console="",
        groups=(),
        problem=problem,
    )
    return answered(app, request, page, scene, status)
