# SPDX-License-Identifier: Apache-2.0
"""Merging one branch into another, and taking a commit back."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from hubkeep.content.merging import Outcome, carry_out, plan_merge, plan_revert
from hubkeep.content.wire import MergeAnswer, MergeRequest, RevertRequest
from hubkeep.http import json_answer, read_json
from hubkeep.identity.rules import Action
from hubkeep.repos.access import visit

if TYPE_CHECKING:
    from hubkeep.app import App


async def merge(app: "App", request: Request) -> Response:
    """Merge a revision into a branch by a commit with two parents; 409 with the conflicts.

    A merge commit is made even where the branch could simply be moved. If all is merged already the
    answer is the head, with `changed` false; with `dryRun` the same, if there are no conflicts.
    """
    await app.db.read(lambda conn: visit(conn, request, Action.WRITE, app.clock()))
    wish = await read_json(request, MergeRequest)
    outcome = await carry_out(
        app,
        request,
        request.path_params["branch"],
        wish,
        lambda conn, repo, branch: plan_merge(conn, repo, branch, wish.source),
    )
    return _answer(app, request, outcome, "" if wish.dry_run else "Already up to date.")


async def revert(app: "App", request: Request) -> Response:
    """Take back what a commit changed, by a new commit on a branch; 409 with the conflicts.

    Of a merge, what it changed of its first parent is taken back. 422 where that changes nothing.
    """
    await app.db.read(lambda conn: visit(conn, request, Action.WRITE, app.clock()))
    wish = await read_json(request, RevertRequest)
    outcome = await carry_out(
        app,
        request,
        request.path_params["branch"],
        wish,
        lambda conn, repo, branch: plan_revert(conn, repo, branch, wish.commit),
    )
    return _answer(app, request, outcome, "")


def _answer(app: "App", request: Request, outcome: Outcome, unchanged: str) -> Response:
    oid = outcome.head.hex()
    answer = MergeAnswer(
        commit_url=f"{app.base_url(request)}/{outcome.repo.web_path}/commit/{oid}",
        commit_oid=oid,
        changed=outcome.made is not None,
        hook_output=unchanged if outcome.made is None else "",
    )
    return json_answer(answer)
