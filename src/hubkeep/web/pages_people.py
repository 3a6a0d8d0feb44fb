# SPDX-License-Identifier: Apache-2.0
"""The list of users and organisations."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal
from urllib.parse import urlencode

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.http import read_cursor, read_query
from hubkeep.identity.access import actor_of
from hubkeep.identity.actor import Account, Actor
from hubkeep.identity.queries_find import accounts_beginning
from hubkeep.kit.cursors import encode_cursor
from hubkeep.web.people import PersonRow, person_row
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown

if TYPE_CHECKING:
    from hubkeep.app import App

ROWS = 60


class PeopleQuery(msgspec.Struct, frozen=True):
    """Parameters of the list: `search` is how names begin."""

    search: Annotated[str, msgspec.Meta(max_length=200)] = ""
    cursor: str | None = None
    format: Literal["html", "json"] | None = None


class AfterName(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A position in the list."""

    name: Annotated[str, msgspec.Meta(max_length=96)]


class PeoplePage(Page, kw_only=True):
    """Users and organisations by name; `next` and `first` are addresses."""

    template: ClassVar[str] = "people.html"
    search: str
    people: Sequence[PersonRow]
    first: str | None
    next: str | None


async def people(app: "App", request: Request) -> Response:
    """List users and organisations by name; what they own plays no part."""
    query = read_query(request, PeopleQuery)
    after = read_cursor(query.cursor, AfterName)
    beginning = query.search.strip()

    def work(conn: Connection) -> tuple[Actor, Sequence[Account]]:
        actor = actor_of(conn, request, app.clock())
        position = after.name if after else ""
        return actor, accounts_beginning(conn, beginning, ROWS + 1, position)

    actor, found = await app.db.read(work)
    following = AfterName(found[ROWS - 1].name) if len(found) > ROWS else None
    page = PeoplePage(
        title="People and organisations",
        search=beginning,
        people=[person_row(one) for one in found[:ROWS]],
        first=_address(beginning) if after else None,
        next=_address(beginning, encode_cursor(following)) if following else None,
    )
    return shown(app, request, page, shell_for(app, request, actor))


def _address(beginning: str, cursor: str | None = None) -> str:
    given = {"search": beginning, "cursor": cursor}
    query = urlencode({name: value for name, value in given.items() if value})
    return f"/users?{query}" if query else "/users"
