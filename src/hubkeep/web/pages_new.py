# SPDX-License-Identifier: Apache-2.0
"""A new repository, made by the function that the API makes one by."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from hubkeep.cards.licenses import KNOWN_LICENSES
from hubkeep.cards.spaces import SDKS
from hubkeep.errors import HubError
from hubkeep.identity.access import signed_in, signed_in_here
from hubkeep.identity.actor import Account, Actor
from hubkeep.repos.creating import NewRepo, create_repo
from hubkeep.repos.rules import first_readme, name_fault
from hubkeep.repos.types import Repo, RepoType
from hubkeep.web.fields import NONE, Choice, Faults, Field, FormPage, Kind, only_faults
from hubkeep.web.forms import go_to, read_form
from hubkeep.web.owners import namespaces_of
from hubkeep.web.shell import shell_for
from hubkeep.web.site import shown

if TYPE_CHECKING:
    from hubkeep.app import App

_KINDS = (
    Choice("model", "Model"),
    Choice("dataset", "Dataset"),
    Choice("space", "Space"),
    Choice("kernel", "Kernel"),
)
_VISIBLE = (
    Choice("", "As the owner has it", "Public, unless the organisation makes all its own private."),
    Choice("public", "Public", "Everybody who reaches this hub sees it."),
    Choice("private", "Private", "You and the members of the organisation see it."),
)


class NewForm(msgspec.Struct):
    """What the form sends."""

    type: str = "model"
    owner: str = ""
    name: str = ""
    visibility: str = ""
    license: str = ""
    sdk: str = "gradio"


async def new_page(app: "App", request: Request) -> Response:
    """Ask what to make: `type` in the address chooses the kind, `owner` the namespace."""
    asked = request.query_params
    kind, owner = asked.get("type", ""), asked.get("owner", "")

    def work(conn: Connection) -> tuple[Actor, Sequence[str]]:
        actor, user = signed_in(conn, request, app.clock())
        return actor, namespaces_of(conn, actor, user)

    actor, owners = await app.db.read(work)
    form = NewForm(
        type=kind if kind in set(RepoType) else "model",
        owner=owner if owner in owners else owners[0],
    )
    return shown(app, request, _page(form, owners, NONE), shell_for(app, request, actor))


async def new(app: "App", request: Request) -> Response:
    """Make the repository and go to its page."""
    form = await read_form(request, NewForm)
    form.name = form.name.strip()

    def look(conn: Connection) -> tuple[Actor, Account, Sequence[str]]:
        actor, user = signed_in_here(conn, request, app.clock())
        return actor, user, namespaces_of(conn, actor, user)

    actor, user, owners = await app.db.read(look)
    found = _faults(form)
    if not found:
        base = app.base_url(request)
        wanted = _wanted(form, user)

        def work(conn: Connection) -> Repo:
            who, mine = signed_in_here(conn, request, app.clock())
            return create_repo(conn, who, mine, wanted, base, app.clock())

        try:
            made = await app.db.write(work)
        except HubError as error:
            if error.status not in (400, 403, 409):
                raise
            found = {"owner" if error.status == 403 else "name": error.message}
        else:
            return go_to(f"/{made.web_path}")
    page = _page(form, owners, found)
    return shown(app, request, page, shell_for(app, request, actor), status=422)


def _wanted(form: NewForm, user: Account) -> NewRepo:
    kind = RepoType(form.type)
    sdk = form.sdk if kind is RepoType.SPACE else None
    readme = first_readme(form.name, sdk, form.license or None)
    return NewRepo(
        kind=kind,
        namespace=form.owner or user.name,
        name=form.name,
        private=form.visibility == "private" if form.visibility else None,
        files={} if readme is None else {"README.md": readme},
    )


def _faults(form: NewForm) -> dict[str, str]:
    known = "Choose one of these."
    is_space = form.type == RepoType.SPACE.value
    return only_faults(
        name=name_fault(form.name),
        type="" if form.type in set(RepoType) else known,
        visibility="" if form.visibility in {one.value for one in _VISIBLE} else known,
        license="" if form.license in ("", *KNOWN_LICENSES) else known,
        sdk="" if not is_space or form.sdk in SDKS else known,
    )


def _page(form: NewForm, owners: Sequence[str], found: Faults) -> FormPage:
    def field(
        name: str, label: str, kind: Kind, choices: Sequence[Choice], hint: str = ""
    ) -> Field:
        error = found.get(name, "")
        value = getattr(form, name)
        return Field(
            name=name,
            label=label,
            kind=kind,
            value=value,
            hint=hint,
            error=error,
            choices=choices,
            required=kind == "text",
        )

    licenses = [Choice("", "none yet"), *(Choice(one, one) for one in KNOWN_LICENSES)]
    sdks = [Choice(one, one) for one in SDKS]
    name_hint = "Letters, digits, '-', '_' and '.'; it stands in the address."
    made_with = "What the Space is made with"
    return FormPage(
        title="New repository",
        action="/new",
        submit="Make the repository",
        fields=[
            field("type", "What it holds", "select", _KINDS),
            field("owner", "Owner", "select", [Choice(one, one) for one in owners]),
            field("name", "Name", "text", (), name_hint),
            field("license", "Licence", "select", licenses),
            field("sdk", made_with, "select", sdks, "For Spaces alone."),
            field("visibility", "Who sees it", "choice", _VISIBLE),
        ],
    )
