# SPDX-License-Identifier: Apache-2.0
"""INSERT ... ON CONFLICT, which both databases have and SQLAlchemy spells once for each."""

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_for(conn: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT of the connection's own dialect, with `on_conflict_do_...` methods."""
    return (postgresql if conn.dialect.name == "postgresql" else sqlite).insert(table)
