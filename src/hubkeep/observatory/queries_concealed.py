# SPDX-License-Identifier: Apache-2.0
"""SQL of names that strangers may not see any more: snapshots of this hub that were taken before
still hold them, and whoever shows such a snapshot to others leaves them out.

Written in the transaction of each change that hides a name, and told by `hidden_since`. Small and
without the observatory's libraries: the server imports it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, func, select

from hubkeep.db.tables import concealed, repo_aliases
from hubkeep.db.upserts import insert_for
from hubkeep.kit.time import Millis

ACCOUNT: Final = "account"
"""What stands as the type of users and organisations; of repositories it is theirs."""

SETTLING: Final[Millis] = 60_000
"""How much longer a change may take to be seen than its note says, at the most."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """A name that strangers may not see: rows of it are left out of snapshots taken up to `at`."""

    type: str
    """model, dataset, space, kernel or account."""
    path: str
    """namespace/name, or the name of an account, as it was written last."""
    at: Millis

    @property
    def key(self) -> str:
        """What to compare with the lower-cased name of a row: case tells no names apart."""
        return self.path.lower()


def hidden_since(conn: Connection, oldest: Millis) -> Sequence[Hidden]:
    """Return each name that a snapshot taken at `oldest` or later may hold and strangers may not
    see, by type and name.

    A row of a snapshot taken at T is to be left out where `at >= T`. The moments told are a minute
    later than those noted: a change is noted with the time at which its transaction began, and a
    snapshot that is taken before the end of the transaction still sees what it hides.
    """
    found = (
        select(
            concealed.c.type,
            func.max(concealed.c.path),
            func.max(concealed.c.at) + SETTLING,
        )
        .where(concealed.c.at >= oldest - SETTLING)
        .group_by(concealed.c.type, concealed.c.path_key)
        .order_by(concealed.c.type, concealed.c.path_key)
    )
    return [Hidden(*row) for row in conn.execute(found)]


def conceal_repo(conn: Connection, repo_id: int, kind: str, path: str, now: Millis) -> None:
    """Note that strangers do not see a repository any more, nor by the names that it had."""
    former = select(repo_aliases.c.path_key).where(
        repo_aliases.c.repo_id == repo_id, repo_aliases.c.type == kind
    )
    conceal(conn, repo_id, kind, [path, *conn.execute(former).scalars()], now)


def conceal(conn: Connection, subject: int, kind: str, paths: Iterable[str], now: Millis) -> None:
    """Note that strangers do not find a repository or an account by these names any more."""
    for path in paths:
        note = insert_for(conn, concealed).values(
            subject_id=subject, type=kind, path=path, path_key=path.lower(), at=now
        )
        key = ["subject_id", "type", "path_key"]
        conn.execute(note.on_conflict_do_update(index_elements=key, set_={"at": note.excluded.at}))


def reveal(conn: Connection, subject: int, kind: str, path: str) -> None:
    """Note that strangers see it by this name again; former names stay hidden."""
    conn.execute(
        delete(concealed).where(
            concealed.c.subject_id == subject,
            concealed.c.type == kind,
            concealed.c.path_key == path.lower(),
        )
    )


def forget_concealed(conn: Connection, before: Millis) -> int:
    """Forget what was hidden before the oldest snapshot was taken; return how many names."""
    old = delete(concealed).where(concealed.c.at < before - SETTLING)
    return conn.execute(old).rowcount
