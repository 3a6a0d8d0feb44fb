# SPDX-License-Identifier: Apache-2.0
"""`docs/cli.md`: every command with its options, as the program itself describes them."""

import inspect
from collections.abc import Iterator

import click

from hubkeep.cli import main

_HEAD = """\
<!-- Written by `make docs` from the commands themselves; not by hand. -->
# Commands

Every command that works on a hub takes `--data` or reads `HUBKEEP_DATA`; a name in brackets, as
`[HUBKEEP_PORT]`, is the variable that an option can be set by. [Settings](configuration.md) has
them all.

Commands on accounts and tokens work on the database itself, also while the hub runs. What goes
wrong is one line on standard error and exit code 1; a command line that is not understood is exit
code 2.

Most commands have these options, named alone below:

| option | |
| --- | --- |
| `--data DIR` | The hub's folder; it is made if needed. |
| `--database-url URL` | SQLAlchemy URL of the database; default: SQLite in the data folder. |
| `--json` | Print one line of JSON instead of text. |
"""

_COMMON = ("--data", "--database-url", "--json")


def commands(
    command: click.Command | None = None, path: tuple[str, ...] = ("hubkeep",)
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Walk the tree of commands from the top: the words that lead to each, and the command."""
    command = command or main
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None and not found.hidden:
                yield from commands(found, (*path, name))


def cli_page() -> str:
    """Return the page as Markdown."""
    lines = [_HEAD]
    for path, command in commands():
        lines += _section(path, command)
    return "\n".join(lines).rstrip("\n") + "\n"


def _section(path: tuple[str, ...], command: click.Command) -> Iterator[str]:
    name = " ".join(path)
    yield f"{'#' * (len(path) + 1)} {name}"
    yield ""
    if not isinstance(command, click.Group):
        pieces = " ".join(command.collect_usage_pieces(click.Context(command)))
        yield from ("```text", f"{name} {pieces}", "```", "")
    yield from _description(inspect.cleandoc(command.help or ""))
    shown = [option for option in command.params if _is_shown(option)]
    if rows := [_row(option) for option in shown if not _is_common(option, path)]:
        yield from ("| option | |", "| --- | --- |", *rows, "")
    if common := [f"`{option.opts[0]}`" for option in shown if _is_common(option, path)]:
        yield from (f"And {', '.join(common)}.", "")


def _description(text: str) -> Iterator[str]:
    """Paragraphs as they are; what click must not wrap is marked by a backspace, and is code."""
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("\b\n"):
            title, *code = paragraph.removeprefix("\b\n").split("\n")
            examples = inspect.cleandoc("\n" + "\n".join(code))
            yield from (title, "", "```sh", examples, "```", "")
        else:
            yield from (paragraph, "")


def _is_shown(param: click.Parameter) -> bool:
    return isinstance(param, click.Option) and not param.hidden and param.name != "help"


def _is_common(param: click.Parameter, path: tuple[str, ...]) -> bool:
    """Whether the head of the page describes it; the demo's folder is another than a hub's."""
    return param.opts[0] in _COMMON and path != ("hubkeep", "demo")


def _row(param: click.Parameter) -> str:
    assert isinstance(param, click.Option)
    names = ", ".join(f"`{name}`" for name in (*param.opts, *param.secondary_opts))
    value = "" if param.is_flag else f" `{_metavar(param)}`"
    text = [(param.help or "").replace("|", "\\|"), "Required." if param.required else ""]
    return f"| {names}{value} | {' '.join(filter(None, text))} |"


def _metavar(option: click.Option) -> str:
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return "|".join(str(choice) for choice in option.type.choices).replace("|", "\\|")
    return option.type.name.upper()
