# SPDX-License-Identifier: Apache-2.0
"""Every command explains itself, and help is quick."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from hubkeep.cli import _COMMANDS, main


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, (*path, name))


ALL = list(commands(main))


def test_the_tree_is_walked():
    assert ("org", "add") in ALL
    assert len(ALL) > 15


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_has_an_example(path: tuple[str, ...]):
    result = CliRunner().invoke(main, [*path, "--help"], prog_name="hubkeep")
    assert result.exit_code == 0
    assert "Example" in result.output
    assert f"hubkeep {' '.join(path)}".strip() in result.output.partition("Example")[2]


@pytest.mark.parametrize("path", [path for path in ALL if path], ids=" ".join)
def test_commands_that_end_can_print_json_and_find_the_hub(path: tuple[str, ...]):
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        below = command.get_command(click.Context(command), name)
        assert below is not None
        command = below
    if isinstance(command, click.Group) or path == ("demo",):
        return
    options = {option for parameter in command.params for option in parameter.opts}
    # Snapshots are files: no database has anything to do with them.
    where = {"--data"} if path[0] in ("snapshot", "report") else {"--data", "--database-url"}
    assert where <= options
    assert path == ("worker",) or "--json" in options


@pytest.mark.parametrize("name", _COMMANDS)
def test_the_line_in_the_list_is_the_commands_own(name: str):
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.help is not None
    assert command.help.splitlines()[0] == _COMMANDS[name][1]


def test_help_imports_no_command():
    script = (
        "import sys; from hubkeep.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "heavy = [n for n in sys.modules if n.startswith(('sqlalchemy', 'starlette', 'granian',"
        " 'hubkeep.cli.'))]\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
