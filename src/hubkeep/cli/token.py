# SPDX-License-Identifier: Apache-2.0
"""`hubkeep token ...`."""

import click

from hubkeep.cli.common import (
    hub_options,
    json_option,
    open_database,
    print_json,
    print_table,
)


@click.group()
def token() -> None:
    """Make, list and revoke access tokens.

    \b
    Example:
      hubkeep token create alice --role write --data ./hub
    """


@token.command()
@click.argument("user")
@click.option("--role", type=click.Choice(["read", "write"]), required=True)
@click.option("--name", help="To tell it from the user's others; default: one is made up.")
@click.option("--value", metavar="hf_...", help="Take this value; default: a random one.")
@click.option("--expires-days", type=click.FloatRange(min=0, min_open=True), metavar="DAYS")
@hub_options
@json_option
def create(
    user: str,
    role: str,
    name: str | None,
    value: str | None,
    expires_days: float | None,
    as_json: bool,
    **hub: object,
) -> None:
    """Make a token and print it, this once: the hub keeps only its hash.

    \b
    Examples:
      hubkeep token create alice --role write --data ./hub
      export HF_TOKEN=$(hubkeep token create ci --role read --expires-days 30 --data ./hub)
    """
    with open_database(**hub) as db:
        from hubkeep.identity import commands
        from hubkeep.identity.actor import TokenRole
        from hubkeep.kit.time import DAY, now

        made_at = now()
        expires_at = None if expires_days is None else made_at + round(expires_days * DAY)
        made = db.write_now(
            lambda conn: commands.create_token(
                conn,
                user,
                TokenRole(role),
                made_at,
                name=name,
                value=value,
                expires_at=expires_at,
            )
        )
    if as_json:
        print_json(made)
        return
    click.echo(f"Made the token {made.name!r} of {made.user}; it is shown this once:", err=True)
    click.echo(made.token)


@token.command("list")
@click.argument("user", required=False)
@hub_options
@json_option
def list_tokens(user: str | None, as_json: bool, **hub: object) -> None:
    """List the tokens of a user, or all; never their values.

    \b
    Examples:
      hubkeep token list --data ./hub
      hubkeep token list alice --json --data ./hub
    """
    with open_database(**hub) as db:
        from hubkeep.identity.commands import find
        from hubkeep.identity.queries_admin import list_tokens
        from hubkeep.kit.time import wire

        found = db.read_now(
            lambda conn: list_tokens(conn, find(conn, "user", user).id if user else None)
        )
    if as_json:
        print_json(found)
        return
    print_table(
        ("USER", "NAME", "ROLE", "ENDS IN", "CREATED", "EXPIRES", "ID"),
        [
            (
                each.user,
                each.name,
                each.role,
                f"...{each.hint}",
                wire(each.created_at),
                wire(each.expires_at) if each.expires_at else "never",
                each.id,
            )
            for each in found
        ],
    )


@token.command()
@click.argument("user")
@click.argument("name")
@hub_options
@json_option
def revoke(user: str, name: str, as_json: bool, **hub: object) -> None:
    """Delete a user's token, by its name or id; it fails from the next request on.

    \b
    Example:
      hubkeep token revoke alice laptop --data ./hub
    """
    with open_database(**hub) as db:
        from hubkeep.identity import commands

        db.write_now(lambda conn: commands.revoke_token(conn, user, name))
    if as_json:
        print_json({"user": user, "revoked": name})
    else:
        click.echo(f"Revoked the token {name!r} of {user}")
