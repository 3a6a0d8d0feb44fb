# SPDX-License-Identifier: Apache-2.0
"""Handlers that make repositories: new ones, and copies of others."""

import base64
import binascii
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.http import json_answer, read_json
from hubkeep.identity.access import signed_in
from hubkeep.identity.rules import Action
from hubkeep.repos import rules
from hubkeep.repos.access import namespace_to_fill, visit
from hubkeep.repos.creating import NewRepo, already_exists, create_repo, repo_url
from hubkeep.repos.queries_duplicate import copy_contents
from hubkeep.repos.queries_lifecycle import NameTaken, make_repo
from hubkeep.repos.search_index import reindex
from hubkeep.repos.types import Repo
from hubkeep.repos.wire import CreateRepo, DuplicateRepo, RepoCreated, RepoDuplicated, RepoFile

if TYPE_CHECKING:
    from hubkeep.app import App

# The files of the first commit arrive in base64 inside JSON; larger ones have the commit API.
CREATE_LIMIT = 16 << 20


async def create(app: "App", request: Request) -> Response:
    """Make a repository, whose first commit holds `.gitattributes` and, where due, a README."""
    body = await read_json(request, CreateRepo, CREATE_LIMIT)
    rules.refuse_what_is_not_built(body)
    kind = rules.kind_named(body.type)
    private = rules.wants_private(body.visibility, body.private)
    files = _first_files(body, rules.checked_name(body.name), rules.checked_sdk(kind, body.sdk))
    base = app.base_url(request)

    def work(conn: Connection) -> Repo:
        now = app.clock()
        actor, user = signed_in(conn, request, now)
        new = NewRepo(kind, body.organization or user.name, body.name, private, files)
        return create_repo(conn, actor, user, new, base, now)

    made = await app.db.write(work)
    return json_answer(RepoCreated(repo_url(base, kind, made.path), made.path, made.public_id))


async def duplicate(app: "App", request: Request) -> Response:
    """Copy a repository with all branches, tags and large files; the bytes are not stored twice."""
    body = await read_json(request, DuplicateRepo)
    rules.refuse_what_is_not_built(body)
    private = rules.wants_private(body.visibility, body.private)
    namespace, name = rules.split_path(body.repository)
    base = app.base_url(request)

    def work(conn: Connection) -> Repo:
        now = app.clock()
        visitor = visit(conn, request, Action.READ, now)
        source, user = visitor.repo, visitor.actor.user
        owner = namespace_to_fill(conn, visitor.actor, namespace, source.type)
        assert user is not None, "namespace_to_fill refuses anonymous callers"
        # As private as its source unless the caller says otherwise, and as its namespace wants it.
        closed = (source.private or owner.default_private) if private is None else private
        try:
            made = make_repo(conn, source.type, owner, name, creator=user, private=closed, now=now)
        except NameTaken as taken:
            raise already_exists(base, source.type, taken) from taken
        if not copy_contents(conn, source.id, made.id, pusher=user.id, now=now):
            raise errors.repo_not_found(anonymous=False)
        reindex(conn, made.id)
        return made

    made = await app.db.write(work)
    return json_answer(
        RepoDuplicated(repo_url(base, made.type, made.path), made.path, made.public_id)
    )


async def space_templates(_app: "App", _request: Request) -> Response:
    """List the templates that a Space can begin with: none, since this hub runs no Spaces."""
    return json_answer({"templates": []})


def _first_files(body: CreateRepo, name: str, sdk: str | None) -> dict[str, bytes]:
    readme = rules.first_readme(name, sdk, body.license)
    files = {} if readme is None else {"README.md": readme}
    return files | dict(map(_decoded, body.files or ()))


def _decoded(file: RepoFile) -> tuple[str, bytes]:
    try:
        return file.path, base64.b64decode(file.content, validate=True)
    except (binascii.Error, ValueError) as bad:
        raise errors.bad_request(f"The file {file.path[:200]!r} is not in base64") from bad
