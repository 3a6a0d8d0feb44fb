# SPDX-License-Identifier: Apache-2.0
"""The first page of a repository: its card, and the facts beside it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.cards.facts import Facts
from hubkeep.kit.time import Millis
from hubkeep.repos.info import read_facts
from hubkeep.repos.queries_info import load_facts
from hubkeep.repos.types import RepoType
from hubkeep.web.card_facts import FactGroup, fact_groups, names_in
from hubkeep.web.card_metrics import Evaluation, evaluations
from hubkeep.web.card_text import README, CardFound, CardState, card_shown, find_card
from hubkeep.web.derivatives import Derived, Generation, derived, generations
from hubkeep.web.downloads_chart import DAYS, Downloads, downloads_shown
from hubkeep.web.insights_history import over_time
from hubkeep.web.pages_social import about_repo
from hubkeep.web.queries_card import downloads_by_day
from hubkeep.web.queries_derivatives import Named, named
from hubkeep.web.rendered import RenderedText, coloured
from hubkeep.web.repo_head import RepoHead, repo_head
from hubkeep.web.repo_places import address
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, Preview, shown
from hubkeep.web.snippets import Snippet, snippets
from hubkeep.web.space import SpaceFound, SpaceShown, find_space, space_shown
from hubkeep.web.visits import PageVisit, look
from hubkeep.web.ways import Way, ways_in

if TYPE_CHECKING:
    from hubkeep.app import App


class SnippetShown(msgspec.Struct, rename="camel"):
    """Lines to copy: as text, and highlighted."""

    name: str
    text: str
    lines: Sequence[str]


class CardPage(Page, kw_only=True):
    """A repository's card with its facts; `cardHtml` is null where `state` is not `shown`."""

    template: ClassVar[str] = "repo_card.html"
    repo: RepoHead
    state: CardState
    card_html: str | None
    card_error: str | None
    edit: str
    """Where the card is changed, by who may; `write` is where it is begun."""
    write: str
    upload: str
    raw: str
    """The address of the card as it was written."""
    may_write: bool
    ways_in: Sequence[Way]
    downloads: Downloads
    facts: Sequence[FactGroup]
    evaluations: Sequence[Evaluation]
    has_more_evaluations: bool
    made_from: Sequence[Generation]
    derived: Sequence[Derived]
    family: str | None
    """The page of all that is made from it, and of what it is made from."""
    snippets: Sequence[SnippetShown]
    space: SpaceShown | None
    """How it runs, for a Space."""
    about: str
    """What it says of itself in a line or two."""
    over_time: str | None
    """Where its counters of all days are, if there is a snapshot that may have it."""

    @property
    def preview(self) -> Preview:
        """How a link to the page is shown."""
        usual = self.repo.preview
        return Preview(self.about or usual.text, usual.picture)


@dataclass(frozen=True, slots=True)
class _Found:
    """What is read for the page."""

    visitor: PageVisit
    facts: Facts | None
    card: CardFound
    days: Sequence[int]
    on_hub: Mapping[RepoType, Mapping[str, Named]]
    made_from: Sequence[Generation]
    derived: Sequence[Derived]
    space: SpaceFound | None


async def card(app: "App", request: Request) -> Response:
    """Show a repository as its head is."""
    now = app.clock()
    found = await app.db.read(lambda conn: _find(conn, request, now))
    repo, base = found.visitor.repo, app.base_url(request)
    uses = snippets(repo, found.facts, base, found.card.example)
    (state, text), lines = await asyncio.gather(
        card_shown(app, repo, found.card),
        coloured(app, [(one.text, one.language) for one in uses]),
    )
    shell = shell_for(app, request, found.visitor.actor)
    page = _page(found, state, text, base, now)
    page.space = space_shown(app, request, found.visitor, found.space)
    if not repo.private:
        page.over_time = over_time(app, repo.type.plural, repo.path, repo.created_at)
    page.snippets = [_snippet(*each) for each in zip(uses, lines, strict=True)]
    return shown(app, request, page, shell)


def _find(conn: Connection, request: Request, now: Millis) -> _Found:
    visitor = look(conn, request, now)
    repo, actor = visitor.repo, visitor.actor
    facts = read_facts(load_facts(conn, repo.facts_id)) if repo.facts_id else None
    names = names_in(facts) if facts else {}
    return _Found(
        visitor=visitor,
        facts=facts,
        card=find_card(conn, repo),
        days=downloads_by_day(conn, repo.id, now, DAYS),
        on_hub={kind: named(conn, actor, kind, some) for kind, some in names.items() if some},
        made_from=generations(conn, actor, repo.id, facts.base_models if facts else ()),
        derived=derived(conn, repo),
        space=find_space(conn, repo, facts),
    )


def _page(
    found: _Found, state: CardState, text: RenderedText | None, base: str, now: Millis
) -> CardPage:
    visitor, facts = found.visitor, found.facts
    repo = visitor.repo
    root, branch = f"/{repo.web_path}", quote(repo.default_branch, safe="")
    results, has_more = evaluations(facts.model_index if facts else None)
    has_family = bool(found.made_from or found.derived)
    return CardPage(
        title=repo.path,
        repo=repo_head(visitor, "card"),
        state=state,
        card_html=text.html if text else None,
        card_error=facts.card_error if facts else None,
        edit=f"{root}/edit/{branch}/{README}",
        write=f"{root}/new/{branch}?name={README}",
        upload=f"{root}/upload/{branch}",
        raw=address(repo, "resolve", repo.default_branch, README),
        may_write=visitor.may_write,
        ways_in=ways_in(repo, base) if state == "empty" and visitor.may_write else [],
        downloads=downloads_shown(repo.downloads, repo.downloads_all, found.days, now),
        facts=fact_groups(repo, facts, found.on_hub),
        evaluations=results,
        has_more_evaluations=has_more,
        made_from=found.made_from,
        derived=found.derived,
        family=f"/{repo.web_path}/derivatives" if has_family else None,
        snippets=[],
        space=None,
        about=about_repo(facts),
        over_time=None,
    )


def _snippet(one: Snippet, lines: Sequence[str]) -> SnippetShown:
    return SnippetShown(one.name, one.text, lines)
