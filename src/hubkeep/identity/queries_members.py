# SPDX-License-Identifier: Apache-2.0
"""SQL of who administers an organisation."""

from sqlalchemy import Connection, func, select

from hubkeep.db.tables import accounts, memberships
from hubkeep.identity.actor import Role


def lock_account(conn: Connection, account_id: int) -> None:
    """Let nobody else change what hangs on an account until the end of this transaction."""
    conn.execute(select(accounts.c.id).where(accounts.c.id == account_id).with_for_update())


def count_admins(conn: Connection, org_id: int, *, besides: int) -> int:
    """Return how many administrators an organisation has but for one user; disabled ones do not
    count.
    """
    return conn.execute(
        select(func.count())
        .select_from(memberships.join(accounts, accounts.c.id == memberships.c.user_id))
        .where(
            memberships.c.org_id == org_id,
            memberships.c.role == Role.ADMIN.value,
            memberships.c.user_id != besides,
            accounts.c.disabled.is_(False),
        )
    ).scalar_one()
