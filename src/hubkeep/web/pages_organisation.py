# SPDX-License-Identifier: Apache-2.0
"""Organisations: a new one, and the settings of one for who administers it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep import errors
from hubkeep.identity import commands
from hubkeep.identity import faults as say
from hubkeep.identity.access import account_at, signed_in, signed_in_here
from hubkeep.identity.actor import Account, Actor, Role
from hubkeep.identity.commands import Refused
from hubkeep.identity.own import set_member
from hubkeep.identity.queries import account, role_in
from hubkeep.identity.queries_admin import list_members, update_account
from hubkeep.identity.rules import Action, NamespaceResource, can
from hubkeep.identity.wire_admin import MemberLine
from hubkeep.web.account_fields import (
    Picture,
    about,
    fullname,
    new_name,
    org_type,
    org_type_fault,
    picture,
)
from hubkeep.web.fields import NONE, Choice, Faults, Field, FormPage, only_faults
from hubkeep.web.forms import go_to, read_form
from hubkeep.web.settings_tabs import said
from hubkeep.web.shell import shell_for
from hubkeep.web.site import Page, shown

if TYPE_CHECKING:
    from hubkeep.app import App

_ROLES = (
    Choice(Role.READ.value, "read", "sees all that is private"),
    Choice(Role.CONTRIBUTOR.value, "contributor", "makes repositories and changes its own"),
    Choice(Role.WRITE.value, "write", "changes all repositories"),
    Choice(Role.ADMIN.value, "admin", "settings and members, too"),
)


class OrgForm(msgspec.Struct):
    """What the forms send; the name only where the organisation is made."""

    name: str = ""
    fullname: str = ""
    type: str = ""
    about: str = ""
    default_private: bool = False


class MemberForm(msgspec.Struct):
    """A member by name; without a role the membership ends."""

    name: str = ""
    role: str = ""


class Nothing(msgspec.Struct):
    """A form that is only a button."""


class OrgSettingsPage(Page, kw_only=True):
    """What an organisation says of itself, and who belongs to it."""

    template: ClassVar[str] = "organisation.html"
    name: str
    picture: Picture
    fields: Sequence[Field]
    members: Sequence[MemberLine]
    roles: Sequence[Choice]
    member_fields: Sequence[Field]
    done: str
    error: str


async def new_page(app: "App", request: Request) -> Response:
    """Ask how the organisation is called."""
    actor, _ = await app.db.read(lambda conn: signed_in(conn, request, app.clock()))
    return shown(app, request, _new(OrgForm(), NONE), shell_for(app, request, actor))


async def new(app: "App", request: Request) -> Response:
    """Make an organisation that its maker administers."""
    form = _cleaned(await read_form(request, OrgForm))
    found = {**only_faults(name=say.name_fault(form.name)), **_faults(form)}
    actor, _ = await app.db.read(lambda conn: signed_in_here(conn, request, app.clock()))

    def work(conn: Connection) -> Account:
        now = app.clock()
        _, user = signed_in_here(conn, request, now)
        made = commands.create_org(
            conn, form.name, now, fullname=form.fullname, default_private=form.default_private
        )
        update_account(conn, made.id, org_type=form.type or None, details=form.about)
        commands.add_member(conn, made.name, user.name, Role.ADMIN, now)
        return made

    if not found:
        try:
            made = await app.db.write(work)
        except Refused as refused:
            found = {"name": str(refused)}
        else:
            return go_to(f"/{made.name}")
    return shown(app, request, _new(form, found), shell_for(app, request, actor), status=422)


async def settings_page(app: "App", request: Request) -> Response:
    """Show the settings of an organisation."""

    def work(conn: Connection) -> tuple[Actor, OrgSettingsPage]:
        actor, org = administered(conn, request, *signed_in(conn, request, app.clock()))
        return actor, _settings(conn, org, _form_of(org), NONE)

    actor, page = await app.db.read(work)
    page.done = said(request, saved="Saved.")
    return shown(app, request, page, shell_for(app, request, actor))


async def change_settings(app: "App", request: Request) -> Response:
    """Change what an organisation says of itself."""
    form = _cleaned(await read_form(request, OrgForm))
    found = _faults(form)

    def work(conn: Connection) -> tuple[Actor, Account, OrgSettingsPage]:
        actor, org = administered(conn, request, *signed_in_here(conn, request, app.clock()))
        if not found:
            update_account(
                conn,
                org.id,
                fullname=form.fullname,
                org_type=form.type or None,
                details=form.about,
                default_private=form.default_private,
            )
        return actor, org, _settings(conn, org, form, found)

    actor, org, page = await app.db.write(work)
    if found:
        return shown(app, request, page, shell_for(app, request, actor), status=422)
    return go_to(f"/organizations/{org.name}/settings?saved")


async def change_member(app: "App", request: Request) -> Response:
    """Add a member, change the role of one, or end a membership."""
    form = await read_form(request, MemberForm)
    form.name = form.name.strip()

    def work(conn: Connection) -> tuple[Account, Account]:
        now = app.clock()
        _, org = administered(conn, request, *signed_in_here(conn, request, now))
        user = account(conn, form.name)
        if user is None or user.kind != "user":
            raise Refused(f"Nobody here is called {form.name[:100]!r}.")
        if form.role and form.role not in set(Role):
            raise Refused("Choose one of the roles.")
        set_member(conn, org, user, Role(form.role) if form.role else None, now)
        return org, user

    try:
        org, _ = await app.db.write(work)
    except Refused as refused:
        return await _with_fault(app, request, form, str(refused))
    return go_to(f"/organizations/{org.name}/settings?saved")


async def leave(app: "App", request: Request) -> Response:
    """End one's own membership; its last administrator stays."""
    await read_form(request, Nothing)

    def work(conn: Connection) -> Account:
        now = app.clock()
        _, user = signed_in_here(conn, request, now)
        org = account_at(conn, request, "org")
        set_member(conn, org, user, None, now)
        return org

    try:
        org = await app.db.write(work)
    except Refused as refused:
        raise errors.conflict(str(refused)) from refused
    return go_to(f"/{org.name}")


async def settings_with_fault(app: "App", request: Request, fault: str) -> Response:
    """Show the settings again to who sent a picture that cannot be taken."""

    def work(conn: Connection) -> tuple[Actor, OrgSettingsPage]:
        actor, org = administered(conn, request, *signed_in_here(conn, request, app.clock()))
        page = _settings(conn, org, _form_of(org), NONE)
        page.picture.field.error = fault
        return actor, page

    actor, page = await app.db.read(work)
    return shown(app, request, page, shell_for(app, request, actor), status=422)


async def _with_fault(app: "App", request: Request, form: MemberForm, text: str) -> Response:
    def work(conn: Connection) -> tuple[Actor, OrgSettingsPage]:
        actor, org = administered(conn, request, *signed_in_here(conn, request, app.clock()))
        return actor, _settings(conn, org, _form_of(org), NONE, form, text)

    actor, page = await app.db.read(work)
    return shown(app, request, page, shell_for(app, request, actor), status=422)


def administered(
    conn: Connection, request: Request, actor: Actor, _user: Account
) -> tuple[Actor, Account]:
    """Return the organisation that the address names, if the actor administers it; 404 or 403."""
    org = account_at(conn, request, "org")
    place = NamespaceResource(org.id, role_in(conn, org.id, actor.user_id))
    if not can(actor, Action.ADMINISTER, place):
        raise errors.forbidden(f"Only administrators of {org.name} may do this")
    return actor, org


def _cleaned(form: OrgForm) -> OrgForm:
    about = form.about.replace("\r\n", "\n").strip()
    return msgspec.structs.replace(
        form, name=form.name.strip(), fullname=form.fullname.strip(), about=about
    )


def _faults(form: OrgForm) -> dict[str, str]:
    return only_faults(
        fullname=say.fullname_fault(form.fullname),
        type=org_type_fault(form.type),
        about=say.about_fault(form.about),
    )


def _form_of(org: Account) -> OrgForm:
    return OrgForm(org.name, org.fullname, org.org_type or "", org.details, org.default_private)


def _new(form: OrgForm, found: Faults) -> FormPage:
    return FormPage(
        title="New organisation",
        action="/organizations/new",
        submit="Make the organisation",
        intro="People who work on repositories together. You administer it, and add the others.",
        fields=[new_name(form.name, found), *_fields(form, found)],
    )


def _fields(form: OrgForm, found: Faults) -> list[Field]:
    return [
        fullname(form.fullname, found),
        org_type(form.type, found),
        about(form.about, found),
        Field(
            name="default_private",
            label="New repositories are private",
            kind="check",
            value="true" if form.default_private else "",
            hint="Unless who makes one says otherwise.",
        ),
    ]


def _settings(
    conn: Connection,
    org: Account,
    form: OrgForm,
    found: Faults,
    member: MemberForm | None = None,
    member_fault: str = "",
) -> OrgSettingsPage:
    member = member or MemberForm()
    return OrgSettingsPage(
        title=f"Settings of {org.name}",
        name=org.name,
        picture=picture(conn, org, f"/organizations/{org.name}/settings/picture"),
        fields=_fields(form, found),
        members=list_members(conn, org.id),
        roles=_ROLES,
        member_fields=[
            Field(
                name="name",
                label="Name",
                value=member.name,
                required=True,
            ),
            Field(
                name="role",
                label="Role",
                kind="choice",
                value=member.role or Role.READ.value,
                choices=_ROLES,
            ),
        ],
        done="",
        error=member_fault,
    )
