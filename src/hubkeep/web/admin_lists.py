# SPDX-License-Identifier: Apache-2.0
"""Lists of accounts that administrators page through: the address, and what stands in a row."""

from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlencode

import msgspec

from hubkeep.identity.queries_admin_lists import Found, Which
from hubkeep.kit.cursors import encode_cursor
from hubkeep.kit.time import Millis

ROWS = 50


class AfterName(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A position in a list that goes by name."""

    name: Annotated[str, msgspec.Meta(max_length=96)]


class AccountsQuery(msgspec.Struct, frozen=True):
    """Parameters of a list of accounts; `done` says what came of the form before."""

    search: Annotated[str, msgspec.Meta(max_length=320)] = ""
    which: Which = Which.ALL
    cursor: str | None = None
    done: Annotated[str, msgspec.Meta(max_length=40)] = ""
    format: Literal["html", "json"] | None = None


class AccountRow(msgspec.Struct, rename="camel"):
    """An account as administrators see it."""

    id: str
    name: str
    fullname: str
    email: str | None
    is_admin: bool
    disabled: bool
    has_password: bool
    org_type: str | None
    created_at: Millis


def account_row(found: Found) -> AccountRow:
    """Return what is shown of an account."""
    return AccountRow(
        id=found.public_id,
        name=found.name,
        fullname=found.fullname,
        email=found.email,
        is_admin=found.is_admin,
        disabled=found.disabled,
        has_password=found.has_password,
        org_type=found.org_type,
        created_at=found.created_at,
    )


def address(path: str, given: Mapping[str, str | None]) -> str:
    """Return an address with the parameters that say something."""
    query = urlencode({name: value for name, value in given.items() if value})
    return f"{path}?{query}" if query else path


def cursor_behind(found: list[Found]) -> str | None:
    """Return where a list goes on of which one more than ROWS was asked for."""
    return encode_cursor(AfterName(found[ROWS - 1].name)) if len(found) > ROWS else None
