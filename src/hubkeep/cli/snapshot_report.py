# SPDX-License-Identifier: Apache-2.0
"""What `hubkeep snapshot` says to people."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from hubkeep.cli.common import print_table, size_text, visible

if TYPE_CHECKING:
    from hubkeep.observatory.comparing import Difference
    from hubkeep.observatory.manifest import Manifest


def show_snapshot(manifest: "Manifest") -> None:
    """Print all that a snapshot says of itself."""
    click.echo(f"id        {manifest.id}")
    click.echo(f"hash      {manifest.hash}")
    click.echo(f"taken at  {manifest.taken_at}")
    click.echo(f"universe  {manifest.universe}")
    click.echo(f"from      {visible(manifest.source.name)} ({manifest.source.kind})")
    for name, what in manifest.source.detail.items():
        click.echo(visible(f"          {name}: {what}"))
    click.echo()
    summary(manifest)


def summary(manifest: "Manifest") -> None:
    """Print how many rows there are, what is missing, and what was left out."""
    print_table(
        ("TABLE", "ROWS", "SIZE", "MISSING"),
        [
            (name, str(file.rows), size_text(file.bytes), ", ".join(file.missing) or "-")
            for name, file in manifest.tables.items()
        ],
    )
    _show_reasons("Rows that were left out", manifest.excluded)
    _show_reasons("Values that could not be, and are null or cleaned", manifest.cleared)
    for note in manifest.notes:
        click.echo(visible(f"\n{note}"))


def show_difference(found: "Difference") -> None:
    """Print what differs between two snapshots."""
    click.echo(f"{found.before} -> {found.after}\n")
    if found.tables:
        print_table(
            ("TABLE", "BEFORE", "AFTER", "ADDED", "REMOVED", "CHANGED"),
            [
                (
                    name,
                    *map(str, (one.rows_before, one.rows_after)),
                    *map(str, (one.added, one.removed, one.changed)),
                )
                for name, one in found.tables.items()
            ],
        )
    else:
        click.echo("No table is in both.")
    _show_reasons(
        "Other values in rows of both", {name: one.columns for name, one in found.tables.items()}
    )
    for names, which in ((found.only_before, found.before), (found.only_after, found.after)):
        if names:
            click.echo(f"\nOnly in {which}: {', '.join(names)}")


def _show_reasons(title: str, reasons: Mapping[str, Mapping[str, int]]) -> None:
    rows = [
        (table, str(n), reason) for table, by in reasons.items() for reason, n in by.items() if n
    ]
    if rows:
        click.echo(f"\n{title}:")
        print_table(("TABLE", "COUNT", "WHAT"), rows)
