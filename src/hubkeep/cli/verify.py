# SPDX-License-Identifier: Apache-2.0
"""`hubkeep verify`."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from hubkeep.cli.common import (
    Failure,
    hub_options,
    json_option,
    log_to_stderr,
    print_json,
    reported,
    settings,
    size_text,
)
from hubkeep.config import Config

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hubkeep.app import App
    from hubkeep.transfer.cas.queries_scrubbing import Due, FileRow, Place, XorbRow


@dataclass
class _Report:
    """What was read, and all that is damaged by then."""

    count: int = 0
    size: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    mended: dict[str, str] = field(default_factory=dict)
    damaged: list[tuple["XorbRow | FileRow", list["Place"]]] = field(default_factory=list)


@click.command()
@click.option(
    "--repo",
    "repo_names",
    metavar="NS/NAME",
    multiple=True,
    help="Only what this repository refers to (datasets/NS/NAME for a dataset, and so on);"
    " may be given several times.",
)
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Leave out what came or was read in the last so many days: goes on after a break.",
)
@hub_options
@json_option
def verify(
    repo_names: tuple[str, ...], older_than: float | None, as_json: bool, **options: object
) -> None:
    """Read and hash all that is stored; say what is damaged, and whose.

    Every chunk of every xorb, every whole file, and how files are put together from chunks. Ends
    with exit code 1 if anything is damaged. What is damaged is marked, and found to be good again
    by the next run when the bytes are back: from a backup, or because a client has sent them again.

    The hub does the same in the background, once in HUBKEEP_SCRUB_DAYS. This may run beside it, and
    may be broken off.

    \b
    Examples:
      hubkeep verify --data ./hub
      hubkeep verify --older-than 7 --data ./hub
      hubkeep verify --repo alice/my-model --repo datasets/alice/reviews --json --data ./hub
    """
    config = settings(**options)
    log_to_stderr(config)
    with reported():
        report = asyncio.run(_run(config, repo_names, older_than or 0))
    if as_json:
        print_json(_as_json(report))
    else:
        _print(report)
    if report.damaged or report.mended:
        sys.exit(1)


async def _run(config: Config, repo_names: Sequence[str], days: float) -> _Report:
    from hubkeep.app import open_app
    from hubkeep.kit.time import DAY
    from hubkeep.transfer.cas.queries_scrubbing import Due, how_much_is_due

    async with open_app(config) as app:
        ids = await app.db.read(lambda conn: _ids_of(conn, repo_names))
        due = Due(app.clock() - round(days * DAY), ids)
        how_much = await app.db.read(lambda conn: how_much_is_due(conn, due))
        report = _Report()
        is_seen = sys.stderr.isatty()
        with click.progressbar(
            length=how_much.size, label="Reading", file=sys.stderr, hidden=not is_seen
        ) as bar:
            await _read(app, due, report, bar.update)
        report.damaged = await app.db.read(lambda conn: _damaged(conn, due))
        return report


async def _read(app: "App", due: "Due", report: _Report, progress: Callable[[int], None]) -> None:
    from hubkeep.transfer.cas.scrubbing import scrub_files, scrub_xorbs

    for checking in (scrub_xorbs(app, due), scrub_files(app, due)):
        async with aclosing(checking) as found:
            async for one in found:
                report.count += 1
                report.size += one.size
                if one.is_mended and one.problem:
                    report.mended[one.name] = one.problem
                elif one.problem:
                    report.problems[one.name] = one.problem
                progress(one.size)


def _ids_of(conn: "Connection", names: Sequence[str]) -> tuple[int, ...] | None:
    from hubkeep.repos.queries import find_repo
    from hubkeep.repos.types import RepoType

    by_prefix = {kind.plural: kind for kind in RepoType}
    ids = []
    for name in names:
        prefix, _, rest = name.partition("/")
        is_typed = prefix in by_prefix and "/" in rest
        kind, path = (by_prefix[prefix], rest) if is_typed else (RepoType.MODEL, name)
        found = find_repo(conn, kind, path)
        if found is None:
            raise Failure(f"there is no {kind.value} {path!r}")
        ids.append(found[0].id)
    return tuple(ids) or None


def _damaged(conn: "Connection", due: "Due") -> list[tuple["XorbRow | FileRow", list["Place"]]]:
    from hubkeep.transfer.cas.queries_scrubbing import (
        damaged_files,
        damaged_xorbs,
        places_of_file,
        places_of_xorb,
    )

    found: list[tuple[XorbRow | FileRow, list[Place]]] = []
    found += ((xorb, list(places_of_xorb(conn, xorb.id))) for xorb in damaged_xorbs(conn, due))
    found += ((file, list(places_of_file(conn, file.id))) for file in damaged_files(conn, due))
    return found


def _as_json(report: _Report) -> dict[str, object]:
    from hubkeep.kit.time import wire
    from hubkeep.transfer.cas.scrubbing import name_of

    return {
        "read": {"count": report.count, "bytes": report.size},
        "damaged": [
            {
                "what": name_of(row),
                "problem": report.problems.get(name_of(row)),
                "since": wire(row.damaged_at or 0),
                "files": [
                    {
                        "type": place.repo_type,
                        "repo": place.repo,
                        "path": place.path,
                        "oid": place.oid.hex() if place.oid else None,
                    }
                    for place in places
                ],
            }
            for row, places in report.damaged
        ],
        "mended": [{"what": name, "problem": text} for name, text in report.mended.items()],
    }


def _print(report: _Report) -> None:
    from hubkeep.kit.time import wire
    from hubkeep.transfer.cas.scrubbing import name_of

    click.echo(f"Read {report.count} xorbs and files, {size_text(report.size)}")
    for name, text in report.mended.items():
        click.echo(f"Mended the {name}: {text}")
    for row, places in report.damaged:
        name = name_of(row)
        found = f"found on {wire(row.damaged_at or 0)[:10]}"
        click.echo(f"Damaged is the {name}: {report.problems.get(name, found)}")
        for place in places:
            path = place.path or "(in no commit yet)"
            oid = f"  {place.oid.hex()}" if place.oid else ""
            click.echo(f"  {place.repo_type} {place.repo}  {path}{oid}")
        if not places:
            click.echo("  no repository needs it")
    if not report.damaged:
        click.echo("Nothing is damaged")
