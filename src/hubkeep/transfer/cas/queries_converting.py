# SPDX-License-Identifier: Apache-2.0
"""SQL of turning whole files into chunks: which are next, who may write where, what is spare.

Which files are next is found by two indexes (`db.tables`) whose conditions stand here word by word.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, and_, select, text, update

from hubkeep.db.tables import file_xorbs, files, hub, memberships, repo_files, repos, xorbs
from hubkeep.db.upserts import insert_for
from hubkeep.errors import HubError
from hubkeep.identity.actor import Actor, Role
from hubkeep.identity.rules import Action
from hubkeep.kit.time import Millis
from hubkeep.repos.types import DELETED
from hubkeep.transfer.queries_uploads import check_right

_NAME = "xet-convert"
_CONVERTIBLE = text("xet_hash IS NULL AND size >= 65536")
_TWOFOLD = text("xet_hash IS NOT NULL AND whole")
_REPOS_TRIED = 20


class Whole(NamedTuple):
    """A file that is stored whole alone."""

    id: int
    sha256: bytes
    size: int


class Progress(msgspec.Struct, frozen=True):
    """Up to which file it was tried, in the round that began at a time."""

    after: int
    begun: Millis


class Writer(NamedTuple):
    """Somebody who may write to a repository that holds a file."""

    actor: Actor
    repo_id: int


def progress(conn: Connection) -> Progress | None:
    """Return how far converting has come; None if it never began."""
    noted = conn.execute(select(hub.c.value).where(hub.c.name == _NAME)).scalar()
    return msgspec.json.decode(noted, type=Progress) if noted else None


def note_progress(conn: Connection, now: Progress) -> None:
    """Keep how far converting has come."""
    note = insert_for(conn, hub).values(name=_NAME, value=msgspec.json.encode(now).decode())
    conn.execute(
        note.on_conflict_do_update(index_elements=["name"], set_={"value": note.excluded.value})
    )


def next_whole(conn: Connection, after: int) -> Whole | None:
    """Return the first file after an id that is stored whole alone, is held, and not too small."""
    query = (
        select(files.c.id, files.c.sha256, files.c.size)
        .where(_CONVERTIBLE, files.c.id > after, files.c.whole)
        .where(files.c.unlinked_at.is_(None), files.c.damaged_at.is_(None))
        .order_by(files.c.id)
        .limit(1)
    )
    row = conn.execute(query).first()
    return Whole(*row) if row else None


def writer_for(conn: Connection, file_id: int) -> Writer | None:
    """Return somebody who may write to a repository that holds the file; None for nobody."""
    held = (
        select(repos.c.id, repos.c.owner_id, repos.c.creator_id, repo_files.c.pushed_by)
        .join(repo_files, repo_files.c.repo_id == repos.c.id)
        .where(repo_files.c.file_id == file_id, repos.c.type != DELETED)
        .order_by(repos.c.id)
        .limit(_REPOS_TRIED)
    )
    for repo_id, *users in conn.execute(held).all():
        for user_id in (*users, *_members(conn, users[0])):
            if user_id is None:
                continue
            try:
                actor = check_right(conn, repo_id, user_id, Action.WRITE)
            except HubError:
                continue
            if actor.user is not None and actor.user.kind == "user":
                return Writer(actor, repo_id)
    return None


def _members(conn: Connection, org_id: int) -> Iterator[int]:
    query = select(memberships.c.user_id).where(
        memberships.c.org_id == org_id, memberships.c.role.in_([Role.ADMIN, Role.WRITE])
    )
    yield from conn.execute(query.order_by(memberships.c.user_id).limit(_REPOS_TRIED)).scalars()


def file_in_chunks(conn: Connection, xet_hash: bytes) -> int | None:
    """Return the id of the file that has this Xet hash."""
    return conn.execute(select(files.c.id).where(files.c.xet_hash == xet_hash)).scalar()


def release_whole_copies(conn: Connection, now: Millis, limit: int) -> int:
    """Mark whole copies of files that are there in chunks too as spare; how many, at most `limit`.

    Not where chunks or the copy are known to be damaged: one of the two may heal the other.
    """
    damaged = (
        select(file_xorbs.c.file_id)
        .join(xorbs, xorbs.c.id == file_xorbs.c.xorb_id)
        .where(file_xorbs.c.file_id == files.c.id, xorbs.c.damaged_at.is_not(None))
        .exists()
    )
    can_go = and_(_TWOFOLD, files.c.sha256.is_not(None), files.c.damaged_at.is_(None), ~damaged)
    some = select(files.c.id).where(can_go).order_by(files.c.id).limit(limit)
    spare = update(files).where(files.c.id.in_(some), files.c.whole)
    return conn.execute(spare.values(whole=False, spare_since=now)).rowcount
