# SPDX-License-Identifier: Apache-2.0
"""Handlers of lists and search: models, datasets, Spaces and kernels."""

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.http import json_answer, link_after, read_cursor, read_query
from hubkeep.identity.access import actor_of
from hubkeep.repos.api_list_query import (
    QUERIES,
    fields_shown,
    is_of_served_models,
    page_size,
    wanted_by,
)
from hubkeep.repos.info import info_of
from hubkeep.repos.info_fields import needs_facts
from hubkeep.repos.queries_list import load_listed, owner_named, viewer_of
from hubkeep.repos.search import find_page
from hubkeep.repos.search_wanted import Place
from hubkeep.repos.types import RepoType

if TYPE_CHECKING:
    from hubkeep.app import App


async def list_repos(app: "App", request: Request) -> Response:
    """List the repositories of a type that the caller may see and that fit all that is asked for.

    A page may be shorter than `limit` and have a next one: see `repos/search.py`.
    """
    kind = RepoType(request.path_params["type"])
    query = read_query(request, QUERIES[kind])
    wanted = wanted_by(kind, query)
    fields = fields_shown(kind, query)
    limit = page_size(query, fields)
    after = read_cursor(query.cursor, Place)
    is_empty = is_of_served_models(query)

    def work(conn: Connection) -> tuple[list[dict[str, object]], Place | None]:
        actor = actor_of(conn, request, app.clock())
        owner = owner_named(conn, query.author) if query.author else None
        if is_empty or (query.author and owner is None):
            return [], None
        viewer = viewer_of(conn, actor)
        page = find_page(conn, viewer, replace(wanted, owner_id=owner), limit, after)
        listed = load_listed(conn, page.ids, with_facts=needs_facts(fields))
        expanded = bool(query.expand)
        infos = [info_of(row, facts, fields=fields, expanded=expanded) for row, facts in listed]
        return infos, page.next

    infos, following = await app.db.read(work)
    if following is None:
        return json_answer(infos)
    return json_answer(infos, headers=link_after(app.base_url(request), request, following))
