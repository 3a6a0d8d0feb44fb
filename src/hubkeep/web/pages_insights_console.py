# SPDX-License-Identifier: Apache-2.0
"""The SQL console: one SELECT over a snapshot, for who is signed in. A query is run by POST alone,
from a page of the hub or by who has a token; `?sql=` only puts one into the field.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.http import json_answer, read_json, read_query
from hubkeep.identity.access import signed_in
from hubkeep.identity.actor import Account
from hubkeep.observatory.console.wire import MOST_ROWS, MOST_SQL, Rows
from hubkeep.observatory.document import Cell, TableOf
from hubkeep.observatory.reader.process import NoAnswer
from hubkeep.observatory.report.tables import csv_of_table
from hubkeep.web.forms import read_form
from hubkeep.web.insights import NOTHING_YET, InsightsPage, Scene, about, answered, scene_of
from hubkeep.web.insights_console import (
    EXAMPLES,
    ExampleTold,
    TableTold,
    examples,
    tables_of,
)
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown

if TYPE_CHECKING:
    from hubkeep.app import App

SHOWN = 1_000
"""Rows of a result that the page has."""
CELLS = 40_000
"""Cells that it has at most: nobody else is answered while they are written."""

_FORM_LIMIT = 4 * MOST_SQL
_LONGEST = 300
_NUMBERS = ("INT", "DECIMAL", "DOUBLE", "FLOAT")


class ConsoleAddress(msgspec.Struct, frozen=True, kw_only=True):
    """What the address may bring: a query to begin with, which is not run."""

    snapshot: str = ""
    sql: str = ""
    format: Literal["html", "json"] | None = None


class ConsoleForm(msgspec.Struct, frozen=True, kw_only=True):
    """A query, and how its rows are wanted."""

    snapshot: str = ""
    sql: str = ""
    rows: Literal["page", "csv"] = "page"


class ConsoleBody(msgspec.Struct, frozen=True, kw_only=True):
    """A query as scripts send it: over the latest snapshot unless they say which."""

    sql: str
    snapshot: str = ""
    rows: int = SHOWN


class ConsoleAnswer(msgspec.Struct, rename="camel", kw_only=True):
    """The first rows of a result; `kinds` are the types of its columns in DuckDB's words."""

    snapshot: str
    hash: str
    columns: Sequence[str]
    kinds: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    is_cut: bool
    """Whether there are more rows, or letters of a cell, than are here."""
    seconds: float


class ConsolePage(InsightsPage, kw_only=True):
    """The console; `problem` says what is wrong with the query that was asked."""

    template: ClassVar[str] = "insights_console.html"
    sql: str
    tables: Sequence[TableTold]
    examples: Sequence[ExampleTold]
    result: ConsoleAnswer | None = None

    @property
    def cells(self) -> Sequence[Sequence[str | None]]:
        """The rows as text; None where there is no value."""
        found = self.result.rows if self.result else ()
        return [[_text(cell) for cell in row] for row in found]

    @property
    def aligned(self) -> Sequence[bool]:
        """Of each column whether it is one of numbers."""
        kinds = self.result.kinds if self.result else ()
        return [any(word in kind for word in _NUMBERS) for kind in kinds]


async def console_page(app: "App", request: Request) -> Response:
    """Show the console, with a query in its field if the address brings one."""
    asked = read_query(request, ConsoleAddress)
    await _user(app, request)
    scene = await scene_of(app, request, asked.snapshot, "")
    page = _page(scene, asked.sql[:MOST_SQL] or EXAMPLES[0][1])
    if scene.shelf is None:
        page.problem = NOTHING_YET
    return answered(app, request, page, scene)


async def run(app: "App", request: Request) -> Response:
    """Run a query: as a page, as a file, or as JSON for who sends JSON."""
    if request.headers.get("content-type", "").partition(";")[0].strip() == "application/json":
        return await _for_script(app, request)
    form = await read_form(request, ConsoleForm, _FORM_LIMIT)
    user = await _user(app, request)
    scene = await scene_of(app, request, form.snapshot, "")
    page = _page(scene, form.sql)
    status = 200
    try:
        wanted = MOST_ROWS if form.rows == "csv" else SHOWN
        result = await _asked(app, scene, user, form.sql, wanted)
        if form.rows == "csv":
            return _file(result)
        page.result = _fitting(result)
    except NoAnswer as none:
        page.problem, status = str(none), none.status
    shell = shell_for(app, request, scene.actor)
    kept = {"Cache-Control": "no-store"}
    return shown(app, request, page, shell, status=status, headers=kept)


async def _for_script(app: "App", request: Request) -> Response:
    user = await _user(app, request)
    body = await read_json(request, ConsoleBody, _FORM_LIMIT)
    scene = await scene_of(app, request, body.snapshot, "")
    try:
        told = await _asked(app, scene, user, body.sql, body.rows)
    except NoAnswer as none:
        raise errors.HubError(none.status, str(none)) from none
    return json_answer(told, headers={"Cache-Control": "no-store"})


async def _user(app: "App", request: Request) -> Account:
    _, user = await app.db.read(lambda conn: signed_in(conn, request, app.clock()))
    return user


async def _asked(app: "App", scene: Scene, user: Account, sql: str, rows: int) -> ConsoleAnswer:
    snapshot = scene.snapshot
    if scene.shelf is None or snapshot is None:
        raise NoAnswer(404, NOTHING_YET)
    if not sql.strip():
        raise NoAnswer(400, "Write a query first: one SELECT over the tables that are named here.")
    found: Rows = await app.console.run(scene.shelf, sql, rows, who=user.id)
    return ConsoleAnswer(
        snapshot=snapshot.id,
        hash=snapshot.hash,
        columns=found.columns,
        kinds=found.kinds,
        rows=found.rows,
        is_cut=found.is_cut,
        seconds=found.seconds,
    )


def _fitting(result: ConsoleAnswer) -> ConsoleAnswer:
    """As many of the rows as a page has room for."""
    most = max(1, CELLS // max(1, len(result.columns)))
    if len(result.rows) <= most:
        return result
    return msgspec.structs.replace(result, rows=result.rows[:most], is_cut=True)


def _page(scene: Scene, sql: str) -> ConsolePage:
    kept: Mapping[str, str] = {"snapshot": scene.chosen} if scene.chosen else {}
    return ConsolePage(
        title="SQL console",
        about=about(scene, "Console"),
        sql=sql,
        tables=tables_of(scene.snapshot) if scene.snapshot else (),
        examples=examples(kept) if scene.snapshot else (),
    )


def _file(result: ConsoleAnswer) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{result.snapshot}-query.csv"',
        "Cache-Control": "no-store",
    }
    table = TableOf(columns=result.columns, rows=result.rows)
    return Response(csv_of_table(table), headers=headers, media_type="text/csv; charset=utf-8")


def _text(cell: Cell) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    text = str(cell)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
