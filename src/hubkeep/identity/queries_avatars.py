# SPDX-License-Identifier: Apache-2.0
"""SQL of the pictures of accounts."""

from sqlalchemy import Connection, bindparam, delete, select

from hubkeep.db.lookups import Lookup
from hubkeep.db.tables import accounts, avatars
from hubkeep.db.upserts import insert_for
from hubkeep.identity.names import key
from hubkeep.kit.time import Millis

_BY_NAME = Lookup(
    select(avatars.c.content)
    .join(accounts, accounts.c.id == avatars.c.account_id)
    .where(accounts.c.name_key == bindparam("key"), accounts.c.disabled.is_(False))
)


def picture_of(conn: Connection, name: str) -> bytes | None:
    """Return the PNG of the account of this name; None where there is none, or no such account, or
    it is disabled.
    """
    row = _BY_NAME.first(conn, {"key": key(name)})
    return row[0] if row else None


def picture_changed_at(conn: Connection, account_id: int) -> Millis | None:
    """Return when an account got the picture that it has; None without one."""
    found = select(avatars.c.changed_at).where(avatars.c.account_id == account_id)
    return conn.execute(found).scalar()


def set_picture(conn: Connection, account_id: int, content: bytes, now: Millis) -> None:
    """Give an account a picture, instead of the one that it may have."""
    row = insert_for(conn, avatars).values(account_id=account_id, content=content, changed_at=now)
    conn.execute(
        row.on_conflict_do_update(
            index_elements=["account_id"],
            set_={"content": row.excluded.content, "changed_at": row.excluded.changed_at},
        )
    )


def drop_picture(conn: Connection, account_id: int) -> None:
    """Take an account's picture away, if it has one."""
    conn.execute(delete(avatars).where(avatars.c.account_id == account_id))
