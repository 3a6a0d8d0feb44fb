# SPDX-License-Identifier: Apache-2.0
"""Lists of repositories: models, datasets, Spaces and kernels, with filters and search."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.http import read_cursor, read_query
from hubkeep.identity.access import actor_of
from hubkeep.identity.actor import Actor
from hubkeep.kit.cursors import encode_cursor
from hubkeep.repos.api_list_query import wanted_by
from hubkeep.repos.queries_list import load_listed, owner_named, viewer_of
from hubkeep.repos.search import find_page
from hubkeep.repos.search_tags import kind_of_tag, label_of_tag
from hubkeep.repos.search_wanted import Place, Viewer, Wanted
from hubkeep.repos.types import RepoType
from hubkeep.web.list_choices import ADDRESSES, Choices, choices_of
from hubkeep.web.list_facets import ACCESS_NAMES, SIZE_NAMES, Choice, Facet, facets_of
from hubkeep.web.repo_rows import RepoRow, repo_row
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown

if TYPE_CHECKING:
    from hubkeep.app import App

ROWS = 30

_SORTS = (
    ("Trending", "trendingScore"),
    ("Most downloads", "downloads"),
    ("Most likes", "likes"),
    ("New", "createdAt"),
    ("Updated", "lastModified"),
)
TITLES = {
    RepoType.MODEL: "Models",
    RepoType.DATASET: "Datasets",
    RepoType.SPACE: "Spaces",
    RepoType.KERNEL: "Kernels",
}


class Kept(msgspec.Struct, rename="camel"):
    """A parameter that stays when another word is looked for."""

    name: str
    value: str


class ListPage(Page, kw_only=True):
    """A page of a list. `next` and `first` are addresses; a page may be short and have a next."""

    template: ClassVar[str] = "list.html"
    kind: str
    address: str
    search: str
    kept: Sequence[Kept]
    facets: Sequence[Facet]
    all: str | None
    """The facet that is shown in full."""
    chosen: Sequence[Choice]
    sorts: Sequence[Choice]
    clear: str
    repos: Sequence[RepoRow]
    first: str | None
    next: str | None
    feed: str


async def list_page(app: "App", request: Request) -> Response:
    """List the repositories of a type that the visitor may see and that fit what was chosen."""
    kind = RepoType(request.path_params["type"])
    address = read_query(request, ADDRESSES[kind])
    choices = choices_of(kind, address)
    wanted = wanted_by(kind, choices.query())
    after = read_cursor(address.cursor, Place)

    def work(conn: Connection) -> tuple[Actor, list[RepoRow], Place | None, list[Facet]]:
        actor = actor_of(conn, request, app.clock())
        facets = facets_of(conn, choices, address.all)
        owner = owner_named(conn, choices.author) if choices.author else None
        if choices.author and owner is None:
            return actor, [], None, facets
        viewer = viewer_of(conn, actor)
        rows, following = rows_of(conn, viewer, replace(wanted, owner_id=owner), ROWS, after)
        return actor, rows, following, facets

    actor, rows, following, facets = await app.db.read(work)
    page = ListPage(
        title=TITLES[kind],
        kind=kind.value,
        address=choices.page,
        search=choices.search,
        kept=[Kept(*pair) for pair in replace(choices, search="").pairs()],
        facets=facets,
        all=address.all,
        chosen=chosen_of(choices),
        sorts=_sorts(choices),
        clear=Choices(kind, sort=choices.sort, ascending=choices.ascending).href(),
        repos=rows,
        first=choices.href() if after else None,
        next=choices.href(cursor=encode_cursor(following)) if following else None,
        feed=f"{choices.page}/rss.xml",
    )
    return shown(app, request, page, shell_for(app, request, actor))


def rows_of(
    conn: Connection, viewer: Viewer, wanted: Wanted, limit: int, after: Place | None = None
) -> tuple[list[RepoRow], Place | None]:
    """Return up to `limit` repositories of a list as `viewer` sees it, and where it goes on."""
    page = find_page(conn, viewer, wanted, limit, after)
    listed = load_listed(conn, page.ids, with_facts=False)
    return [repo_row(wanted.type, row) for row, _ in listed], page.next


def chosen_of(choices: Choices) -> list[Choice]:
    """Return the filters in force, each with the address of the list without it."""
    found: list[tuple[str, Choices]] = []
    if choices.search:
        found.append((f"“{choices.search}”", replace(choices, search="")))
    if choices.author:
        found.append((f"by {choices.author}", replace(choices, author="")))
    if choices.pipeline_tag:
        name = choices.pipeline_tag.replace("-", " ")
        found.append((name, replace(choices, pipeline_tag="")))
    found += [
        (label_of_tag(kind_of_tag(choices.kind, tag), tag), choices.with_tag(tag))
        for tag in choices.tags
    ]
    if choices.num_parameters:
        name = SIZE_NAMES.get(choices.num_parameters, choices.num_parameters)
        found.append((f"{name} parameters", replace(choices, num_parameters="")))
    if choices.gated is not None:
        found.append((ACCESS_NAMES[choices.gated], replace(choices, gated=None)))
    return [Choice(name, without.href(), is_on=True) for name, without in found]


def _sorts(choices: Choices) -> list[Choice]:
    current = choices.sort or _SORTS[0][1]
    return [
        Choice(
            name,
            replace(choices, sort="" if value == _SORTS[0][1] else value, ascending=False).href(),
            value == current,
        )
        for name, value in _SORTS
    ]
