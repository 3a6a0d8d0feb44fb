# SPDX-License-Identifier: Apache-2.0
"""SQL of reading files that are stored as chunks: which ones are, and what is damaged."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, or_, select, update

from hubkeep.db.tables import file_xorbs, files, repo_files, xorbs
from hubkeep.kit.batches import batches
from hubkeep.kit.time import Millis
from hubkeep.transfer.cas.queries_files import StoredXorb


def xet_hashes(conn: Connection, repo_id: int, oids: Collection[bytes]) -> dict[bytes, bytes]:
    """Return the Xet hashes of a repository's files, by the sha256 it knows them by.

    Of those that are stored as chunks; where two files go by one sha256, of the one of which it is
    true, as in `transfer.queries.linked_files`.
    """
    found: dict[bytes, bytes | None] = {}
    checked: set[bytes] = set()
    for some in batches(oids):
        query = (
            select(repo_files.c.oid, files.c.xet_hash, files.c.sha256.is_not(None))
            .join(files, files.c.id == repo_files.c.file_id)
            .where(repo_files.c.repo_id == repo_id, repo_files.c.oid.in_(some))
        )
        for oid, xet_hash, is_checked in conn.execute(query):
            if oid not in found or (is_checked and oid not in checked):
                found[oid] = xet_hash
                if is_checked:
                    checked.add(oid)
    return {oid: xet_hash for oid, xet_hash in found.items() if xet_hash is not None}


def is_broken() -> ColumnElement[bool]:
    """Files that need a xorb that cannot be read."""
    return (
        select(file_xorbs.c.file_id)
        .join(xorbs, xorbs.c.id == file_xorbs.c.xorb_id)
        .where(
            file_xorbs.c.file_id == files.c.id,
            or_(xorbs.c.ready.is_(False), xorbs.c.damaged_at.is_not(None)),
        )
        .exists()
    )


def needs_damaged(conn: Connection, xet_hash: bytes) -> bool:
    """Whether a file needs a xorb that cannot be read."""
    query = (
        select(xorbs.c.id)
        .join(file_xorbs, file_xorbs.c.xorb_id == xorbs.c.id)
        .join(files, files.c.id == file_xorbs.c.file_id)
        .where(
            files.c.xet_hash == xet_hash,
            or_(xorbs.c.ready.is_(False), xorbs.c.damaged_at.is_not(None)),
        )
    )
    return conn.execute(query.limit(1)).first() is not None


def mark_damaged(conn: Connection, xorb: StoredXorb, now: Millis) -> None:
    """Note that the bytes of a xorb are not those that came, unless they were healed meanwhile."""
    conn.execute(
        update(xorbs)
        .where(
            xorbs.c.id == xorb.id,
            xorbs.c.hash == xorb.hash,
            xorbs.c.size == xorb.size,
            xorbs.c.checked_at.is_not_distinct_from(xorb.checked_at),
            xorbs.c.damaged_at.is_(None),
        )
        .values(damaged_at=now)
    )
