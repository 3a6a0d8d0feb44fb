# SPDX-License-Identifier: Apache-2.0
"""Ten thousand small files: one commit of all of them, and the whole recursive listing."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.hubs import commit, commit_body, make_repo, pages, postgresql, running_hub
from bench.load import Caller, timed
from bench.table import Figure

FILES = 10_000
FOLDERS = 100
ROUNDS = 5


def body(mark: str) -> bytes:
    """Return the commit of all files, in a hundred folders, none like another."""
    files = (
        (f"data/{n % FOLDERS:02}/file-{n:05}.txt", f"{mark} {n}\n".encode() * 3)
        for n in range(FILES)
    )
    return commit_body("All at once", files)


def list_all(caller: Caller, repo: str) -> None:
    """Fetch all pages of the recursive listing; RuntimeError if a file is not in it."""
    found = 0
    for page in pages(caller, f"{repo}/tree/main?recursive=true"):
        found += page.body.count(b'"type":"file"')
    if found != FILES + 1:  # and .gitattributes
        raise RuntimeError(f"{found} of {FILES + 1} files were listed")


def measured(database_url: str) -> tuple[list[float], list[float]]:
    """Seconds of each round's commit, and of its listing."""
    with (
        tempfile.TemporaryDirectory() as name,
        running_hub(Path(name), database_url) as hub,
        hub.caller() as caller,
    ):
        written, listed = [], []
        for number in range(ROUNDS):
            repo, sent = make_repo(caller, f"many-{number}"), body(f"round {number}")
            written.append(timed(lambda r=repo, s=sent: commit(caller, r, s)))
            listed += [timed(lambda r=repo: list_all(caller, r)) for _ in range(3)]
    return written, listed


def figures(engine: str, database_url: str) -> Iterator[Figure]:
    written, listed = measured(database_url)
    for what, taken, limit in (
        ("commit of 10,000 small files at once", written, 5),
        ("recursive listing of 10,000 files, all pages", listed, 0.4),
    ):
        note = f"best of {len(taken)}; their median {median(taken):.2f} s"
        title = f"3 {what.split()[0]} of 10,000, {engine}"
        yield Figure(title, f"{what}, {engine}", min(taken), "<=", limit, "s", note)


def run() -> list[Figure]:
    with postgresql() as url:
        return [*figures("SQLite", ""), *figures("PostgreSQL", url)]
