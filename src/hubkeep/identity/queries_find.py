# SPDX-License-Identifier: Apache-2.0
"""SQL that finds accounts by how their names begin, and names by what rows refer to."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, select

from hubkeep.db.tables import accounts
from hubkeep.identity.actor import Account
from hubkeep.identity.names import RESERVED, key
from hubkeep.identity.queries import ACCOUNT_COLUMNS, account_of
from hubkeep.kit.batches import batches
from hubkeep.kit.text import storable

# Behind every character that a name may have, in the order of bytes.
_END = "~"
_NAMES = select(accounts.c.id, accounts.c.name).where(
    accounts.c.id.in_(bindparam("ids", expanding=True)), accounts.c.disabled.is_(False)
)


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


def reserved_names(conn: Connection) -> list[str]:
    """Return the names of accounts that could not be called so now: they are older than the hub's
    own addresses of these names.
    """
    found = select(accounts.c.name).where(accounts.c.name_key.in_(RESERVED))
    return list(conn.execute(found.order_by(accounts.c.name_key)).scalars())


def names_by_id(conn: Connection, ids: Iterable[int | None]) -> dict[int, str]:
    """Return the names of accounts, without those that are disabled or gone."""
    wanted = sorted({each for each in ids if each is not None})
    return {
        row.id: row.name for part in batches(wanted) for row in conn.execute(_NAMES, {"ids": part})
    }
