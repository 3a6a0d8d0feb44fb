# SPDX-License-Identifier: Apache-2.0
"""Lines of administrators' lists, as commands print them with `--json`. Times are milliseconds."""

import msgspec


class AccountLine(msgspec.Struct, frozen=True, rename="camel"):
    """A user or an organisation; `repos` counts what it owns."""

    name: str
    id: str
    fullname: str
    email: str | None
    is_admin: bool
    org_type: str | None
    default_private: bool
    repos: int
    created_at: int


class MemberLine(msgspec.Struct, frozen=True, rename="camel"):
    """A member of an organisation."""

    name: str
    role: str
    created_at: int


class TokenLine(msgspec.Struct, frozen=True, rename="camel"):
    """A token, told apart by its name and last characters."""

    id: str
    user: str
    name: str
    role: str
    hint: str
    created_at: int
    expires_at: int | None


class NewToken(msgspec.Struct, frozen=True, rename="camel"):
    """A token at the only moment when its value is known."""

    id: str
    user: str
    name: str
    role: str
    token: str
    expires_at: int | None


class InvitationLine(msgspec.Struct, frozen=True, rename="camel"):
    """An invitation that somebody may still sign up by; `made_by` is null for one by command."""

    id: str
    note: str
    made_by: str | None
    created_at: int
    expires_at: int


class NewInvitation(msgspec.Struct, frozen=True, rename="camel"):
    """An invitation at the only moment when its link is known."""

    id: str
    link: str
    note: str
    expires_at: int
