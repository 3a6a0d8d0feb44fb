# SPDX-License-Identifier: Apache-2.0
"""Who asks: the account, and the token that it asks with."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class TokenRole(StrEnum):
    """What a token may be used for, in Hugging Face's words."""

    READ = "read"
    WRITE = "write"
    FINE_GRAINED = "fineGrained"


class Role(StrEnum):
    """A member's role in an organisation, in Hugging Face's words."""

    ADMIN = "admin"
    WRITE = "write"
    CONTRIBUTOR = "contributor"
    READ = "read"


OrgType = Literal["company", "university", "non-profit", "government", "community", "classroom"]
"""What an organisation is, in Hugging Face's words."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user or an organisation."""

    id: int
    public_id: str
    kind: Literal["user", "org"]
    name: str
    fullname: str
    email: str | None = None
    details: str = ""
    is_admin: bool = False
    org_type: str | None = None
    default_private: bool = False
    created_at: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, without its secret."""

    public_id: str
    name: str
    role: TokenRole
    created_at: int
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class Actor:
    """The signed-in user and the token used; both absent for an anonymous caller.

    A user without a token is one who gave the account's password, who has a session in a browser,
    or whom the hub itself acts for: a command, a job.
    """

    user: Account | None = None
    token: Token | None = None
    password: str | None = None
    """The fingerprint of the password that was given."""
    session: str | None = None
    """The browser's session, by its public id."""
    session_seen_at: int = 0
    """When that was last noted to be in use."""

    @property
    def is_anonymous(self) -> bool:
        return self.user is None

    @property
    def user_id(self) -> int | None:
        return self.user.id if self.user else None

    @property
    def may_write(self) -> bool:
        """Whether the token's role lets anything be changed at all."""
        return self.user is not None and (self.token is None or self.token.role is TokenRole.WRITE)


ANONYMOUS = Actor()
