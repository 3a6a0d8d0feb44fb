# SPDX-License-Identifier: Apache-2.0
"""What commands share: where the hub lies, one-line errors, and output as text or JSON."""

import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, ParamSpec, TypeVar

import click
import msgspec

from hubkeep.config import Config, ConfigError, load

if TYPE_CHECKING:
    from hubkeep.db import Database

P = ParamSpec("P")
R = TypeVar("R")


class Failure(click.ClickException):
    """Something that the caller can mend: one line on standard error, exit code 1."""

    def show(self, file: IO[str] | None = None) -> None:
        click.echo(f"hubkeep: {visible(self.format_message())}", file, err=file is None)


def hub_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--data` and `--database-url`, which say where the hub lies."""
    command = click.option(
        "--database-url",
        metavar="URL",
        help="SQLAlchemy URL of the database [HUBKEEP_DATABASE_URL]; default: SQLite in the data"
        " folder.",
    )(command)
    return click.option(
        "--data", metavar="DIR", help="The hub's folder [HUBKEEP_DATA]; it is made if needed."
    )(command)


def json_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def settings(**given: object) -> Config:
    """Return the settings from the environment and the options given; a Failure names a bad one."""
    try:
        return load(None, **given)
    except ConfigError as bad:
        raise Failure(str(bad)) from bad


@contextmanager
def reported() -> Generator[None]:
    """Turn what is wrong with the hub's surroundings into a Failure that says what helps."""
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    from hubkeep.db import DatabaseError

    try:
        yield
    except DatabaseError as error:
        raise Failure(_first_line(error)) from error
    except (ArgumentError, NoSuchModuleError) as error:
        raise Failure(f"the database URL cannot be used: {_first_line(error)}") from error
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("hubkeep"):
            raise
        hint = "pip install 'hubkeep[all]' has it"
        raise Failure(f"the package {error.name} is not installed; {hint}") from error
    except (OSError, ValueError) as error:
        raise Failure(_first_line(error)) from error


@contextmanager
def open_database(**options: object) -> Generator["Database"]:
    """Open the database that the options name, its schema in order, and close it at the end."""
    config = settings(**options)
    with reported():
        from hubkeep.db import Database
        from hubkeep.db.migrate import prepare

        config.data.mkdir(parents=True, exist_ok=True)
        db = Database(config.database)
        try:
            prepare(db)
            yield db
        finally:
            db.close()


def log_to_stderr(config: Config) -> None:
    """Send what the hub logs to standard error; of the libraries' words, warnings alone."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("hubkeep").setLevel(config.log_level.upper())


def warn_of_names(db: "Database") -> None:
    """Log which accounts have names that the hub has since taken for addresses of its own."""
    from hubkeep.identity.queries_find import reserved_names

    for name in db.read_now(reserved_names):
        logging.getLogger("hubkeep").warning(
            "the account %s is called like addresses of the hub, which take precedence: not all"
            " pages below /%s are its own; its repositories are served to clients as before",
            name,
            name,
        )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def print_json(value: object) -> None:
    """Print structs, dataclasses or plain data as one line of JSON."""
    click.echo(msgspec.json.encode(value))


def visible(text: str) -> str:
    """Return a text without what a terminal would obey or turn around: names of files, columns and
    hubs are other people's.
    """
    return "".join(
        sign if sign.isprintable() or sign in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for sign in text
    )


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under headings, in columns as wide as they need."""
    table = [[visible(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def size_text(size: int) -> str:
    """Write a number of bytes for people: `1.2 GB`."""
    number, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB", "PB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    return f"{size} bytes" if unit == "bytes" else f"{number:.1f} {unit}"
