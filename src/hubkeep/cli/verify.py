# SPDX-License-Identifier: Apache-2.0
"""`hubkeep verify`."""

import asyncio
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import aclosing, contextmanager
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
)
from hubkeep.cli.verify_report import FilesReport, GitReport, Report
from hubkeep.config import Config

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hubkeep.app import App
    from hubkeep.transfer.cas.queries_scrubbing import Due, FileRow, Place, XorbRow

Progress = Callable[[int], None]


@click.command()
@click.option(
    "--repo",
    "repo_names",
    metavar="NS/NAME",
    multiple=True,
    help="Only this repository and what it refers to (datasets/NS/NAME for a dataset, and so on);"
    " may be given several times.",
)
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Leave out large files that came or were read in the last so many days: goes on after a"
    " break.",
)
@click.option("--git/--no-git", "with_git", default=True, help="Look through git objects, or not.")
@click.option(
    "--files/--no-files", "with_files", default=True, help="Read the large files, or do not."
)
@hub_options
@json_option
def verify(
    repo_names: tuple[str, ...],
    older_than: float | None,
    with_git: bool,
    with_files: bool,
    as_json: bool,
    **options: object,
) -> None:
    """Read and hash all that is stored; say what is damaged, and whose.

    Of git every object, whether nothing is missing that a branch or tag leads to, and what is kept
    beside the commits. Of large files every chunk of every xorb, every whole file, and how files
    are put together from chunks. Ends with exit code 1 if anything is damaged. A large file that is
    damaged is marked, and found to be good again by the next run when the bytes are back: from a
    backup, or because a client has sent them again.

    The hub reads large files in the background too, once in HUBKEEP_SCRUB_DAYS. This may run beside
    it, and may be broken off.

    \b
    Examples:
      hubkeep verify --data ./hub
      hubkeep verify --no-files --data ./hub
      hubkeep verify --no-git --older-than 7 --data ./hub
      hubkeep verify --repo alice/my-model --repo datasets/alice/reviews --json --data ./hub
    """
    config = settings(**options)
    log_to_stderr(config)
    with reported():
        report = asyncio.run(_run(config, repo_names, with_git, with_files, older_than or 0))
    if as_json:
        print_json(report.as_json())
    else:
        report.show()
    if report.is_damaged:
        sys.exit(1)


async def _run(
    config: Config, repo_names: Sequence[str], with_git: bool, with_files: bool, days: float
) -> Report:
    from hubkeep.app import open_app

    report = Report()
    async with open_app(config) as app:
        ids = await app.db.read(lambda conn: _ids_of(conn, repo_names))
        if with_git:
            report.git = await _git(app, ids)
        if with_files:
            report.files = await _files(app, ids, days)
    return report


@contextmanager
def _bar(label: str, length: int) -> Generator[Progress]:
    """Show how far it is where somebody looks on."""
    is_seen = sys.stderr.isatty()
    with click.progressbar(length=length, label=label, file=sys.stderr, hidden=not is_seen) as bar:
        yield bar.update


async def _git(app: "App", ids: Sequence[int] | None) -> GitReport:
    from hubkeep.content.queries_verifying import all_repositories, count_all_objects
    from hubkeep.content.verifying import verify_git
    from hubkeep.git.queries_objects import count_objects

    def work(conn: "Connection") -> tuple[Sequence[int], int]:
        if ids is None:
            return all_repositories(conn), count_all_objects(conn)
        return ids, sum(count_objects(conn, repo_id) for repo_id in ids)

    wanted, count = await app.db.read(work)
    report = GitReport()
    with _bar("Looking through git", count) as progress:
        async with aclosing(verify_git(app, wanted, progress)) as verified:
            async for one in verified:
                report.add(one)
    return report


async def _files(app: "App", ids: tuple[int, ...] | None, days: float) -> FilesReport:
    from hubkeep.kit.time import DAY
    from hubkeep.transfer.cas.queries_scrubbing import Due, how_much_is_due

    due = Due(app.clock() - round(days * DAY), ids)
    how_much = await app.db.read(lambda conn: how_much_is_due(conn, due))
    report = FilesReport()
    with _bar("Reading", how_much.size) as progress:
        await _read(app, due, report, progress)
    report.damaged = await app.db.read(lambda conn: _damaged(conn, due))
    return report


async def _read(app: "App", due: "Due", report: FilesReport, progress: Progress) -> None:
    from hubkeep.transfer.cas.scrubbing import scrub_files, scrub_xorbs

    for checking in (scrub_xorbs(app, due), scrub_files(app, due)):
        async with aclosing(checking) as found:
            async for one in found:
                report.add(one)
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
