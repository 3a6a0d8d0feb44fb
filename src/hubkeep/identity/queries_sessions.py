# SPDX-License-Identifier: Apache-2.0
"""SQL of browsers' sessions."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from hubkeep.db.lookups import Lookup
from hubkeep.db.tables import accounts, sessions
from hubkeep.identity.actor import ANONYMOUS, Actor
from hubkeep.identity.queries import ACCOUNT_COLUMNS, account_of, token_hash
from hubkeep.identity.sessions import LASTS
from hubkeep.kit.ids import new_id
from hubkeep.kit.time import Millis

_BY_HASH = Lookup(
    select(*ACCOUNT_COLUMNS, sessions.c.public_id, sessions.c.seen_at, sessions.c.expires_at)
    .join(accounts, accounts.c.id == sessions.c.user_id)
    .where(sessions.c.hash == bindparam("hash"), accounts.c.disabled.is_(False))
)
_OF_USER = (
    select(
        sessions.c.public_id,
        sessions.c.agent,
        sessions.c.created_at,
        sessions.c.seen_at,
    )
    .where(sessions.c.user_id == bindparam("user"), sessions.c.expires_at > bindparam("now"))
    .order_by(sessions.c.seen_at.desc(), sessions.c.id.desc())
)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that somebody has signed in with; times in milliseconds."""

    public_id: str
    agent: str
    created_at: Millis
    seen_at: Millis


def of_session(conn: Connection, secret: str, now: Millis) -> Actor:
    """Return whose session this is; ANONYMOUS for one that is over, or of a disabled account."""
    row = _BY_HASH.first(conn, {"hash": token_hash(secret)})
    if row is None or row[-1] <= now:
        return ANONYMOUS
    return Actor(account_of(row), session=row[-3], session_seen_at=row[-2])


def open_session(conn: Connection, user_id: int, secret: str, agent: str, now: Millis) -> None:
    """Begin a session, and forget those of everybody that are over."""
    conn.execute(delete(sessions).where(sessions.c.expires_at <= now))
    values = {
        "public_id": new_id(),
        "hash": token_hash(secret),
        "user_id": user_id,
        "agent": agent[:256],
        "created_at": now,
        "seen_at": now,
        "expires_at": now + LASTS,
    }
    conn.execute(insert(sessions).values(values))


def touch_session(conn: Connection, public_id: str, now: Millis) -> None:
    """Note that a session is in use, which lets it last on."""
    mine = update(sessions).where(sessions.c.public_id == public_id, sessions.c.expires_at > now)
    conn.execute(mine.values(seen_at=now, expires_at=now + LASTS))


def sessions_of(conn: Connection, user_id: int, now: Millis) -> Sequence[Session]:
    """Return the sessions of a user that are not over, the latest used first."""
    return [Session(*row) for row in conn.execute(_OF_USER, {"user": user_id, "now": now})]


def end_session(conn: Connection, user_id: int, public_id: str) -> bool:
    """End one session of a user; False if there is none."""
    mine = (sessions.c.user_id == user_id) & (sessions.c.public_id == public_id)
    return conn.execute(delete(sessions).where(mine)).rowcount == 1


def end_session_of(conn: Connection, secret: str) -> None:
    """End the session of a cookie, if there is one."""
    conn.execute(delete(sessions).where(sessions.c.hash == token_hash(secret)))


def end_sessions(conn: Connection, user_id: int, keep: str | None = None) -> int:
    """End all sessions of a user but one; return how many ended."""
    mine = delete(sessions).where(sessions.c.user_id == user_id)
    if keep is not None:
        mine = mine.where(sessions.c.public_id != keep)
    return conn.execute(mine).rowcount
