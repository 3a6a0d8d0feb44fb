# SPDX-License-Identifier: Apache-2.0
"""`hubkeep user ...`."""

import sys

import click

from hubkeep.cli.common import (
    hub_options,
    json_option,
    open_database,
    print_json,
    print_table,
)


@click.group()
def user() -> None:
    """Make, list and delete users.

    \b
    Example:
      hubkeep user create alice --data ./hub
    """


@user.command()
@click.argument("name")
@click.option("--fullname", default="", help="The name that people read.")
@click.option("--email", help="Shown to the user alone.")
@click.option("--admin", is_flag=True, help="May see and change everything in the hub.")
@click.option("--password-stdin", is_flag=True, help="Read a password from standard input.")
@hub_options
@json_option
def create(
    name: str,
    fullname: str,
    email: str | None,
    admin: bool,
    password_stdin: bool,
    as_json: bool,
    **hub: object,
) -> None:
    """Make a user. Tokens work without a password.

    \b
    Examples:
      hubkeep user create alice --fullname "Alice Doe" --data ./hub
      hubkeep user create root --admin --password-stdin --data ./hub < password.txt
    """
    with open_database(**hub) as db:
        from hubkeep.identity import commands
        from hubkeep.identity.passwords import hash_password
        from hubkeep.kit.time import now

        password_hash = hash_password(_read_password()) if password_stdin else None
        made = db.write_now(
            lambda conn: commands.create_user(
                conn,
                name,
                now(),
                fullname=fullname,
                email=email,
                is_admin=admin,
                password_hash=password_hash,
            )
        )
    if as_json:
        print_json({"name": made.name, "id": made.public_id, "isAdmin": made.is_admin})
    else:
        click.echo(
            f"Made the user {made.name}; next: hubkeep token create {made.name} --role write"
        )


@user.command("list")
@hub_options
@json_option
def list_users(as_json: bool, **hub: object) -> None:
    """List all users.

    \b
    Example:
      hubkeep user list --data ./hub
    """
    with open_database(**hub) as db:
        from hubkeep.identity.queries_admin import list_accounts

        found = db.read_now(lambda conn: list_accounts(conn, "user"))
    if as_json:
        print_json(found)
        return
    print_table(
        ("NAME", "FULL NAME", "EMAIL", "ADMIN", "REPOSITORIES"),
        [
            (each.name, each.fullname, each.email or "", "yes" * each.is_admin, str(each.repos))
            for each in found
        ],
    )


@user.command()
@click.argument("name")
@hub_options
@json_option
def delete(name: str, as_json: bool, **hub: object) -> None:
    """Delete a user with all tokens; refused while it owns repositories.

    \b
    Example:
      hubkeep user delete alice --data ./hub
    """
    with open_database(**hub) as db:
        from hubkeep.identity import commands

        db.write_now(lambda conn: commands.delete_account(conn, "user", name))
    if as_json:
        print_json({"deleted": name})
    else:
        click.echo(f"Deleted the user {name}")


def _read_password() -> str:
    return sys.stdin.readline().rstrip("\r\n")
