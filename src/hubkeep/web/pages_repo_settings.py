# SPDX-License-Identifier: Apache-2.0
"""The settings of a repository: its name, who sees it, who has access, what it stores, its end."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.errors import HubError
from hubkeep.identity.actor import Account, Actor, Role
from hubkeep.identity.queries import account_by_id, role_in
from hubkeep.identity.queries_overviews import count_members, members_of
from hubkeep.identity.rules import Action, NamespaceResource, can
from hubkeep.repos.access import reach
from hubkeep.repos.changing import delete_repo, open_or_close, rename
from hubkeep.repos.rules import checked_name, name_fault
from hubkeep.repos.types import Repo, RepoType
from hubkeep.web.fields import NONE, Choice, Faults, Field, only_faults
from hubkeep.web.forms import go_to, read_form
from hubkeep.web.owners import namespaces_of
from hubkeep.web.people import Person
from hubkeep.web.repo_head import RepoHead, repo_head
from hubkeep.web.settings_tabs import said
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown
from hubkeep.web.visits import PageVisit, look

if TYPE_CHECKING:
    from hubkeep.app import App

_MEMBERS = 20
_DONE = {
    "renamed": "It has a new name. Who asks for the old one is led here.",
    "public": "It is public now.",
    "private": "It is private now.",
}


class NameForm(msgspec.Struct):
    """What the form sends that renames a repository."""

    owner: str = ""
    name: str = ""


class VisibilityForm(msgspec.Struct):
    """What the form sends that opens or closes a repository."""

    visibility: str = ""


class DeleteForm(msgspec.Struct):
    """What the form sends that deletes a repository: its name once more."""

    typed: str = ""


class Access(msgspec.Struct, rename="camel"):
    """Who may do what; `members` are those of an organisation, some of them where there are many.

    `manage` leads to where members and roles are changed, for who may.
    """

    reads: str
    writes: str
    administers: str
    members: Sequence[Person]
    num_members: int
    manage: str | None


class RepoSettingsPage(Page, kw_only=True):
    """What may be changed about a repository; each list of fields is a form of its own."""

    template: ClassVar[str] = "repo_settings.html"
    repo: RepoHead
    name_fields: Sequence[Field]
    visibility_fields: Sequence[Field]
    delete_fields: Sequence[Field]
    access: Access
    size: int
    """Of the files as they are at the head, in bytes."""
    used_storage: int
    """With all earlier versions."""
    done: str


async def settings_page(app: "App", request: Request) -> Response:
    """Show the settings to who administers the repository."""
    page, actor = await app.db.read(lambda conn: _page(app, conn, request, {}, NONE))
    page.done = said(request, **_DONE)
    return shown(app, request, page, shell_for(app, request, actor))


async def rename_repo(app: "App", request: Request) -> Response:
    """Give the repository another name or owner, and go to its new address."""
    form = await read_form(request, NameForm)
    form.name = form.name.strip()
    base = app.base_url(request)
    found = only_faults(name=name_fault(form.name))

    def work(conn: Connection) -> str:
        visitor = look(conn, request, app.clock(), Action.ADMINISTER)
        actor, repo = visitor.actor, visitor.repo
        name = checked_name(form.name)
        path = rename(conn, actor, repo, form.owner, name, base=base, now=app.clock())
        return _after_renaming(conn, actor, repo.type, path)

    if not found:
        try:
            return go_to(await app.db.write(work))
        except HubError as error:
            if error.status not in (403, 409):
                raise
            found = {"owner" if error.status == 403 else "name": error.message}
    return await _refused(app, request, msgspec.to_builtins(form), found)


async def change_visibility(app: "App", request: Request) -> Response:
    """Make the repository public or private."""
    form = await read_form(request, VisibilityForm)
    if form.visibility not in ("public", "private"):
        return await _refused(app, request, {}, {"visibility": "Choose one of these."})

    def work(conn: Connection) -> Repo:
        repo = look(conn, request, app.clock(), Action.ADMINISTER).repo
        open_or_close(conn, repo, form.visibility == "private", app.clock())
        return repo

    repo = await app.db.write(work)
    return go_to(f"/{repo.web_path}/settings?{form.visibility}")


async def delete(app: "App", request: Request) -> Response:
    """Delete the repository whose name is typed, and go to the page of its owner."""
    form = await read_form(request, DeleteForm)

    def work(conn: Connection) -> Repo | None:
        repo = look(conn, request, app.clock(), Action.ADMINISTER).repo
        if form.typed.strip() != repo.path:
            return None
        delete_repo(conn, repo, app.clock())
        return repo

    repo = await app.db.write(work)
    if repo is None:
        given = {"typed": form.typed}
        return await _refused(app, request, given, {"typed": "This is not its name."})
    return go_to(f"/{repo.path.partition('/')[0]}?deleted")


def _after_renaming(conn: Connection, actor: Actor, kind: RepoType, path: str) -> str:
    """The settings again, or the first page where others administer it from now on."""
    page = f"/{kind.web_prefix}{path}"
    try:
        reach(conn, actor, kind, path, Action.ADMINISTER)
    except HubError:
        return page
    return f"{page}/settings?renamed"


async def _refused(
    app: "App", request: Request, given: Mapping[str, str], found: Faults
) -> Response:
    page, actor = await app.db.read(lambda conn: _page(app, conn, request, given, found))
    return shown(app, request, page, shell_for(app, request, actor), status=422)


def _page(
    app: "App", conn: Connection, request: Request, given: Mapping[str, str], found: Faults
) -> tuple[RepoSettingsPage, Actor]:
    """The page with what was given in its fields, and what was wrong with it."""
    visitor = look(conn, request, app.clock(), Action.ADMINISTER)
    actor, repo = visitor.actor, visitor.repo
    owner = account_by_id(conn, repo.owner_id)
    assert owner is not None, "a repository has an owner"
    mine = namespaces_of(conn, actor, actor.user) if actor.user else []
    page = RepoSettingsPage(
        title=f"Settings of {repo.path}",
        repo=repo_head(visitor, "settings"),
        name_fields=_name_fields(repo, owner, mine, given, found),
        visibility_fields=[_visibility_field(repo, owner, found)],
        delete_fields=[
            Field(
                name="typed",
                label=f"Type {repo.path} to delete it",
                value=given.get("typed", ""),
                error=found.get("typed", ""),
                required=True,
            )
        ],
        access=_access(conn, visitor, owner),
        size=repo.head_size,
        used_storage=repo.used_storage,
        done="",
    )
    return page, actor


def _name_fields(
    repo: Repo, owner: Account, mine: Sequence[str], given: Mapping[str, str], found: Faults
) -> list[Field]:
    owners = dict.fromkeys([owner.name, *mine])
    return [
        Field(
            name="owner",
            label="Owner",
            kind="select",
            value=given.get("owner", owner.name),
            choices=[Choice(one, one) for one in owners],
            error=found.get("owner", ""),
        ),
        Field(
            name="name",
            label="Name",
            value=given.get("name", repo.path.partition("/")[2]),
            error=found.get("name", ""),
            required=True,
        ),
    ]


def _visibility_field(repo: Repo, owner: Account, found: Faults) -> Field:
    inside = f"Members of {owner.name} see it" if owner.kind == "org" else f"{owner.name} sees it"
    return Field(
        name="visibility",
        label="Who sees it",
        kind="choice",
        value="private" if repo.private else "public",
        choices=[
            Choice(
                "public",
                "Public",
                "Everybody who reaches this hub sees it, with all that it ever held.",
            ),
            Choice(
                "private",
                "Private",
                f"{inside}, and nobody else. It leaves lists, search and counts;"
                " what others have downloaded they keep.",
            ),
        ],
        error=found.get("visibility", ""),
    )


def _access(conn: Connection, visitor: PageVisit, owner: Account) -> Access:
    repo, actor = visitor.repo, visitor.actor
    if owner.kind != "org":
        reads = owner.name if repo.private else "everybody"
        return Access(reads, owner.name, owner.name, [], 0, None)
    place = NamespaceResource(owner.id, role_in(conn, owner.id, actor.user_id))
    may_manage = can(actor, Action.ADMINISTER, place)
    contributes = role_in(conn, owner.id, repo.creator_id) is Role.CONTRIBUTOR
    creator = account_by_id(conn, repo.creator_id) if repo.creator_id and contributes else None
    maker = f", and {creator.name}, who made it" if creator else ""
    return Access(
        reads=f"members of {owner.name}" if repo.private else "everybody",
        writes=f"members with the role write or admin{maker}",
        administers=f"members with the role admin{maker}",
        members=[
            Person(one.name, one.fullname, one.role.value)
            for one in members_of(conn, owner.id, 0, _MEMBERS)
        ],
        num_members=count_members(conn, owner.id),
        manage=f"/organizations/{owner.name}/settings" if may_manage else None,
    )
