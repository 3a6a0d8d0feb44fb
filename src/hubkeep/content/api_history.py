# SPDX-License-Identifier: Apache-2.0
"""History: the commits that lead to a revision, and what changed between two."""

from html import escape
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.content.comparing import FileDifference, compare_revisions
from hubkeep.content.reading import revision_of
from hubkeep.content.wire_reading import Author, CommitItem, CommitsQuery, CompareQuery, Formatted
from hubkeep.git import store
from hubkeep.git.store import CommitRow
from hubkeep.http import json_answer, next_link, read_query
from hubkeep.identity.rules import Action
from hubkeep.kit.time import wire
from hubkeep.repos.access import visit

if TYPE_CHECKING:
    from hubkeep.app import App


async def commits(app: "App", request: Request) -> Response:
    """List commits, newest first, with their number in `X-Total-Count`."""
    query = read_query(request, CommitsQuery)
    skip = query.p * query.limit

    def work(conn: Connection) -> tuple[list[CommitRow], int]:
        repo = visit(conn, request, Action.READ, app.clock()).repo
        commit = revision_of(conn, repo, request.path_params["rev"]).commit
        total = store.count_commits(conn, repo.id, commit)
        if skip >= total:  # further than a database may be able to count
            return [], total
        return store.log(conn, repo.id, commit, skip=skip, limit=query.limit), total

    rows, total = await app.db.read(work)
    items = [_item(row, formatted="formatted" in query.expand) for row in rows]
    headers = {"X-Total-Count": str(total)}
    if skip + len(rows) < total and rows:
        headers |= next_link(app.base_url(request), request, {"p": str(query.p + 1)})
    return json_answer(items, headers=headers)


async def commits_of_path(_app: "App", request: Request) -> Response:
    """Not there yet."""
    raise errors.not_implemented(f"{request.method} {request.url.path}")


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
    """Tell what changed between two revisions, `A..B`; `raw` gives it as a unified diff."""
    query = read_query(request, CompareQuery)
    old_name, separator, new_name = request.path_params["revs"].partition("..")
    if not separator or not old_name or not new_name.lstrip("."):
        raise errors.bad_request("Name two revisions: /compare/OLD..NEW")

    def work(conn: Connection) -> list[FileDifference]:
        repo = visit(conn, request, Action.READ, app.clock()).repo
        old = revision_of(conn, repo, old_name)
        new = revision_of(conn, repo, new_name.lstrip("."))
        return compare_revisions(conn, repo.id, old, new)

    differences = await app.db.read(work)
    if query.raw:
        text = "".join(difference.diff for difference in differences)
        return Response(text, media_type="text/plain; charset=utf-8")
    return json_answer(differences)
