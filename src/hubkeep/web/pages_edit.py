# SPDX-License-Identifier: Apache-2.0
"""Files written in the browser: new ones, and those that are there. Each change is a commit."""

from functools import partial
from typing import TYPE_CHECKING, Literal

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.content.commit_body import README
from hubkeep.content.editing import Overtaken, Taken
from hubkeep.errors import HubError
from hubkeep.git import store
from hubkeep.git.errors import BadPath, PathConflict
from hubkeep.git.store import Entry
from hubkeep.http import raw_path, read_query
from hubkeep.web.apart import apart
from hubkeep.web.desk import at_desk, refuses
from hubkeep.web.edit_page import EditForm, Meanwhile, Sheet, edit_page, preview
from hubkeep.web.edit_work import (
    ForUpload,
    commit_form,
    sheet_seen,
    sheet_to_fill,
    what_happened,
)
from hubkeep.web.edits import FORM_LIMIT, shown_text
from hubkeep.web.fields import NONE, Faults, only_faults
from hubkeep.web.file_kinds import TEXT_LIMIT
from hubkeep.web.first_cards import first_card
from hubkeep.web.forms import go_to, read_form
from hubkeep.web.repo_places import Spot
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown
from hubkeep.web.words import size

if TYPE_CHECKING:
    from hubkeep.app import App

_SUMMARY_LIMIT = 65_536
_FOR_UPLOAD = "Files of this name are kept as large files here, by .gitattributes: upload it."
_NOTHING_NEW = "Nothing has changed, so there is nothing to commit."


class EditQuery(msgspec.Struct):
    """What the address of the form for a file may ask for."""

    format: Literal["html", "json"] | None = None


class NewQuery(msgspec.Struct):
    """What the address of the form for a new file may say: how it is called."""

    name: str = ""
    format: Literal["html", "json"] | None = None


@refuses
async def edit_form(app: "App", request: Request) -> Response:
    """Show a file in a form; the address of a folder leads to its own page."""
    read_query(request, EditQuery)
    path = request.path_params["path"].strip("/")

    def work(conn: Connection) -> Sheet | Spot:
        desk = at_desk(conn, request, app.clock())
        return sheet_to_fill(conn, desk, path) or desk.spot(path)

    sheet = await app.db.read(work)
    if isinstance(sheet, Spot):
        return go_to(sheet.to("tree"))
    text = shown_text(sheet.before or b"") or ""
    form = EditForm(path=path, text=text, parent=sheet.desk.commit)
    return await _answer(app, request, sheet, form)


@refuses
async def new_form(app: "App", request: Request) -> Response:
    """Ask for a new file; a name that is taken leads to that file, a card begins with a draft."""
    query = read_query(request, NewQuery)
    folder = request.path_params.get("path", "").strip("/")
    path = f"{folder}/{query.name}" if folder else query.name

    def work(conn: Connection) -> Sheet | Spot:
        desk = at_desk(conn, request, app.clock())
        there = store.entry(conn, desk.repo.id, desk.tree, path) if query.name else None
        return desk.spot(path) if there else Sheet(desk, folder=folder)

    sheet = await app.db.read(work)
    if isinstance(sheet, Spot):
        return go_to(sheet.to("edit"))
    repo = sheet.desk.repo
    text = first_card(repo.type, repo.path.rpartition("/")[2]) if path == README else ""
    form = EditForm(path=path, text=text, parent=sheet.desk.commit)
    return await _answer(app, request, sheet, form)


@refuses
async def edit(app: "App", request: Request) -> Response:
    """Write a file, and where its path was changed move it; or show what that would be."""
    form = await read_form(request, EditForm, FORM_LIMIT, app.crunch)
    path = request.path_params["path"].strip("/")

    def work(conn: Connection) -> Sheet:
        return sheet_seen(conn, at_desk(conn, request, app.clock()), path, form.parent)

    return await _take(app, request, await app.db.read(work), form)


@refuses
async def new(app: "App", request: Request) -> Response:
    """Write a file that was not there; or show what it would be."""
    form = await read_form(request, EditForm, FORM_LIMIT, app.crunch)
    folder = request.path_params.get("path", "").strip("/")

    def work(conn: Connection) -> Sheet:
        return Sheet(at_desk(conn, request, app.clock()), folder=folder)

    return await _take(app, request, await app.db.read(work), form)


async def _take(app: "App", request: Request, sheet: Sheet, form: EditForm) -> Response:
    path = sheet.origin
    form.path = form.path if form.path == path else form.path.strip()
    content = await apart(app, partial(sheet.written, form))
    if form.do != "commit":
        return await _answer(app, request, sheet, form, only_faults(text=_text_fault(content)))
    found = _faults(sheet, form, content)
    if found:
        return await _answer(app, request, sheet, form, found)
    try:
        return go_to(await commit_form(app, request, sheet, form, content))
    except Overtaken:

        def work(conn: Connection) -> tuple[Sheet, Meanwhile]:
            return what_happened(conn, at_desk(conn, request, app.clock()), path, form.parent)

        now, meanwhile = await app.db.read(work)
        return await _answer(app, request, now, form, meanwhile=meanwhile)
    except Taken as taken:
        found = {"path": _taken(taken.entry)}
    except ForUpload:
        found = {"path": _FOR_UPLOAD}
    except HubError as error:
        if error.status not in (400, 422):
            raise
        of_path = isinstance(error.__cause__, BadPath | PathConflict)
        found = {"path" if of_path else "": error.message}
    return await _answer(app, request, sheet, form, found)


async def _answer(
    app: "App",
    request: Request,
    sheet: Sheet,
    form: EditForm,
    found: Faults = NONE,
    meanwhile: Meanwhile | None = None,
) -> Response:
    shell = shell_for(app, request, sheet.desk.visitor.actor)
    action = raw_path(request)
    page = await apart(app, partial(edit_page, sheet, form, action, found, meanwhile))
    if form.do == "preview" and not found:
        page.rendered = await preview(app, sheet.desk, form.path, page.text, shell.base)
    page.is_changed = page.is_changed and request.method == "POST"
    status = 409 if meanwhile else 422 if found else 200
    return await apart(app, partial(shown, app, request, page, shell, status=status))


def _faults(sheet: Sheet, form: EditForm, content: bytes) -> dict[str, str]:
    is_same = form.path == sheet.origin and content == sheet.before
    faults = only_faults(
        path="" if form.path else "Give the file a name.",
        text=_text_fault(content),
        summary="Say it in fewer words." if len(form.summary) > _SUMMARY_LIMIT else "",
    )
    return {"": _NOTHING_NEW, **faults} if is_same else faults


def _text_fault(content: bytes) -> str:
    if len(content) > TEXT_LIMIT:
        return f"This has {size(len(content))}, and a form takes 1 MiB: upload it as a file."
    return "This has a NUL character, which no text has." if b"\0" in content else ""


def _taken(entry: Entry) -> str:
    if entry.kind == "directory":
        return "This is a folder: add the name of a file to it."
    return "There is a file already: edit that one, or choose another name."
