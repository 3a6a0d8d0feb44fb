# SPDX-License-Identifier: Apache-2.0
"""SQL of files as they are stored in chunks: which terms they have, and where the chunks lie."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from hubkeep.db.tables import file_terms, files, repo_files, repos, xorb_chunks, xorbs
from hubkeep.transfer.cas.queries_shards import is_stored

_LINKED = (
    select(files.c.size, repo_files.c.filename, repos.c.type, repos.c.library_name)
    .join(repo_files, repo_files.c.file_id == files.c.id)
    .join(repos, repos.c.id == repo_files.c.repo_id)
    .where(files.c.xet_hash == bindparam("hash"), repo_files.c.repo_id == bindparam("repo"))
)
_TERMS = (
    select(file_terms.c.raw_start, file_terms.c.terms)
    .join(files, files.c.id == file_terms.c.file_id)
    .where(files.c.xet_hash == bindparam("hash"), file_terms.c.raw_start <= bindparam("at"))
    .order_by(file_terms.c.raw_start.desc())
    .limit(1)
)
_XORBS = select(xorbs.c.hash, xorbs.c.id, xorbs.c.size, xorbs.c.checked_at).where(
    xorbs.c.hash.in_(bindparam("hashes", expanding=True)),
    is_stored(),
)
_ENDS = select(xorb_chunks.c.xorb_id, xorb_chunks.c.ends).where(
    xorb_chunks.c.xorb_id.in_(bindparam("ids", expanding=True))
)


class StoredXorb(NamedTuple):
    """A xorb that can be read, and its size in bytes.

    As long as all this is the same, so are its bytes: where damage was healed by other bytes of
    the same chunks, `checked_at` is another.
    """

    hash: bytes
    id: int
    size: int
    checked_at: int | None


class TermsRow(NamedTuple):
    """A run of a file's terms, as `pack_terms` packed them, that begins at this byte of it."""

    raw_start: int
    terms: bytes


class HeldFile(NamedTuple):
    """A file that is stored in chunks, as a repository holds it."""

    size: int
    filename: str | None
    """The path that it was first committed under; None until a commit names it."""
    repo_type: str
    library_name: str | None


def held_file(conn: Connection, repo_id: int, xet_hash: bytes) -> HeldFile | None:
    """Return a file if it is stored in chunks and the repository holds it."""
    row = conn.execute(_LINKED, {"hash": xet_hash, "repo": repo_id}).first()
    return HeldFile(*row) if row else None


def terms_at(conn: Connection, xet_hash: bytes, at: int) -> TermsRow | None:
    """Return the row of a file's terms that holds its byte `at`; the last one for a byte after.

    By the file's hash, since its row may become one with another while somebody reads it.
    """
    row = conn.execute(_TERMS, {"hash": xet_hash, "at": at}).first()
    return TermsRow(*row) if row else None


def readable_xorbs(conn: Connection, hashes: Collection[bytes]) -> dict[bytes, StoredXorb]:
    """Return those of the xorbs that are stored and not known to be damaged, by hash."""
    return {row.hash: StoredXorb(*row) for row in conn.execute(_XORBS, {"hashes": hashes})}


def ends_of_xorbs(conn: Connection, ids: Collection[int]) -> dict[int, bytes]:
    """Return where the chunks of xorbs end (`xet.index`), by id. At most 64 KiB each."""
    return {row.xorb_id: row.ends for row in conn.execute(_ENDS, {"ids": ids})}
