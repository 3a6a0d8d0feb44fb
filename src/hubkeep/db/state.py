# SPDX-License-Identifier: Apache-2.0
"""What a database says of itself, for those who run it."""

import sqlite3
from dataclasses import dataclass

from sqlalchemy import Connection, text

from hubkeep.db.migrate import current


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """A database as it is now; sizes are bytes on its disk."""

    kind: str
    """With its version: `SQLite 3.46.1`."""
    schema: str | None
    size: int
    git_size: int | None
    """Of that, git objects; None where tables cannot be told apart."""


def state_of(conn: Connection) -> DatabaseState:
    """Look at a database; takes as long whatever is in it."""
    if conn.dialect.name == "sqlite":
        pages = conn.execute(text("PRAGMA page_count")).scalar_one()
        size = conn.execute(text("PRAGMA page_size")).scalar_one() * pages
        return DatabaseState(f"SQLite {sqlite3.sqlite_version}", current(conn), size, None)
    version = conn.execute(text("SHOW server_version")).scalar_one().split()[0]
    size = conn.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    git = conn.execute(text("SELECT pg_total_relation_size('git_objects')")).scalar_one()
    return DatabaseState(f"PostgreSQL {version}", current(conn), size, git)
