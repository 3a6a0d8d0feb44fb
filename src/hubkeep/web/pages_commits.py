# SPDX-License-Identifier: Apache-2.0
"""History: the commits that lead to a revision, or that changed a path of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.content.history import history_page, path_page
from hubkeep.content.reading import revision_of
from hubkeep.content.wire_reading import MAX_LINES, LogPosition
from hubkeep.git.store import CommitRow
from hubkeep.http import read_cursor, read_query
from hubkeep.identity.queries_find import names_by_id
from hubkeep.kit.cursors import encode_cursor
from hubkeep.web.commit_rows import CommitShown, commit_shown
from hubkeep.web.repo_head import Link, RepoHead, repo_head
from hubkeep.web.repo_places import Chooser, Spot, address, chooser, crumbs
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.visits import PageVisit, look
from hubkeep.web.words import day

if TYPE_CHECKING:
    from hubkeep.app import App

ROWS = 50


class HistoryQuery(msgspec.Struct):
    """Which page: `p` from 0 of a revision's history, `cursor` of a path's."""

    p: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] = 0
    cursor: str | None = None
    format: Literal["html", "json"] | None = None


class CommitInList(msgspec.Struct, rename="camel"):
    """A commit, and the files as they were after it."""

    commit: CommitShown
    browse: str


class Day(msgspec.Struct, rename="camel"):
    """The commits of a day (in UTC), newest first."""

    name: str
    commits: Sequence[CommitInList]


class CommitsPage(Page, kw_only=True):
    """A page of history; `total` is null for that of a path. A page may be short and have a next.

    `isCut` where the history of a path goes on in too many lines to be followed.
    """

    template: ClassVar[str] = "commits.html"
    repo: RepoHead
    refs: Chooser
    crumbs: Sequence[Link]
    path: str
    total: int | None
    days: Sequence[Day]
    newer: str | None
    older: str | None
    is_cut: bool


@dataclass(frozen=True, slots=True)
class _Found:
    visitor: PageVisit
    spot: Spot
    refs: Chooser
    rows: Sequence[CommitRow]
    total: int | None
    waiting: Sequence[bytes]
    names: Mapping[int, str]


async def commits(app: "App", request: Request) -> Response:
    """Show the history of a revision, or of a path of it."""
    query = read_query(request, HistoryQuery)
    position = read_cursor(query.cursor, LogPosition)
    rev, path = request.path_params["rev"], request.path_params.get("path", "").strip("/")

    def work(conn: Connection) -> _Found:
        visitor = look(conn, request, app.clock())
        repo = visitor.repo
        if path:
            spot = Spot(repo, rev, path, revision_of(conn, repo, rev))
            found = path_page(conn, repo, rev, path, position, ROWS)
            rows, total, waiting = found.rows, None, found.waiting
        else:
            page = history_page(conn, repo, rev, skip=query.p * ROWS, limit=ROWS)
            spot = Spot(repo, rev, "", page.revision)
            rows, total, waiting = page.rows, page.total, []
        refs = chooser(conn, spot, "commits")
        names = names_by_id(conn, (row.author_id for row in rows))
        return _Found(visitor, spot, refs, rows, total, waiting, names)

    found = await app.db.read(work)
    page = _page(found, query)
    return shown(app, request, page, shell_for(app, request, found.visitor.actor))


def _page(found: _Found, query: HistoryQuery) -> CommitsPage:
    spot = found.spot
    here, is_cut = spot.to("commits"), len(found.waiting) > MAX_LINES
    newer = older = None
    if found.total is not None:
        newer = (here if query.p == 1 else f"{here}?p={query.p - 1}") if query.p else None
        older = f"{here}?p={query.p + 1}" if (query.p + 1) * ROWS < found.total else None
    else:
        newer = here if query.cursor else None
        if found.waiting and not is_cut:
            older = f"{here}?cursor={encode_cursor(LogPosition(list(found.waiting)))}"
    of = spot.path or spot.repo.path
    return CommitsPage(
        title=f"Commits of {of}",
        repo=repo_head(found.visitor, "commits", spot.rev),
        refs=found.refs,
        crumbs=crumbs(spot) if spot.path else [],
        path=spot.path,
        total=found.total,
        days=_by_day(spot, found),
        newer=newer,
        older=older,
        is_cut=is_cut,
    )


def _by_day(spot: Spot, found: _Found) -> list[Day]:
    days: list[tuple[str, list[CommitInList]]] = []
    for row in found.rows:
        name = day(row.committed_at)
        if not days or days[-1][0] != name:
            days.append((name, []))
        browse = address(spot.repo, "tree", row.oid.hex())
        days[-1][1].append(CommitInList(commit_shown(spot.repo, row, found.names), browse))
    return [Day(name, inside) for name, inside in days]
