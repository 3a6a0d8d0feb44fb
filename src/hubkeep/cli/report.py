# SPDX-License-Identifier: Apache-2.0
"""`hubkeep report`: figures over a snapshot, as files."""

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from hubkeep.cli.common import Failure, json_option, print_json, print_table, reported, settings
from hubkeep.cli.snapshot import all_option, data_option

if TYPE_CHECKING:
    from hubkeep.observatory.filters import Flagged
    from hubkeep.observatory.manifest import Universe
    from hubkeep.observatory.report.making import Format, ReportMade
    from hubkeep.observatory.session import Places
    from hubkeep.observatory.store import SnapshotStore

_FORMATS = ("html", "csv", "parquet", "json", "svg", "png", "md")


class Asked(TypedDict):
    """What the report is to have in it."""

    formats: tuple[str, ...]
    figures: tuple[str, ...]
    given: tuple[str, ...]
    org_type: str
    since: str
    until: str
    flagged: "Flagged"


@click.command()
@click.argument("name", metavar="SNAPSHOT")
@click.option(
    "--with",
    "others",
    metavar="SNAPSHOT",
    multiple=True,
    help="Another snapshot; of the same hub: to look back to; of another: to compare with.",
)
@click.option(
    "-o", "--output", metavar="DIR", required=True, help="The folder to write to; made if needed."
)
@click.option(
    "--format",
    "formats",
    metavar="FORMAT,...",
    multiple=True,
    help=f"Any of {', '.join(_FORMATS)}; default: html.",
)
@click.option("--figure", "figures", metavar="ID,...", multiple=True, help="Default: all of them.")
@click.option(
    "--set",
    "given",
    metavar="NAME=VALUE",
    multiple=True,
    help="What a figure may be asked: k=100 for all that have it, S7.months=3 for one.",
)
@click.option("--org-type", default="", metavar="TYPE", help="Of such organisations alone.")
@click.option("--since", default="", metavar="DAY", help="Models made on that day or later.")
@click.option("--until", default="", metavar="DAY", help="Models made on that day or before.")
@click.option(
    "--flagged",
    type=click.Choice(("mark", "keep", "drop")),
    default="mark",
    help="Counters that stand out: mark them and leave them out of shares (default), keep them, or"
    " drop them.",
)
@click.option(
    "--engine",
    default="duckdb",
    metavar="URL",
    help="What runs the SQL: duckdb (default), spark://HOST:PORT or local[N] for Spark.",
)
@all_option
@data_option
@json_option
def report(
    name: str,
    others: tuple[str, ...],
    output: str,
    engine: str,
    universe: str,
    data: str | None,
    as_json: bool,
    **asked: Unpack[Asked],
) -> None:
    """Write figures over a snapshot, as a page that opens offline and as files.

    SNAPSHOT is what its id or hash begins with, 'latest', or a snapshot's folder. Each figure is a
    file for each format, such as F1.csv; the page is index.html. A figure that the snapshots have
    no answer for is written too, and says what is missing. Nothing else in the folder is touched.

    \b
    Examples:
      hubkeep report latest -o ./report --data ./hub
      hubkeep report 20240711 --with 20221001 --with 20220702 -o ./report --data ./hub
      hubkeep report latest -o ./report --format csv,json --figure F1,S2 --set k=100 --data ./hub
      hubkeep report ./snapshots/public/20240711T000000Z-3f0c92ab -o ./report --json
    """
    with _ready():
        from hubkeep.observatory.dimensions import Dimensions
        from hubkeep.observatory.filters import Filters
        from hubkeep.observatory.report.engines import backend_of
        from hubkeep.observatory.report.making import Wanted, figures_of, make, parameters_of
        from hubkeep.observatory.session import Session
        from hubkeep.observatory.store import SnapshotStore

        chosen = figures_of(_listed(asked["figures"]))
        parameters = parameters_of(asked["given"], chosen)
        wanted = Wanted(chosen, _formats(asked["formats"]), parameters)
        filters = Filters(asked["org_type"], asked["since"], asked["until"], asked["flagged"])
        folder = settings(data=data).data
        store = SnapshotStore(folder / "snapshots")
        places = _places(store, name, others, "all" if universe == "all" else "public")
        dimensions = Dimensions.with_own(folder / "tables")
        backend = backend_of(engine)
        with Session(places, filters, dimensions=dimensions, backend=backend) as session:
            made = make(session, wanted, Path(output), _step)
    if as_json:
        print_json(made)
    else:
        _show(made)


def _places(
    store: "SnapshotStore", name: str, others: Sequence[str], universe: "Universe"
) -> "Places":
    """Find the snapshots, and say which ones are not read since they are of a later day."""
    from hubkeep.observatory.series import series_of
    from hubkeep.observatory.session import Places
    from hubkeep.observatory.store import read_manifest

    folders = {}
    manifests = []
    for one in (name, *others):
        folder = Path(one) if (Path(one) / "manifest.json").is_file() else store.find(one, universe)
        manifest = read_manifest(folder)
        manifests.append(manifest)
        folders[manifest.id] = folder
    series = series_of(manifests[0], manifests[1:])
    for late in series.later:
        click.echo(f"hubkeep: {late.id} is left out: it is later than {manifests[0].id}", err=True)
    return Places.in_series(series, folders)


@contextmanager
def _ready() -> Generator[None]:
    """Say in one line what is not installed, not found, or not understood."""
    try:
        import duckdb  # noqa: F401
        import pyarrow  # noqa: F401
    except ModuleNotFoundError as error:
        raise Failure(
            f"reports need the package {error.name}: pip install 'hubkeep[observatory]'"
        ) from error
    from hubkeep.observatory.session import NoSuchFigure
    from hubkeep.observatory.store import NoSuchSnapshot

    with reported():
        try:
            yield
        except (NoSuchSnapshot, NoSuchFigure) as error:
            raise Failure(str(error)) from error


def _listed(given: Sequence[str]) -> list[str]:
    return [one for text in given for one in text.split(",") if one.strip()]


def _formats(given: Sequence[str]) -> "Sequence[Format]":
    from hubkeep.observatory.report.making import FORMATS

    chosen = [one.strip().lower() for one in _listed(given)] or ["html"]
    unknown = [one for one in chosen if one not in FORMATS]
    if unknown:
        raise Failure(f"there is no format {unknown[0]!r}; there are: {', '.join(FORMATS)}")
    return [one for one in FORMATS if one in chosen]


def _step(what: str, seconds: float) -> None:
    """Say what is done where somebody looks on."""
    if sys.stderr.isatty():
        click.echo(f"{what}  {seconds:.2f} s", err=True)


def _show(made: "ReportMade") -> None:
    print_table(
        ("FIGURE", "N", "ROWS", "MISSING"),
        [
            (
                f"{one.id} {one.title}",
                f"{one.n:,}",
                f"{one.rows:,}",
                ", ".join(one.missing_columns) or "-",
            )
            for one in made.figures
        ],
    )
    click.echo(f"\n{len(made.files)} files in {made.folder}, of the snapshot {made.snapshot}")
