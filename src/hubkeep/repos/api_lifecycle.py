# SPDX-License-Identifier: Apache-2.0
"""Handlers that change what a repository is: its name, its settings, and that it is there."""

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.http import empty_answer, json_answer, read_json
from hubkeep.identity.access import signed_in
from hubkeep.identity.rules import Action
from hubkeep.repos import rules
from hubkeep.repos.access import reach_named, visit
from hubkeep.repos.changing import delete_repo, open_or_close, rename
from hubkeep.repos.wire import ChangeSettings, DeleteRepo, MoveRepo

if TYPE_CHECKING:
    from hubkeep.app import App


async def delete(app: "App", request: Request) -> Response:
    """Delete a repository: its name is free at once, what it held is cleared away by a job."""
    body = await read_json(request, DeleteRepo)
    kind = rules.kind_named(body.type)

    def work(conn: Connection) -> None:
        actor, user = signed_in(conn, request, app.clock())
        path = f"{body.organization or user.name}/{body.name}"
        repo = reach_named(conn, actor, kind, path, Action.ADMINISTER)
        delete_repo(conn, repo, app.clock())

    await app.db.write(work)
    return empty_answer()


async def move(app: "App", request: Request) -> Response:
    """Rename a repository or give it to another namespace; its old name leads to the new one."""
    body = await read_json(request, MoveRepo)
    kind = rules.kind_named(body.type)
    namespace, name = rules.split_path(body.to_repo)
    base = app.base_url(request)

    def work(conn: Connection) -> str:
        actor, _ = signed_in(conn, request, app.clock())
        repo = reach_named(conn, actor, kind, body.from_repo, Action.ADMINISTER)
        return rename(conn, actor, repo, namespace, name, base=base, now=app.clock())

    path = await app.db.write(work)
    return json_answer({"url": f"{base}/{kind.web_prefix}{path}", "name": path})


async def change_settings(app: "App", request: Request) -> Response:
    """Open or close a repository; answers the settings as they are afterwards."""
    body = await read_json(request, ChangeSettings)
    private = rules.wants_private(body.visibility, body.private)
    if body.gated is True:
        raise errors.bad_request('"gated" must be one of [auto, manual, false]')
    if body.gated is not msgspec.UNSET and body.gated is not False:
        raise errors.not_implemented("Gated access")

    def work(conn: Connection) -> dict[str, object]:
        repo = visit(conn, request, Action.ADMINISTER, app.clock()).repo
        closed = repo.private if private is None else private
        open_or_close(conn, repo, closed, app.clock())
        visibility = "private" if closed else "public"
        return {"visibility": visibility, "private": closed, "gated": repo.gated or False}

    return json_answer(await app.db.write(work))
