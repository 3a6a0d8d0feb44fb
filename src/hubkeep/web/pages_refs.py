# SPDX-License-Identifier: Apache-2.0
"""The branches and tags of a repository, each with the commit at its head."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import urlencode

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.git import store
from hubkeep.git.queries import commits
from hubkeep.git.store import BRANCHES, TAGS, CommitRow, Ref
from hubkeep.http import read_query
from hubkeep.repos.types import Repo
from hubkeep.web.commit_rows import CommitShown, commit_shown
from hubkeep.web.repo_head import RepoHead, repo_head
from hubkeep.web.repo_places import address
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.visits import PageVisit, look

if TYPE_CHECKING:
    from hubkeep.app import App

ROWS = 100


class RefsAfter(msgspec.Struct):
    """Where the lists go on: behind a branch, behind a tag."""

    branches: str = ""
    tags: str = ""
    format: Literal["html", "json"] | None = None


class RefRow(msgspec.Struct, rename="camel"):
    """A branch or tag; `compare` is what it has that the default branch does not have."""

    name: str
    href: str
    is_default: bool
    commit: CommitShown
    compare: str | None


class RefList(msgspec.Struct, rename="camel"):
    """Some of the branches, or of the tags; `first` and `next` are addresses."""

    name: str
    rows: Sequence[RefRow]
    first: str | None
    next: str | None


class RefsPage(Page, kw_only=True):
    """All branches and tags, a page at a time."""

    template: ClassVar[str] = "refs.html"
    repo: RepoHead
    lists: Sequence[RefList]
    compare: str


@dataclass(frozen=True, slots=True)
class _Found:
    visitor: PageVisit
    branches: Sequence[Ref]
    tags: Sequence[Ref]
    commits: dict[bytes, CommitRow]


async def refs(app: "App", request: Request) -> Response:
    """List branches and tags."""
    after = read_query(request, RefsAfter)

    def work(conn: Connection) -> _Found:
        visitor = look(conn, request, app.clock())
        repo = visitor.repo
        branches = _some(conn, repo, BRANCHES, after.branches)
        tags = _some(conn, repo, TAGS, after.tags)
        heads = list({ref.commit for ref in (*branches, *tags)})
        return _Found(visitor, branches, tags, commits(conn, repo.id, heads))

    found = await app.db.read(work)
    return shown(app, request, _page(found, after), shell_for(app, request, found.visitor.actor))


def _some(conn: Connection, repo: Repo, prefix: str, after: str) -> list[Ref]:
    start = prefix + after if after else ""
    return store.refs_below(conn, repo.id, prefix, after=start, limit=ROWS + 1)


def _page(found: _Found, after: RefsAfter) -> RefsPage:
    repo = found.visitor.repo
    here = f"/{repo.web_path}/refs"
    lists: list[RefList] = []
    for name, prefix, some, start, other in (
        ("branches", BRANCHES, found.branches, after.branches, {"tags": after.tags}),
        ("tags", TAGS, found.tags, after.tags, {"branches": after.branches}),
    ):
        kept = {key: value for key, value in other.items() if value}
        rows = [_row(repo, ref, prefix, found.commits) for ref in some[:ROWS]]
        more = {**kept, name: rows[-1].name} if len(some) > ROWS else None
        lists.append(
            RefList(
                name=name,
                rows=sorted(rows, key=lambda row: not row.is_default),
                first=_at(here, kept) if start else None,
                next=_at(here, more) if more else None,
            )
        )
    return RefsPage(
        title=f"Branches and tags of {repo.path}",
        repo=repo_head(found.visitor, "refs"),
        lists=lists,
        compare=f"{here.removesuffix('/refs')}/compare",
    )


def _at(here: str, query: dict[str, str]) -> str:
    return f"{here}?{urlencode(query)}" if query else here


def _row(repo: Repo, ref: Ref, prefix: str, heads: dict[bytes, CommitRow]) -> RefRow:
    name = ref.name.removeprefix(prefix)
    is_default = ref.name == BRANCHES + repo.default_branch
    both = f"{repo.default_branch}...{name}"
    return RefRow(
        name=name,
        href=address(repo, "tree", name),
        is_default=is_default,
        commit=commit_shown(repo, heads[ref.commit]),
        compare=None if is_default or repo.head is None else address(repo, "compare", both),
    )
