# SPDX-License-Identifier: Apache-2.0
"""SQL of likes: the rows, the counter that follows them, and both lists."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select, tuple_, update

from hubkeep.db.tables import accounts, likes, repos
from hubkeep.db.upserts import insert_for
from hubkeep.identity.actor import Actor
from hubkeep.kit.cursors import Number
from hubkeep.kit.time import Millis
from hubkeep.repos.queries_visible import visible_to

_COUNT = (
    update(repos)
    .where(repos.c.id == bindparam("repo"))
    .values(likes=repos.c.likes + bindparam("change"))
)
_LIKED = select(likes.c.repo_id).where(
    likes.c.repo_id == bindparam("repo"), likes.c.user_id == bindparam("user")
)


class LikeAt(NamedTuple):
    """The place of a like in a list, newest first: its time, and what makes it unique."""

    created_at: Number
    id: Number


class LikedAs(NamedTuple):
    """A repository that somebody liked."""

    at: LikeAt
    path: str
    type: str


class Liker(NamedTuple):
    """An account that liked a repository."""

    at: LikeAt
    name: str
    fullname: str


def like(conn: Connection, repo_id: int, user_id: int, now: Millis) -> bool:
    """Like a repository; False where the user did so before."""
    added = conn.execute(
        insert_for(conn, likes)
        .values(user_id=user_id, repo_id=repo_id, created_at=now)
        .on_conflict_do_nothing()
        .returning(likes.c.repo_id)
    ).first()
    if added is not None:
        conn.execute(_COUNT, {"repo": repo_id, "change": 1})
    return added is not None


def likes_it(conn: Connection, repo_id: int, user_id: int) -> bool:
    """Say whether a user likes a repository."""
    return conn.execute(_LIKED, {"repo": repo_id, "user": user_id}).first() is not None


def unlike(conn: Connection, repo_id: int, user_id: int) -> bool:
    """Take a like back; False where there was none."""
    gone = conn.execute(
        delete(likes).where(likes.c.user_id == user_id, likes.c.repo_id == repo_id)
    ).rowcount
    if gone:
        conn.execute(_COUNT, {"repo": repo_id, "change": -1})
    return bool(gone)


def likes_of(
    conn: Connection, user_id: int, viewer: Actor, after: LikeAt | None, limit: int
) -> Sequence[LikedAs]:
    """Return what a user likes, as far as `viewer` may see it, newest first."""
    found = (
        select(likes.c.created_at, repos.c.id, repos.c.path, repos.c.type)
        .join(repos, repos.c.id == likes.c.repo_id)
        .where(likes.c.user_id == user_id, visible_to(viewer))
        .order_by(likes.c.created_at.desc(), likes.c.repo_id.desc())
        .limit(limit)
    )
    if after is not None:
        found = found.where(tuple_(likes.c.created_at, likes.c.repo_id) < tuple_(*after))
    return [LikedAs(LikeAt(row[0], row[1]), row[2], row[3]) for row in conn.execute(found)]


def count_likes_of(conn: Connection, user_id: int, viewer: Actor) -> int:
    """Return how many repositories a user likes, of those that `viewer` may see."""
    return conn.execute(
        select(func.count())
        .select_from(likes.join(repos, repos.c.id == likes.c.repo_id))
        .where(likes.c.user_id == user_id, visible_to(viewer))
    ).scalar_one()


def likers_of(conn: Connection, repo_id: int, after: LikeAt | None, limit: int) -> Sequence[Liker]:
    """Return who likes a repository, newest first; disabled accounts are left out."""
    found = (
        select(likes.c.created_at, accounts.c.id, accounts.c.name, accounts.c.fullname)
        .join(accounts, accounts.c.id == likes.c.user_id)
        .where(likes.c.repo_id == repo_id, accounts.c.disabled.is_(False))
        .order_by(likes.c.created_at.desc(), likes.c.user_id.desc())
        .limit(limit)
    )
    if after is not None:
        found = found.where(tuple_(likes.c.created_at, likes.c.user_id) < tuple_(*after))
    return [Liker(LikeAt(row[0], row[1]), row[2], row[3]) for row in conn.execute(found)]
