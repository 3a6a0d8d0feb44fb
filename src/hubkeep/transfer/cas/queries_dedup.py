# SPDX-License-Identifier: Apache-2.0
"""SQL of global deduplication: which file has a chunk that a client asks about, and what is in it.

Only files are told of that the client can read, and so only xorbs that a file needs.
"""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, or_, select, true

from hubkeep.db.tables import dedup_chunks, file_xorbs, repo_files, repos, xorbs
from hubkeep.identity.actor import Actor
from hubkeep.repos.types import DELETED
from hubkeep.transfer.cas.queries_shards import is_stored
from hubkeep.transfer.queries import reads

MOST_HOLDERS = 64
"""Xorbs with one chunk that are looked at. Chunks of zeros are in a great many."""

_HOLDERS = (
    select(dedup_chunks.c.xorb_id)
    .where(dedup_chunks.c.chunk == bindparam("chunk"))
    .order_by(dedup_chunks.c.xorb_id.desc())
    .limit(MOST_HOLDERS)
)


class Hit(NamedTuple):
    """A xorb with the chunk, in a file that the client can read."""

    xorb_id: int
    file_id: int


class FileXorb(NamedTuple):
    """A xorb that can be built upon."""

    id: int
    hash: bytes
    chunks: int


def find_hit(
    conn: Connection, actor: Actor, repo_id: int, chunk: bytes, *, hub_wide: bool
) -> Hit | None:
    """Return the youngest file that has a chunk, as far as the actor may be told; else None.

    The actor can read the file in the repository that the token is for, or in another one; with
    `hub_wide` it is any file of the hub.
    """
    holders = list(conn.execute(_HOLDERS, {"chunk": chunk}).scalars())
    if not holders:
        return None
    query = (
        select(file_xorbs.c.xorb_id, file_xorbs.c.file_id)
        .join(xorbs, xorbs.c.id == file_xorbs.c.xorb_id)
        .join(repo_files, repo_files.c.file_id == file_xorbs.c.file_id)
        .join(repos, repos.c.id == repo_files.c.repo_id)
        .where(
            file_xorbs.c.xorb_id.in_(holders),
            is_stored(),
            repos.c.type != DELETED,
            true() if hub_wide else or_(repos.c.id == repo_id, reads(actor)),
        )
        .order_by(file_xorbs.c.file_id.desc(), file_xorbs.c.xorb_id)
        .limit(1)
    )
    row = conn.execute(query).first()
    return Hit(*row) if row else None


def newest_file(conn: Connection, repo_id: int) -> Hit | None:
    """Return the youngest file in chunks that a repository holds, by its first xorb."""
    query = (
        select(file_xorbs.c.xorb_id, file_xorbs.c.file_id)
        .join(repo_files, repo_files.c.file_id == file_xorbs.c.file_id)
        .where(repo_files.c.repo_id == repo_id)
        # As the links are indexed: their newest is found without sorting them.
        .order_by(repo_files.c.file_id.desc(), file_xorbs.c.xorb_id)
        .limit(1)
    )
    row = conn.execute(query).first()
    return Hit(*row) if row else None


def xorbs_from(conn: Connection, hit: Hit, *, before: int, most: int) -> list[FileXorb]:
    """Return `most` xorbs of a file from the hit on, and `before` that come before it.

    In the order of their ids, which is that of their coming. Those that cannot be read are left
    out.
    """
    of_file = (
        select(xorbs.c.id, xorbs.c.hash, xorbs.c.chunks, xorbs.c.ready, xorbs.c.damaged_at)
        .join(file_xorbs, file_xorbs.c.xorb_id == xorbs.c.id)
        .where(file_xorbs.c.file_id == hit.file_id)
    )
    key = file_xorbs.c.xorb_id
    earlier = of_file.where(key < hit.xorb_id).order_by(key.desc()).limit(before)
    later = of_file.where(key >= hit.xorb_id).order_by(key).limit(most)
    rows = [*reversed(conn.execute(earlier).all()), *conn.execute(later)]
    return [
        FileXorb(row.id, row.hash, row.chunks)
        for row in rows
        if row.ready and row.damaged_at is None
    ]
