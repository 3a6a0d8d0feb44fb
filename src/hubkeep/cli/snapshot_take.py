# SPDX-License-Identifier: Apache-2.0
"""`hubkeep snapshot take`."""

from typing import TYPE_CHECKING

import click

from hubkeep.cli.common import (
    hub_options,
    json_option,
    open_database,
    print_json,
    settings,
)
from hubkeep.cli.snapshot_report import summary
from hubkeep.cli.snapshot_store import open_store, step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hubkeep.observatory.manifest import Universe


@click.command()
@click.option(
    "--all",
    "with_private",
    is_flag=True,
    help="One for administrators, with private repositories, instead of what anybody may see.",
)
@click.option("--daily", is_flag=True, hidden=True)
@hub_options
@json_option
def take(with_private: bool, daily: bool, as_json: bool, **hub: object) -> None:
    """Take a snapshot of this hub.

    Of what strangers may see; with --all, of everything, kept apart for administrators. Reads the
    hub's database alone, and may run beside the server, which takes one of each every day by
    itself.

    \b
    Examples:
      hubkeep snapshot take --data ./hub
      hubkeep snapshot take --all --json --data ./hub
    """
    config = settings(**hub)
    with open_store(str(config.data)) as store, open_database(**hub) as db:
        from hubkeep.kit.time import now
        from hubkeep.observatory.taking.daily import of_today, tidy
        from hubkeep.observatory.taking.take import UNIVERSES
        from hubkeep.observatory.taking.take import take as taken

        wanted: Sequence[Universe] = ["all" if with_private else "public"]
        if daily:
            there = of_today(store, now())
            wanted = [universe for universe in UNIVERSES if universe not in there]
        made = taken(db, store, wanted, now, config.base_url, step)
        if daily:
            tidy(db, store)
    if as_json:
        ids = {universe: manifest.id for universe, manifest in made.items()}
        print_json(ids if daily else {"id": made[wanted[0]].id})
        return
    for manifest in made.values():
        click.echo(manifest.id)
        summary(manifest)
