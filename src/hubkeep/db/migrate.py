# SPDX-License-Identifier: Apache-2.0
"""Schema changes: alembic, run by `hubkeep migrate`, and by the server itself on SQLite alone.

alembic is imported only where there is something to change: it takes as long to load as all the
rest of a command.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from hubkeep.db.engine import Database
from hubkeep.db.errors import WrongSchema

SCHEMA = "0008"
"""The newest revision in `migrations/versions`; a test compares the two."""

_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(db: Database) -> None:
    """Bring the schema to this program's version in one transaction. WrongSchema if it is newer."""
    db.write_now(_upgrade)


def prepare(db: Database) -> None:
    """Make sure that the schema fits: migrate on SQLite, check on PostgreSQL (WrongSchema)."""
    if db.read_now(current) == SCHEMA:
        return
    if not db.is_sqlite:
        raise WrongSchema(
            "the database's schema is not this version's: run 'hubkeep migrate' first"
        )
    migrate(db)


def current(conn: Connection) -> str | None:
    """Return the revision that a database has; None for an empty one."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    return conn.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(conn: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    present = current(conn)
    known = {script.revision for script in ScriptDirectory(str(_SCRIPTS)).walk_revisions()}
    if present is not None and present not in known:
        raise WrongSchema(f"the database's schema ({present}) is newer than this program")
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = conn
    command.upgrade(config, "head")
