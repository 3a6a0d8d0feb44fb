# SPDX-License-Identifier: Apache-2.0
"""What a repository stores, and the deletion of its large files for good."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.errors import HubError
from hubkeep.identity.actor import Actor
from hubkeep.identity.rules import Action
from hubkeep.kit.time import Millis, unwire, wire
from hubkeep.transfer.cas.queries_storage import count_repo
from hubkeep.transfer.cas.storage import RepoStorage, repo_storage
from hubkeep.transfer.forgetting import forget_files
from hubkeep.transfer.queries_files import HeldFile, largest_files
from hubkeep.web.forms import go_to, read_form
from hubkeep.web.repo_head import RepoHead, repo_head
from hubkeep.web.settings_tabs import said
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.visits import look

if TYPE_CHECKING:
    from hubkeep.app import App

ROWS = 100
_NONE_CHOSEN = "Choose the files that are to go."


class ForgetForm(msgspec.Struct):
    """What the form sends: files by the ids of their rows."""

    file: tuple[str, ...] = ()
    rewrite: bool = False


class FileLine(msgspec.Struct, rename="camel"):
    """A large file; `name` and `ref` are null until a commit named it."""

    id: str
    name: str | None
    ref: str | None
    oid: str
    size: int
    pushed_at: str

    @property
    def at(self) -> Millis:
        """When it came, as templates reckon with."""
        return unwire(self.pushed_at)


class RepoStoragePage(Page, kw_only=True):
    """What a repository stores, and its largest files first; `isCut` where there are more."""

    template: ClassVar[str] = "repo_storage.html"
    repo: RepoHead
    size: int
    """Of the files as they are at the head, in bytes."""
    used_storage: int
    """With all earlier versions."""
    storage: RepoStorage
    files: Sequence[FileLine]
    is_cut: bool
    error: str = ""
    done: str = ""


async def storage_page(app: "App", request: Request) -> Response:
    """Show what is stored to who administers the repository."""
    page, actor = await app.db.read(lambda conn: _page(app, conn, request))
    page.done = said(request, deleted="Deleted for good.")
    return shown(app, request, page, shell_for(app, request, actor))


async def forget(app: "App", request: Request) -> Response:
    """Delete files for good; with `rewrite` the commits that point at them are written anew."""
    form = await read_form(request, ForgetForm)

    def work(conn: Connection) -> str:
        now = app.clock()
        repo = look(conn, request, now, Action.ADMINISTER).repo
        forget_files(conn, repo, form.file, form.rewrite, now)
        return f"/{repo.web_path}/settings/storage?deleted"

    error = "" if form.file else _NONE_CHOSEN
    if not error:
        try:
            return go_to(await app.db.write(work))
        except HubError as refused:
            if refused.status != 400:
                raise
            error = refused.message
    page, actor = await app.db.read(lambda conn: _page(app, conn, request))
    page.error = error
    return shown(app, request, page, shell_for(app, request, actor), status=422)


def _page(app: "App", conn: Connection, request: Request) -> tuple[RepoStoragePage, Actor]:
    visitor = look(conn, request, app.clock(), Action.ADMINISTER)
    repo = visitor.repo
    found = largest_files(conn, repo.id, ROWS + 1)
    page = RepoStoragePage(
        title=f"Storage of {repo.path}",
        repo=repo_head(visitor, "settings"),
        size=repo.head_size,
        used_storage=repo.used_storage,
        storage=repo_storage(count_repo(conn, repo.id)),
        files=[_line(file) for file in found[:ROWS]],
        is_cut=len(found) > ROWS,
    )
    return page, visitor.actor


def _line(file: HeldFile) -> FileLine:
    return FileLine(
        id=file.public_id,
        name=file.filename,
        ref=file.ref,
        oid=file.sha256.hex(),
        size=file.size,
        pushed_at=wire(file.pushed_at),
    )
