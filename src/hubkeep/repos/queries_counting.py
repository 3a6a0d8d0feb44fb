# SPDX-License-Identifier: Apache-2.0
"""SQL of counting: downloads by repository and day, and who was counted in the last minutes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select, update

from hubkeep.db.tables import downloads_daily, downloads_seen, repos
from hubkeep.db.upserts import insert_for
from hubkeep.kit.batches import batches
from hubkeep.kit.time import Millis, day_of

_SEEN = select(downloads_seen.c.key).where(
    downloads_seen.c.key.in_(bindparam("keys", expanding=True)),
    downloads_seen.c.counted_at > bindparam("since"),
)
_ADD_TO_REPO = (
    update(repos)
    .where(repos.c.id == bindparam("repo"))
    .values(
        downloads=repos.c.downloads + bindparam("n"),
        downloads_all=repos.c.downloads_all + bindparam("n"),
    )
)


@dataclass(frozen=True, slots=True)
class Noted:
    """A download that may count: a digest of repository, caller and file, and when it began."""

    key: bytes
    repo_id: int
    at: Millis


def write_downloads(conn: Connection, noted: Iterable[Noted], window: Millis) -> int:
    """Count the downloads whose key was not counted within `window` before; return how many did.

    Repositories that are gone by now are left out. Keys older than the window are forgotten.
    """
    everything = list(noted)
    counted: list[Noted] = []
    for some in batches(everything):
        counted += _count(conn, some, window)
    if everything:
        oldest = max(note.at for note in everything) - 2 * window
        conn.execute(delete(downloads_seen).where(downloads_seen.c.counted_at < oldest))
    return len(counted)


def _count(conn: Connection, batch: list[Noted], window: Millis) -> list[Noted]:
    since = min(note.at for note in batch) - window
    seen = set(conn.execute(_SEEN, {"keys": [n.key for n in batch], "since": since}).scalars())
    wanted = {note.repo_id for note in batch}
    # The rows are locked in one order, so that two processes that count at once do not deadlock.
    alive = set(
        conn.execute(
            select(repos.c.id).where(repos.c.id.in_(wanted)).order_by(repos.c.id).with_for_update()
        ).scalars()
    )
    fresh = [note for note in batch if note.key not in seen and note.repo_id in alive]
    if not fresh:
        return []
    mark = insert_for(conn, downloads_seen)
    conn.execute(
        mark.on_conflict_do_update(
            index_elements=["key"], set_={"counted_at": mark.excluded.counted_at}
        ),
        [{"key": note.key, "counted_at": note.at} for note in fresh],
    )
    add_downloads(conn, Counter((note.repo_id, day_of(note.at)) for note in fresh))
    return fresh


def add_downloads(conn: Connection, days: Mapping[tuple[int, int], int]) -> None:
    """Add downloads to what is counted of repositories and days, all of the last 30 days."""
    add = insert_for(conn, downloads_daily)
    conn.execute(
        add.on_conflict_do_update(
            index_elements=["repo_id", "day"],
            set_={"count": downloads_daily.c.count + add.excluded.count},
        ),
        [{"repo_id": repo, "day": day, "count": n} for (repo, day), n in sorted(days.items())],
    )
    totals: Counter[int] = Counter()
    for (repo, _), n in days.items():
        totals[repo] += n
    conn.execute(_ADD_TO_REPO, [{"repo": repo, "n": n} for repo, n in sorted(totals.items())])
