# SPDX-License-Identifier: Apache-2.0
"""SQL that finds accounts by how their names begin."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from hubkeep.db.tables import accounts
from hubkeep.identity.actor import Account
from hubkeep.identity.names import key
from hubkeep.identity.queries import ACCOUNT_COLUMNS, account_of
from hubkeep.kit.text import storable

# Behind every character that a name may have, in the order of bytes.
_END = "~"


def accounts_beginning(
    conn: Connection, beginning: str, limit: int, after: str = ""
) -> Sequence[Account]:
    """Return users and organisations whose names begin so, by name, from behind the name `after`.

    Names are looked at in lower case. Disabled accounts are left out.
    """
    if not storable(beginning) or not storable(after):
        return []
    found = (
        select(*ACCOUNT_COLUMNS)
        .where(
            accounts.c.name_key >= key(beginning),
            accounts.c.name_key < key(beginning) + _END,
            accounts.c.name_key > key(after),
            accounts.c.disabled.is_(False),
        )
        .order_by(accounts.c.name_key)
        .limit(limit)
    )
    return [account_of(row) for row in conn.execute(found)]
