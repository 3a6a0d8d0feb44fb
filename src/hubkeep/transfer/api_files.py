# SPDX-License-Identifier: Apache-2.0
"""The list of a repository's large files, and their deletion for good."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.http import empty_answer, read_cursor, read_json, read_query
from hubkeep.identity.rules import Action
from hubkeep.kit.cursors import AfterId
from hubkeep.kit.time import wire
from hubkeep.repos.access import visit
from hubkeep.repos.paging import page_answer
from hubkeep.transfer.forgetting import forget_files
from hubkeep.transfer.queries_files import HeldFile, held_files
from hubkeep.transfer.wire import DeletionRequest, FileEntry, FilesQuery

if TYPE_CHECKING:
    from hubkeep.app import App


async def list_files(app: "App", request: Request) -> Response:
    """List the large files that the repository holds, committed or not, paged."""
    query = read_query(request, FilesQuery)
    after = read_cursor(query.cursor, AfterId) or AfterId()

    def work(conn: Connection) -> list[HeldFile]:
        visitor = visit(conn, request, Action.WRITE, app.clock())
        return held_files(conn, visitor.repo.id, after.id, query.limit + 1)

    found = await app.db.read(work)
    entries = [_entry(file) for file in found]
    positions = [AfterId(file.file_id) for file in found]
    return page_answer(app, request, entries, positions, query.limit)


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
    """Take files from the repository for good; all that are named, or none.

    With `rewriteHistory` the commits that point at them are written anew without them; else the
    pointers stay and lead nowhere.
    """
    wanted = (await read_json(request, DeletionRequest)).deletions

    def work(conn: Connection) -> None:
        now = app.clock()
        repo = visit(conn, request, Action.ADMINISTER, now).repo
        forget_files(conn, repo, wanted.sha, wanted.rewrite_history, now)

    await app.db.write(work)
    return empty_answer()
