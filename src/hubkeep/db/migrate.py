# SPDX-License-Identifier: Apache-2.0
"""Schema changes: alembic, run by `hubkeep migrate`, and by the server itself on SQLite alone."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from hubkeep.db.engine import Database
from hubkeep.db.errors import WrongSchema

_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(db: Database) -> None:
    """Bring the schema to this program's version, in one transaction. WrongSchema if it is
    newer.
    """
    db.write_now(_upgrade)


def prepare(db: Database) -> None:
    """Make sure that the schema fits: migrate on SQLite, check on PostgreSQL (WrongSchema)."""
    if db.read_now(current) == head():
        return
    if not db.is_sqlite:
        raise WrongSchema(
            "the database's schema is not this version's: run 'hubkeep migrate' first"
        )
    migrate(db)


def head() -> str | None:
    """Return the revision that this program needs."""
    return ScriptDirectory(str(_SCRIPTS)).get_current_head()


def current(conn: Connection) -> str | None:
    """Return the revision that a database has; None for an empty one."""
    return MigrationContext.configure(conn).get_current_revision()


def _upgrade(conn: Connection) -> None:
    present = current(conn)
    known = {script.revision for script in ScriptDirectory(str(_SCRIPTS)).walk_revisions()}
    if present is not None and present not in known:
        raise WrongSchema(f"the database's schema ({present}) is newer than this program")
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = conn
    command.upgrade(config, "head")
