# SPDX-License-Identifier: Apache-2.0
"""Handlers that tell what is stored against what is held."""

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.http import json_answer, read_query
from hubkeep.identity.access import signed_in
from hubkeep.identity.rules import Action
from hubkeep.repos.access import visit
from hubkeep.transfer.cas.queries_storage import RepoTotals, Totals, count_repo, latest_totals
from hubkeep.transfer.cas.storage import hub_storage, repo_storage

if TYPE_CHECKING:
    from hubkeep.app import App


class _NoQuery(msgspec.Struct):
    """These addresses take no parameters."""


async def storage_of_repo(app: "App", request: Request) -> Response:
    """Tell what a repository's large files are, and the bytes stored that they refer to.

    For those who may write: a xorb counts whole, and how much of it is of other repositories is
    nothing for every reader of this one to learn.
    """
    read_query(request, _NoQuery)

    def work(conn: Connection) -> RepoTotals:
        return count_repo(conn, visit(conn, request, Action.WRITE, app.clock()).repo.id)

    return json_answer(repo_storage(await app.db.read(work)))


async def storage_of_hub(app: "App", request: Request) -> Response:
    """Tell what the hub stores, as a job counted it within the last hour; for administrators.

    404 until it was counted once.
    """
    read_query(request, _NoQuery)

    def work(conn: Connection) -> Totals | None:
        _, user = signed_in(conn, request, app.clock())
        if not user.is_admin:
            raise errors.forbidden("Only administrators of the hub see what it stores")
        return latest_totals(conn)

    totals = await app.db.read(work)
    if totals is None:
        raise errors.not_found("Nothing has been counted yet: a job worker does it every hour")
    return json_answer(hub_storage(totals))
