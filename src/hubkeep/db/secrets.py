# SPDX-License-Identifier: Apache-2.0
"""The hub's own secret: made once, kept in the database, shared by all its processes."""

from sqlalchemy import Connection, select

from hubkeep.db.tables import hub
from hubkeep.db.upserts import insert_for

_NAME = "secret"


def load_secret(conn: Connection, candidate: bytes) -> bytes:
    """Return the hub's secret; `candidate` becomes it where there is none yet."""
    conn.execute(
        insert_for(conn, hub).values(name=_NAME, value=candidate.hex()).on_conflict_do_nothing()
    )
    return bytes.fromhex(conn.execute(select(hub.c.value).where(hub.c.name == _NAME)).scalar_one())
