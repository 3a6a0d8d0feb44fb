# SPDX-License-Identifier: Apache-2.0
"""A crawl from its first request to the snapshot."""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hubkeep.kit.time import Clock, now
from hubkeep.observatory.crawling import accounts
from hubkeep.observatory.crawling.accounts import look_up
from hubkeep.observatory.crawling.calling import Caller
from hubkeep.observatory.crawling.endpoint import Endpoint
from hubkeep.observatory.crawling.failure import CrawlFailed, Damaged, Nothing, Stopped
from hubkeep.observatory.crawling.kept import Kept, open_kept
from hubkeep.observatory.crawling.lists import LISTS, Table
from hubkeep.observatory.crawling.making import Pages
from hubkeep.observatory.crawling.pace import Pace
from hubkeep.observatory.crawling.report import Report, Silent
from hubkeep.observatory.crawling.walking import Walk, walk
from hubkeep.observatory.manifest import Manifest, Source
from hubkeep.observatory.store import Making, SnapshotStore
from hubkeep.observatory.workbench import workbench
from hubkeep.observatory.writing import Written

ACCOUNTS: Final = 5_000
PARALLEL: Final = 4
_MEMORY: Final = "256MB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be read of which hub, and how."""

    endpoint: Endpoint
    lists: Sequence[Table] = tuple(LISTS)
    accounts: int = ACCOUNTS
    """How many namespaces are looked up at most."""
    parallel: int = PARALLEL
    """How many requests are under way at most."""
    token: str | None = field(default=None, repr=False)
    fresh: bool = False


def crawl(
    store: SnapshotStore,
    root: Path,
    wanted: Wanted,
    *,
    report: Report | None = None,
    clock: Clock = now,
    pace: Pace | None = None,
) -> Manifest:
    """Read a hub and make a snapshot of what everybody may see in it.

    What is read is kept below `root` until the snapshot is there, and the next crawl of the same
    goes on with it. Raises CrawlFailed where the hub does not let itself be read to the end; then
    there is no snapshot.
    """
    report = report or Silent()
    pace = pace or Pace(tell=report.waits)
    endpoint = wanted.endpoint
    for table, rows in _before(store, endpoint, wanted.lists).items():
        report.expect(table, rows)
    with open_kept(root, endpoint, wanted.lists, clock, fresh=wanted.fresh) as kept:
        if not kept.is_empty:
            report.step(f"going on with what was begun at {kept.begun[:16].replace('T', ' ')} UTC")
        caller = Caller(endpoint, pace, wanted.token)
        work = Walk(caller, kept, clock, report, has_token=wanted.token is not None)
        try:
            with _threads(caller, pace, wanted.parallel) as threads:
                _together([threads.submit(walk, work, LISTS[table]) for table in wanted.lists])
                look_up(work, _namespaces(kept, wanted), threads)
            return _made(store, kept, wanted, report)
        except (Damaged, Nothing):
            raise
        except CrawlFailed as error:
            if kept.is_empty:
                raise
            raise CrawlFailed(
                f"{error}; what was read is kept, and the same command goes on from there"
            ) from error


@contextmanager
def _threads(caller: Caller, pace: Pace, count: int) -> Generator[ThreadPoolExecutor]:
    """Threads that have ended when the context does; those that wait are woken if it fails."""
    try:
        with ThreadPoolExecutor(count, "crawl") as threads:
            try:
                yield threads
            except BaseException:
                pace.stop()
                threads.shutdown(wait=False, cancel_futures=True)
                caller.interrupt()
                raise
    finally:
        caller.close()


def _together(futures: Sequence[Future[None]]) -> None:
    """Wait for all, or for the first that fails, whose error is raised."""
    done, _ = wait(futures, return_when=FIRST_EXCEPTION)
    errors = [error for one in done if (error := one.exception()) is not None]
    for error in sorted(errors, key=lambda error: isinstance(error, Stopped)):
        raise error


def _before(store: SnapshotStore, endpoint: Endpoint, lists: Sequence[Table]) -> Mapping[str, int]:
    """How many rows there were when the hub was crawled last."""
    found = [
        one for one in store.list() if (one.source.kind, one.source.name) == ("crawl", endpoint.url)
    ]
    tables = found[-1].tables if found else {}
    return {table: tables[table].rows for table in lists if table in tables}


def _namespaces(kept: Kept, wanted: Wanted) -> Sequence[str]:
    """The accounts that are looked up."""
    if not wanted.accounts:
        return ()
    scratch = kept.scratch
    with workbench(scratch, _MEMORY) as connection:
        pages = Pages(connection, kept, scratch)
        pages.know(wanted.lists)
        return pages.namespaces(wanted.accounts)


def _made(store: SnapshotStore, kept: Kept, wanted: Wanted, report: Report) -> Manifest:
    """Make the snapshot of pages that are all there. The same pages give the same snapshot."""
    times = {
        name: [head.at for head in kept.heads(name)] for name in (*wanted.lists, accounts.NAME)
    }
    taken_at = max(at for table in wanted.lists for at in times[table])
    detail = {
        "started": kept.begun,
        "finished": max(at for name in times for at in times[name]),
        **{f"pages of {table}": str(len(times[table])) for table in wanted.lists},
    }
    notes: list[str] = []

    def fill(folder: Path) -> Mapping[str, Written]:
        with workbench(folder, _MEMORY) as connection:
            pages = Pages(connection, kept, folder)
            there = pages.know(wanted.lists)
            if not there:
                raise Nothing(
                    f"{wanted.endpoint.url} has no list of {', '.join(wanted.lists)}: "
                    "is it a hub with the Hugging Face API?"
                )
            left_out = {}
            for table in there:
                report.step(f"reading {table}")
                notes.extend(note for note in pages.load(table) if note not in notes)
                left_out[table] = _left_out(kept, pages, table, notes)
            notes.extend(
                f"The hub has no list of {table}." for table in wanted.lists if table not in there
            )
            notes.extend(_of_accounts(kept, pages, there))
            written = {}
            for name in pages.loaded():
                report.step(f"writing {name}")
                written[name] = pages.write(name, taken_at, left_out.get(name, {}))
        if not any(one.file.rows for one in written.values()):
            raise Nothing(f"{wanted.endpoint.url} has no repository that everybody may see")
        return written

    import duckdb

    source = Source(kind="crawl", name=wanted.endpoint.url, detail=detail)
    try:
        return store.create(Making(source, taken_at, notes=notes), fill)
    except duckdb.Error as error:
        # A full disk, mostly.
        why = (str(error).splitlines() or [type(error).__name__])[0][:300]
        raise CrawlFailed(f"the snapshot cannot be written: {why}") from error


def _left_out(kept: Kept, pages: Pages, table: Table, notes: list[str]) -> Mapping[str, int]:
    """Count the rows of a list that are not in the snapshot, and note what that means."""
    counts = Counter[str]()
    for head in kept.heads(table):
        counts.update(head.left_out)
    if twice := pages.twice(table):
        counts["duplicate"] = twice
        notes.append(
            f"Rows of {table} that came twice: {twice}. The pages shifted while they were read, "
            "and others may be missing."
        )
    return counts


def _of_accounts(kept: Kept, pages: Pages, there: Sequence[Table]) -> Sequence[str]:
    """Load the accounts, and say what they leave open."""
    asked, unknown = 0, 0
    for head in kept.heads(accounts.NAME):
        asked += len(head.ids)
        unknown += head.left_out.get(accounts.UNKNOWN, 0)
    if not pages.load_accounts():
        return ["The hub tells nothing of accounts."] if asked else ["No accounts were looked up."]
    notes = []
    if (all_ := pages.count_namespaces()) > asked:
        notes.append(f"Of {all_} namespaces the {asked} with most downloads were looked up.")
    if unknown:
        notes.append(f"Namespaces that were not found: {unknown} of {asked}.")
    some, lacking = pages.short(there)
    if lacking:
        notes.append(
            f"By their own counts, accounts have {lacking} repositories more than the lists "
            f"(accounts of which that is so: {some}): made meanwhile, or lacking in the lists."
        )
    return notes
