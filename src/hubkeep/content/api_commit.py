# SPDX-License-Identifier: Apache-2.0
"""A commit through the API: its body is read first, then all of it is one transaction."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.cards.validate import validate_card
from hubkeep.content.commit_body import CommitPlan, read_plan
from hubkeep.content.commits import commit_plan
from hubkeep.content.spool import Spool
from hubkeep.content.wire import CommitAnswer, WriteQuery
from hubkeep.http import json_answer, read_query
from hubkeep.identity.rules import Action
from hubkeep.kit.text import header_safe
from hubkeep.repos.access import visit

if TYPE_CHECKING:
    from hubkeep.app import App

_MAX_WARNINGS = 10


async def commit(app: "App", request: Request) -> Response:
    """Write a commit to a branch; 412 where it moved past `parentCommit`.

    A commit that changes nothing answers with the head, so that a request sent again is harmless.
    """
    query = read_query(request, WriteQuery)
    if query.create_pr:
        raise errors.not_implemented("Opening a pull request")
    if query.hot_reload:
        raise errors.not_implemented("Hot reloading of a Space")
    revision = request.path_params["rev"]
    # Refused before the body is read: a stranger does not get to send half a gigabyte.
    await app.db.read(lambda conn: visit(conn, request, Action.WRITE, app.clock()))
    with Spool() as spool:
        plan = CommitPlan(spool)
        await read_plan(request.stream(), plan, app.crunch)

        def work(conn: Connection) -> tuple[str, str, str]:
            now = app.clock()
            visitor = visit(conn, request, Action.WRITE, now)
            oid = commit_plan(conn, visitor, revision, plan, now)
            return oid.hex(), visitor.repo.web_path, visitor.repo.type

        oid, web_path, kind = await app.db.write(work)
    warnings = _card_warnings(plan, kind)
    answer = CommitAnswer(
        commit_url=f"{app.base_url(request)}/{web_path}/commit/{oid}",
        commit_oid=oid,
        hook_output="\n".join(warnings),
    )
    response = json_answer(answer)
    for text in warnings:
        response.headers.append("X-HF-Warning", header_safe(f"Model card; {text}"))
    return response


def _card_warnings(plan: CommitPlan, kind: str) -> list[str]:
    """What is wrong with the card that came along; it is stored all the same."""
    if plan.readme is None:
        return []
    check = validate_card(plan.readme.decode("utf-8", "replace"), kind)
    return [*check.errors, *check.warnings][:_MAX_WARNINGS]
