# SPDX-License-Identifier: Apache-2.0
"""The page of a user or of an organisation: who it is, and what it has here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.identity.access import actor_of, sees_private
from hubkeep.identity.actor import Account, Actor
from hubkeep.identity.queries import account, organisations_of, role_in
from hubkeep.identity.queries_overviews import Member, count_members, count_repos, members_of
from hubkeep.identity.rules import Action, NamespaceResource, can
from hubkeep.kit.time import Millis, unwire, wire
from hubkeep.repos.access import reach
from hubkeep.repos.queries_likes import LikedAs, count_likes_of, likes_of
from hubkeep.repos.queries_list import viewer_of
from hubkeep.repos.search_wanted import Sort, Wanted
from hubkeep.repos.types import Repo, RepoType
from hubkeep.web.card_text import CardFound, card_shown, find_card
from hubkeep.web.insights_history import over_time
from hubkeep.web.pages_list import TITLES, rows_of
from hubkeep.web.people import Person
from hubkeep.web.repo_head import Link
from hubkeep.web.repo_rows import RepoRow
from hubkeep.web.settings_tabs import said
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, Preview, shown

if TYPE_CHECKING:
    from hubkeep.app import App

_ROWS = 10
_MEMBERS = 60
_LIKES = 8
# As on huggingface.co: the card of an organisation is that of its Space `README`.
_CARDS_IN = (RepoType.SPACE, RepoType.MODEL)


class Shelf(msgspec.Struct, rename="camel"):
    """Repositories of one kind, those changed last first; `href` leads to all of them."""

    title: str
    kind: str
    count: int
    repos: Sequence[RepoRow]
    href: str


class ProfileCard(msgspec.Struct, rename="camel"):
    """What an account tells of itself: the README of its repository of that name."""

    repo: str
    href: str
    html: str


class AccountPage(Page, kw_only=True):
    """A user or an organisation; counts are of what the visitor may see."""

    template: ClassVar[str] = "account.html"
    id: str
    kind: str
    name: str
    fullname: str
    about: str
    org_type: str | None
    joined_at: str
    card: ProfileCard | None
    shelves: Sequence[Shelf]
    members: Sequence[Person]
    num_members: int
    organizations: Sequence[Person]
    likes: Sequence[Link]
    num_likes: int
    settings: str | None
    """Where the visitor may change it."""
    may_create: bool
    is_member: bool
    over_time: str | None
    """Where the counters of its repositories are, if there is a snapshot that may have some."""
    done: str

    @property
    def preview(self) -> Preview:
        """How a link to the page is shown."""
        kind = "An organisation" if self.kind == "org" else "A user"
        return Preview(self.about or f"{kind} of this hub", f"/social/{self.name}")

    @property
    def joined(self) -> Millis:
        """When it came, as templates reckon with."""
        return unwire(self.joined_at)


@dataclass(frozen=True, slots=True)
class _Found:
    """What the page of an account is made of."""

    viewer: Actor
    owner: Account
    place: NamespaceResource
    shows_roles: bool
    card: tuple[Repo, CardFound] | None
    shelves: Sequence[Shelf]
    members: Sequence[Member]
    num_members: int
    organisations: Sequence[Account]
    likes: Sequence[LikedAs]
    num_likes: int


async def account_page(app: "App", request: Request) -> Response:
    """Show a user or an organisation."""
    name = request.path_params["user"]

    def work(conn: Connection) -> _Found:
        viewer = actor_of(conn, request, app.clock())
        owner = account(conn, name)
        if owner is None:
            raise errors.not_found(f"Nobody here is called {name[:100]}")
        return _found(conn, viewer, owner)

    found = await app.db.read(work)
    page = _page(found)
    page.card = await _card_shown(app, found.card)
    if found.shelves:
        page.over_time = over_time(app, "accounts", found.owner.name, found.owner.created_at)
    page.done = said(request, deleted="The repository is deleted.")
    return shown(app, request, page, shell_for(app, request, found.viewer))


def _found(conn: Connection, viewer: Actor, owner: Account) -> _Found:
    shows_private = sees_private(conn, viewer, owner)
    counts = count_repos(conn, owner.id, with_private=shows_private)
    is_org = owner.kind == "org"
    return _Found(
        viewer=viewer,
        owner=owner,
        place=NamespaceResource(owner.id, role_in(conn, owner.id, viewer.user_id)),
        shows_roles=shows_private,
        card=_card(conn, viewer, owner),
        shelves=_shelves(conn, viewer, owner, counts),
        members=members_of(conn, owner.id, 0, _MEMBERS) if is_org else (),
        num_members=count_members(conn, owner.id) if is_org else 0,
        organisations=[] if is_org else [org for org, _ in organisations_of(conn, owner.id)],
        likes=() if is_org else likes_of(conn, owner.id, viewer, None, _LIKES),
        num_likes=0 if is_org else count_likes_of(conn, owner.id, viewer),
    )


def _card(conn: Connection, viewer: Actor, owner: Account) -> tuple[Repo, CardFound] | None:
    """The first card that the visitor may see among those places where accounts keep theirs."""
    for kind in _CARDS_IN:
        try:
            repo = reach(conn, viewer, kind, f"{owner.name}/README", Action.READ)
        except (errors.HubError, errors.Moved):
            continue
        card = find_card(conn, repo)
        if card.state == "shown":
            return repo, card
    return None


async def _card_shown(app: "App", card: tuple[Repo, CardFound] | None) -> ProfileCard | None:
    if card is None:
        return None
    repo, found = card
    _, text = await card_shown(app, repo, found)
    return ProfileCard(repo.path, f"/{repo.web_path}", text.html) if text else None


def _shelves(
    conn: Connection, viewer: Actor, owner: Account, counts: Mapping[str, int]
) -> list[Shelf]:
    eyes = viewer_of(conn, viewer)
    shelves = []
    for kind in RepoType:
        if not counts.get(kind, 0):
            continue
        wanted = Wanted(kind, owner_id=owner.id, sort=Sort.MODIFIED)
        repos, _ = rows_of(conn, eyes, wanted, _ROWS)
        href = f"/{kind.plural}?author={owner.name}&sort=modified"
        shelves.append(Shelf(TITLES[kind], kind.value, counts[kind], repos, href))
    return shelves


def _page(found: _Found) -> AccountPage:
    owner, viewer = found.owner, found.viewer
    is_org = owner.kind == "org"
    settings = f"/organizations/{owner.name}/settings" if is_org else "/settings/profile"
    rules = can(viewer, Action.ADMINISTER, found.place) if is_org else viewer.user_id == owner.id
    return AccountPage(
        title=owner.fullname or owner.name,
        id=owner.public_id,
        kind=owner.kind,
        name=owner.name,
        fullname=owner.fullname,
        about=owner.details,
        org_type=owner.org_type,
        joined_at=wire(owner.created_at),
        card=None,
        shelves=found.shelves,
        members=[
            Person(one.name, one.fullname, one.role.value if found.shows_roles else None)
            for one in found.members
        ],
        num_members=found.num_members,
        organizations=[Person(org.name, org.fullname) for org in found.organisations],
        likes=[
            Link(one.path, f"/{RepoType(one.type).web_prefix}{one.path}") for one in found.likes
        ],
        num_likes=found.num_likes,
        settings=settings if rules else None,
        may_create=can(viewer, Action.CREATE_IN, found.place),
        is_member=is_org and found.place.role is not None,
        over_time=None,
        done="",
    )
