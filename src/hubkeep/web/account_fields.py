# SPDX-License-Identifier: Apache-2.0
"""Fields that several forms about accounts have in common, and the picture of an account."""

from typing import get_args

import msgspec
from sqlalchemy import Connection

from hubkeep.identity.actor import Account, OrgType
from hubkeep.identity.pictures import KINDS, MOST_BYTES
from hubkeep.identity.queries_avatars import picture_changed_at
from hubkeep.web.fields import Choice, Faults, Field

ORG_TYPES = (Choice("", "not said"), *(Choice(one, one) for one in get_args(OrgType)))
"""What an organisation may call itself."""


class Picture(msgspec.Struct, rename="camel"):
    """The picture of an account with the form that changes it; `isOwn` if it was sent once."""

    src: str
    action: str
    field: Field
    is_own: bool


def picture(conn: Connection, account: Account, action: str, error: str = "") -> Picture:
    """Return the picture of an account; `action` is where another one is sent to."""
    changed = picture_changed_at(conn, account.id)
    field = Field(
        name="picture",
        label="Another picture",
        kind="file",
        hint=f"{KINDS}, at most {MOST_BYTES // 1_000_000} MB; the middle of it is shown.",
        error=error,
        required=True,
    )
    # What was seen under the address alone may stay with the browser for a minute.
    at = f"?at={changed}" if changed else ""
    return Picture(f"/avatars/{account.name}.svg{at}", action, field, changed is not None)


def new_name(value: str, found: Faults, whose: str = "all its addresses") -> Field:
    """The field for the name of an account that is made."""
    return Field(
        name="name",
        label="Name",
        value=value,
        hint=f"Letters, digits, '-', '_' and '.': it stands in {whose}.",
        error=found.get("name", ""),
        required=True,
    )


def org_type(value: str, found: Faults) -> Field:
    """The field for what an organisation calls itself."""
    return Field(
        name="type",
        label="What it is",
        kind="select",
        value=value,
        choices=ORG_TYPES,
        error=found.get("type", ""),
    )


def org_type_fault(value: str) -> str:
    """Say what is wrong with what an organisation is to call itself; "" for nothing."""
    return "" if value in {one.value for one in ORG_TYPES} else "Choose one of these."


def fullname(value: str, found: Faults, *, autocomplete: str = "off") -> Field:
    """The field for the name that people read."""
    return Field(
        name="fullname",
        label="Full name",
        value=value,
        error=found.get("fullname", ""),
        autocomplete=autocomplete,
    )


def email(value: str, found: Faults) -> Field:
    """The field for an e-mail address."""
    return Field(
        name="email",
        label="E-mail",
        kind="email",
        value=value,
        hint="Shown to you and to who runs this hub.",
        error=found.get("email", ""),
        autocomplete="email",
    )


def about(value: str, found: Faults) -> Field:
    """The field for some lines about an account."""
    return Field(
        name="about",
        label="About",
        kind="lines",
        value=value,
        hint="Plain text; lines stay as they are.",
        error=found.get("about", ""),
    )
