# SPDX-License-Identifier: Apache-2.0
"""`hubkeep stats`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from hubkeep.cli.common import (
    hub_options,
    json_option,
    open_database,
    print_json,
    print_table,
    settings,
    size_text,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hubkeep.transfer.cas.queries_storage import RepoUsage, Totals


@click.command()
@click.option(
    "--top", type=click.IntRange(0, 1000), default=10, help="How many repositories to list."
)
@hub_options
@json_option
def stats(top: int, as_json: bool, **hub: object) -> None:
    """Say what the hub stores against what its repositories hold.

    Counted now, over all large files. Logical bytes are those that repositories hold, each file
    once in each of them; stored bytes are those in the blob store. Text and other small files are
    in the database and in neither.

    \b
    Examples:
      hubkeep stats --data ./hub
      hubkeep stats --top 50 --json --data ./hub
    """
    scrub_days = settings(**hub).scrub_days
    with open_database(**hub) as db:
        from hubkeep.kit.time import now
        from hubkeep.transfer.cas.queries_storage import count_all, largest_repos
        from hubkeep.transfer.cas.storage import hub_storage, repo_storage

        def work(conn: "Connection") -> tuple["Totals", Sequence["RepoUsage"]]:
            return count_all(conn, now(), scrub_days), largest_repos(conn, top)

        totals, largest = db.read_now(work)
        if as_json:
            shown = [
                {"type": one.type, "repo": one.path, **_fields(repo_storage(one.totals))}
                for one in largest
            ]
            print_json({**_fields(hub_storage(totals)), "largest": shown})
            return
    _print_totals(totals)
    if largest:
        click.echo()
        print_table(
            ("TYPE", "REPOSITORY", "FILES", "LOGICAL", "STORED", "AS CHUNKS"),
            [_repo_row(one) for one in largest],
        )


def _fields(struct: object) -> dict[str, object]:
    import msgspec

    return msgspec.to_builtins(struct)


def _print_totals(totals: "Totals") -> None:
    needed = totals.xorbs.size - totals.waiting_xorbs.size
    rows = [
        ("logical", totals.logical, "what repositories hold, each file once in each"),
        ("different", totals.files, "the same, each file once"),
        ("whole", totals.whole, "stored as they are"),
        ("as chunks", totals.chunked, f"stored as chunks alone, in {size_text(needed)}"),
        ("xorbs", totals.xorbs, "what chunks are stored in"),
        ("spare copies", totals.spare, "whole copies of files in chunks, to be deleted"),
        ("waiting", totals.waiting_files, "files without a repository, until they are deleted"),
        ("waiting xorbs", totals.waiting_xorbs, "without a file, until they are deleted"),
        ("unchecked", totals.unchecked_files, "whole files not read again in HUBKEEP_SCRUB_DAYS"),
        ("unchecked xorbs", totals.unchecked_xorbs, "not read again in HUBKEEP_SCRUB_DAYS"),
        ("damaged", totals.damaged_files, "files known to be damaged"),
        ("damaged xorbs", totals.damaged_xorbs, "known to be damaged; 'hubkeep verify' says whose"),
    ]
    print_table(
        ("WHAT", "COUNT", "SIZE", ""),
        [(name, str(part.count), size_text(part.size), text) for name, part, text in rows],
    )
    share = f", {totals.stored / totals.logical.size:.0%}" if totals.logical.size else ""
    click.echo(
        f"\nStored: {size_text(totals.stored)} of {size_text(totals.logical.size)} logical{share}"
    )


def _repo_row(one: "RepoUsage") -> tuple[str, ...]:
    logical, stored = one.totals.logical, one.totals.stored
    return (
        one.type,
        one.path,
        str(logical.count),
        size_text(logical.size),
        size_text(stored),
        size_text(one.totals.xorbs.size),
    )
