# SPDX-License-Identifier: Apache-2.0
"""`hubkeep snapshot`: make, list, check and compare snapshots of hubs."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubkeep.cli.common import json_option, print_json, print_table
from hubkeep.cli.snapshot_crawl import crawl
from hubkeep.cli.snapshot_report import show_difference, show_snapshot, summary
from hubkeep.cli.snapshot_store import all_option, data_option, open_store, step
from hubkeep.cli.snapshot_take import take

if TYPE_CHECKING:
    from hubkeep.observatory.manifest import Manifest, Universe


@click.group()
def snapshot() -> None:
    """Make, list, check and compare snapshots of hubs.

    A snapshot is what a hub held at one moment: models, datasets, Spaces, their downloads and
    likes, and what was made from what. It is a folder of Parquet files that is never changed.

    \b
    Examples:
      hubkeep snapshot import models-2024-07-11.parquet --data ./hub
      hubkeep snapshot list --data ./hub
    """


snapshot.add_command(crawl)
snapshot.add_command(take)


@snapshot.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--taken-at",
    metavar="DATE",
    help="When what the files tell was so; default: the day in their names.",
)
@click.option("--name", help="What the snapshot is called; default: the names of the files.")
@data_option
@json_option
def import_(
    files: tuple[str, ...], taken_at: str | None, name: str | None, as_json: bool, data: str | None
) -> None:
    """Make a snapshot of files that others have kept.

    Parquet, CSV and JSON lines with the fields of the Hugging Face API, hub-stats, and the tables
    of some studies; docs/observatory/snapshots.md has them all. Files of one day may be given
    together: they complete each other, and where two differ the first one counts.

    Rows and values that cannot be are left out and counted. A file that cannot be read makes no
    snapshot.

    \b
    Examples:
      hubkeep snapshot import models-2024-07-11.parquet --data ./hub
      hubkeep snapshot import models.jsonl datasets.jsonl --taken-at 2025-03-01 --data ./hub
      hubkeep snapshot import stats.csv --taken-at 2025-03-01 --name "Spring" --json --data ./hub
    """
    with open_store(data) as store:
        from hubkeep.observatory.imports.files import import_files
        from hubkeep.observatory.imports.taken import taken_at as moment

        paths = [Path(file) for file in files]
        made = import_files(store, paths, moment(paths, taken_at), name, step)
    if as_json:
        print_json({"id": made.id})
    else:
        click.echo(made.id)
        summary(made)


@snapshot.command("list")
@all_option
@data_option
@json_option
def list_(universe: str, as_json: bool, data: str | None) -> None:
    """List the snapshots, oldest first.

    \b
    Examples:
      hubkeep snapshot list --data ./hub
      hubkeep snapshot list --all --json --data ./hub
    """
    with open_store(data) as store:
        found = store.list(_universe(universe))
        known = {one.id for one in found}
        broken = [one.name for one in store.folders(_universe(universe)) if one.name not in known]
    if as_json:
        print_json([_line(one) for one in found])
    elif found:
        print_table(
            ("ID", "TAKEN AT", "FROM", "MODELS", "DATASETS", "SPACES"),
            [
                (
                    one.id,
                    one.taken_at[:16].replace("T", " "),
                    one.source.name,
                    *(_rows(one, table) for table in ("models", "datasets", "spaces")),
                )
                for one in found
            ],
        )
    for name in broken:
        click.echo(f"hubkeep: {name} is no snapshot; 'hubkeep snapshot verify' says why", err=True)


@snapshot.command()
@click.argument("name", metavar="SNAPSHOT")
@all_option
@data_option
@json_option
def show(name: str, universe: str, as_json: bool, data: str | None) -> None:
    """Show what a snapshot holds, what it does not, and what was left out.

    SNAPSHOT is what its id or hash begins with, or 'latest'.

    \b
    Examples:
      hubkeep snapshot show latest --data ./hub
      hubkeep snapshot show 20240711 --json --data ./hub
    """
    with open_store(data) as store:
        from hubkeep.observatory.store import read_manifest

        manifest = read_manifest(store.find(name, _universe(universe)))
    if as_json:
        print_json(manifest)
    else:
        show_snapshot(manifest)


@snapshot.command()
@click.argument("names", metavar="[SNAPSHOT]...", nargs=-1)
@all_option
@data_option
@json_option
def verify(names: tuple[str, ...], universe: str, as_json: bool, data: str | None) -> None:
    """Check that snapshots are as they were made; all of them unless some are named.

    Compares hashes, and looks at the columns, rows and order of each table. Ends with exit code 1
    if anything is wrong.

    \b
    Examples:
      hubkeep snapshot verify --data ./hub
      hubkeep snapshot verify latest --json --data ./hub
    """
    with open_store(data) as store:
        from hubkeep.observatory.checking import problems_of
        from hubkeep.observatory.store import BrokenSnapshot

        chosen = [store.find(name, _universe(universe)) for name in names]
        found = {}
        for folder in chosen or store.folders(_universe(universe)):
            try:
                found[folder.name] = problems_of(folder)
            except BrokenSnapshot as broken:
                found[folder.name] = [str(broken)]
    if as_json:
        print_json([{"id": name, "problems": problems} for name, problems in found.items()])
    else:
        for name, problems in found.items():
            click.echo(f"{name}: {'; '.join(problems) or 'whole'}")
    if any(found.values()):
        sys.exit(1)


@snapshot.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@all_option
@data_option
@json_option
def diff(before: str, after: str, universe: str, as_json: bool, data: str | None) -> None:
    """Say what differs between two snapshots, counted by table and column.

    \b
    Examples:
      hubkeep snapshot diff 20240711 latest --data ./hub
      hubkeep snapshot diff 20221001 20240711 --json --data ./hub
    """
    with open_store(data) as store:
        from hubkeep.observatory.comparing import compare

        found = compare(
            store.find(before, _universe(universe)), store.find(after, _universe(universe))
        )
    if as_json:
        print_json(found)
    else:
        show_difference(found)


def _universe(chosen: str) -> "Universe":
    return "all" if chosen == "all" else "public"


def _rows(manifest: "Manifest", table: str) -> str:
    file = manifest.tables.get(table)
    return str(file.rows) if file else "-"


def _line(manifest: "Manifest") -> dict[str, object]:
    return {
        "id": manifest.id,
        "hash": manifest.hash,
        "taken_at": manifest.taken_at,
        "universe": manifest.universe,
        "source": manifest.source.name,
        "rows": {name: file.rows for name, file in manifest.tables.items()},
    }
