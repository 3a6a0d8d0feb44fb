# SPDX-License-Identifier: Apache-2.0
"""What all commands about snapshots share: where they are kept, and how they are opened."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from hubkeep.cli.common import Failure, reported, settings, visible

if TYPE_CHECKING:
    from hubkeep.observatory.store import SnapshotStore

data_option = click.option(
    "--data", metavar="DIR", help="The hub's folder [HUBKEEP_DATA]; snapshots are kept in it."
)
all_option = click.option(
    "--all",
    "universe",
    flag_value="all",
    default="public",
    help="Of the snapshots for administrators, which hold private repositories too.",
)


@contextmanager
def open_store(data: str | None) -> Generator["SnapshotStore"]:
    """Open the hub's snapshots; what is wrong with them or with a file is one line."""
    folder = settings(data=data).data / "snapshots"
    try:
        import duckdb  # noqa: F401
        import pyarrow  # noqa: F401
    except ModuleNotFoundError as error:
        raise Failure(
            f"snapshots need the package {error.name}: pip install 'hubkeep[observatory]'"
        ) from error
    from hubkeep.observatory.store import NoSuchSnapshot, SnapshotStore

    with reported():
        try:
            yield SnapshotStore(folder)
        except NoSuchSnapshot as error:
            raise Failure(str(error)) from error


def step(text: str) -> None:
    """Say what is done where somebody looks on."""
    if sys.stderr.isatty():
        click.echo(f"{visible(text)} ...", err=True)
