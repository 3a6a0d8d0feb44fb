# SPDX-License-Identifier: Apache-2.0
"""SQL of the figures that change as time goes by: downloads of the last 30 days, and trending."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, bindparam, func, select, union, update

from hubkeep.db.tables import downloads_daily, hub, likes, repos
from hubkeep.db.upserts import insert_for
from hubkeep.kit.time import DAY, day_of
from hubkeep.repos.trending import DAYS, trending_score
from hubkeep.repos.types import RepoType

WINDOW = 30
_ROLLED = "downloads_rolled_until"
# Most scores stay as they are within a day: what does not change is not written.
_SET_TRENDING = (
    update(repos)
    .where(repos.c.id == bindparam("repo"), repos.c.trending != bindparam("score"))
    .values(trending=bindparam("score"))
)


def rolled_until(conn: Connection) -> int | None:
    """Return the last day that was taken out of the 30-day counts; None before the first time."""
    value = conn.execute(select(hub.c.value).where(hub.c.name == _ROLLED)).scalar()
    return None if value is None else int(value)


def mark_rolled(conn: Connection, day: int) -> None:
    """Remember that counts up to and including `day` are out of the 30-day counts."""
    row = insert_for(conn, hub).values(name=_ROLLED, value=str(day))
    conn.execute(
        row.on_conflict_do_update(index_elements=["name"], set_={"value": row.excluded.value})
    )


def downloaded_between(conn: Connection, first: int, last: int) -> Sequence[int]:
    """Return the repositories with downloads on any of these days, both included."""
    found = select(downloads_daily.c.repo_id).where(downloads_daily.c.day.between(first, last))
    return list(conn.execute(found.distinct()).scalars())


def roll_downloads(conn: Connection, repo_ids: Collection[int], today: int) -> None:
    """Make `downloads` of these repositories the sum of the last 30 days, today among them."""
    # In a statement of its own: the sum below then sees what was counted before the lock was had.
    _lock(conn, repo_ids)
    recent = (
        select(func.coalesce(func.sum(downloads_daily.c.count), 0))
        .where(downloads_daily.c.repo_id == repos.c.id, downloads_daily.c.day > today - WINDOW)
        .scalar_subquery()
    )
    conn.execute(update(repos).where(repos.c.id.in_(repo_ids)).values(downloads=recent))


def active_repos(conn: Connection, today: int) -> Sequence[int]:
    """Return the repositories that have a trending score or did something to get one."""
    first = today - DAYS + 1
    found = union(
        select(downloads_daily.c.repo_id).where(downloads_daily.c.day >= first),
        select(likes.c.repo_id).where(likes.c.created_at >= first * DAY),
        # Type and visibility are named so that the index on (type, private, trending) serves.
        select(repos.c.id).where(
            repos.c.type.in_(list(RepoType)),
            repos.c.private.in_([True, False]),
            repos.c.trending > 0,
        ),
    )
    return list(conn.execute(found).scalars())


def score_repos(conn: Connection, repo_ids: Collection[int], today: int) -> None:
    """Write the trending score of these repositories as it is today."""
    liked: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    fetched: dict[int, dict[int, int]] = defaultdict(dict)
    first = today - DAYS + 1
    recent_likes = select(likes.c.repo_id, likes.c.created_at).where(
        likes.c.repo_id.in_(repo_ids), likes.c.created_at >= first * DAY
    )
    for repo_id, at in conn.execute(recent_likes):
        liked[repo_id][today - day_of(at)] += 1
    recent_downloads = select(
        downloads_daily.c.repo_id, downloads_daily.c.day, downloads_daily.c.count
    ).where(downloads_daily.c.repo_id.in_(repo_ids), downloads_daily.c.day >= first)
    for repo_id, day, count in conn.execute(recent_downloads):
        fetched[repo_id][today - day] = count
    scores = [
        {"repo": repo_id, "score": trending_score(liked[repo_id], fetched[repo_id])}
        for repo_id in sorted(repo_ids)
    ]
    if scores:
        conn.execute(_SET_TRENDING, scores)


def _lock(conn: Connection, repo_ids: Collection[int]) -> None:
    conn.execute(
        select(repos.c.id).where(repos.c.id.in_(repo_ids)).order_by(repos.c.id).with_for_update()
    ).all()
