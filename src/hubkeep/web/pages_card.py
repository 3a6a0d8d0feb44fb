# SPDX-License-Identifier: Apache-2.0
"""The first page of a repository: its card, and the facts beside it."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, ClassVar

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.cards.facts import Facts
from hubkeep.cards.front_matter import split_front_matter
from hubkeep.content.reading import revision_of
from hubkeep.git import store
from hubkeep.repos.info import read_facts
from hubkeep.repos.queries_info import load_facts
from hubkeep.repos.types import Repo
from hubkeep.web.card_facts import FactGroup, fact_groups
from hubkeep.web.markdown import Place, highlight, render_markdown
from hubkeep.web.queries_card import downloads_by_day
from hubkeep.web.repo_head import RepoHead, repo_head
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.snippets import snippets
from hubkeep.web.visits import PageVisit, look

if TYPE_CHECKING:
    from hubkeep.app import App

README = "README.md"
README_LIMIT = 2 << 20
_DAYS = 30


class SnippetShown(msgspec.Struct, rename="camel"):
    """Lines to copy: as text, and highlighted."""

    name: str
    text: str
    lines: Sequence[str]


class CardPage(Page, kw_only=True):
    """A repository's card with its facts; `cardHtml` is null for one without a card."""

    template: ClassVar[str] = "repo_card.html"
    repo: RepoHead
    card_html: str | None
    card_error: str | None
    is_empty: bool
    may_write: bool
    downloads: int
    downloads_all: int
    by_day: Sequence[int]
    facts: Sequence[FactGroup]
    snippets: Sequence[SnippetShown]

    @property
    def spark(self) -> str:
        """The downloads by day as the path of a line in 144 by 36; empty where there were none."""
        most = max(self.by_day, default=0)
        if not most:
            return ""
        step = 144 / (len(self.by_day) - 1)
        points = (f"{i * step:.1f},{34 - 32 * n / most:.1f}" for i, n in enumerate(self.by_day))
        return "M" + " L".join(points)


async def card(app: "App", request: Request) -> Response:
    """Show a repository as its head is."""

    def work(conn: Connection) -> tuple[PageVisit, Facts | None, bytes, list[int]]:
        visitor = look(conn, request, app.clock())
        repo = visitor.repo
        facts = read_facts(load_facts(conn, repo.facts_id)) if repo.facts_id else None
        days = downloads_by_day(conn, repo.id, app.clock(), _DAYS)
        return visitor, facts, _readme(conn, repo), days

    visitor, facts, readme, days = await app.db.read(work)
    base = app.base_url(request)
    page = _page(visitor, facts, readme, days, base)
    return shown(app, request, page, shell_for(app, request, visitor.actor))


def _readme(conn: Connection, repo: Repo) -> bytes:
    if repo.head is None:
        return b""
    tree = revision_of(conn, repo, repo.head.hex()).tree
    found = store.entry(conn, repo.id, tree, README)
    if found is None or found.kind != "file" or found.lfs or found.size > README_LIMIT:
        return b""
    return store.blob(conn, repo.id, found.oid, README_LIMIT)


def _page(
    visitor: PageVisit, facts: Facts | None, readme: bytes, days: list[int], base: str
) -> CardPage:
    repo = visitor.repo
    body = split_front_matter(readme).body
    return CardPage(
        title=repo.path,
        repo=repo_head(visitor, "card"),
        card_html=render_markdown(body, _place(repo)).html if body.strip() else None,
        card_error=facts.card_error if facts else None,
        is_empty=repo.head is None,
        may_write=visitor.may_write,
        downloads=repo.downloads,
        downloads_all=repo.downloads_all,
        by_day=days,
        facts=fact_groups(repo, facts),
        snippets=[
            SnippetShown(one.name, one.text, _lines(one.text, one.language))
            for one in snippets(repo.type, repo.path, facts, base)
        ],
    )


def _place(repo: Repo) -> Place:
    root, at = f"/{repo.web_path}", repo.default_branch
    return Place(
        links=f"{root}/blob/{at}/",
        images=f"{root}/resolve/{at}/",
        root_links=f"{root}/blob/{at}/",
        root_images=f"{root}/resolve/{at}/",
    )


def _lines(text: str, language: str) -> Sequence[str]:
    return highlight(text, language) or escape(text).split("\n")
