# SPDX-License-Identifier: Apache-2.0
"""SQL of git-lfs' locks. They go with their repository, and with the account that holds them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from hubkeep.db.tables import accounts, lfs_locks
from hubkeep.db.upserts import insert_for
from hubkeep.kit.ids import new_id
from hubkeep.kit.text import storable
from hubkeep.kit.time import Millis

_COLUMNS = (
    lfs_locks.c.public_id,
    lfs_locks.c.path,
    lfs_locks.c.locked_at,
    lfs_locks.c.owner_id,
    accounts.c.name,
)
_LOCKS = select(*_COLUMNS).join(accounts, accounts.c.id == lfs_locks.c.owner_id)


@dataclass(frozen=True, slots=True)
class Lock:
    """A file of a repository that one account has kept for itself."""

    id: str
    path: str
    locked_at: Millis
    owner_id: int
    owner: str


def take_lock(
    conn: Connection, repo_id: int, path: str, ref: str | None, owner_id: int, now: Millis
) -> tuple[Lock, bool]:
    """Lock a path, and return the lock that is there now, and whether it was made here."""
    public_id = new_id()
    made = insert_for(conn, lfs_locks).values(
        public_id=public_id,
        repo_id=repo_id,
        path=path,
        ref=ref,
        owner_id=owner_id,
        locked_at=now,
    )
    # An update that changes nothing holds on to the lock that was there before, whoever else is
    # about to delete it.
    kept = made.on_conflict_do_update(
        index_elements=["repo_id", "path"], set_={"path": made.excluded.path}
    )
    held: str = conn.execute(kept.returning(lfs_locks.c.public_id)).scalar_one()
    found = lock_by_id(conn, repo_id, held)
    assert found is not None, "the row is this transaction's"
    return found, held == public_id


def lock_by_id(conn: Connection, repo_id: int, lock_id: str) -> Lock | None:
    """Return the lock with this id if it is one of the repository's."""
    if not storable(lock_id):
        return None
    found = _LOCKS.where(lfs_locks.c.repo_id == repo_id, lfs_locks.c.public_id == lock_id)
    row = conn.execute(found).first()
    return Lock(*row) if row else None


def lock_of_path(conn: Connection, repo_id: int, path: str) -> Lock | None:
    """Return the lock of this path."""
    found = _LOCKS.where(lfs_locks.c.repo_id == repo_id, lfs_locks.c.path == path)
    row = conn.execute(found).first()
    return Lock(*row) if row else None


def locks_after(conn: Connection, repo_id: int, path: str, limit: int) -> Sequence[Lock]:
    """Return the first `limit` locks of a repository whose paths come after this one."""
    some = _LOCKS.where(lfs_locks.c.repo_id == repo_id, lfs_locks.c.path > path)
    rows = conn.execute(some.order_by(lfs_locks.c.path).limit(limit))
    return [Lock(*row) for row in rows]


def drop_lock(conn: Connection, repo_id: int, lock_id: str) -> bool:
    """Delete a lock; False if somebody else just has."""
    gone = delete(lfs_locks).where(lfs_locks.c.repo_id == repo_id, lfs_locks.c.public_id == lock_id)
    return conn.execute(gone).rowcount > 0
