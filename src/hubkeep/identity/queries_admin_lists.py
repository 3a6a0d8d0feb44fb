# SPDX-License-Identifier: Apache-2.0
"""SQL of the accounts that administrators look through: disabled ones are among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Row, Select, func, select, text

from hubkeep.db.tables import accounts, memberships, repos, sessions, tokens
from hubkeep.identity.actor import Role
from hubkeep.identity.names import key
from hubkeep.identity.queries_admin import Kind
from hubkeep.kit.text import storable
from hubkeep.kit.time import Millis
from hubkeep.repos.types import DELETED

MOST_SUMMED = 10_000
"""Repositories whose storage is summed up while somebody waits."""

# Behind every character that a name may have, in the order of bytes.
_END = "~"


class Which(StrEnum):
    """Accounts of a kind: all of them, or only some."""

    ALL = ""
    ADMINISTRATORS = "administrators"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Found:
    """An account as administrators see it."""

    id: int
    public_id: str
    name: str
    fullname: str
    email: str | None
    is_admin: bool
    disabled: bool
    has_password: bool
    org_type: str | None
    default_private: bool
    created_at: Millis


@dataclass(frozen=True, slots=True)
class Holdings:
    """How many repositories a namespace has, and the bytes that these store.

    Where it has more than MOST_SUMMED, `storage` is what so many of them store.
    """

    repos: int
    storage: int

    @property
    def is_partial(self) -> bool:
        """Whether only a part was summed up."""
        return self.repos > MOST_SUMMED


@dataclass(frozen=True, slots=True)
class Belonging:
    """A member of an organisation, or the organisation of a member."""

    name: str
    fullname: str
    role: Role
    disabled: bool


_FOUND = (
    accounts.c.id,
    accounts.c.public_id,
    accounts.c.name,
    accounts.c.fullname,
    accounts.c.email,
    accounts.c.is_admin,
    accounts.c.disabled,
    accounts.c.password_hash.is_not(None),
    accounts.c.org_type,
    accounts.c.default_private,
    accounts.c.created_at,
)


def find_accounts(
    conn: Connection, kind: Kind, search: str, which: Which, limit: int, after: str = ""
) -> Sequence[Found]:
    """Return accounts of a kind by name, from behind the name `after`.

    What is looked for is how a name begins; with an @ in it, a whole e-mail address.
    """
    if not storable(search) or not storable(after):
        return []
    who = accounts.c
    found = select(*_FOUND).where(who.kind == kind, who.name_key > key(after))
    if which is Which.ADMINISTRATORS:
        found = found.where(text("is_admin"))
    elif which is Which.DISABLED:
        found = found.where(text("disabled"))
    if "@" in search:
        found = found.where(who.email.in_({search, search.lower()}))
    elif search:
        found = found.where(who.name_key >= key(search), who.name_key < key(search) + _END)
    return _listed(conn, found.order_by(who.name_key).limit(limit))


def found_account(conn: Connection, kind: Kind, name: str) -> Found | None:
    """Return one account, disabled or not."""
    if not storable(name):
        return None
    who = accounts.c
    one = select(*_FOUND).where(who.kind == kind, who.name_key == key(name))
    return next(iter(_listed(conn, one)), None)


def holdings_of(conn: Connection, owner_id: int) -> Holdings:
    """Count what a namespace has and stores; what waits to be cleared away is in neither."""
    mine = (repos.c.owner_id == owner_id, repos.c.type != DELETED)
    count = conn.execute(select(func.count()).select_from(repos).where(*mine)).scalar_one()
    some = select(repos.c.used_storage).where(*mine).limit(MOST_SUMMED).subquery()
    storage = conn.execute(select(func.sum(some.c.used_storage))).scalar()
    return Holdings(count, int(storage or 0))


def organisations_with(conn: Connection, user_id: int, limit: int) -> Sequence[Belonging]:
    """Return organisations of a user, by name."""
    who = accounts.c
    found = (
        select(who.name, who.fullname, memberships.c.role, who.disabled)
        .join(memberships, memberships.c.org_id == who.id)
        .where(memberships.c.user_id == user_id)
        .order_by(who.name_key)
        .limit(limit)
    )
    return [_belonging(row) for row in conn.execute(found)]


def members_with(conn: Connection, org_id: int, after: str, limit: int) -> Sequence[Belonging]:
    """Return members of an organisation by name, from behind the name `after`."""
    if not storable(after):
        return []
    who = accounts.c
    found = (
        select(who.name, who.fullname, memberships.c.role, who.disabled)
        .join(memberships, memberships.c.user_id == who.id)
        .where(memberships.c.org_id == org_id, who.name_key > key(after))
        .order_by(who.name_key)
        .limit(limit)
    )
    return [_belonging(row) for row in conn.execute(found)]


def count_keys(conn: Connection, user_id: int, now: Millis) -> tuple[int, int, Millis | None]:
    """Return how many tokens and sessions a user has, and when a session was last noted in use."""
    of_tokens = select(func.count()).select_from(tokens).where(tokens.c.user_id == user_id)
    of_sessions = select(func.count(), func.max(sessions.c.seen_at)).where(
        sessions.c.user_id == user_id, sessions.c.expires_at > now
    )
    count, seen = conn.execute(of_sessions).one()
    return conn.execute(of_tokens).scalar_one(), count, seen


def _listed(conn: Connection, query: Select) -> Sequence[Found]:
    return [Found(*row[:7], bool(row[7]), *row[8:]) for row in conn.execute(query)]


def _belonging(row: Row) -> Belonging:
    return Belonging(row[0], row[1], Role(row[2]), row[3])
