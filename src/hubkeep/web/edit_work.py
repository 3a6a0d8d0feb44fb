# SPDX-License-Identifier: Apache-2.0
"""What a form for a file reads of the repository, and the commit that it becomes."""

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request

from hubkeep import errors
from hubkeep.content.commit_body import CommitPlan, NewFile
from hubkeep.content.editing import Touched, commit_seen, head_of, is_for_upload, seen_tree
from hubkeep.content.spool import Spool
from hubkeep.content.wire import CommitHeader, DeletedPath
from hubkeep.git import store
from hubkeep.git.objects import stage_blob
from hubkeep.git.queries import commits
from hubkeep.git.store import Entry
from hubkeep.git.trees import EXECUTABLE
from hubkeep.identity.rules import Action
from hubkeep.repos.access import visit
from hubkeep.web.apart import apart
from hubkeep.web.commit_rows import commit_shown
from hubkeep.web.desk import Desk, Refused, RefusedPage
from hubkeep.web.edit_page import EditForm, Meanwhile, Sheet, one_change
from hubkeep.web.edits import Unfit, unfit, usual_summary
from hubkeep.web.file_kinds import TEXT_LIMIT
from hubkeep.web.repo_head import Link, repo_head
from hubkeep.web.repo_places import address, crumbs

if TYPE_CHECKING:
    from hubkeep.app import App


class ForUpload(Exception):
    """What is to be written under a new name is kept as a large file."""


def sheet_to_fill(conn: Connection, desk: Desk, path: str) -> Sheet | None:
    """Return a file as it is at the head, to be edited; None for a folder.

    entry_not_found for what is not there, Refused for what is no text that a form can take.
    """
    entry = store.entry(conn, desk.repo.id, desk.tree, path)
    if entry is None:
        raise errors.entry_not_found(path, desk.commit or None)
    if entry.kind == "directory":
        return None
    content, reason = _text(conn, desk, entry)
    if reason is not None:
        raise _refused(desk, entry, reason)
    return Sheet(desk, path, entry, content)


def sheet_seen(conn: Connection, desk: Desk, path: str, seen: str) -> Sheet:
    """Return a file as it was at a commit, by its hex id; nothing where it was not there."""
    entry = store.entry(conn, desk.repo.id, seen_tree(conn, desk.repo, seen), path)
    if entry is None or entry.kind == "directory":
        return Sheet(desk, path)
    content, reason = _text(conn, desk, entry)
    return Sheet(desk, path, entry, None if reason else content)


def _text(conn: Connection, desk: Desk, entry: Entry) -> tuple[bytes, Unfit | None]:
    reason = unfit(entry, None)
    if reason is not None:
        return b"", reason
    content = store.blob(conn, desk.repo.id, entry.oid, TEXT_LIMIT)
    return content, unfit(entry, content)


def _refused(desk: Desk, entry: Entry, reason: Unfit) -> Refused:
    spot = desk.spot(entry.path)
    links = [Link("Back to the file", spot.to("blob"))]
    if reason.may_upload:
        folder = entry.path.rpartition("/")[0]
        links.insert(0, Link("Upload a new version", spot.to("upload", folder)))
    page = RefusedPage(
        title=f"Not for a form: {entry.path} · {desk.repo.path}",
        repo=repo_head(desk.visitor, "files", desk.branch),
        crumbs=crumbs(spot),
        heading=f"{entry.path} cannot be edited here",
        why=reason.why,
        instead=reason.instead,
        links=links,
    )
    return Refused(desk.visitor, page, 422)


async def commit_form(
    app: "App", request: Request, sheet: Sheet, form: EditForm, content: bytes
) -> str:
    """Commit what a form means; return the address of the file.

    Overtaken, Taken, ForUpload, and the answers of the API where it refuses the same.
    """
    with Spool() as spool:
        plan, touched = await apart(app, partial(_plan, spool, sheet, form, content))

        def work(conn: Connection) -> str:
            now = app.clock()
            visitor = visit(conn, request, Action.WRITE, now)
            repo, rev = visitor.repo, request.path_params["rev"]
            branch, head = head_of(conn, repo, rev)
            if touched.new and is_for_upload(conn, repo, head, form.path, content):
                raise ForUpload
            commit_seen(conn, visitor, rev, touched, plan, now)
            return address(repo, "blob", branch, form.path)

        return await app.db.write(work)


def _plan(spool: Spool, sheet: Sheet, form: EditForm, content: bytes) -> tuple[CommitPlan, Touched]:
    """The commit and what it is about: under another path the file is the same one, moved."""
    entry, origin = sheet.entry, sheet.origin
    is_here = form.path == origin
    blob = stage_blob(content)
    spool.add(blob)
    mode = EXECUTABLE if entry is not None and entry.mode & 0o100 else None
    moved = [DeletedPath(origin)] if entry is not None and not is_here else []
    usual = usual_summary(origin if entry is not None else "", form.path)
    plan = CommitPlan(
        spool,
        CommitHeader(summary=form.summary.strip() or usual, description=form.description),
        [*moved, NewFile(form.path, blob.without_data(), mode)],
    )
    old = (origin,) if origin else ()
    return plan, Touched(form.parent, old, () if is_here else (form.path,))


def what_happened(conn: Connection, desk: Desk, path: str, seen: str) -> tuple[Sheet, Meanwhile]:
    """Return a file as it is now, and what was done to it since a commit, by its hex id."""
    repo, before = desk.repo, sheet_seen(conn, desk, path, seen)
    now = sheet_seen(conn, desk, path, desk.commit)
    last = None
    if desk.head is not None and now.entry is not None:
        oid = store.last_commit(conn, repo.id, desk.head.row, path)
        last = commits(conn, repo.id, [oid]).get(oid)
    are_texts = all((one.entry is None) is (one.before is None) for one in (before, now))
    is_known = before.entry is not None and desk.head is not None
    return now, Meanwhile(
        path=path,
        now=desk.spot(path).to("blob") if now.entry else None,
        compare=address(repo, "compare", f"{seen}..{desk.commit}") if is_known else None,
        last_commit=commit_shown(repo, last) if last else None,
        diff=one_change(repo, path, before.before, now.before) if are_texts else None,
    )
