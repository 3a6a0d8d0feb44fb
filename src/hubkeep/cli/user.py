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
    settings,
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
        from hubkeep.kit.time import now

        db.write_now(lambda conn: commands.delete_account(conn, "user", name, now()))
    if as_json:
        print_json({"deleted": name})
    else:
        click.echo(f"Deleted the user {name}")


@user.command()
@click.argument("name")
@click.option(
    "--password-stdin",
    is_flag=True,
    required=True,
    expose_value=False,
    help="Read the password from standard input.",
)
@hub_options
@json_option
def password(name: str, as_json: bool, **hub: object) -> None:
    """Give a user another password; sessions in browsers end, tokens stay.

    \b
    Example:
      hubkeep user password alice --password-stdin --data ./hub < password.txt
    """
    with open_database(**hub) as db:
        from hubkeep.identity import commands
        from hubkeep.identity.passwords import hash_password

        stored = hash_password(_read_password())
        db.write_now(lambda conn: commands.set_password(conn, name, stored))
    if as_json:
        print_json({"name": name, "passwordSet": True})
    else:
        click.echo(f"{name} has another password")


@user.command()
@click.option("--note", default="", help="Whom it is for, shown to administrators.")
@click.option(
    "--expires-days", type=click.FloatRange(min=0, min_open=True), default=7.0, metavar="DAYS",
    help="For how long it works; default: 7.",
)  # fmt: skip
@hub_options
@json_option
def invite(note: str, expires_days: float, as_json: bool, **hub: object) -> None:
    """Print a link by which one person may sign up, this once: the hub keeps only its hash.

    It works where HUBKEEP_SIGN_UP is `invitation`, and begins with HUBKEEP_PUBLIC_URL.

    \b
    Examples:
      hubkeep user invite --note "for Ada" --data ./hub
      hubkeep user invite --expires-days 1 --json --data ./hub
    """
    config = settings(**hub)
    with open_database(**hub) as db:
        from hubkeep.identity import commands
        from hubkeep.kit.time import DAY, now

        base = config.base_url or f"http://{config.host}:{config.port}"
        made_at = now()
        ends_at = made_at + round(expires_days * DAY)
        made = db.write_now(
            lambda conn: commands.invite(conn, base, made_at, expires_at=ends_at, note=note)
        )
    if config.sign_up != "invitation":
        click.echo(
            f"The setting HUBKEEP_SIGN_UP is {config.sign_up!r} here: where the server has it so, "
            "invitations are not asked for" + " or taken" * (config.sign_up == "closed"),
            err=True,
        )
    if as_json:
        print_json(made)
    else:
        click.echo(made.link)


@user.command()
@click.argument("name")
@hub_options
@json_option
def disable(name: str, as_json: bool, **hub: object) -> None:
    """Shut a user out: tokens, password and sessions fail from the next request on.

    \b
    Example:
      hubkeep user disable alice --data ./hub
    """
    _set_disabled(name, True, as_json, hub)


@user.command()
@click.argument("name")
@hub_options
@json_option
def enable(name: str, as_json: bool, **hub: object) -> None:
    """Let a disabled user in again; its tokens work as before.

    \b
    Example:
      hubkeep user enable alice --data ./hub
    """
    _set_disabled(name, False, as_json, hub)


@user.command()
@click.argument("name")
@click.option("--on/--off", "is_admin", default=True, help="Whether it does; default: on.")
@hub_options
@json_option
def admin(name: str, is_admin: bool, as_json: bool, **hub: object) -> None:
    """Have a user administer the hub, or no longer; the last administrator stays.

    \b
    Examples:
      hubkeep user admin alice --data ./hub
      hubkeep user admin alice --off --data ./hub
    """
    with open_database(**hub) as db:
        from hubkeep.identity import commands

        db.write_now(lambda conn: commands.set_admin(conn, name, is_admin))
    if as_json:
        print_json({"name": name, "isAdmin": is_admin})
    else:
        click.echo(f"{name} {'administers' if is_admin else 'no longer administers'} this hub")


def _set_disabled(name: str, disabled: bool, as_json: bool, hub: dict[str, object]) -> None:
    with open_database(**hub) as db:
        from hubkeep.identity import commands
        from hubkeep.kit.time import now

        db.write_now(lambda conn: commands.set_disabled(conn, name, disabled, now()))
    if as_json:
        print_json({"name": name, "disabled": disabled})
    else:
        click.echo(f"{name} is {'disabled' if disabled else 'enabled'}")


def _read_password() -> str:
    return sys.stdin.readline().rstrip("\r\n")
