# SPDX-License-Identifier: Apache-2.0
"""Pages of lists: one more row than fits is read, and its presence says that a page follows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.http import json_answer, link_after, read_cursor
from hubkeep.repos.wire import PageQuery

if TYPE_CHECKING:
    from hubkeep.app import App

T = TypeVar("T")

PAGE = 500


def page_limit(query: PageQuery) -> int:
    """Return how many items a page has: what was asked for, at most 500. 400 below one."""
    if query.limit is None:
        return PAGE
    if query.limit < 1:
        raise errors.bad_request('"limit" must be at least 1')
    return min(query.limit, PAGE)


def position(query: PageQuery, kind: type[T]) -> T | None:
    """Return the place after which the page begins; None for the first."""
    return read_cursor(query.cursor, kind)


def page_answer(
    app: "App",
    request: Request,
    items: Sequence[object],
    positions: Sequence[object],
    limit: int,
) -> Response:
    """Answer the first `limit` of the items, with a `Link` to the next page where one follows."""
    if len(items) <= limit:
        return json_answer(items)
    headers = link_after(app.base_url(request), request, positions[limit - 1])
    return json_answer(items[:limit], headers=headers)
