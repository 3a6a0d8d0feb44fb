# SPDX-License-Identifier: Apache-2.0
"""What goes over the wire about accounts. Absent plans, payments and verifications are said so."""

from typing import Literal

import msgspec

from hubkeep.identity.actor import Role, TokenRole


def avatar_url(base: str, name: str) -> str:
    """Return where an account's picture is: absolute, the same for ever."""
    return f"{base}/avatars/{name}.svg"


class Person(msgspec.Struct, rename="camel"):
    """A user in a list; `role` in lists of members, to members alone."""

    user: str
    fullname: str
    avatar_url: str
    type: Literal["user"] = "user"
    is_pro: bool = False
    role: Role | msgspec.UnsetType = msgspec.UNSET


class OrgSummary(msgspec.Struct, rename="camel"):
    """An organisation that a user belongs to."""

    id: str
    name: str
    fullname: str
    avatar_url: str
    type: Literal["org"] = "org"
    is_enterprise: bool = False


class OwnOrg(OrgSummary, kw_only=True):
    """An organisation of the caller, with the caller's role in it."""

    role_in_org: Role
    email: None = None
    can_pay: bool = False
    period_end: None = None
    plan: None = None


class AccessToken(msgspec.Struct, rename="camel"):
    """The token that a request was sent with, without its secret."""

    display_name: str
    role: TokenRole
    created_at: str


class Auth(msgspec.Struct, rename="camel", omit_defaults=True):
    """How the caller signed in."""

    type: str
    access_token: AccessToken
    expires_at: str | None = None


class WhoAmI(msgspec.Struct, rename="camel", kw_only=True):
    """The caller, to itself."""

    type: Literal["user"] = "user"
    id: str
    name: str
    fullname: str
    email: str | None
    email_verified: bool = False
    can_pay: bool = False
    period_end: None = None
    is_pro: bool = False
    avatar_url: str
    orgs: list[OwnOrg]
    auth: Auth | msgspec.UnsetType = msgspec.UNSET


class UserOverview(msgspec.Struct, rename="camel", kw_only=True):
    """A user, to anybody. Counts are of what the caller may see."""

    id: str = msgspec.field(name="_id")
    user: str
    fullname: str
    avatar_url: str
    type: Literal["user"] = "user"
    is_pro: bool = False
    is_following: bool = False
    details: str
    created_at: str
    num_models: int
    num_datasets: int
    num_spaces: int
    num_kernels: int
    num_likes: int
    num_discussions: int = 0
    num_papers: int = 0
    num_upvotes: int = 0
    num_following: int = 0
    num_followers: int = 0
    orgs: list[OrgSummary]


class OrgOverview(msgspec.Struct, rename="camel", kw_only=True):
    """An organisation, to anybody. Counts are of what the caller may see."""

    id: str = msgspec.field(name="_id")
    name: str
    fullname: str
    avatar_url: str
    type: Literal["org"] = "org"
    org_type: str | None
    details: str
    created_at: str
    is_verified: bool = False
    is_following: bool = False
    num_users: int
    num_models: int
    num_datasets: int
    num_spaces: int
    num_kernels: int
    num_followers: int = 0
    num_papers: int = 0
    plan: None = None
