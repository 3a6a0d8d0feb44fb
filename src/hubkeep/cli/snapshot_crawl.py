# SPDX-License-Identifier: Apache-2.0
"""`hubkeep snapshot crawl`: a snapshot of any hub, over its public API."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubkeep.cli.common import Failure, json_option, print_json, settings
from hubkeep.cli.snapshot_progress import Progress
from hubkeep.cli.snapshot_report import summary
from hubkeep.cli.snapshot_store import data_option, open_store

if TYPE_CHECKING:
    from hubkeep.observatory.crawling.lists import Table

_TABLES = ("models", "datasets", "spaces")


@click.command()
@click.option("--endpoint", metavar="URL", required=True, help="The hub, as clients call it.")
@click.option(
    "--only",
    type=click.Choice(_TABLES),
    multiple=True,
    help="Read this list alone, of all three; may be given twice.",
)
@click.option(
    "--accounts",
    type=click.IntRange(0, 10_000_000),
    default=5_000,
    metavar="N",
    help="Look up so many of the users and organisations, those with most downloads first; 5000 "
    "unless told otherwise.",
)
@click.option(
    "--parallel",
    type=click.IntRange(1, 16),
    default=4,
    metavar="N",
    help="Have no more requests than these under way at once; 4 unless told otherwise, 16 at most.",
)
@click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(),
    help="A file with a token of that hub, which may allow more requests; none is sent without.",
)
@click.option("--fresh", is_flag=True, help="Begin anew, whatever was read before.")
@data_option
@json_option
def crawl(
    endpoint: str,
    only: tuple["Table", ...],
    accounts: int,
    parallel: int,
    token_file: str | None,
    fresh: bool,
    as_json: bool,
    data: str | None,
) -> None:
    """Make a snapshot of what everybody may see in a hub, this one or any other.

    Any hub with the Hugging Face API: its models, datasets and Spaces, and what organisations call
    themselves. It is asked politely: as often as its rate limit lets, and again later when it is
    busy. All of huggingface.co takes hours.

    What is read is kept. A crawl that was stopped, by whatever it was, ends with exit code 1, and
    the same command goes on from there for three days. Private repositories are left out, also
    those that the token could see.

    \b
    Examples:
      hubkeep snapshot crawl --endpoint https://hub.example.org --data ./hub
      hubkeep snapshot crawl --endpoint https://huggingface.co --only models --data ./hub
      hubkeep snapshot crawl --endpoint https://huggingface.co --json \\
        --token-file ~/.cache/huggingface/token --data ./hub
    """
    with open_store(data) as store:
        from hubkeep.observatory.crawling.crawl import Wanted
        from hubkeep.observatory.crawling.crawl import crawl as run
        from hubkeep.observatory.crawling.endpoint import Endpoint

        there = Endpoint.parse(endpoint)
        own = settings(data=data).public_url
        if own and Endpoint.parse(own) == there:
            raise Failure(f"{own} is this hub: take a snapshot with 'hubkeep snapshot take'")
        wanted = Wanted(
            endpoint=there,
            lists=tuple(name for name in _TABLES if name in (only or _TABLES)),
            accounts=accounts,
            parallel=parallel,
            token=_token(token_file) if token_file else None,
            fresh=fresh,
        )
        with Progress() as progress:
            made = run(store, settings(data=data).data / "crawls", wanted, report=progress)
    if as_json:
        print_json({"id": made.id})
    else:
        click.echo(made.id)
        summary(made)


def _token(path: str) -> str:
    """Read a token, and say nothing of what it is."""
    try:
        text = Path(path).expanduser().read_text("utf-8", "replace").strip()
    except OSError as error:
        raise Failure(f"the token cannot be read: {error}") from error
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise Failure(f"{path} holds no token: it has to be one word and nothing else")
    return text
