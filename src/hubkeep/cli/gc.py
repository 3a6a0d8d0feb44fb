# SPDX-License-Identifier: Apache-2.0
"""`hubkeep gc`."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import click

from hubkeep.cli.common import (
    hub_options,
    json_option,
    log_to_stderr,
    print_json,
    print_table,
    reported,
    settings,
    size_text,
)
from hubkeep.config import Config

if TYPE_CHECKING:
    from hubkeep.transfer.cas.spare import Counted

Freed: TypeAlias = Mapping[str, tuple[int, int | None]]


@click.command()
@click.option("--dry-run", is_flag=True, help="Delete nothing; say what would go, why, and when.")
@hub_options
@json_option
def gc(dry_run: bool, as_json: bool, **options: object) -> None:
    """Delete large files and chunks that nobody has needed for long enough.

    The hub does so by itself every hour; this does it now. Nothing goes before its time: what the
    last repository let go of stays for 7 days, chunks for HUBKEEP_XET_GRACE_DAYS after that, since
    clients count on those that they have sent.

    \b
    Examples:
      hubkeep gc --dry-run --data ./hub
      hubkeep gc --data ./hub
    """
    config = settings(**options)
    log_to_stderr(config)
    with reported():
        counted, freed = asyncio.run(_run(config, dry_run=dry_run))
    if as_json:
        print_json(_as_json(counted, freed))
        return
    if freed is not None:
        _print_freed(freed)
    _print_counted(counted)


async def _run(config: Config, *, dry_run: bool) -> tuple[Sequence["Counted"], Freed | None]:
    from hubkeep.app import open_app
    from hubkeep.transfer.cas.spare import clear_away, count_kinds

    async with open_app(config) as app:
        freed = None if dry_run else await clear_away(app)
        days, now = config.xet_grace_days, app.clock()
        return await app.db.read(lambda conn: count_kinds(conn, days, now)), freed


def _as_json(counted: Sequence["Counted"], freed: Freed | None) -> dict[str, object]:
    from hubkeep.kit.time import wire

    shown = {
        kind.name: {
            "why": kind.why,
            "due": {"count": totals.due.count, "bytes": totals.due.size},
            "waiting": {"count": totals.waiting.count, "bytes": totals.waiting.size},
            "nextAt": None if totals.next_since is None else wire(totals.next_since + kind.grace),
            "largest": [
                {
                    "name": kind.label(item.name),
                    "bytes": item.size,
                    "since": wire(item.since),
                    "goesAt": wire(item.since + kind.grace),
                }
                for item in totals.largest
            ],
        }
        for kind, totals in counted
    }
    gone = {name: {"count": count, "bytes": size} for name, (count, size) in (freed or {}).items()}
    return {"dryRun": freed is None, "freed": gone, "left": shown}


def _print_freed(freed: Freed) -> None:
    print_table(
        ("DELETED", "COUNT", "SIZE"),
        [
            (name, str(count), "" if size is None else size_text(size))
            for name, (count, size) in freed.items()
        ],
    )
    click.echo()


def _print_counted(counted: Sequence["Counted"]) -> None:
    from hubkeep.kit.time import wire

    rows = []
    for kind, totals in counted:
        since = totals.next_since
        rows.append((
            kind.name,
            str(totals.due.count),
            size_text(totals.due.size),
            str(totals.waiting.count),
            size_text(totals.waiting.size),
            "" if since is None else wire(since + kind.grace)[:16],
            f"once {kind.why}",
        ))  # fmt: skip
    print_table(("KIND", "DUE", "SIZE", "WAITING", "SIZE", "NEXT GOES AT", "RULE"), rows)
    items = [
        (kind.name, size_text(item.size), wire(item.since + kind.grace)[:16], kind.label(item.name))
        for kind, totals in counted
        for item in totals.largest
        if item.size
    ]
    if items:
        click.echo("\nThe largest of each kind:")
        print_table(("KIND", "SIZE", "GOES AT", "NAME"), items)
