# SPDX-License-Identifier: Apache-2.0
"""History: the commits that lead to a revision, and what changed between two."""

import asyncio
from functools import partial
from html import escape
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.content.comparing import Changes, compared, read_changes, trees_named
from hubkeep.content.history import HistoryPage, history_page, path_page
from hubkeep.content.wire_reading import (
    MAX_LINES,
    Author,
    CommitItem,
    CommitsQuery,
    CompareQuery,
    Formatted,
    LogPosition,
    PathCommitsQuery,
)
from hubkeep.git.store import CommitRow, PathPage
from hubkeep.http import json_answer, link_after, next_link, read_cursor, read_query
from hubkeep.identity.rules import Action
from hubkeep.kit.time import wire
from hubkeep.repos.access import visit

if TYPE_CHECKING:
    from hubkeep.app import App

_TOO_WIDE = "History; it goes on in too many lines at once: list it from one of the last commits"
_CUT = "Comparison; it is too long, and only a part of it is shown"
_ROUGH = "Comparison; it is too long, and some files are replaced that could be compared by lines"


async def commits(app: "App", request: Request) -> Response:
    """List commits, newest first, with their number in `X-Total-Count`."""
    query = read_query(request, CommitsQuery)
    skip = query.p * query.limit

    def work(conn: Connection) -> HistoryPage:
        repo = visit(conn, request, Action.READ, app.clock()).repo
        return history_page(conn, repo, request.path_params["rev"], skip=skip, limit=query.limit)

    page = await app.db.read(work)
    items = [_item(row, formatted="formatted" in query.expand) for row in page.rows]
    headers = {"X-Total-Count": str(page.total)}
    if skip + len(page.rows) < page.total and page.rows:
        headers |= next_link(app.base_url(request), request, {"p": str(query.p + 1)})
    return json_answer(items, headers=headers)


async def commits_of_path(app: "App", request: Request) -> Response:
    """List the commits that changed a file or folder, newest first, as `git log -- PATH` does.

    A page may be shorter than asked for, even empty, with a link to the next: the search for
    changes before a deletion is a long one.
    """
    query = read_query(request, PathCommitsQuery)
    position = read_cursor(query.cursor, LogPosition)
    path = request.path_params["path"]

    def work(conn: Connection) -> PathPage:
        repo = visit(conn, request, Action.READ, app.clock()).repo
        revision = request.path_params["rev"]
        return path_page(conn, repo, revision, path, position, query.limit)

    page = await app.db.read(work)
    items = [_item(row, formatted="formatted" in query.expand) for row in page.rows]
    headers: dict[str, str] = {}
    if len(page.waiting) > MAX_LINES:
        headers = {"X-HF-Warning": _TOO_WIDE}
    elif page.waiting:
        headers = link_after(app.base_url(request), request, LogPosition(page.waiting))
    return json_answer(items, headers=headers)


def _item(row: CommitRow, *, formatted: bool) -> CommitItem:
    return CommitItem(
        id=row.oid.hex(),
        title=row.title,
        message=row.message,
        date=wire(row.committed_at),
        authors=[Author(row.author_name)],
        formatted=Formatted(escape(row.title), escape(row.message)) if formatted else None,
    )


async def compare(app: "App", request: Request) -> Response:
    """Tell what changed between two revisions; `raw` gives it as a patch for `git apply`.

    `A..B` compares the two, `A...B` compares B with what both have in common. What is cut off is
    said in a warning, which the client shows.
    """
    query = read_query(request, CompareQuery)

    def work(conn: Connection) -> Changes:
        repo = visit(conn, request, Action.READ, app.clock()).repo
        trees = trees_named(conn, repo, request.path_params["revs"])
        return read_changes(conn, repo.id, *trees)

    changes = await app.db.read(work)
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(app.page_threads, partial(compared, changes, raw=query.raw))
    warning = _CUT if found.is_cut else _ROUGH if found.is_rough else None
    headers = {"X-HF-Warning": warning} if warning else None
    if query.raw:
        return Response(found.patch, 200, headers, "text/plain; charset=utf-8")
    return json_answer(found.files, headers=headers)
