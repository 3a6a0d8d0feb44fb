# SPDX-License-Identifier: Apache-2.0
"""`hubkeep xet ...`."""

import click

from hubkeep.cli.common import hub_options, json_option, open_database, print_json


@click.group()
def xet() -> None:
    """Look after the chunk store that Xet clients speak to.

    \b
    Example:
      hubkeep xet renew-epoch --data ./hub
    """


@xet.command("renew-epoch")
@hub_options
@json_option
def renew_epoch(as_json: bool, **hub: object) -> None:
    """Have clients forget which chunks the hub has. To be run after restoring a backup.

    Clients remember for 21 days which chunks they have sent, by the address of the chunk store,
    and do not send them again. When the hub goes back in time it may not have them any more, and
    uploads that build on them would fail until each user deleted the client's cache. This changes
    the address. What is stored stays; uploads under way begin anew.

    \b
    Example:
      hubkeep xet renew-epoch --data ./hub
    """
    with open_database(**hub) as db:
        from hubkeep.transfer.cas import queries_epoch

        epoch = db.write_now(queries_epoch.renew_epoch)
    if as_json:
        print_json({"epoch": epoch})
    else:
        click.echo(f"Clients find the chunk store at /cas/{epoch} from now on")
