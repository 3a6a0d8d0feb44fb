# SPDX-License-Identifier: Apache-2.0
"""Where the chunk store is, and a token for it, to who may read or write a repository."""

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.errors import HubError
from hubkeep.git import store
from hubkeep.http import json_answer, read_query
from hubkeep.identity.actor import Actor
from hubkeep.identity.rules import Action
from hubkeep.identity.sessions import ask_for_proof
from hubkeep.repos.access import Visit, visit
from hubkeep.repos.types import Repo
from hubkeep.transfer.cas.access import access_headers, store_access
from hubkeep.transfer.cas.queries_epoch import current_epoch
from hubkeep.transfer.cas.wire import ReadTokenQuery, WriteTokenQuery

if TYPE_CHECKING:
    from hubkeep.app import App

_NO_REVISION = "None"
"""What clients write for the revision when a pull request is to be opened, which has none yet."""
_FORBIDDEN = 403


class _Right(NamedTuple):
    actor: Actor
    repo_id: int
    epoch: str


async def read_token(app: "App", request: Request) -> Response:
    """Give a token for reading the repository's files."""
    read_query(request, ReadTokenQuery)

    def work(conn: Connection) -> _Right:
        visitor = visit(conn, request, Action.READ, app.clock())
        _check_revision(conn, visitor.repo, request.path_params["rev"])
        return _right(conn, visitor)

    return _answer(app, request, await app.db.read(work), may_write=False)


async def write_token(app: "App", request: Request) -> Response:
    """Give a token for uploads to the repository, to any of its revisions.

    With `create_pr`, a reader who may not write is told that pull requests are not there yet.
    """
    query = read_query(request, WriteTokenQuery)
    ask_for_proof(request)

    def work(conn: Connection) -> _Right:
        try:
            visitor = visit(conn, request, Action.WRITE, app.clock())
        except HubError as refused:
            if query.create_pr and refused.status == _FORBIDDEN:
                raise errors.not_implemented("Opening a pull request") from refused
            raise
        revision = request.path_params.get("rev")
        if revision is not None and not (query.create_pr and revision == _NO_REVISION):
            _check_revision(conn, visitor.repo, revision)
        return _right(conn, visitor)

    return _answer(app, request, await app.db.read(work), may_write=True)


def _check_revision(conn: Connection, repo: Repo, name: str) -> None:
    """revision_not_found, but for the default branch of a repository without commits."""
    if store.resolve(conn, repo.id, name, default_branch=repo.default_branch) is None and (
        repo.head is not None or name != repo.default_branch
    ):
        raise errors.revision_not_found(name)


def _right(conn: Connection, visitor: Visit) -> _Right:
    return _Right(visitor.actor, visitor.repo.id, current_epoch(conn))


def _answer(app: "App", request: Request, right: _Right, *, may_write: bool) -> Response:
    """Say it twice: huggingface_hub reads the headers, hf_xet and @huggingface/hub the body."""
    given = store_access(app, request, right.actor, right.repo_id, right.epoch, may_write=may_write)
    return json_answer(given, headers={**access_headers(given), "Cache-Control": "no-store"})
