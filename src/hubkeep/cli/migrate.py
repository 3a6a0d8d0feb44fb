# SPDX-License-Identifier: Apache-2.0
"""`hubkeep migrate`."""

import click

from hubkeep.cli.common import (
    hub_options,
    json_option,
    log_to_stderr,
    print_json,
    reported,
    settings,
    warn_of_names,
)


@click.command()
@hub_options
@json_option
def migrate(as_json: bool, **options: object) -> None:
    """Bring the database to this version's schema.

    PostgreSQL needs this before each new version serves; SQLite is migrated by 'hubkeep serve' too.

    \b
    Examples:
      hubkeep migrate --data ./hub
      hubkeep migrate --data /srv/hub --database-url postgresql://hub@db/hub
    """
    config = settings(**options)
    log_to_stderr(config)
    with reported():
        from hubkeep.db import Database
        from hubkeep.db.migrate import current, migrate

        config.data.mkdir(parents=True, exist_ok=True)
        db = Database(config.database)
        try:
            before = db.read_now(current)
            migrate(db)
            after = db.read_now(current)
            warn_of_names(db)
        finally:
            db.close()
    if as_json:
        print_json({"before": before, "after": after})
    elif before == after:
        click.echo(f"The database has the schema of this version ({after}) already")
    else:
        click.echo(f"The database went from {before or 'empty'} to {after}")
