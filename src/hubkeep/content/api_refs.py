# SPDX-License-Identifier: Apache-2.0
"""Branches, tags and squashing."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.content.commits import as_answers, signature_of
from hubkeep.content.jobs import collect_later
from hubkeep.content.landing import squashed
from hubkeep.content.reading import revision_of
from hubkeep.content.wire_reading import (
    NewBranch,
    NewTag,
    RefItem,
    RefsAnswer,
    RefsQuery,
    Squash,
)
from hubkeep.git import store
from hubkeep.git.changes import NewCommit
from hubkeep.git.errors import BadRef, RefExists
from hubkeep.git.names import check_ref_name
from hubkeep.git.squash import squash
from hubkeep.git.store import BRANCHES, TAGS
from hubkeep.http import empty_answer, json_answer, read_json, read_query
from hubkeep.identity.rules import Action
from hubkeep.repos.access import visit

if TYPE_CHECKING:
    from hubkeep.app import App

_CONVERT_PREFIX = "refs/convert/"
_PR_PREFIX = "refs/pr/"


async def refs(app: "App", request: Request) -> Response:
    """List branches, converted branches and tags; pull requests where they are asked for."""
    query = read_query(request, RefsQuery)

    def work(conn: Connection) -> RefsAnswer:
        repo = visit(conn, request, Action.READ, app.clock()).repo
        by_prefix: dict[str, list[RefItem]] = {
            prefix: [] for prefix in (BRANCHES, _CONVERT_PREFIX, TAGS, _PR_PREFIX)
        }
        for ref in store.refs(conn, repo.id):
            for prefix, items in by_prefix.items():
                if ref.name.startswith(prefix):
                    items.append(RefItem(ref.name.removeprefix(prefix), ref.name, ref.commit.hex()))
        branches, converts, tags, pulls = by_prefix.values()
        return RefsAnswer(branches, converts, tags, pulls if query.include_prs else None)

    return json_answer(await app.db.read(work))


async def create_branch(app: "App", request: Request) -> Response:
    """Make a branch at a revision, by default at the head of the default branch."""
    wanted = await read_json(request, NewBranch)
    name = request.path_params["branch"]
    if wanted.empty_branch:
        raise errors.not_implemented("Creating an empty branch")
    _check_branch(name)

    def work(conn: Connection) -> None:
        now = app.clock()
        repo = visit(conn, request, Action.WRITE, now).repo
        start = revision_of(conn, repo, wanted.starting_point or repo.default_branch)
        overwritten = wanted.overwrite and name != repo.default_branch
        if overwritten and store.delete_branch(conn, repo.id, name):
            collect_later(conn, repo.id, now)
        try:
            store.create_branch(conn, repo.id, name, start.commit, now)
        except RefExists as there:
            raise errors.conflict(f"Reference {BRANCHES}{name} already exists") from there

    await app.db.write(work)
    return empty_answer()


async def delete_branch(app: "App", request: Request) -> Response:
    """Delete a branch; the default branch stays."""
    name = request.path_params["branch"]

    def work(conn: Connection) -> None:
        now = app.clock()
        repo = visit(conn, request, Action.WRITE, now).repo
        if name == repo.default_branch:
            raise errors.forbidden(f"Cannot delete {BRANCHES}{name}")
        if not store.delete_branch(conn, repo.id, name):
            raise errors.revision_not_found(name)
        collect_later(conn, repo.id, now)

    await app.db.write(work)
    return empty_answer()


async def create_tag(app: "App", request: Request) -> Response:
    """Tag a revision; with a message the tag is an annotated one."""
    wanted = await read_json(request, NewTag)

    def work(conn: Connection) -> None:
        now = app.clock()
        visitor = visit(conn, request, Action.WRITE, now)
        target = revision_of(conn, visitor.repo, request.path_params["rev"])
        try:
            check_ref_name(TAGS + wanted.tag)
            store.create_tag(
                conn,
                visitor.repo.id,
                wanted.tag,
                target.commit,
                message=wanted.message or None,
                tagger=signature_of(visitor.actor.user),
                at=now,
            )
        except BadRef as bad:
            raise errors.bad_request(f"Invalid reference for a tag: {wanted.tag}") from bad
        except RefExists as there:
            raise errors.conflict(f"Reference {TAGS}{wanted.tag} already exists") from there

    await app.db.write(work)
    return empty_answer()


async def delete_tag(app: "App", request: Request) -> Response:
    """Delete a tag."""
    name = request.path_params["tag"]

    def work(conn: Connection) -> None:
        now = app.clock()
        repo = visit(conn, request, Action.WRITE, now).repo
        if not store.delete_tag(conn, repo.id, name):
            raise errors.revision_not_found(name)
        collect_later(conn, repo.id, now)

    await app.db.write(work)
    return empty_answer()


async def super_squash(app: "App", request: Request) -> Response:
    """Replace the history of a branch by one commit with the same files."""
    wanted = await read_json(request, Squash)
    branch = request.path_params["branch"]

    def work(conn: Connection) -> None:
        now = app.clock()
        visitor = visit(conn, request, Action.WRITE, now)
        repo = visitor.repo
        if not store.branch_exists(conn, repo.id, branch):
            raise errors.revision_not_found(branch)
        old = revision_of(conn, repo, BRANCHES + branch)
        title, _, body = wanted.message.strip().partition("\n")
        with as_answers():
            new = squash(
                conn,
                repo.id,
                NewCommit(
                    branch=branch,
                    title=title or f"Super-squash branch '{branch}'",
                    body=body.strip(),
                    author=signature_of(visitor.actor.user),
                    author_id=visitor.actor.user_id,
                    at=now,
                ),
            )
        squashed(conn, repo, branch, old, new, now)
        collect_later(conn, repo.id, now)

    await app.db.write(work)
    return empty_answer()


def _check_branch(name: str) -> None:
    """Refuse names that git refuses, and full reference names, as huggingface.co does."""
    try:
        if name.startswith("refs/"):
            raise BadRef(name)
        check_ref_name(BRANCHES + name)
    except BadRef as bad:
        raise errors.bad_request(f"Invalid reference for a branch: {name}") from bad
