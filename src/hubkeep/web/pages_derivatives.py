# SPDX-License-Identifier: Apache-2.0
"""The family of a repository: what it is made from, and the best known of what is made from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlencode

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.repos.info import read_facts
from hubkeep.repos.queries_info import load_facts
from hubkeep.repos.queries_list import viewer_of
from hubkeep.repos.search_wanted import Sort, Wanted
from hubkeep.repos.types import RepoType
from hubkeep.web.derivatives import (
    Derived,
    Generation,
    counts_of,
    derived_of,
    generations,
    ways_into,
)
from hubkeep.web.pages_list import rows_of
from hubkeep.web.repo_head import RepoHead, repo_head
from hubkeep.web.repo_rows import RepoRow
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.visits import PageVisit, look

if TYPE_CHECKING:
    from hubkeep.app import App

SHOWN = 10
"""Of each kind."""


class Child(msgspec.Struct, rename="camel"):
    """Something that is made from a repository, and what is made from that in turn."""

    repo: RepoRow
    derived: Sequence[Derived]


class Branch(msgspec.Struct, rename="camel"):
    """What is made from a repository in one way, most downloaded first; `count` is of all that are
    public, `href` the list of all.
    """

    name: str
    count: int
    href: str
    children: Sequence[Child]


class FamilyPage(Page, kw_only=True):
    """What a repository is made from, nearest first, and what is made from it."""

    template: ClassVar[str] = "derivatives.html"
    repo: RepoHead
    made_from: Sequence[Generation]
    branches: Sequence[Branch]


@dataclass(frozen=True, slots=True)
class _Found:
    visitor: PageVisit
    made_from: Sequence[Generation]
    branches: Sequence[Branch]


async def derivatives(app: "App", request: Request) -> Response:
    """Show what leads to a repository, and what leads on from it."""
    found = await app.db.read(lambda conn: _find(conn, app, request))
    repo = found.visitor.repo
    page = FamilyPage(
        title=f"Family of {repo.path}",
        repo=repo_head(found.visitor, "card"),
        made_from=found.made_from,
        branches=found.branches,
    )
    return shown(app, request, page, shell_for(app, request, found.visitor.actor))


def _find(conn: Connection, app: "App", request: Request) -> _Found:
    visitor = look(conn, request, app.clock())
    repo, actor = visitor.repo, visitor.actor
    facts = read_facts(load_facts(conn, repo.facts_id)) if repo.facts_id else None
    ways = ways_into(repo.type, repo.path)
    counts = counts_of(conn, ways)
    viewer = viewer_of(conn, actor)
    rows: dict[str, Sequence[RepoRow]] = {}
    for _, tag in ways:
        # Without a public one there may be some that this visitor sees, and no other.
        if counts[tag] or viewer.owners or viewer.sees_all:
            wanted = Wanted(RepoType.MODEL, tags=(tag,), sort=Sort.DOWNLOADS)
            rows[tag] = rows_of(conn, viewer, wanted, SHOWN)[0]
    below = derived_of(conn, RepoType.MODEL, [row.id for each in rows.values() for row in each])
    return _Found(
        visitor,
        generations(conn, actor, repo.id, facts.base_models if facts else ()),
        [
            Branch(
                name,
                counts[tag],
                f"/models?{urlencode({'filter': tag})}",
                [Child(row, below[row.id]) for row in rows[tag]],
            )
            for name, tag in ways
            if rows.get(tag)
        ],
    )
