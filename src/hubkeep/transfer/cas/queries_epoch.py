# SPDX-License-Identifier: Apache-2.0
"""SQL of the epoch in the chunk store's address (`cas.access` says what it is for)."""

from secrets import token_hex

from sqlalchemy import Connection, select

from hubkeep.db.tables import hub
from hubkeep.db.upserts import insert_for

_NAME = "cas-epoch"


def current_epoch(conn: Connection) -> str:
    """Return the epoch in the store's address; "0" until it is first renewed."""
    return conn.execute(select(hub.c.value).where(hub.c.name == _NAME)).scalar() or "0"


def renew_epoch(conn: Connection) -> str:
    """Change the store's address, after a restore: clients forget which chunks the hub has."""
    epoch = token_hex(4)
    note = insert_for(conn, hub).values(name=_NAME, value=epoch)
    conn.execute(
        note.on_conflict_do_update(index_elements=["name"], set_={"value": note.excluded.value})
    )
    return epoch
