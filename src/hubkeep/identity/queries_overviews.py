# SPDX-License-Identifier: Apache-2.0
"""SQL of what is told about accounts: counts of their repositories, and who belongs to whom."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from hubkeep.db.tables import accounts, memberships, repos
from hubkeep.identity.actor import Role

# Answered from the index on (owner_id, type, private) alone, without reading a repository.
_COUNTS = (
    select(repos.c.type, repos.c.private, func.count())
    .where(repos.c.owner_id == bindparam("owner"))
    .group_by(repos.c.type, repos.c.private)
)
_PUBLIC_COUNTS = _COUNTS.where(repos.c.private.is_(False))
_MEMBERS = (
    select(func.count())
    .select_from(memberships.join(accounts, accounts.c.id == memberships.c.user_id))
    .where(memberships.c.org_id == bindparam("org"), accounts.c.disabled.is_(False))
)


class Member(NamedTuple):
    """A user of an organisation; lists of them go by `id`."""

    id: int
    name: str
    fullname: str
    role: Role


def count_repos(conn: Connection, owner_id: int, *, with_private: bool) -> Mapping[str, int]:
    """Return how many repositories of each type a namespace has; types without any are absent."""
    counts: dict[str, int] = {}
    found = _COUNTS if with_private else _PUBLIC_COUNTS
    for kind, _, count in conn.execute(found, {"owner": owner_id}):
        counts[kind] = counts.get(kind, 0) + count
    return counts


def count_members(conn: Connection, org_id: int) -> int:
    """Return how many users an organisation has; disabled ones do not count."""
    return conn.execute(_MEMBERS, {"org": org_id}).scalar_one()


def members_of(conn: Connection, org_id: int, after: int, limit: int) -> Sequence[Member]:
    """Return an organisation's users in the order of their accounts; disabled ones are left out."""
    found = (
        select(accounts.c.id, accounts.c.name, accounts.c.fullname, memberships.c.role)
        .join(memberships, memberships.c.user_id == accounts.c.id)
        .where(
            memberships.c.org_id == org_id,
            memberships.c.user_id > after,
            accounts.c.disabled.is_(False),
        )
        .order_by(memberships.c.user_id)
        .limit(limit)
    )
    return [Member(row[0], row[1], row[2], Role(row[3])) for row in conn.execute(found)]
