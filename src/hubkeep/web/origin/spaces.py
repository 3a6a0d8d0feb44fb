# SPDX-License-Identifier: Apache-2.0
"""The files of a static Space, as a web server sends them: this is where its page runs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.content.opening import OpenFile, open_file, sent_file
from hubkeep.errors import HubError
from hubkeep.git import store
from hubkeep.git.store import Entry, Revision
from hubkeep.http import raw_path
from hubkeep.identity.rules import Action
from hubkeep.transfer.queries_uploads import check_grant
from hubkeep.web.origin.answers import SANDBOX, content_headers
from hubkeep.web.origin.grants import SpaceGrant, space_gone, space_grant
from hubkeep.web.origin.media import media_type

if TYPE_CHECKING:
    from hubkeep.app import App

INDEX = "index.html"
NOT_FOUND = "404.html"


@dataclass(frozen=True, slots=True)
class _Found:
    opened: OpenFile
    status: int = 200


async def space_file(app: "App", request: Request) -> Response:
    """Send a file of a Space; of a folder its `index.html`, and of what is missing the Space's own
    `404.html`.

    Each request looks again whether who the address was made for may read the repository.
    """
    grant = space_grant(app, request)
    path = request.path_params.get("path", "")
    raw = raw_path(request)
    found = await app.db.read(lambda conn: _find(conn, grant, path, is_folder=raw.endswith("/")))
    if found is None:
        # Relative, with a dot before it: whatever the folder is called, it is no other host.
        return Response(status_code=307, headers={"Location": f"./{raw.rpartition('/')[2]}/"})
    headers = content_headers(app, request, f"sandbox {SANDBOX}") | {
        "Content-Type": media_type(found.opened),
        # Kept, but asked for again each time: the right to it may have gone.
        "Cache-Control": "private, no-cache",
    }
    if found.status != 200:
        return Response(found.opened.content, found.status, headers)
    headers["ETag"] = f'"{found.opened.etag}"'
    # The policy above is what makes this safe to run: neither S3 nor nginx would send it by itself.
    return await sent_file(app, request, found.opened, headers, by_proxy=False)


def _find(conn: Connection, grant: SpaceGrant, path: str, *, is_folder: bool) -> _Found | None:
    """Look up what stands at a path; None for a folder that was asked for as if it were a file."""
    revision = _revision(conn, grant)
    entry = store.entry(conn, grant.repo_id, revision.tree, path)
    if entry is not None and entry.kind == "directory":
        if not is_folder:
            return None
        inside = f"{path}/{INDEX}" if path else INDEX
        entry = store.entry(conn, grant.repo_id, revision.tree, inside)
    elif is_folder:
        entry = None
    if entry is None or entry.kind != "file":
        return _Found(_not_found(conn, grant, revision), 404)
    return _Found(open_file(conn, grant.repo_id, revision, entry))


def _revision(conn: Connection, grant: SpaceGrant) -> Revision:
    try:
        check_grant(conn, grant, Action.READ)
    except HubError as refused:
        raise space_gone() from refused
    revision = store.resolve(conn, grant.repo_id, grant.commit)
    if revision is None:
        raise space_gone()
    return revision


def _not_found(conn: Connection, grant: SpaceGrant, revision: Revision) -> OpenFile:
    own = store.entry(conn, grant.repo_id, revision.tree, NOT_FOUND)
    if own is None or not _is_page(own):
        raise errors.not_found("This Space has no such file")
    return open_file(conn, grant.repo_id, revision, own)


def _is_page(entry: Entry) -> bool:
    return entry.kind == "file" and entry.lfs is None
