# SPDX-License-Identifier: Apache-2.0
"""A commit: what it says, and what it changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.content.comparing import Changes, compared, read_changes
from hubkeep.content.reading import revision_of
from hubkeep.git import store
from hubkeep.git.commits import Commit
from hubkeep.git.queries import commits
from hubkeep.git.store import CommitRow
from hubkeep.git.trees import EMPTY_TREE
from hubkeep.http import read_query
from hubkeep.identity.queries_find import names_by_id
from hubkeep.kit.time import wire
from hubkeep.web.apart import apart
from hubkeep.web.commit_rows import CommitShown, commit_shown
from hubkeep.web.diffs import Diff, diff_shown
from hubkeep.web.repo_head import Link, RepoHead, repo_head
from hubkeep.web.repo_places import SHORT, address
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.visits import PageVisit, look

if TYPE_CHECKING:
    from hubkeep.app import App


class CommitQuery(msgspec.Struct):
    """What the address of a commit may ask for."""

    format: Literal["html", "json"] | None = None


class CommitPage(Page, kw_only=True):
    """A commit against its first parent; `patch` is where `git apply` finds it."""

    template: ClassVar[str] = "commit.html"
    repo: RepoHead
    commit: CommitShown
    email: str
    authored_at: str
    committer: str | None
    """Where that is somebody else than the author."""
    parents: Sequence[Link]
    browse: str
    patch: str | None
    revert: str | None
    """Where it is taken back, for who may."""
    diff: Diff


@dataclass(frozen=True, slots=True)
class _Found:
    visitor: PageVisit
    row: CommitRow
    said: Commit
    names: Mapping[int, str]
    changes: Changes


async def commit(app: "App", request: Request) -> Response:
    """Show a commit and what it changed."""
    read_query(request, CommitQuery)

    def work(conn: Connection) -> _Found:
        visitor = look(conn, request, app.clock())
        repo = visitor.repo
        row = revision_of(conn, repo, request.path_params["rev"]).row
        parent = commits(conn, repo.id, row.parents[:1])
        before = parent[row.parents[0]].tree if row.parents else EMPTY_TREE
        said = store.commit_object(conn, repo.id, row.oid)
        names = names_by_id(conn, [row.author_id])
        changed = read_changes(conn, repo.id, before, row.tree)
        return _Found(visitor, row, said, names, changed)

    found = await app.db.read(work)
    page = await apart(app, partial(_page, found))
    shell = shell_for(app, request, found.visitor.actor)
    return await apart(app, partial(shown, app, request, page, shell))


def _page(found: _Found) -> CommitPage:
    repo, row = found.visitor.repo, found.row
    oid = row.oid.hex()
    parents = [parent.hex() for parent in row.parents]
    patch = None
    if parents:
        revisions = quote(f"{parents[0]}..{oid}", safe="")
        patch = f"/api/{repo.type.plural}/{repo.path}/compare/{revisions}?raw=true"
    return CommitPage(
        title=f"{row.title.strip() or oid[:SHORT]} · {repo.path}",
        repo=repo_head(found.visitor, "commits"),
        commit=commit_shown(repo, row, found.names),
        email=row.author.rpartition(" <")[2].removesuffix(">"),
        authored_at=wire(found.said.authored_at * 1000),
        committer=None if found.said.committer == found.said.author else found.said.committer,
        parents=[Link(parent[:SHORT], address(repo, "commit", parent)) for parent in parents],
        browse=address(repo, "tree", oid),
        patch=patch,
        revert=_revert(found.visitor, oid),
        diff=diff_shown(
            repo, compared(found.changes, raw=False), parents[0] if parents else None, oid
        ),
    )


def _revert(visitor: PageVisit, oid: str) -> str | None:
    repo = visitor.repo
    return (
        f"{address(repo, 'revert', repo.default_branch)}?commit={oid}"
        if visitor.may_write
        else None
    )
