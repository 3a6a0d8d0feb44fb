# SPDX-License-Identifier: Apache-2.0
"""SQL of signing in by password: what is stored of one, and how many wrong ones were given."""

from sqlalchemy import Connection, bindparam, case, delete, select

from hubkeep.db.tables import accounts, failed_sign_ins
from hubkeep.db.upserts import insert_for
from hubkeep.identity.names import key
from hubkeep.kit.time import Millis

MOST_FAILURES = 10
CLOSED_FOR: Millis = 15 * 60_000
"""How long after so many wrong ones a name is closed, and in which time they are counted."""

_SWEPT = 100
_PASSWORD = select(accounts.c.id, accounts.c.password_hash).where(
    accounts.c.name_key == bindparam("key"),
    accounts.c.kind == "user",
    accounts.c.disabled.is_(False),
    accounts.c.password_hash.is_not(None),
)


def password_of(conn: Connection, name: str) -> tuple[int, str] | None:
    """Return id and stored password of a user who may sign in with one."""
    row = conn.execute(_PASSWORD, {"key": key(name)}).first()
    return (row.id, row.password_hash) if row else None


def closed_for(conn: Connection, name: str, now: Millis) -> Millis:
    """Return for how much longer no password is taken for a name; 0 if they are."""
    failed = failed_sign_ins.c
    found = select(failed.since).where(failed.name_key == key(name), failed.count >= MOST_FAILURES)
    since = conn.execute(found).scalar()
    return max(0, since + CLOSED_FOR - now) if since is not None else 0


def count_failure(conn: Connection, name: str, now: Millis) -> None:
    """Count a wrong password; with the last that is allowed the time until others begins.

    A count is over some time after its first one. Some of those that are over are deleted, so that
    never more of them lie about than were counted lately.
    """
    failed, over = failed_sign_ins.c, now - CLOSED_FOR
    first = insert_for(conn, failed_sign_ins).values(name_key=key(name), count=1, since=now)
    count = case((failed.since <= over, 1), else_=failed.count + 1)
    begins = case(
        (failed.since <= over, now), (failed.count + 1 == MOST_FAILURES, now), else_=failed.since
    )
    conn.execute(
        first.on_conflict_do_update(
            index_elements=["name_key"], set_={"count": count, "since": begins}
        )
    )
    stale = select(failed.name_key).where(failed.since <= over).limit(_SWEPT)
    keys = list(conn.execute(stale.with_for_update(skip_locked=True)).scalars())
    if keys:
        conn.execute(delete(failed_sign_ins).where(failed.name_key.in_(keys)))
