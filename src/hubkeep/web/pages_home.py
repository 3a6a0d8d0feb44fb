# SPDX-License-Identifier: Apache-2.0
"""The first page of the hub: what is trending, new and used, and how to use it."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.cards.tags import REGION
from hubkeep.http import read_query
from hubkeep.identity.access import actor_of
from hubkeep.identity.actor import Actor
from hubkeep.repos.queries_list import load_listed, viewer_of
from hubkeep.repos.queries_list_tags import common_tags
from hubkeep.repos.search import find_page
from hubkeep.repos.search_wanted import Sort, Viewer, Wanted
from hubkeep.repos.types import RepoType
from hubkeep.web.repo_rows import RepoRow, repo_row
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown

if TYPE_CHECKING:
    from hubkeep.app import App

ROWS = 5
_KINDS = (RepoType.MODEL, RepoType.DATASET, RepoType.SPACE)
_NAMES = {RepoType.MODEL: "models", RepoType.DATASET: "datasets", RepoType.SPACE: "Spaces"}
_SORTS = (Sort.TRENDING, Sort.CREATED, Sort.DOWNLOADS)

Found = Mapping[tuple[RepoType, Sort], Sequence[RepoRow]]


class HomeQuery(msgspec.Struct, frozen=True):
    """The page takes no parameter but its form."""

    format: Literal["html", "json"] | None = None


class Shelf(msgspec.Struct, rename="camel"):
    """A few repositories, and where all of them are; `shows_time` where their lines have room."""

    title: str
    href: str
    repos: Sequence[RepoRow]
    shows_time: bool = False


class KindCount(msgspec.Struct, rename="camel"):
    """How many public repositories of a kind there are; those without any commit do not count."""

    name: str
    href: str
    count: int


class HomePage(Page, kw_only=True):
    """What a client or a person finds first. `use`, `models` and the like are for programs."""

    template: ClassVar[str] = "home.html"
    name: str
    version: str
    use: str
    models: str
    datasets: str
    spaces: str
    counts: Sequence[KindCount]
    shelves: Sequence[Shelf]
    lines: str
    """Lines to copy that use the hub; for a fresh one, those that put the first model into it."""


async def home(app: "App", request: Request) -> Response:
    """Show what the visitor may see of the hub, at a glance."""
    read_query(request, HomeQuery)
    base = app.base_url(request)

    def work(conn: Connection) -> tuple[Actor, list[KindCount], Found]:
        actor = actor_of(conn, request, app.clock())
        viewer = viewer_of(conn, actor)
        found = {(kind, sort): rows for kind in _KINDS for sort, rows in _tops(conn, viewer, kind)}
        return actor, _counts(conn), found

    actor, counts, found = await app.db.read(work)
    shelves = _shelves(found)
    page = HomePage(
        title="Home",
        name="Hubkeep",
        version=_version(),
        use=f"export HF_ENDPOINT={base}",
        models=f"{base}/api/models",
        datasets=f"{base}/api/datasets",
        spaces=f"{base}/api/spaces",
        counts=counts,
        shelves=shelves,
        lines=_lines(base, actor, shelves),
    )
    return shown(app, request, page, shell_for(app, request, actor))


@cache
def _version() -> str:
    return version("hubkeep")


def _tops(
    conn: Connection, viewer: Viewer, kind: RepoType
) -> Sequence[tuple[Sort, Sequence[RepoRow]]]:
    """The first of a kind in each order."""
    ids = {sort: find_page(conn, viewer, Wanted(kind, sort=sort), ROWS).ids for sort in _SORTS}
    every = tuple({id_ for some in ids.values() for id_ in some})
    listed = load_listed(conn, every, with_facts=False)
    rows = {id_: repo_row(kind, row) for id_, (row, _) in zip(every, listed, strict=True)}
    return [(sort, [rows[id_] for id_ in ids[sort]]) for sort in _SORTS]


def _counts(conn: Connection) -> list[KindCount]:
    """Every repository with a commit has the tag of the region, and tags are counted as they come
    and go: no table has to be walked.
    """
    found = []
    for kind in _KINDS:
        counts = common_tags(conn, kind, ("region",), 1)
        number = next((one.count for one in counts if one.tag == REGION), 0)
        found.append(KindCount(_NAMES[kind], f"/{kind.plural}", number))
    return [one for one in found if one.count]


def _shelves(found: Found) -> list[Shelf]:
    trending = [
        Shelf(
            f"Trending {_NAMES[kind]}",
            f"/{kind.plural}",
            found[kind, Sort.TRENDING],
            shows_time=kind is not RepoType.MODEL,
        )
        for kind in _KINDS
    ]
    newest = _merged(found, Sort.CREATED, lambda row: row.created_at)
    used = _merged(found, Sort.DOWNLOADS, lambda row: row.downloads)
    shelves = [
        *trending,
        Shelf("New", "/models?sort=createdAt", newest, shows_time=True),
        Shelf("Most downloaded", "/models?sort=downloads", [row for row in used if row.downloads]),
    ]
    return [shelf for shelf in shelves if shelf.repos]


def _merged(found: Found, sort: Sort, key: Callable[[RepoRow], str | int]) -> list[RepoRow]:
    rows = [row for kind in _KINDS for row in found[kind, sort]]
    return sorted(rows, key=key, reverse=True)[:ROWS]


def _lines(base: str, actor: Actor, shelves: Sequence[Shelf]) -> str:
    endpoint = f"export HF_ENDPOINT={base}"
    if shelves:
        first = shelves[0].repos[0]
        option = "" if first.kind == RepoType.MODEL else f" --repo-type {first.kind}"
        return f"{endpoint}\nhf download {first.id}{option}"
    name = actor.user.name if actor.user else "alice"
    upload = f"{endpoint}\nexport HF_TOKEN=hf_...\nhf upload {name}/my-model ./folder"
    if actor.user:
        return upload
    return f"hubkeep user create {name}\nhubkeep token create {name} --role write\n{upload}"
