# SPDX-License-Identifier: Apache-2.0
"""Where git begins: which refs there are, for fetching or for pushing, and the name of the HEAD."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.http import read_query
from hubkeep.identity.rules import Action
from hubkeep.repos.access import visit
from hubkeep.transfer.smart.api_fetch import advertise_for_fetch
from hubkeep.transfer.smart.api_push import advertise_for_push
from hubkeep.transfer.smart.speech import NOT_CACHED, speaking_git
from hubkeep.transfer.smart.wire import InfoRefsQuery

if TYPE_CHECKING:
    from hubkeep.app import App


@speaking_git
async def info_refs(app: "App", request: Request) -> Response:
    """Tell a client of `service` what there is; who may not push is told so here already."""
    query = read_query(request, InfoRefsQuery)
    if query.service == "git-upload-pack":
        return await advertise_for_fetch(app, request)
    if query.service == "git-receive-pack":
        return await advertise_for_push(app, request)
    await app.db.read(lambda conn: visit(conn, request, Action.READ, app.clock()))
    if query.service:
        raise errors.forbidden(f"The service {query.service[:100]!r} is not offered here")
    raise errors.forbidden("Git's old HTTP protocol is not spoken here: use git 1.6.6 or newer")


@speaking_git
async def head(app: "App", request: Request) -> Response:
    """Name the default branch, as the file `HEAD` of a repository does."""

    def work(conn: Connection) -> str:
        return visit(conn, request, Action.READ, app.clock()).repo.default_branch

    branch = await app.db.read(work)
    return Response(f"ref: refs/heads/{branch}\n", headers=NOT_CACHED, media_type="text/plain")
