# SPDX-License-Identifier: Apache-2.0
"""Work on repositories that nobody waits for: clearing deleted ones away, and what time changes.

Each may be broken off and run again at any time, and several may run at once.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from hubkeep.kit.batches import batches
from hubkeep.kit.time import day_of
from hubkeep.repos.queries_figures import Figures, count_figures, note_figures
from hubkeep.repos.queries_purge import buried_repos, purge_batch
from hubkeep.repos.queries_scores import (
    WINDOW,
    active_repos,
    downloaded_between,
    mark_rolled,
    roll_downloads,
    rolled_until,
    score_repos,
)

if TYPE_CHECKING:
    from hubkeep.app import App

_AT_ONCE = 500


async def purge_deleted(app: "App") -> int:
    """Clear away what deleted repositories held; return how many are gone for good.

    Many small transactions, so that on SQLite other writers get between them.
    """
    gone = 0
    while buried := await app.db.read(lambda conn: buried_repos(conn, _AT_ONCE)):
        for repo_id in buried:
            while await app.db.write(partial(purge_batch, repo_id=repo_id, now=app.clock())):
                pass
        gone += len(buried)
    return gone


async def roll_30_days(app: "App") -> int:
    """Take out of the 30-day counts the days that are too old by now; return the last of them.

    Days that were missed while no worker ran are made up for.
    """
    today = day_of(app.clock())
    last = today - WINDOW
    before = await app.db.read(rolled_until)
    first = 0 if before is None else before + 1
    if first > last:
        return last
    ids = await app.db.read(lambda conn: downloaded_between(conn, first, last))
    await _in_parts(app, ids, partial(roll_downloads, today=today))
    await app.db.write(lambda conn: mark_rolled(conn, last))
    return last


async def score_trending(app: "App") -> int:
    """Bring the trending scores up to date, of repositories active lately; return how many."""
    today = day_of(app.clock())
    ids = await app.db.read(lambda conn: active_repos(conn, today))
    await _in_parts(app, ids, partial(score_repos, today=today))
    return len(ids)


async def count_hub(app: "App") -> Figures:
    """Count what there is on the hub, and keep it for those who ask."""
    figures = await app.db.read(lambda conn: count_figures(conn, app.clock()))
    await app.db.write(lambda conn: note_figures(conn, figures))
    return figures


async def _in_parts(
    app: "App", ids: Sequence[int], work: Callable[[Connection, Sequence[int]], None]
) -> None:
    for some in batches(sorted(ids), _AT_ONCE):
        await app.db.write(lambda conn, some=some: work(conn, some))
