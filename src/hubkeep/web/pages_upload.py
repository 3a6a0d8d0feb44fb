# SPDX-License-Identifier: Apache-2.0
"""The page on which files are uploaded. Its script speaks to the addresses that all clients use:
preupload, the batch address of git-lfs, the signed addresses that it gives, and commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
from msgspec import structs
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.git import store
from hubkeep.git.errors import BadPath
from hubkeep.git.names import check_path
from hubkeep.http import read_query
from hubkeep.web.desk import Desk, Refused, RefusedPage, at_desk, refuses
from hubkeep.web.repo_head import Link, RepoHead, repo_head
from hubkeep.web.repo_places import Chooser, Spot, chooser, crumbs
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.ways import Way, ways_up

if TYPE_CHECKING:
    from hubkeep.app import App


class UploadQuery(msgspec.Struct):
    """What the address of the page may ask for."""

    format: Literal["html", "json"] | None = None


class UploadPage(Page, kw_only=True):
    """Where files are put: `folder` of `branch`, which need not be there yet.

    `api` and `batch` are the addresses that take them, `ways` how it is done without a browser.
    """

    template: ClassVar[str] = "upload.html"
    repo: RepoHead
    refs: Chooser
    crumbs: Sequence[Link]
    branch: str
    folder: str
    files: str
    api: str
    batch: str
    ways: Sequence[Way]


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder of a branch that somebody may write to."""

    desk: Desk
    spot: Spot
    refs: Chooser


@refuses
async def upload(app: "App", request: Request) -> Response:
    """Show where files are dropped or chosen; refused for a tag, a commit, or below a file."""
    read_query(request, UploadQuery)
    folder = request.path_params.get("path", "").strip("/")

    def work(conn: Connection) -> _Place:
        desk = at_desk(conn, request, app.clock())
        spot = desk.spot(folder)
        _check_folder(conn, desk, spot)
        # A tag would lead to a page that says that it is none.
        refs = structs.replace(chooser(conn, spot, "upload"), tags=[])
        return _Place(desk, spot, refs)

    place = await app.db.read(work)
    page = _page(place, app.base_url(request))
    return shown(app, request, page, shell_for(app, request, place.desk.visitor.actor))


def _check_folder(conn: Connection, desk: Desk, spot: Spot) -> None:
    if desk.head is None:
        why = "Before its first commit a repository takes files by git or hf upload."
        raise _refused(desk, spot, "Nothing was committed yet", why, Link("Files", spot.to("tree")))
    if not spot.path:
        return
    try:
        check_path(spot.path)
    except BadPath as bad:
        raise errors.unprocessable(str(bad)) from bad
    steps = spot.path.split("/")
    above = ["/".join(steps[:depth]) for depth in range(1, len(steps) + 1)]
    for entry in store.entries(conn, desk.repo.id, desk.tree, above):
        if entry.kind != "directory":
            folder = entry.path.rpartition("/")[0]
            where = Link(f"Upload into {folder or desk.repo.path}", spot.to("upload", folder))
            why = "Files are uploaded into folders. One of the same name replaces it."
            raise _refused(desk, spot, f"{entry.path} is not a folder", why, where)


def _refused(desk: Desk, spot: Spot, heading: str, why: str, instead: Link) -> Refused:
    page = RefusedPage(
        title=f"{heading} · {desk.repo.path}",
        repo=repo_head(desk.visitor, "files", spot.rev),
        crumbs=crumbs(spot),
        heading=heading,
        why=why,
        instead="",
        links=[instead],
    )
    return Refused(desk.visitor, page, 400)


def _page(place: _Place, base: str) -> UploadPage:
    desk, spot = place.desk, place.spot
    repo = desk.repo
    return UploadPage(
        title=f"Upload to {repo.path}",
        repo=repo_head(desk.visitor, "files", desk.branch),
        refs=place.refs,
        crumbs=_way(spot),
        branch=desk.branch,
        folder=spot.path,
        files=spot.to("tree"),
        api=f"/api/{repo.type.plural}/{repo.path}",
        batch=f"/{repo.web_path}.git/info/lfs/objects/batch",
        ways=ways_up(repo, desk.branch, spot.path, base),
    )


def _way(spot: Spot) -> list[Link]:
    """The way to the folder, all of it links, and the page itself behind it."""
    above = [structs.replace(one, is_current=False) for one in crumbs(spot)]
    return [*above, Link("Upload", spot.to("upload"), True)]
