# SPDX-License-Identifier: Apache-2.0
"""SQL of a repository's first page: its downloads by day."""

from sqlalchemy import Connection, bindparam, select

from hubkeep.db.tables import downloads_daily
from hubkeep.kit.time import Millis, day_of

_DAYS = select(downloads_daily.c.day, downloads_daily.c.count).where(
    downloads_daily.c.repo_id == bindparam("repo"), downloads_daily.c.day > bindparam("after")
)


def downloads_by_day(conn: Connection, repo_id: int, now: Millis, days: int) -> list[int]:
    """Return the downloads of the last days, oldest first, today last."""
    today = day_of(now)
    rows = conn.execute(_DAYS, {"repo": repo_id, "after": today - days})
    counts = {row.day: row.count for row in rows}
    return [counts.get(day, 0) for day in range(today - days + 1, today + 1)]
