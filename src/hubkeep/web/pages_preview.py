# SPDX-License-Identifier: Apache-2.0
"""Files for elements of pages: pictures, sounds and films, of the type that their name says.

What is sent here is for `img`, `audio` and `video`, in which nothing of it can run; opened by
itself it is a download, as everywhere on this origin. It always comes from the hub, since the
policy of pages lets nothing in from a store elsewhere, and is no download that counts.
"""

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.content.opening import OpenFile, open_file, sent_file
from hubkeep.content.reading import file_at, revision_of
from hubkeep.http import read_query
from hubkeep.web.file_kinds import suffix_of
from hubkeep.web.media_types import MEDIA
from hubkeep.web.visits import PageVisit, look

if TYPE_CHECKING:
    from hubkeep.app import App

_UNKNOWN: Final = "application/octet-stream"
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


class PreviewQuery(msgspec.Struct):
    """The address asks for nothing else."""


async def preview(app: "App", request: Request) -> Response:
    """Send a file of a revision, whole or in part."""
    read_query(request, PreviewQuery)

    def work(conn: Connection) -> tuple[PageVisit, OpenFile]:
        visitor = look(conn, request, app.clock())
        repo = visitor.repo
        revision = revision_of(conn, repo, request.path_params["rev"])
        entry = file_at(conn, repo, revision, request.path_params["path"])
        return visitor, open_file(conn, repo.id, revision, entry)

    visitor, opened = await app.db.read(work)
    name = opened.entry.path.rpartition("/")[2]
    headers = {
        "ETag": f'"{opened.etag}"',
        "Content-Type": MEDIA.get(suffix_of(name), _UNKNOWN),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": _POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-cache" if visitor.repo.private else "no-cache",
    }
    # nginx keeps the type and the disposition, which is enough for what is no document.
    by_proxy = suffix_of(name) != "svg"
    return await sent_file(app, request, opened, headers, by_proxy=by_proxy)
