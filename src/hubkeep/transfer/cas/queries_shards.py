# SPDX-License-Identifier: Apache-2.0
"""SQL of the xorbs that shards name: which of them their sender may, and what is in them."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, or_, select, true

from hubkeep.db.tables import file_xorbs, repo_files, repos, xorb_chunks, xorb_senders, xorbs
from hubkeep.identity.actor import Actor
from hubkeep.kit.batches import batches
from hubkeep.transfer.queries import reads
from hubkeep.xet.index import XorbIndex


class NamedXorb(NamedTuple):
    """A stored xorb that a sender may name.

    As long as all this is the same, so are its bytes: where damage was healed by other bytes of
    the same chunks, `checked_at` is another.
    """

    hash: bytes
    id: int
    size: int
    chunks: int
    checked_at: int | None
    is_unlinked: bool


def nameable_xorbs(
    conn: Connection,
    actor: Actor,
    repo_id: int,
    hashes: Collection[bytes],
    *,
    hub_wide: bool,
) -> dict[bytes, NamedXorb]:
    """Return those of the xorbs that `actor`, who writes to a repository, may build files of.

    They are stored whole, and the actor has sent them or can read a file with them, in this
    repository or another one; with `hub_wide` everybody may name all. What is left out may be
    missing, damaged or somebody else's: nobody is told which.
    """
    columns = (
        xorbs.c.hash,
        xorbs.c.id,
        xorbs.c.size,
        xorbs.c.chunks,
        xorbs.c.checked_at,
        xorbs.c.unlinked_at.is_not(None),
    )
    allowed = true() if hub_wide else _is_known_to(actor, repo_id)
    found: dict[bytes, NamedXorb] = {}
    for some in batches(hashes):
        query = select(*columns).where(xorbs.c.hash.in_(some), is_stored(), allowed)
        for row in conn.execute(query):
            found[row.hash] = NamedXorb(*row)
    return found


def is_stored() -> ColumnElement[bool]:
    """Xorbs whose bytes are there and, as far as is known, good."""
    return xorbs.c.ready.is_(True) & xorbs.c.damaged_at.is_(None)


def _is_known_to(actor: Actor, repo_id: int) -> ColumnElement[bool]:
    with_it = (
        select(file_xorbs.c.file_id)
        .join(repo_files, repo_files.c.file_id == file_xorbs.c.file_id)
        .join(repos, repos.c.id == repo_files.c.repo_id)
        .where(file_xorbs.c.xorb_id == xorbs.c.id, or_(repos.c.id == repo_id, reads(actor)))
        .exists()
    )
    sent = (
        select(xorb_senders.c.xorb_id)
        .where(xorb_senders.c.xorb_id == xorbs.c.id, xorb_senders.c.user_id == actor.user_id)
        .exists()
    )
    return or_(sent, with_it)


def indexes_of(conn: Connection, ids: Collection[int]) -> dict[int, XorbIndex]:
    """Return where the chunks of xorbs lie and what they are, by id: up to 320 KiB each."""
    query = select(xorb_chunks).where(xorb_chunks.c.xorb_id.in_(ids))
    return {row.xorb_id: XorbIndex(row.hashes, row.ends) for row in conn.execute(query)}
