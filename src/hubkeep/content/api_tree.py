# SPDX-License-Identifier: Apache-2.0
"""Listings: a folder or all below it, page by page, and single paths by name."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.content.reading import last_changes, revision_of
from hubkeep.content.wire_reading import (
    EXPANDED_PAGE,
    MAX_EXPANDED_PAGE,
    MAX_PAGE,
    LastCommit,
    LfsInfo,
    PathsInfoRequest,
    TreeEntry,
    TreeQuery,
)
from hubkeep.git import store
from hubkeep.git.errors import BadPath, NotAFolder, PathMissing
from hubkeep.git.objects import pointer_bytes
from hubkeep.git.store import CommitRow, Entry, Memo, Revision
from hubkeep.http import (
    decode_json,
    decode_pairs,
    json_answer,
    link_after,
    read_body,
    read_cursor,
    read_query,
)
from hubkeep.identity.rules import Action
from hubkeep.kit.time import wire
from hubkeep.repos.access import visit
from hubkeep.repos.types import Repo
from hubkeep.transfer.cas.queries_reading import xet_hashes
from hubkeep.xet.hashes import to_text

if TYPE_CHECKING:
    from hubkeep.app import App

_FORM = "application/x-www-form-urlencoded"


async def tree(app: "App", request: Request) -> Response:
    """List a folder; `recursive` lists what is below it too, folders included, in path order."""
    query = read_query(request, TreeQuery)
    path = request.path_params.get("path", "").strip("/")
    after = read_cursor(query.cursor, str)
    limit = _page(query)

    def work(conn: Connection) -> tuple[list[TreeEntry], str | None]:
        repo = visit(conn, request, Action.READ, app.clock()).repo
        revision = revision_of(conn, repo, request.path_params["rev"])
        try:
            found = store.walk(
                conn,
                repo.id,
                revision.tree,
                path,
                recursive=query.recursive,
                after=after,
                limit=limit + 1,
            )
        except (BadPath, PathMissing, NotAFolder) as bad:
            raise errors.entry_not_found(path, revision.commit.hex()) from bad
        shown = found[:limit]
        more = shown[-1].cursor if len(found) > limit else None
        memo = app.cache if query.expand else None
        return _shown(conn, repo, revision, shown, memo), more

    entries, more = await app.db.read(work)
    if more is None:
        return json_answer(entries)
    return json_answer(entries, headers=link_after(app.base_url(request), request, more))


def _page(query: TreeQuery) -> int:
    if not query.expand:
        return min(query.limit, MAX_PAGE)
    # Last commits cost more than names; who asks for no size gets the usual, smaller page.
    return EXPANDED_PAGE if query.limit >= MAX_PAGE else min(query.limit, MAX_EXPANDED_PAGE)


async def paths_info(app: "App", request: Request) -> Response:
    """Tell of single files and folders; paths that do not exist are left out."""
    body = await read_body(request)
    is_form = request.headers.get("content-type", "").startswith(_FORM)
    wanted = (
        decode_pairs(body.decode("utf-8", "replace"), PathsInfoRequest)
        if is_form
        else decode_json(body, PathsInfoRequest)
    )
    if len(wanted.paths) > MAX_PAGE:
        raise errors.too_large(f"At most {MAX_PAGE} paths at once")

    def work(conn: Connection) -> list[TreeEntry]:
        repo = visit(conn, request, Action.READ, app.clock()).repo
        revision = revision_of(conn, repo, request.path_params["rev"])
        paths = sorted({path.strip("/") for path in wanted.paths})
        found = store.entries(conn, repo.id, revision.tree, paths)
        memo = app.cache if wanted.expand else None
        return _shown(conn, repo, revision, found, memo)

    return json_answer(await app.db.read(work))


def _shown(
    conn: Connection,
    repo: Repo,
    revision: Revision,
    entries: Sequence[Entry],
    memo: Memo | None,
) -> list[TreeEntry]:
    last = last_changes(conn, repo, revision, entries, memo) if memo is not None else {}
    oids = {entry.lfs.sha256 for entry in entries if entry.lfs}
    in_chunks = xet_hashes(conn, repo.id, oids) if oids else {}
    return [_entry(entry, last.get(entry.path), in_chunks) for entry in entries]


def _entry(entry: Entry, last: CommitRow | None, in_chunks: Mapping[bytes, bytes]) -> TreeEntry:
    xet_hash = in_chunks.get(entry.lfs.sha256) if entry.lfs else None
    return TreeEntry(
        type="directory" if entry.kind == "directory" else "file",
        oid=entry.oid.hex(),
        size=entry.shown_size,
        path=entry.path,
        lfs=lfs_info(entry),
        xet_hash=to_text(xet_hash) if xet_hash is not None else None,
        last_commit=LastCommit(last.oid.hex(), last.title, wire(last.committed_at))
        if last
        else None,
    )


def lfs_info(entry: Entry) -> LfsInfo | None:
    """Return what clients want to know of an LFS file; None for any other."""
    if entry.lfs is None:
        return None
    pointer = pointer_bytes(entry.lfs.sha256, entry.lfs.size)
    return LfsInfo(entry.lfs.sha256.hex(), entry.lfs.size, len(pointer))
