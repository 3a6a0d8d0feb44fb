# SPDX-License-Identifier: Apache-2.0
"""The list of a repository's large files, and their deletion for good."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.content.jobs import collect_later
from hubkeep.content.landing import save_revision, show_head
from hubkeep.git.errors import TooLarge
from hubkeep.git.rewrite import remove_lfs_files
from hubkeep.git.store import BRANCHES, set_revision_facts
from hubkeep.http import empty_answer, read_cursor, read_json, read_query
from hubkeep.identity.rules import Action
from hubkeep.kit.cursors import AfterId
from hubkeep.kit.time import Millis, wire
from hubkeep.repos.access import visit
from hubkeep.repos.paging import page_answer
from hubkeep.repos.queries_head import add_storage
from hubkeep.repos.types import Repo
from hubkeep.transfer.queries_files import HeldFile, held_files, unlink
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
        gone = unlink(conn, repo.id, wanted.sha, now)
        add_storage(conn, repo.id, -sum(file.size for file in gone if file.was_committed))
        if wanted.rewrite_history:
            _rewrite(conn, repo, [file.sha256 for file in gone], now)
            collect_later(conn, repo.id, now)

    await app.db.write(work)
    return empty_answer()


def _rewrite(conn: Connection, repo: Repo, oids: Sequence[bytes], now: Millis) -> None:
    """Take the files out of the history, and say anew what each moved ref holds."""
    try:
        moved = remove_lfs_files(conn, repo.id, oids, now)
    except TooLarge as large:
        raise errors.bad_request(f"{large}: delete without rewriting it") from large
    for ref in moved:
        facts_id = save_revision(conn, repo, ref.new.tree)
        size = ref.new.size or 0
        set_revision_facts(conn, repo.id, ref.new.oid, facts_id, size)
        if ref.name == BRANCHES + repo.default_branch:
            show_head(conn, repo, ref.new.oid, facts_id, size, now, changed=True)
