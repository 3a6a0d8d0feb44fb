# SPDX-License-Identifier: Apache-2.0
"""SQL of the files that shards register.

Files are locked before xorbs, and each in one order, as collecting does. A xorb that a file gets is
held `FOR KEY SHARE` until the transaction ends and is not unlinked any more from then on;
collecting wants it `FOR UPDATE`, and looks again once it has it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from hubkeep import errors
from hubkeep.db.tables import dedup_chunks, file_terms, file_xorbs, files, repo_files, xorbs
from hubkeep.db.upserts import insert_for
from hubkeep.kit.batches import batches
from hubkeep.kit.time import Millis
from hubkeep.transfer.cas.queries_collecting import let_go_of_xorbs
from hubkeep.transfer.cas.queries_shards import NamedXorb, is_stored
from hubkeep.transfer.queries import hold_repo, link_files
from hubkeep.xet.hashes import to_text
from hubkeep.xet.shard import Term, pack_terms

TERMS_IN_ROW = 1024
_TRIES = 3
_KNOWN = (files.c.xet_hash, files.c.id, files.c.sha256)


class KnownFile(NamedTuple):
    """A file that the hub has as chunks; its sha256 is None until the hub has computed it."""

    id: int
    sha256: bytes | None


def known_files(conn: Connection, hashes: Collection[bytes]) -> dict[bytes, KnownFile]:
    """Return those of the files that are there, by their Xet hash."""
    found: dict[bytes, KnownFile] = {}
    for some in batches(hashes):
        query = select(*_KNOWN).where(files.c.xet_hash.in_(some))
        found |= {row.xet_hash: KnownFile(*row[1:]) for row in conn.execute(query)}
    return found


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file of a shard that has been checked, all but its claimed `sha256`."""

    hash: bytes
    size: int
    terms: Sequence[Term]
    sha256: bytes | None
    header: str | None
    first_chunk: bytes | None
    """The hash of its first chunk; None for a file without any."""


@dataclass(frozen=True, slots=True)
class Landed:
    """What a shard brought: files to check, and whether anything of it was new."""

    unchecked: list[int]
    is_new: bool


def land_files(
    conn: Connection,
    repo_id: int,
    user_id: int | None,
    new: Sequence[NewFile],
    named: Mapping[bytes, NamedXorb],
    eligible: Mapping[bytes, Sequence[bytes]],
    now: Millis,
) -> Landed:
    """Register files and link them to a repository, each by the sha256 that is claimed of it.

    `named` are the xorbs of their terms, `eligible` chunks of some of these that clients may ask
    for. Files that exist are only linked, and put together from these terms from now on if they
    need a damaged xorb. Raises xorb_not_found where a xorb has gone meanwhile, bad_request where
    the hub knows another sha256, unchecked where the repository knows the file by another one that
    is not checked yet; unavailable if a file is being collected this moment.
    """
    hold_repo(conn, repo_id)
    made, held = _hold_files(conn, new, now)
    _check_claims(new, held)
    mended = _let_go_of_broken(conn, {one.id for one in held.values()} - made, now)
    fresh = [file for file in new if held[file.hash].id in made | mended]
    needed = {term.xorb for file in fresh for term in file.terms}
    xorb_ids = _hold_xorbs(conn, needed, named)
    _renew(conn, [named[term.xorb].id for file in new for term in file.terms], now)
    _write_terms(conn, fresh, held, xorb_ids)
    _announce(conn, fresh, xorb_ids, eligible)
    linked = _link(conn, repo_id, user_id, new, held, now)
    unchecked = [one.id for one in held.values() if one.sha256 is None and one.id in made | mended]
    return Landed(sorted(unchecked), bool(fresh) or linked)


def _hold_files(
    conn: Connection, new: Sequence[NewFile], now: Millis
) -> tuple[set[int], dict[bytes, KnownFile]]:
    """Make the rows that are not there; ids of those, and all rows by hash, held."""
    made: set[int] = set()
    held: dict[bytes, KnownFile] = {}
    by_hash = {file.hash: file for file in new}
    for some in batches(sorted(by_hash)):
        rows = [
            {
                "xet_hash": one,
                "size": by_hash[one].size,
                "header": by_hash[one].header,
                "whole": False,
                "created_at": now,
                "checked_at": now,
            }
            for one in some
        ]
        made |= _insert_files(conn, rows)
        held |= _lock_files(conn, some)
        for _ in range(_TRIES):
            # What became one with another row this moment is not seen under its old id.
            missing = [one for one in some if one not in held]
            if not missing:
                break
            made |= _insert_files(conn, [row for row in rows if row["xet_hash"] in missing])
            held |= _lock_files(conn, missing)
        else:
            raise errors.unavailable()
    return made, held


def _insert_files(conn: Connection, rows: Sequence[Mapping[str, object]]) -> set[int]:
    statement = (
        insert_for(conn, files)
        .on_conflict_do_nothing(index_elements=["xet_hash"])
        .returning(files.c.id)
    )
    return set(conn.execute(statement, rows).scalars())


def _lock_files(conn: Connection, hashes: Collection[bytes]) -> dict[bytes, KnownFile]:
    query = (
        select(*_KNOWN)
        .where(files.c.xet_hash.in_(hashes))
        .order_by(files.c.id)
        .with_for_update(read=True, key_share=True)
    )
    return {row.xet_hash: KnownFile(*row[1:]) for row in conn.execute(query)}


def _check_claims(new: Sequence[NewFile], held: Mapping[bytes, KnownFile]) -> None:
    for file in new:
        known = held[file.hash].sha256
        if file.sha256 is not None and known is not None and file.sha256 != known:
            raise errors.wrong_sha256(to_text(file.hash), file.sha256.hex())


def _let_go_of_broken(conn: Connection, ids: Collection[int], now: Millis) -> set[int]:
    """Take the terms from those of the files that need a damaged xorb; return which."""
    broken: set[int] = set()
    for some in batches(sorted(ids)):
        suspects = _broken(conn, some)
        if suspects:
            conn.execute(
                select(files.c.id)
                .where(files.c.id.in_(suspects))
                .order_by(files.c.id)
                .with_for_update(key_share=True)
            )
            # Somebody else may have mended them meanwhile.
            broken |= _broken(conn, suspects)
    for file_id in sorted(broken):
        let_go_of_xorbs(conn, file_id, now)
        conn.execute(delete(file_terms).where(file_terms.c.file_id == file_id))
        # To be read again soon: whatever was found to be wrong with it may be right now.
        conn.execute(update(files).where(files.c.id == file_id).values(checked_at=0))
    return broken


def _broken(conn: Connection, ids: Collection[int]) -> set[int]:
    query = (
        select(file_xorbs.c.file_id)
        .join(xorbs, xorbs.c.id == file_xorbs.c.xorb_id)
        .where(file_xorbs.c.file_id.in_(ids), ~is_stored())
    )
    return set(conn.execute(query).scalars())


def _hold_xorbs(
    conn: Connection, needed: Collection[bytes], named: Mapping[bytes, NamedXorb]
) -> dict[bytes, int]:
    """Keep xorbs from being collected until this transaction ends, and for as long as linked."""
    by_id = {named[one].id: one for one in needed}
    for some in batches(sorted(by_id)):
        query = (
            select(xorbs.c.id, xorbs.c.hash)
            .where(xorbs.c.id.in_(some), is_stored())
            .order_by(xorbs.c.id)
            .with_for_update(read=True, key_share=True)
        )
        stored = {row.id: row.hash for row in conn.execute(query)}
        for xorb_id in some:
            if stored.get(xorb_id) != by_id[xorb_id]:
                raise errors.xorb_not_found(to_text(by_id[xorb_id]))
        conn.execute(
            update(xorbs)
            .where(xorbs.c.id.in_(some), xorbs.c.unlinked_at.is_not(None))
            .values(unlinked_at=None)
        )
    return {one: xorb_id for xorb_id, one in by_id.items()}


def _renew(conn: Connection, ids: Collection[int], now: Millis) -> None:
    """Keep xorbs without a file for another grace time: their sender remembers to have sent them.

    No longer than that, or what no file gets would never be collected.
    """
    for some in batches(sorted(set(ids))):
        conn.execute(
            update(xorbs)
            .where(xorbs.c.id.in_(some), xorbs.c.unlinked_at.is_not(None))
            .values(unlinked_at=now)
        )


def _write_terms(
    conn: Connection,
    fresh: Sequence[NewFile],
    held: Mapping[bytes, KnownFile],
    xorb_ids: Mapping[bytes, int],
) -> None:
    for some in batches(_term_rows(fresh, held)):
        conn.execute(insert(file_terms), some)
    links = (
        {"file_id": held[file.hash].id, "xorb_id": xorb_id}
        for file in fresh
        for xorb_id in sorted({xorb_ids[term.xorb] for term in file.terms})
    )
    for some in batches(links):
        conn.execute(insert(file_xorbs), some)


def _term_rows(
    fresh: Sequence[NewFile], held: Mapping[bytes, KnownFile]
) -> Iterator[dict[str, object]]:
    for file in fresh:
        at = 0
        for terms in batches(file.terms, TERMS_IN_ROW):
            yield {"file_id": held[file.hash].id, "raw_start": at, "terms": pack_terms(terms)}
            at += sum(term.raw_size for term in terms)


def _announce(
    conn: Connection,
    fresh: Sequence[NewFile],
    xorb_ids: Mapping[bytes, int],
    eligible: Mapping[bytes, Sequence[bytes]],
) -> None:
    """Note the chunks by which other clients may find what is stored here."""
    found = {
        (file.first_chunk, xorb_ids[file.terms[0].xorb])
        for file in fresh
        if file.first_chunk is not None
    }
    found |= {
        (chunk, xorb_ids[xorb])
        for xorb, chunks in eligible.items()
        if xorb in xorb_ids
        for chunk in chunks
    }
    statement = insert_for(conn, dedup_chunks).on_conflict_do_nothing()
    for some in batches(sorted(found)):
        conn.execute(statement, [{"chunk": chunk, "xorb_id": xorb} for chunk, xorb in some])


def _link(
    conn: Connection,
    repo_id: int,
    user_id: int | None,
    new: Sequence[NewFile],
    held: Mapping[bytes, KnownFile],
    now: Millis,
) -> bool:
    """Link the files; whether any was not linked before."""
    claims = {held[file.hash].id: file.sha256 or held[file.hash].sha256 for file in new}
    added = False
    for some in batches(sorted(claims)):
        added = added or len(_links(conn, repo_id, some)) < len(some)
        link_files(conn, repo_id, user_id, {one: claims[one] for one in some}, now)
        named: list[dict[str, object]] = []
        for file_id, oid in _links(conn, repo_id, some).items():
            claim = claims[file_id]
            if oid is None and claim is not None:
                named.append({"repo": repo_id, "file": file_id, "claim": claim})
            elif oid is not None and claim not in (None, oid):
                raise errors.unchecked([oid.hex()])
        if named:
            conn.execute(_NAME, named)
    return added


_NAME = (
    update(repo_files)
    .where(
        repo_files.c.repo_id == bindparam("repo"),
        repo_files.c.file_id == bindparam("file"),
        repo_files.c.oid.is_(None),
    )
    .values(oid=bindparam("claim"))
)


def _links(conn: Connection, repo_id: int, ids: Collection[int]) -> dict[int, bytes | None]:
    """By which sha256 the repository knows those of the files that it has."""
    query = select(repo_files.c.file_id, repo_files.c.oid).where(
        repo_files.c.repo_id == repo_id, repo_files.c.file_id.in_(ids)
    )
    return {row.file_id: row.oid for row in conn.execute(query)}
