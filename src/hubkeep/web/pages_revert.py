# SPDX-License-Identifier: Apache-2.0
"""Taking a commit back in the browser, by the function that the API does it by."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.content.comparing import Changes, compared, read_changes
from hubkeep.content.merging import carry_out, plan_revert, words_of_revert
from hubkeep.content.reading import revision_of
from hubkeep.content.wire import RevertRequest
from hubkeep.errors import HubError
from hubkeep.git import store
from hubkeep.git.ancestry import is_ancestor
from hubkeep.git.queries import commits
from hubkeep.git.store import BRANCHES, CommitRow
from hubkeep.git.trees import EMPTY_TREE
from hubkeep.http import raw_path, read_query
from hubkeep.web.apart import apart
from hubkeep.web.commit_rows import CommitShown, commit_shown
from hubkeep.web.desk import Desk, at_desk, refuses
from hubkeep.web.diffs import Diff, diff_shown
from hubkeep.web.fields import Field
from hubkeep.web.forms import go_to, read_form
from hubkeep.web.repo_head import Link, RepoHead, repo_head
from hubkeep.web.repo_places import address
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown

if TYPE_CHECKING:
    from hubkeep.app import App

_BRANCHES = 100
_SUMMARY_LIMIT = 65_536
_TOLD = (409, 412, 422)


class RevertQuery(msgspec.Struct):
    """Which commit the page is about."""

    commit: str = ""
    format: Literal["html", "json"] | None = None


class RevertForm(msgspec.Struct):
    """What the form sends; without a description the commit says what it takes back."""

    commit: str = ""
    summary: str = ""
    description: str | None = None


class InTheWay(msgspec.Struct, rename="camel"):
    """What was changed since in the same places: the files, and git's word for what it is."""

    paths: Sequence[str]
    kind: str


class RevertPage(Page, kw_only=True):
    """What a commit changed, the other way round: that is what the new commit will do.

    `isInBranch` is false where the branch does not have the commit. `conflicts` says what is in the
    way, once it was tried.
    """

    template: ClassVar[str] = "revert.html"
    repo: RepoHead
    branch: str
    branches: Sequence[Link]
    commit: CommitShown
    is_merge: bool
    is_in_branch: bool
    action: str
    cancel: str
    summary: Field
    description: Field
    error: str
    conflicts: Sequence[InTheWay]
    diff: Diff


@dataclass(frozen=True, slots=True)
class _Found:
    desk: Desk
    row: CommitRow
    is_in_branch: bool
    branches: Sequence[str]
    changes: Changes


@refuses
async def revert_form(app: "App", request: Request) -> Response:
    """Show what taking a commit back would do to a branch."""
    query = read_query(request, RevertQuery)
    return await _answer(app, request, RevertForm(commit=query.commit))


@refuses
async def revert(app: "App", request: Request) -> Response:
    """Take it back, and go to the commit that does; or say what is in the way."""
    form = await read_form(request, RevertForm)
    found = await app.db.read(lambda conn: _find(conn, app, request, form.commit))
    wish = RevertRequest(
        commit=found.row.oid.hex(),
        summary=form.summary[:_SUMMARY_LIMIT],
        description=form.description or "",
    )
    try:
        outcome = await carry_out(
            app,
            request,
            found.desk.branch,
            wish,
            lambda conn, repo, branch: plan_revert(conn, repo, branch, wish.commit),
        )
    except HubError as error:
        if error.status not in _TOLD:
            raise
        return await _answer(app, request, form, error)
    return go_to(address(outcome.repo, "commit", outcome.head.hex()))


async def _answer(
    app: "App", request: Request, form: RevertForm, error: HubError | None = None
) -> Response:
    found = await app.db.read(lambda conn: _find(conn, app, request, form.commit))
    page = await apart(app, partial(_page, found, form, raw_path(request), error))
    shell = shell_for(app, request, found.desk.visitor.actor)
    status = error.status if error else 200
    return await apart(app, partial(shown, app, request, page, shell, status=status))


def _find(conn: Connection, app: "App", request: Request, commit: str) -> _Found:
    desk = at_desk(conn, request, app.clock())
    repo = desk.repo
    row = revision_of(conn, repo, commit).row
    before = EMPTY_TREE
    if row.parents:
        before = commits(conn, repo.id, row.parents[:1])[row.parents[0]].tree
    names = [ref.name for ref in store.refs_below(conn, repo.id, BRANCHES, limit=_BRANCHES)]
    head = desk.head
    return _Found(
        desk,
        row,
        head is not None and is_ancestor(conn, repo.id, row.oid, head.commit),
        [name.removeprefix(BRANCHES) for name in names],
        read_changes(conn, repo.id, row.tree, before),
    )


def _page(found: _Found, form: RevertForm, action: str, error: HubError | None) -> RevertPage:
    desk, row = found.desk, found.row
    repo, oid = desk.repo, row.oid.hex()
    told, (title, text) = commit_shown(repo, row), words_of_revert(row)
    parent = row.parents[0].hex() if row.parents else ""
    conflicts = error.extra.get("conflicts", []) if error else []
    return RevertPage(
        title=f"Take back {told.short} · {repo.path}",
        repo=repo_head(desk.visitor, "commits", desk.branch),
        branch=desk.branch,
        branches=[
            Link(name, f"{address(repo, 'revert', name)}?commit={oid}", name == desk.branch)
            for name in found.branches
        ],
        commit=told,
        is_merge=len(row.parents) > 1,
        is_in_branch=found.is_in_branch,
        action=action,
        cancel=told.href,
        summary=Field(
            name="summary",
            label="What changes",
            value=form.summary,
            placeholder=title,
        ),
        description=Field(
            name="description",
            label="Why, and what else there is to say",
            kind="lines",
            value=text if form.description is None else form.description,
        ),
        error=error.message if error and not conflicts else "",
        conflicts=[InTheWay(each["paths"], each["kind"]) for each in conflicts],
        diff=diff_shown(repo, compared(found.changes, raw=False), oid, parent),
    )
