# SPDX-License-Identifier: Apache-2.0
"""Files as bytes: `resolve` gives the file, `raw` what git has of it (the pointer of an LFS file).

A user's file is sent as an attachment, of a type that no browser runs, under a policy that forbids
everything: the hub's origin never runs what somebody uploaded.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.cards.query_files import is_query_file
from hubkeep.content.opening import OpenFile, open_file, sent_file
from hubkeep.content.reading import file_at, revision_of
from hubkeep.content.upload_mode import SAMPLE, is_binary
from hubkeep.content.wire_reading import FileInfo, FileQuery
from hubkeep.http import json_answer, read_query
from hubkeep.identity.rules import Action
from hubkeep.repos.access import Visit, visit
from hubkeep.repos.counting import caller_of
from hubkeep.transfer.cas.links import FILE_INFO, wants_info, xet_headers
from hubkeep.transfer.cas.queries_epoch import current_epoch
from hubkeep.transfer.sending import Redirect

if TYPE_CHECKING:
    from hubkeep.app import App

_POLICY = "default-src 'none'; sandbox"


@dataclass(frozen=True, slots=True)
class _Found:
    visitor: Visit
    commit: str
    opened: OpenFile
    epoch: str = ""
    """In the address of the chunk store, for a file that is there."""


async def resolve(app: "App", request: Request) -> Response:
    """Send a file of a revision, whole or in part; HEAD tells the same and counts nothing."""
    return await _send(app, request, raw=False)


async def raw(app: "App", request: Request) -> Response:
    """Send a file as git has it."""
    return await _send(app, request, raw=True)


async def _send(app: "App", request: Request, *, raw: bool) -> Response:
    query = read_query(request, FileQuery)
    found = await app.db.read(lambda conn: _find(conn, app, request, raw=raw))
    headers = _headers(found, raw=raw, named=not query.no_content_disposition)
    if not raw:
        _count(app, request, found)
    entry, file = found.opened.entry, found.opened.file
    if file is not None and file.xet_hash is not None:
        repo = found.visitor.repo
        headers |= xet_headers(app, request, repo, found.commit, file.xet_hash, found.epoch)
        if wants_info(request):
            return _info(file.size, headers)
    redirect = Redirect(entry.path.rpartition("/")[2])
    return await sent_file(app, request, found.opened, headers, redirect=redirect)


def _find(conn: Connection, app: "App", request: Request, *, raw: bool) -> _Found:
    visitor = visit(conn, request, Action.READ, app.clock())
    repo = visitor.repo
    revision = revision_of(conn, repo, request.path_params["rev"])
    entry = file_at(conn, repo, revision, request.path_params["path"])
    opened = open_file(conn, repo.id, revision, entry, raw=raw)
    is_chunked = opened.file is not None and opened.file.xet_hash is not None
    epoch = current_epoch(conn) if is_chunked else ""
    return _Found(visitor, revision.commit.hex(), opened, epoch)


def _headers(found: _Found, *, raw: bool, named: bool) -> dict[str, str]:
    entry, etag = found.opened.entry, found.opened.etag
    headers = {
        "X-Repo-Commit": found.commit,
        "ETag": f'"{etag}"',
        "Content-Type": _media_type(found.opened.content),
        "Content-Security-Policy": _POLICY,
        # Private files must not stay in shared caches, and branches move.
        "Cache-Control": "private, no-cache" if found.visitor.repo.private else "no-cache",
    }
    if entry.lfs and not raw:
        headers["X-Linked-ETag"] = f'"{etag}"'
        headers["X-Linked-Size"] = str(entry.shown_size)
    if named:
        name = quote(entry.path.rpartition("/")[2], safe="")
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return headers


def _info(size: int, headers: dict[str, str]) -> Response:
    """Tell of a file that can be had in chunks, to who does not want its bytes."""
    info = FileInfo(headers["X-Xet-Hash"], size)
    told = {"Content-Type": FILE_INFO, "Cache-Control": "no-store"}
    return json_answer(info, headers={**headers, **told})


def _media_type(content: bytes | None) -> str:
    if content is None or is_binary(content[:SAMPLE]):
        return "application/octet-stream"
    return "text/plain; charset=utf-8"


def _count(app: "App", request: Request, found: _Found) -> None:
    """Count a download when a GET of a query file starts at its first byte."""
    repo, user_id = found.visitor.repo, found.visitor.actor.user_id
    wanted = request.headers.get("range", "").replace(" ", "")
    if request.method != "GET" or (wanted and not wanted.startswith("bytes=0-")):
        return
    if not is_query_file(repo.type, repo.library_name, found.opened.entry.path):
        return
    address = app.addresses.client_address(request)
    caller = caller_of(user_id, address, request.headers.get("user-agent", ""))
    app.downloads.note(repo.id, caller, found.opened.entry.path)
