# SPDX-License-Identifier: Apache-2.0
"""All repositories for administrators: found by name, by size, private ones among them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.http import read_cursor, read_query
from hubkeep.identity.access import administrator
from hubkeep.identity.actor import Actor
from hubkeep.kit.cursors import encode_cursor
from hubkeep.kit.time import Millis
from hubkeep.repos.queries_list import load_listed, viewer_of
from hubkeep.repos.search import find_page
from hubkeep.repos.search_wanted import Place, Sort, Wanted
from hubkeep.repos.types import InfoRow, RepoType
from hubkeep.web.admin_lists import ROWS, address
from hubkeep.web.pages_admin import AdminPage, admin_tabs, for_administrators
from hubkeep.web.repo_head import Link
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown

if TYPE_CHECKING:
    from hubkeep.app import App

PATH = "/admin/repositories"

SortName = Literal["", "created", "modified", "downloads"]

_SORTS: tuple[tuple[str, SortName, Sort], ...] = (
    ("Size", "", Sort.SIZE),
    ("New", "created", Sort.CREATED),
    ("Updated", "modified", Sort.MODIFIED),
    ("Downloads", "downloads", Sort.DOWNLOADS),
)
_SEEN = (("All", "", None), ("Public", "public", False), ("Private", "private", True))
_KINDS = (
    ("Models", RepoType.MODEL),
    ("Datasets", RepoType.DATASET),
    ("Spaces", RepoType.SPACE),
    ("Kernels", RepoType.KERNEL),
)


class RepositoriesQuery(msgspec.Struct, frozen=True):
    """Parameters of the list."""

    search: Annotated[str, msgspec.Meta(max_length=200)] = ""
    type: RepoType = RepoType.MODEL
    seen: Literal["", "public", "private"] = ""
    sort: SortName = ""
    cursor: str | None = None
    format: Literal["html", "json"] | None = None


class AdminRepoRow(msgspec.Struct, rename="camel"):
    """A repository; `storage` is what it stores over all its revisions."""

    id: str
    web_path: str
    private: bool
    gated: bool
    disabled: bool
    storage: int
    downloads: int
    likes: int
    created_at: Millis
    last_modified: Millis


class RepositoriesPage(AdminPage, kw_only=True):
    """Repositories of one type. `next` and `first` are addresses; a page may be short and have a
    next.
    """

    template: ClassVar[str] = "admin_repositories.html"
    search: str
    type: RepoType
    seen: str
    sort: str
    kinds: Sequence[Link]
    seens: Sequence[Link]
    sorts: Sequence[Link]
    repositories: Sequence[AdminRepoRow]
    first: str | None
    next: str | None


@for_administrators
async def repositories(app: "App", request: Request) -> Response:
    """List repositories of a type, the largest first or as it is asked for."""
    query = read_query(request, RepositoriesQuery)
    after = read_cursor(query.cursor, Place)
    wanted = Wanted(
        query.type,
        words=tuple(query.search.lower().split()),
        private={name: private for _, name, private in _SEEN}[query.seen],
        sort=next(sort for _, name, sort in _SORTS if name == query.sort),
    )

    def work(conn: Connection) -> tuple[Actor, list[InfoRow], Place | None]:
        actor, _ = administrator(conn, request, app.clock())
        found = find_page(conn, viewer_of(conn, actor), wanted, ROWS, after)
        listed = load_listed(conn, found.ids, with_facts=False)
        return actor, [row for row, _ in listed], found.next

    actor, rows, following = await app.db.read(work)
    page = RepositoriesPage(
        title="Repositories",
        tabs=admin_tabs("repositories"),
        search=query.search.strip(),
        type=query.type,
        seen=query.seen,
        sort=query.sort,
        kinds=[Link(name, _at(query, type=kind), kind is query.type) for name, kind in _KINDS],
        seens=[Link(name, _at(query, seen=value), value == query.seen) for name, value, _ in _SEEN],
        sorts=[
            Link(name, _at(query, sort=value), value == query.sort) for name, value, _ in _SORTS
        ],
        repositories=[admin_repo_row(query.type, row) for row in rows],
        first=_at(query) if after else None,
        next=_at(query, cursor=encode_cursor(following)) if following else None,
    )
    return shown(app, request, page, shell_for(app, request, actor))


def _at(query: RepositoriesQuery, **changed: str) -> str:
    kind = "" if query.type is RepoType.MODEL else query.type.value
    here = {"search": query.search, "type": kind, "seen": query.seen, "sort": query.sort}
    return address(PATH, {**here, **changed})


def admin_repo_row(kind: RepoType, row: InfoRow) -> AdminRepoRow:
    """Return what administrators see of a repository."""
    return AdminRepoRow(
        id=row.path,
        web_path=kind.web_prefix + row.path,
        private=row.private,
        gated=bool(row.gated),
        disabled=row.disabled,
        storage=row.used_storage,
        downloads=row.downloads,
        likes=row.likes,
        created_at=row.created_at,
        last_modified=row.last_modified,
    )


def largest(conn: Connection, actor: Actor, many: int) -> list[tuple[RepoType, InfoRow]]:
    """Return the repositories that store most, of all types; bounded work by an index."""
    found: list[tuple[RepoType, InfoRow]] = []
    for _, kind in _KINDS:
        page = find_page(conn, viewer_of(conn, actor), Wanted(kind, sort=Sort.SIZE), many)
        found += [(kind, row) for row, _ in load_listed(conn, page.ids, with_facts=False)]
    found.sort(key=lambda one: (-one[1].used_storage, one[1].path))
    return [one for one in found[:many] if one[1].used_storage]
