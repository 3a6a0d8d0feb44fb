# SPDX-License-Identifier: Apache-2.0
"""The command line. What a command needs is imported when it runs, so that help is quick."""

from importlib import import_module

import click

# Command -> (module of this folder, one line of help). The line stands here so that the help of
# `hubkeep` imports none of them; a test compares it with the command's own.
_COMMANDS = {
    "serve": ("serve", "Run the hub until it is told to stop."),
    "demo": ("demo", "Run a hub that is filled with a few small repositories, to try things out."),
    "user": ("user", "Make, list and delete users."),
    "org": ("org", "Make, list and delete organisations, and say who is in them."),
    "token": ("token", "Make, list and revoke access tokens."),
    "stats": ("stats", "Say what the hub stores against what its repositories hold."),
    "gc": (
        "gc",
        "Delete large files and chunks that nobody has needed for long enough.",
    ),
    "verify": (
        "verify",
        "Read and hash all that is stored; say what is damaged, and whose.",
    ),
    "snapshot": ("snapshot", "Make, list, check and compare snapshots of hubs."),
    "report": (
        "report",
        "Write figures over a snapshot, as a page that opens offline and as files.",
    ),
    "xet": ("xet", "Look after the chunk store that Xet clients speak to."),
    "migrate": ("migrate", "Bring the database to this version's schema."),
    "worker": ("worker", "Run background jobs until told to stop."),
}


class _Lazy(click.Group):
    """A group whose commands live in modules that are imported by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        return getattr(import_module(f"hubkeep.cli.{_COMMANDS[cmd_name][0]}"), cmd_name)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(cls=_Lazy)
@click.version_option(package_name="hubkeep", prog_name="hubkeep")
def main() -> None:
    """Hubkeep: a model hub that you run yourself.

    \b
    Example:
      hubkeep serve --data ./hub
      hubkeep user create alice --data ./hub
      hubkeep token create alice --role write --data ./hub
    """
