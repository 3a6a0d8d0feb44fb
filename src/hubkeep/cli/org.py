# SPDX-License-Identifier: Apache-2.0
"""`hubkeep org ...`."""

from typing import get_args

import click

from hubkeep.cli.common import (
    hub_options,
    json_option,
    open_database,
    print_json,
    print_table,
)
from hubkeep.identity.actor import OrgType, Role


@click.group()
def org() -> None:
    """Make, list and delete organisations, and say who is in them.

    \b
    Example:
      hubkeep org create acme --type company --data ./hub
      hubkeep org add acme alice --role admin --data ./hub
    """


@org.command()
@click.argument("name")
@click.option("--fullname", default="", help="The name that people read.")
@click.option("--type", "org_type", type=click.Choice(get_args(OrgType)), help="What it is.")
@click.option("--default-private", is_flag=True, help="Its new repositories are private.")
@hub_options
@json_option
def create(
    name: str,
    fullname: str,
    org_type: OrgType | None,
    default_private: bool,
    as_json: bool,
    **hub: object,
) -> None:
    """Make an organisation. It has no members yet.

    \b
    Example:
      hubkeep org create acme --fullname "Acme Ltd" --type company --data ./hub
    """
    with open_database(**hub) as db:
        from hubkeep.identity import commands
        from hubkeep.kit.time import now

        made = db.write_now(
            lambda conn: commands.create_org(
                conn,
                name,
                now(),
                fullname=fullname,
                org_type=org_type,
                default_private=default_private,
            )
        )
    if as_json:
        print_json({"name": made.name, "id": made.public_id, "type": made.org_type})
    else:
        click.echo(
            f"Made the organisation {made.name}; next: hubkeep org add {name} USER --role admin"
        )


@org.command("list")
@hub_options
@json_option
def list_orgs(as_json: bool, **hub: object) -> None:
    """List all organisations.

    \b
    Example:
      hubkeep org list --data ./hub
    """
    with open_database(**hub) as db:
        from hubkeep.identity.queries_admin import list_accounts

        found = db.read_now(lambda conn: list_accounts(conn, "org"))
    if as_json:
        print_json(found)
        return
    print_table(
        ("NAME", "FULL NAME", "TYPE", "REPOSITORIES"),
        [(each.name, each.fullname, each.org_type or "", str(each.repos)) for each in found],
    )


@org.command()
@click.argument("name")
@hub_options
@json_option
def delete(name: str, as_json: bool, **hub: object) -> None:
    """Delete an organisation; refused while it owns repositories.

    \b
    Example:
      hubkeep org delete acme --data ./hub
    """
    with open_database(**hub) as db:
        from hubkeep.identity import commands
        from hubkeep.kit.time import now

        db.write_now(lambda conn: commands.delete_account(conn, "org", name, now()))
    if as_json:
        print_json({"deleted": name})
    else:
        click.echo(f"Deleted the organisation {name}")


@org.command()
@click.argument("name", metavar="ORG")
@click.argument("user")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@hub_options
@json_option
def add(name: str, user: str, role: str, as_json: bool, **hub: object) -> None:
    """Make a user a member of an organisation, or change a member's role.

    \b
    Example:
      hubkeep org add acme alice --role write --data ./hub
    """
    with open_database(**hub) as db:
        from hubkeep.identity import commands
        from hubkeep.kit.time import now

        db.write_now(lambda conn: commands.add_member(conn, name, user, Role(role), now()))
    if as_json:
        print_json({"org": name, "user": user, "role": role})
    else:
        click.echo(f"{user} has the role {role} in {name}")


@org.command()
@click.argument("name", metavar="ORG")
@click.argument("user")
@hub_options
@json_option
def remove(name: str, user: str, as_json: bool, **hub: object) -> None:
    """End a user's membership in an organisation.

    \b
    Example:
      hubkeep org remove acme alice --data ./hub
    """
    with open_database(**hub) as db:
        from hubkeep.identity import commands

        db.write_now(lambda conn: commands.remove_member(conn, name, user))
    if as_json:
        print_json({"org": name, "removed": user})
    else:
        click.echo(f"{user} is no longer a member of {name}")


@org.command()
@click.argument("name", metavar="ORG")
@hub_options
@json_option
def members(name: str, as_json: bool, **hub: object) -> None:
    """List the members of an organisation.

    \b
    Example:
      hubkeep org members acme --data ./hub
    """
    with open_database(**hub) as db:
        from hubkeep.identity.commands import find
        from hubkeep.identity.queries_admin import list_members

        found = db.read_now(lambda conn: list_members(conn, find(conn, "org", name).id))
    if as_json:
        print_json(found)
        return
    print_table(("NAME", "ROLE"), [(each.name, each.role) for each in found])
