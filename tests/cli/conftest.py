# SPDX-License-Identifier: Apache-2.0
"""Commands, run in this process on a hub of their own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hubkeep.cli import main


@dataclass
class Commands:
    """Runs `hubkeep ...` against one database."""

    database_url: str
    data: str

    def run(self, *words: str, stdin: str | None = None) -> Result:
        """Run a command, whatever comes of it."""
        where = ["--data", self.data, "--database-url", self.database_url]
        return CliRunner().invoke(main, [*words, *where], input=stdin, prog_name="hubkeep")

    def ok(self, *words: str, stdin: str | None = None) -> Any:
        """Run a command that must succeed and return its JSON."""
        result = self.run(*words, "--json", stdin=stdin)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def refused(self, *words: str, stdin: str | None = None) -> str:
        """Run a command that must fail with one line, which is returned."""
        result = self.run(*words, stdin=stdin)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        return one_line(result.stderr.splitlines())


def one_line(lines: Sequence[str]) -> str:
    """The only line, which names the program."""
    [line] = lines
    assert line.startswith("hubkeep: ")
    return line.removeprefix("hubkeep: ")


@pytest.fixture
def cli(database_url: str, tmp_path) -> Commands:
    """Commands on a prepared database."""
    return Commands(database_url, str(tmp_path / "hub"))
