# SPDX-License-Identifier: Apache-2.0
"""Deleting a file or a folder in the browser: what goes is shown, and then it is a commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.content.commit_body import CommitPlan
from hubkeep.content.editing import Overtaken, Touched, commit_seen, folder_left, head_of
from hubkeep.content.spool import Spool
from hubkeep.content.wire import CommitHeader, DeletedPath
from hubkeep.git import store
from hubkeep.git.store import Entry
from hubkeep.http import raw_path, read_query
from hubkeep.identity.rules import Action
from hubkeep.repos.access import visit
from hubkeep.web.desk import Desk, at_desk, refuses
from hubkeep.web.edits import usual_summary
from hubkeep.web.fields import Field
from hubkeep.web.forms import go_to, read_form
from hubkeep.web.repo_head import Link, RepoHead, repo_head
from hubkeep.web.repo_places import address, crumbs
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown

if TYPE_CHECKING:
    from hubkeep.app import App

SHOWN = 100
"""Files of a folder that are named."""
_COUNTED = 10_000
_SUMMARY_LIMIT = 65_536
_CHANGED = "This has changed since you opened the page. What would go now is below."


class DeleteQuery(msgspec.Struct):
    """What the address may ask for besides."""

    format: Literal["html", "json"] | None = None


class DeleteForm(msgspec.Struct):
    """What the form sends; `parent` is the commit that its page was made from."""

    parent: str = ""
    summary: str = ""
    description: str = ""


class Going(msgspec.Struct, rename="camel"):
    """A file that goes."""

    path: str
    href: str
    size: int
    is_large: bool


class DeletePage(Page, kw_only=True):
    """What goes: some of the files, and how many there are; `isMore` where there are yet more."""

    template: ClassVar[str] = "delete.html"
    repo: RepoHead
    crumbs: Sequence[Link]
    branch: str
    path: str
    is_folder: bool
    files: Sequence[Going]
    count: int
    is_more: bool
    action: str
    cancel: str
    parent: str
    summary: Field
    description: Field
    error: str


@dataclass(frozen=True, slots=True)
class _Found:
    desk: Desk
    entry: Entry
    files: Sequence[Entry]
    is_more: bool


@refuses
async def delete_form(app: "App", request: Request) -> Response:
    """Show what goes with a file or a folder, and ask whether it shall."""
    read_query(request, DeleteQuery)
    return await _answer(app, request, DeleteForm())


@refuses
async def delete(app: "App", request: Request) -> Response:
    """Delete it, if it is what was shown, and go to the folder that is left."""
    form = await read_form(request, DeleteForm)
    if len(form.summary) > _SUMMARY_LIMIT:
        return await _answer(app, request, form, summary_error="Say it in fewer words.")
    path = request.path_params["path"].strip("/")
    usual = usual_summary(path, "")

    def work(conn: Connection) -> str:
        now = app.clock()
        visitor = visit(conn, request, Action.WRITE, now)
        repo, rev = visitor.repo, request.path_params["rev"]
        branch = head_of(conn, repo, rev)[0]
        header = CommitHeader(summary=form.summary.strip() or usual, description=form.description)
        with Spool() as spool:
            plan = CommitPlan(spool, header, [DeletedPath(path)])
            oid = commit_seen(conn, visitor, rev, Touched(form.parent, [path]), plan, now)
        return address(repo, "tree", branch, folder_left(conn, repo, oid, path))

    try:
        return go_to(await app.db.write(work))
    except Overtaken:
        return await _answer(app, request, form, error=_CHANGED)


async def _answer(
    app: "App", request: Request, form: DeleteForm, *, error: str = "", summary_error: str = ""
) -> Response:
    path = request.path_params["path"].strip("/")
    found = await app.db.read(lambda conn: _find(conn, app, request, path))
    desk = found.desk
    spot = desk.spot(path)
    page = DeletePage(
        title=f"Delete {path} · {desk.repo.path}",
        repo=repo_head(desk.visitor, "files", desk.branch),
        crumbs=crumbs(spot),
        branch=desk.branch,
        path=path,
        is_folder=found.entry.kind == "directory",
        files=[_going(desk, each) for each in found.files[:SHOWN]],
        count=len(found.files),
        is_more=found.is_more,
        action=raw_path(request),
        cancel=spot.to("tree" if found.entry.kind == "directory" else "blob"),
        parent=desk.commit,
        summary=Field(
            name="summary",
            label="What changes",
            value=form.summary,
            placeholder=usual_summary(path, ""),
            error=summary_error,
        ),
        description=Field(
            name="description",
            label="Why, and what else there is to say",
            kind="lines",
            value=form.description,
        ),
        error=error,
    )
    shell = shell_for(app, request, desk.visitor.actor)
    status = 409 if error else 422 if summary_error else 200
    return shown(app, request, page, shell, status=status)


def _find(conn: Connection, app: "App", request: Request, path: str) -> _Found:
    desk = at_desk(conn, request, app.clock())
    repo = desk.repo
    entry = store.entry(conn, repo.id, desk.tree, path) if path else None
    if entry is None:
        raise errors.entry_not_found(path, desk.commit or None)
    if entry.kind != "directory":
        return _Found(desk, entry, [entry], is_more=False)
    below = store.walk(conn, repo.id, desk.tree, path, recursive=True, after=None, limit=_COUNTED)
    files = [each for each in below if each.kind != "directory"]
    return _Found(desk, entry, files, is_more=len(below) == _COUNTED)


def _going(desk: Desk, entry: Entry) -> Going:
    href = desk.spot(entry.path).to("blob")
    return Going(entry.path, href, entry.shown_size, entry.lfs is not None)
