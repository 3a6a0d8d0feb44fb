# SPDX-License-Identifier: Apache-2.0
"""Suggestions under the search field, while somebody types."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal
from urllib.parse import urlencode

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.http import read_query
from hubkeep.identity.access import actor_of
from hubkeep.identity.actor import Actor
from hubkeep.identity.queries_find import accounts_beginning
from hubkeep.repos.api_list_query import MAX_WORDS
from hubkeep.repos.queries_list import load_listed, viewer_of
from hubkeep.repos.search import Budget, find_page
from hubkeep.repos.search_wanted import Viewer, Wanted
from hubkeep.repos.types import RepoType
from hubkeep.web.people import PersonRow, person_row
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown

if TYPE_CHECKING:
    from hubkeep.app import App

_KINDS = (
    (RepoType.MODEL, "Models", 4),
    (RepoType.DATASET, "Datasets", 3),
    (RepoType.SPACE, "Spaces", 3),
)
_PEOPLE = 3
# What a keystroke may cost: who wants more than the likely ones presses Enter.
_BUDGET = Budget(first=500, sorted=1_000, walked=500)


class SuggestQuery(msgspec.Struct, frozen=True):
    """What was typed so far."""

    q: Annotated[str, msgspec.Meta(max_length=200)] = ""
    format: Literal["html", "json"] | None = None


class Suggestion(msgspec.Struct, rename="camel"):
    """A repository by its id, and the path of its page."""

    id: str
    kind: str
    href: str


class SuggestionGroup(msgspec.Struct, rename="camel"):
    """Suggestions of one kind, and where all of that kind are."""

    name: str
    href: str
    found: Sequence[Suggestion]


class SuggestPage(Page, kw_only=True):
    """What fits: names that hold all words, and people whose names begin so. As HTML, a list."""

    template: ClassVar[str] = "parts/suggest.html"
    q: str
    repos: Sequence[SuggestionGroup]
    people: Sequence[PersonRow]


async def suggest(app: "App", request: Request) -> Response:
    """Suggest what the visitor may see and what fits what was typed."""
    query = read_query(request, SuggestQuery)
    words = tuple(dict.fromkeys(query.q.lower().split()))[:MAX_WORDS]

    def work(conn: Connection) -> tuple[Actor, list[SuggestionGroup], list[PersonRow]]:
        actor = actor_of(conn, request, app.clock())
        if not words:
            return actor, [], []
        viewer = viewer_of(conn, actor)
        groups = [_group(conn, viewer, kind, name, words, most) for kind, name, most in _KINDS]
        people = accounts_beginning(conn, query.q.strip(), _PEOPLE)
        return actor, [one for one in groups if one.found], [person_row(one) for one in people]

    actor, groups, people = await app.db.read(work)
    page = SuggestPage(title="Suggestions", q=" ".join(words), repos=groups, people=people)
    return shown(app, request, page, shell_for(app, request, actor))


def _group(
    conn: Connection, viewer: Viewer, kind: RepoType, name: str, words: tuple[str, ...], most: int
) -> SuggestionGroup:
    page = find_page(conn, viewer, Wanted(kind, words=words), most, budget=_BUDGET)
    return SuggestionGroup(
        name,
        f"/{kind.plural}?{urlencode({'search': ' '.join(words)})}",
        [
            Suggestion(row.path, kind.value, f"/{kind.web_prefix}{row.path}")
            for row, _ in load_listed(conn, page.ids, with_facts=False)
        ],
    )
