# SPDX-License-Identifier: Apache-2.0
"""SQL of computed sha256s: what they make true, whose claims they refute, which files they unite.

Locks are taken in the order of commits and of unlinking: links, then files, both by id. Whoever
links a file meanwhile holds its row; so what is seen of links under the lock of the file is all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, case, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from hubkeep import errors
from hubkeep.db.tables import accounts, file_terms, file_xorbs, files, repo_files, repos, xorbs
from hubkeep.kit.batches import batches
from hubkeep.kit.time import Millis
from hubkeep.repos.queries_head import add_storage
from hubkeep.transfer.cas.queries_collecting import let_go_of_xorbs
from hubkeep.transfer.cas.queries_reading import needs_damaged
from hubkeep.transfer.queries_files import unlink_files

_TRIES = 3


class UncheckedFile(NamedTuple):
    """A file whose sha256 the hub has not computed yet."""

    id: int
    xet_hash: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Lie:
    """A claim that was refuted; `user` is None where the account is gone."""

    repo: str
    user: str | None
    sha256: bytes


class _Link(NamedTuple):
    repo_id: int
    oid: bytes | None
    filename: str | None
    ref: str | None
    repo: str
    user: str | None


class _File(NamedTuple):
    id: int
    sha256: bytes | None
    size: int
    xet_hash: bytes | None
    header: str | None
    is_damaged: bool


def unchecked_files(conn: Connection, ids: Sequence[int]) -> list[UncheckedFile]:
    """Return those of the files whose sha256 is not known yet."""
    found: list[UncheckedFile] = []
    for some in batches(ids):
        query = (
            select(files.c.id, files.c.xet_hash, files.c.size)
            .where(files.c.id.in_(some), files.c.sha256.is_(None), files.c.xet_hash.is_not(None))
            .order_by(files.c.id)
        )
        found += (UncheckedFile(*row) for row in conn.execute(query))
    return found


def is_confirmed(conn: Connection, file_id: int, sha256: bytes) -> bool:
    """Say whether somebody claims this sha256 of a file, or another file has it."""
    claimed = select(repo_files.c.file_id).where(
        repo_files.c.file_id == file_id, repo_files.c.oid == sha256
    )
    known = select(files.c.id).where(files.c.sha256 == sha256)
    return any(conn.execute(query.limit(1)).first() is not None for query in (claimed, known))


def forgotten_files(conn: Connection, before: Millis, after: int, limit: int) -> list[int]:
    """Return ids above `after` of files that have waited since `before`, and can be read."""
    damaged = (
        select(file_xorbs.c.file_id)
        .join(xorbs, xorbs.c.id == file_xorbs.c.xorb_id)
        .where(file_xorbs.c.file_id == files.c.id, xorbs.c.damaged_at.is_not(None))
        .exists()
    )
    query = (
        select(files.c.id)
        .where(files.c.sha256.is_(None), files.c.created_at < before, files.c.id > after, ~damaged)
        .order_by(files.c.id)
        .limit(limit)
    )
    return list(conn.execute(query).scalars())


def settle(conn: Connection, checked: UncheckedFile, sha256: bytes, now: Millis) -> list[Lie]:
    """Write down the sha256 that the hub has computed of a file; return the claims it refutes.

    Links that were made with another claim are removed, those without one get this sha256. Where
    a file with it is there already, the two become one. A file that is gone, or whose sha256 is
    known, is left as it is; so is another file that got its id on SQLite. Raises unavailable if
    another file with the sha256 comes and goes meanwhile.
    """
    conn.execute(
        select(repo_files.c.repo_id)
        .where(repo_files.c.file_id == checked.id)
        .order_by(repo_files.c.repo_id)
        .with_for_update()
    )
    for _ in range(_TRIES):
        file, twin = _lock(conn, checked.id, sha256)
        if file is None or file.sha256 is not None or file.xet_hash != checked.xet_hash:
            return []
        if twin is not None:
            lies = _drop_lies(conn, file, sha256, now)
            _unite(conn, file, twin, sha256, now)
            return lies
        try:
            with conn.begin_nested():
                named = update(files).where(files.c.id == file.id).values(sha256=sha256)
                conn.execute(named)
        except IntegrityError:  # by git-lfs, this moment
            continue
        lies = _drop_lies(conn, file, sha256, now)
        conn.execute(update(repo_files).where(repo_files.c.file_id == file.id).values(oid=sha256))
        return lies
    raise errors.unavailable()


def _lock(conn: Connection, file_id: int, sha256: bytes) -> tuple[_File | None, _File | None]:
    """The file, and the other one that is known to have this sha256."""
    query = (
        select(
            files.c.id,
            files.c.sha256,
            files.c.size,
            files.c.xet_hash,
            files.c.header,
            files.c.damaged_at.is_not(None),
        )
        .where(or_(files.c.id == file_id, files.c.sha256 == sha256))
        .order_by(files.c.id)
        .with_for_update()
    )
    found = [_File(*row) for row in conn.execute(query)]
    file = next((one for one in found if one.id == file_id), None)
    return file, next((one for one in found if one.id != file_id), None)


def _links(conn: Connection, file_id: int) -> list[_Link]:
    query = (
        select(
            repo_files.c.repo_id,
            repo_files.c.oid,
            repo_files.c.filename,
            repo_files.c.ref,
            repos.c.path,
            accounts.c.name,
        )
        .join(repos, repos.c.id == repo_files.c.repo_id)
        .outerjoin(accounts, accounts.c.id == repo_files.c.pushed_by)
        .where(repo_files.c.file_id == file_id)
        .order_by(repo_files.c.repo_id)
    )
    return [_Link(*row) for row in conn.execute(query)]


def _drop_lies(conn: Connection, file: _File, sha256: bytes, now: Millis) -> list[Lie]:
    lies: list[Lie] = []
    for link in _links(conn, file.id):
        if link.oid is None or link.oid == sha256:
            continue
        unlink_files(conn, link.repo_id, [file.id], now)
        if link.filename is not None and not _hand_over(conn, link):
            add_storage(conn, link.repo_id, -file.size)
        lies.append(Lie(link.repo, link.user, link.oid))
    return lies


def _hand_over(conn: Connection, gone: _Link) -> bool:
    """What a commit said of a link is said of another of the same name, if there is one."""
    others = (repo_files.c.repo_id == gone.repo_id) & (repo_files.c.oid == gone.oid)
    named = update(repo_files).where(others, repo_files.c.filename.is_(None))
    conn.execute(named.values(filename=gone.filename, ref=gone.ref))
    return conn.execute(select(repo_files.c.file_id).where(others).limit(1)).first() is not None


def _unite(conn: Connection, file: _File, twin: _File, sha256: bytes, now: Millis) -> None:
    """Give all that a file has to its twin, and delete it.

    Its chunks have just been read, so they stand in for whatever is damaged of the twin.
    """
    theirs = {link.repo_id: link for link in _links(conn, twin.id)}
    for link in _links(conn, file.id):
        ours = (repo_files.c.repo_id == link.repo_id) & (repo_files.c.file_id == file.id)
        if link.repo_id not in theirs:
            moved = update(repo_files).where(ours).values(file_id=twin.id, oid=sha256)
            conn.execute(moved)
            continue
        conn.execute(delete(repo_files).where(ours))
        if theirs[link.repo_id].filename is None and link.filename is not None:
            conn.execute(
                update(repo_files)
                .where(repo_files.c.repo_id == link.repo_id, repo_files.c.file_id == twin.id)
                .values(filename=link.filename, ref=link.ref)
            )
    xet_hash = twin.xet_hash
    if xet_hash is None or twin.is_damaged or needs_damaged(conn, xet_hash):
        let_go_of_xorbs(conn, twin.id, now)
        conn.execute(delete(file_terms).where(file_terms.c.file_id == twin.id))
        for table in (file_terms, file_xorbs):
            conn.execute(update(table).where(table.c.file_id == file.id).values(file_id=twin.id))
        xet_hash = file.xet_hash
    else:
        # Cut into chunks in another way: one way to read it is enough.
        let_go_of_xorbs(conn, file.id, now)
    conn.execute(delete(files).where(files.c.id == file.id))
    linked = select(repo_files.c.repo_id).where(repo_files.c.file_id == twin.id).limit(1)
    conn.execute(
        update(files)
        .where(files.c.id == twin.id)
        .values(
            xet_hash=xet_hash,
            header=func.coalesce(files.c.header, file.header),
            unlinked_at=None if conn.execute(linked).first() else now,
        )
    )
    if twin.is_damaged:
        spare_since = case((files.c.whole, now), else_=files.c.spare_since)
        conn.execute(
            update(files)
            .where(files.c.id == twin.id)
            .values(whole=False, spare_since=spare_since, damaged_at=None)
        )
