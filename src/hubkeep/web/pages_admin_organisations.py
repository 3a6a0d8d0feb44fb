# SPDX-License-Identifier: Apache-2.0
"""Organisations for administrators: the list, a new one, and one with its members."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.http import read_cursor, read_query
from hubkeep.identity import commands
from hubkeep.identity import faults as say
from hubkeep.identity.access import administrator
from hubkeep.identity.actor import Account, Actor, OrgType, Role
from hubkeep.identity.commands import Refused
from hubkeep.identity.queries_admin_lists import (
    Found,
    Which,
    find_accounts,
    found_account,
    holdings_of,
    members_with,
)
from hubkeep.identity.queries_overviews import count_repos
from hubkeep.kit.cursors import encode_cursor
from hubkeep.repos.types import DELETED
from hubkeep.web.account_fields import fullname, new_name, org_type, org_type_fault
from hubkeep.web.admin_lists import (
    ROWS,
    AccountRow,
    AccountsQuery,
    AfterName,
    account_row,
    address,
    cursor_behind,
)
from hubkeep.web.fields import NONE, Choice, Faults, Field, FormPage, only_faults
from hubkeep.web.forms import go_to, read_form
from hubkeep.web.pages_admin import AdminPage, admin_tabs, for_administrators, noted
from hubkeep.web.pages_admin_user import Membership
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown

if TYPE_CHECKING:
    from hubkeep.app import App

PATH = "/admin/organisations"
DONE = {"deleted": "The organisation is deleted.", "saved": "Saved."}

_ROLES = tuple(Choice(role.value, role.value) for role in reversed(Role))
_MEMBERS = 100


class OrganisationsPage(AdminPage, kw_only=True):
    """Organisations by name; `next` and `first` are addresses."""

    template: ClassVar[str] = "admin_organisations.html"
    search: str
    organisations: Sequence[AccountRow]
    first: str | None
    next: str | None


class OrganisationPage(AdminPage, kw_only=True):
    """An organisation and a page of its members; see `UserPage` for what it stores."""

    template: ClassVar[str] = "admin_organisation.html"
    organisation: AccountRow
    default_private: bool
    repositories: dict[str, int]
    storage: int
    storage_is_partial: bool
    members: Sequence[Membership]
    roles: Sequence[Choice]
    fields: Sequence[Field]
    first: str | None
    next: str | None


class NewOrganisation(msgspec.Struct):
    """What the form sends."""

    name: str = ""
    fullname: str = ""
    type: str = ""
    default_private: bool = False
    member: str = ""


class Change(msgspec.Struct):
    """What is to be done: a member gets a role, or goes; deleting wants the name once more."""

    do: Literal["member", "remove", "delete"]
    name: str = ""
    role: str = ""


class MembersQuery(msgspec.Struct, frozen=True):
    """Parameters of the page of an organisation."""

    cursor: str | None = None
    done: str = ""
    format: Literal["html", "json"] | None = None


@for_administrators
async def organisations(app: "App", request: Request) -> Response:
    """List organisations by name."""
    query = read_query(request, AccountsQuery)
    after = read_cursor(query.cursor, AfterName)
    search = query.search.strip()

    def work(conn: Connection) -> tuple[Actor, list[Found]]:
        actor, _ = administrator(conn, request, app.clock())
        behind = after.name if after else ""
        return actor, list(find_accounts(conn, "org", search, Which.ALL, ROWS + 1, behind))

    actor, found = await app.db.read(work)
    following = cursor_behind(found)
    page = OrganisationsPage(
        title="Organisations",
        tabs=admin_tabs("organisations"),
        done=DONE.get(query.done, ""),
        search=search,
        organisations=[account_row(one) for one in found[:ROWS]],
        first=address(PATH, {"search": search}) if after else None,
        next=address(PATH, {"search": search, "cursor": following}) if following else None,
    )
    return shown(app, request, page, shell_for(app, request, actor))


@for_administrators
async def new_organisation_page(app: "App", request: Request) -> Response:
    """Ask how the organisation is called."""
    actor, _ = await app.db.read(lambda conn: administrator(conn, request, app.clock()))
    return shown(app, request, _form(NewOrganisation(), NONE), shell_for(app, request, actor))


@for_administrators
async def new_organisation(app: "App", request: Request) -> Response:
    """Make an organisation, with its first administrator or without members."""
    form = await read_form(request, NewOrganisation)
    form.name, form.fullname, form.member = (
        text.strip() for text in (form.name, form.fullname, form.member)
    )
    found = only_faults(
        name=say.name_fault(form.name),
        fullname=say.fullname_fault(form.fullname),
        type=org_type_fault(form.type),
    )

    def work(conn: Connection) -> tuple[Account, Account]:
        now = app.clock()
        _, admin = administrator(conn, request, now)
        kind: OrgType | None = next((one for one in get_args(OrgType) if one == form.type), None)
        made = commands.create_org(
            conn,
            form.name,
            now,
            fullname=form.fullname,
            org_type=kind,
            default_private=form.default_private,
        )
        if form.member:
            commands.add_member(conn, made.name, form.member, Role.ADMIN, now)
        return admin, made

    if not found:
        try:
            admin, made = await app.db.write(work)
        except Refused as refused:
            found = {"": str(refused)}
        else:
            noted(admin, f"made the organisation {made.name}")
            return go_to(f"{PATH}/{made.name}")
    actor, _ = await app.db.read(lambda conn: administrator(conn, request, app.clock()))
    return shown(app, request, _form(form, found), shell_for(app, request, actor), status=422)


@for_administrators
async def organisation_page(app: "App", request: Request) -> Response:
    """Show an organisation and its members."""
    query = read_query(request, MembersQuery)
    after = read_cursor(query.cursor, AfterName)
    behind = after.name if after else ""
    actor, page = await app.db.read(lambda conn: _look(app, conn, request, behind))
    page.done = DONE.get(query.done, "")
    return shown(app, request, page, shell_for(app, request, actor))


@for_administrators
async def change_organisation(app: "App", request: Request) -> Response:
    """Add a member, change the role of one, end a membership, or delete the organisation."""
    form = await read_form(request, Change)
    form.name = form.name.strip()

    def work(conn: Connection) -> tuple[Account, str]:
        _, admin = administrator(conn, request, app.clock())
        org = _org_at(conn, request)
        return admin, _act(conn, org, form, app.clock())

    try:
        admin, what = await app.db.write(work)
    except Refused as refused:
        actor, page = await app.db.read(lambda conn: _look(app, conn, request, ""))
        page.error = str(refused)
        return shown(app, request, page, shell_for(app, request, actor), status=422)
    noted(admin, what)
    if form.do == "delete":
        return go_to(f"{PATH}?done=deleted")
    return go_to(f"{PATH}/{request.path_params['org']}?done=saved")


def _act(conn: Connection, org: Account, form: Change, now: int) -> str:
    if form.do == "delete":
        if form.name != org.name:
            raise Refused(f"Type the name {org.name} to delete this organisation.")
        commands.delete_account(conn, "org", org.name, now)
        return f"deleted the organisation {org.name}"
    user = commands.find(conn, "user", form.name, with_disabled=True)
    if form.do == "remove":
        commands.remove_member(conn, org.name, user.name)
        return f"removed {user.name} from {org.name}"
    if form.role not in set(Role):
        raise Refused("Choose one of the roles.")
    commands.add_member(conn, org.name, user.name, Role(form.role), now)
    return f"gave {user.name} the role {form.role} in {org.name}"


def _org_at(conn: Connection, request: Request) -> Account:
    try:
        return commands.find(conn, "org", request.path_params["org"])
    except Refused as missing:
        raise errors.not_found("There is no such organisation") from missing


def _look(
    app: "App", conn: Connection, request: Request, behind: str
) -> tuple[Actor, OrganisationPage]:
    actor, _ = administrator(conn, request, app.clock())
    found = found_account(conn, "org", request.path_params["org"])
    if found is None:
        raise errors.not_found("There is no such organisation")
    held = holdings_of(conn, found.id)
    counts = count_repos(conn, found.id, with_private=True)
    members = members_with(conn, found.id, behind, _MEMBERS + 1)
    here = f"{PATH}/{found.name}"
    following = None
    if len(members) > _MEMBERS:
        following = encode_cursor(AfterName(members[_MEMBERS - 1].name))
    page = OrganisationPage(
        title=found.name,
        tabs=admin_tabs("organisations"),
        organisation=account_row(found),
        default_private=found.default_private,
        repositories={kind: count for kind, count in counts.items() if kind != DELETED},
        storage=held.storage,
        storage_is_partial=held.is_partial,
        members=[
            Membership(one.name, one.fullname, one.role.value, one.disabled)
            for one in members[:_MEMBERS]
        ],
        roles=_ROLES,
        fields=[
            Field(name="name", label="User", hint="By name.", required=True),
            Field(name="role", label="Role", kind="select", value="write", choices=_ROLES),
        ],
        first=here if behind else None,
        next=address(here, {"cursor": following}) if following else None,
    )
    return actor, page


def _form(form: NewOrganisation, found: Faults) -> FormPage:
    return FormPage(
        title="New organisation",
        action=f"{PATH}/new",
        submit="Make the organisation",
        heading="Administration",
        tabs=admin_tabs("organisations"),
        error=found.get("", ""),
        fields=[
            new_name(form.name, found),
            fullname(form.fullname, found),
            org_type(form.type, found),
            Field(
                name="default_private",
                label="Its new repositories are private",
                kind="check",
                value="true" if form.default_private else "",
            ),
            Field(
                name="member",
                label="Its administrator",
                value=form.member,
                hint="A user by name; empty: it has no members yet.",
            ),
        ],
    )
