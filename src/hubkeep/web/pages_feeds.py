# SPDX-License-Identifier: Apache-2.0
"""Feeds of new repositories, which are the same for everybody, and of a repository's commits."""

from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.content.reading import revision_of
from hubkeep.git import store
from hubkeep.git.store import CommitRow
from hubkeep.http import raw_path, read_query
from hubkeep.identity.rules import Action
from hubkeep.repos.access import visit
from hubkeep.repos.queries_list import load_listed
from hubkeep.repos.search import find_page
from hubkeep.repos.search_wanted import Sort, Viewer, Wanted
from hubkeep.repos.types import InfoRow, Repo, RepoType
from hubkeep.web import words
from hubkeep.web.feeds import Feed, FeedItem, feed_answer, feed_date, xml_safe
from hubkeep.web.pages_list import TITLES

if TYPE_CHECKING:
    from hubkeep.app import App

ITEMS = 50
_STRANGER = Viewer()


class FeedQuery(msgspec.Struct, frozen=True):
    """Feeds take no parameter but their form."""

    format: Literal["json"] | None = None


async def new_repos(app: "App", request: Request) -> Response:
    """Feed the newest public repositories of a type, whoever asks."""
    read_query(request, FeedQuery)
    kind = RepoType(request.path_params["type"])
    base = app.base_url(request)

    def work(conn: Connection) -> list[InfoRow]:
        page = find_page(conn, _STRANGER, Wanted(kind, sort=Sort.CREATED), ITEMS)
        return [row for row, _ in load_listed(conn, page.ids, with_facts=False)]

    rows = await app.db.read(work)
    name = TITLES[kind] if kind is RepoType.SPACE else TITLES[kind].lower()
    feed = Feed(
        title=f"New {name}",
        link=f"{base}/{kind.plural}?sort=createdAt",
        itself=base + raw_path(request),
        text=f"The newest public {name} of {base}",
        items=[_of_repo(base, kind, row) for row in rows],
    )
    return feed_answer(app, request, feed)


async def commits(app: "App", request: Request) -> Response:
    """Feed the last commits that lead to a revision, to who may read the repository."""
    read_query(request, FeedQuery)
    base = app.base_url(request)
    revision = request.path_params["rev"]

    def work(conn: Connection) -> tuple[Repo, list[CommitRow]]:
        repo = visit(conn, request, Action.READ, app.clock()).repo
        commit = revision_of(conn, repo, revision).commit
        return repo, store.log(conn, repo.id, commit, limit=ITEMS)

    repo, rows = await app.db.read(work)
    root = f"{base}/{repo.web_path}"
    feed = Feed(
        title=xml_safe(f"Commits to {repo.path} ({revision})"),
        link=f"{root}/commits/{quote(revision, safe='')}",
        itself=base + raw_path(request),
        text=f"The last commits to {repo.path}",
        items=[_of_commit(root, row) for row in rows],
    )
    return feed_answer(app, request, feed)


def _of_repo(base: str, kind: RepoType, row: InfoRow) -> FeedItem:
    known = [
        (row.pipeline_tag or "").replace("-", " "),
        f"{words.count(row.num_parameters)} parameters" if row.num_parameters else "",
        row.library_name or "",
        row.sdk or "",
    ]
    return FeedItem(
        title=row.path,
        link=f"{base}/{kind.web_prefix}{row.path}",
        date=feed_date(row.created_at),
        text=xml_safe(" · ".join(one for one in known if one)),
        author=row.path.partition("/")[0],
    )


def _of_commit(root: str, row: CommitRow) -> FeedItem:
    return FeedItem(
        title=xml_safe(row.title),
        link=f"{root}/commit/{row.oid.hex()}",
        date=feed_date(row.committed_at),
        text=xml_safe(row.message),
        author=xml_safe(row.author_name),
    )
