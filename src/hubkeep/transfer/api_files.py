# SPDX-License-Identifier: Apache-2.0
"""The list of a repository's large files, and their deletion for good."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.http import (
    empty_answer,
    json_answer,
    next_link,
    read_cursor,
    read_json,
    read_query,
)
from hubkeep.identity.rules import Action
from hubkeep.kit.time import wire
from hubkeep.repos.access import visit
from hubkeep.transfer.queries_files import HeldFile, held_files, unlink
from hubkeep.transfer.wire import DeletionRequest, FileEntry, FilesQuery

if TYPE_CHECKING:
    from hubkeep.app import App


async def list_files(app: "App", request: Request) -> Response:
    """List the large files that the repository holds, committed or not, paged."""
    query = read_query(request, FilesQuery)
    after = read_cursor(query.cursor, int) or 0

    def work(conn: Connection) -> list[HeldFile]:
        visitor = visit(conn, request, Action.WRITE, app.clock())
        return held_files(conn, visitor.repo.id, after, query.limit + 1)

    found = await app.db.read(work)
    page = found[: query.limit]
    headers = {}
    if len(found) > len(page):
        url = f"{app.base_url(request)}{request.url.path}"
        headers = next_link(url, request.url.query, page[-1].file_id)
    return json_answer([_entry(file) for file in page], headers=headers)


def _entry(file: HeldFile) -> FileEntry:
    return FileEntry(
        file_oid=file.public_id,
        filename=file.filename or "",
        oid=file.sha256.hex(),
        pushed_at=wire(file.pushed_at),
        size=file.size,
        ref=file.ref,
    )


async def delete_files(app: "App", request: Request) -> Response:
    """Take files from the repository for good; all that are named, or none."""
    wanted = (await read_json(request, DeletionRequest)).deletions

    def work(conn: Connection) -> None:
        visitor = visit(conn, request, Action.ADMINISTER, app.clock())
        if wanted.rewrite_history:
            raise errors.not_implemented("Rewriting the history on deletion")
        unlink(conn, visitor.repo.id, wanted.sha, app.clock())

    await app.db.write(work)
    return empty_answer()
