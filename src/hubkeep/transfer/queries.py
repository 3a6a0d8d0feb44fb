# SPDX-License-Identifier: Apache-2.0
"""SQL of large files: which repository holds which file.

A file is reached through its link row and never by its hash: whoever knows the hash of a private
file learns nothing from the hub, not even that the file exists.

A file that came by Xet is linked with the sha256 that its uploader claims. That hash leads to the
file in this one repository; no other may refer to it until the hub has computed it itself
(`cas.checking`).

Rows are locked so that linking and collecting (`queries_collecting`) cannot cross: linking holds
`FOR KEY SHARE` on the file until its transaction ends, collecting wants `FOR UPDATE`. On SQLite
one writer at a time does the same.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, select, update

from hubkeep import errors
from hubkeep.db.tables import files, repo_files, repos
from hubkeep.db.upserts import insert_for
from hubkeep.identity.actor import Actor
from hubkeep.kit.batches import batches
from hubkeep.kit.ids import new_id
from hubkeep.kit.time import Millis
from hubkeep.repos.queries_visible import visible_to
from hubkeep.repos.types import DELETED, Repo
from hubkeep.transfer.grants import Grant

_LINKED = (
    select(
        repo_files.c.oid,
        files.c.id,
        files.c.size,
        files.c.header,
        files.c.xet_hash,
        files.c.whole,
        files.c.sha256.is_not(None),
        files.c.damaged_at.is_not(None),
    )
    .join(repo_files, repo_files.c.file_id == files.c.id)
    .where(
        repo_files.c.repo_id == bindparam("repo"),
        repo_files.c.oid.in_(bindparam("oids", expanding=True)),
    )
)
# Nobody unlinks these before the transaction ends; asked for in one order, lest two deadlock.
_LINKED_FOR_GOOD = _LINKED.order_by(repo_files.c.file_id).with_for_update(read=True, of=repo_files)
_NAME_FILE = (
    update(repo_files)
    .where(
        repo_files.c.repo_id == bindparam("repo"),
        repo_files.c.file_id == bindparam("file"),
        repo_files.c.filename.is_(None),
    )
    .values(filename=bindparam("path"), ref=bindparam("at_ref"))
)


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A large file as a commit names it; `size` is None where the commit does not say (copies)."""

    path: str
    size: int | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class LinkedFile:
    """A file that the repository holds; `header` is a `cards.FileHeader` as JSON.

    It is stored `whole`, as chunks (then it has a `xet_hash`), or both. Its sha256 was computed by
    the hub if it `is_checked`, and else is what the uploader claims. If it `is_damaged`, what is
    stored of it is known not to be the file, or not to be there; sent again, it is whole again.
    """

    file_id: int
    size: int
    header: str | None
    xet_hash: bytes | None
    whole: bool
    is_checked: bool
    is_damaged: bool


@dataclass(frozen=True, slots=True)
class LinkResult:
    """What became of the files that a commit names, by sha256: each is in one of the three."""

    found: dict[bytes, LinkedFile] = field(default_factory=dict)
    missing: list[bytes] = field(default_factory=list)
    wrong_size: list[bytes] = field(default_factory=list)


def linked_files(
    conn: Connection, repo_id: int, oids: Collection[bytes]
) -> dict[bytes, LinkedFile]:
    """Return which of the files are linked to the repository, by the sha256 it knows them by.

    Where two go by one hash, the one of which it is true.
    """
    return _linked(conn, _LINKED, repo_id, oids)


def link_for_commit(
    conn: Connection, repo: Repo, actor: Actor, wanted: Mapping[bytes, WantedFile], now: Millis
) -> LinkResult:
    """Make sure that the repository holds the files that a commit of `actor` names.

    A file that it does not hold yet is linked if the actor can read it in another repository; any
    other is `missing`. Each found file keeps the path and ref of the first commit that named it.
    To be called in the transaction of the commit: until its end no found file can be unlinked or
    collected. Raises unchecked where the actor can read a missing file in another repository, but
    only by a sha256 that the hub has not computed yet.
    """
    found = _linked(conn, _LINKED_FOR_GOOD, repo.id, sorted(wanted))
    missing = [oid for oid in sorted(wanted) if oid not in found]
    if missing:
        # A link that has just moved to another row of the same file is seen by the next statement.
        found |= _linked(conn, _LINKED_FOR_GOOD, repo.id, missing)
        missing = [oid for oid in missing if oid not in found]
        found |= _link_readable(conn, repo.id, actor, missing, now)
        _refuse_unchecked(conn, actor, [oid for oid in missing if oid not in found])
    result = LinkResult()
    for oid, want in wanted.items():
        if oid not in found:
            result.missing.append(oid)
        elif want.size is not None and want.size != found[oid].size:
            result.wrong_size.append(oid)
        else:
            result.found[oid] = found[oid]
    names = [
        {
            "repo": repo.id,
            "file": file.file_id,
            "path": wanted[oid].path,
            "at_ref": wanted[oid].ref,
        }
        for oid, file in result.found.items()
    ]
    if names:
        conn.execute(_NAME_FILE, names)
    return result


def link_present(
    conn: Connection, repo_id: int, actor: Actor, oids: Collection[bytes], now: Millis
) -> dict[bytes, LinkedFile]:
    """Return the files that need no upload: the repository holds them, or gets them linked here.

    The second kind are those that the actor can read in another repository. What somebody only
    claims to be one of these files is none of them. A file without any link, and a whole copy that
    is not needed, are kept from being collected for another grace time: their bytes may be sent
    again now.
    Raises repo_not_found if the repository has gone meanwhile.
    """
    hold_repo(conn, repo_id)
    linked = linked_files(conn, repo_id, oids)
    found = {oid: file for oid, file in linked.items() if file.is_checked}
    found |= _link_readable(conn, repo_id, actor, [o for o in oids if o not in found], now)
    for some in batches([oid for oid in oids if oid not in found]):
        for column in (files.c.unlinked_at, files.c.spare_since):
            conn.execute(
                update(files)
                .where(files.c.sha256.in_(some), column.is_not(None))
                .values({column: now})
            )
    return found


def link_from(
    conn: Connection,
    source_id: int,
    target_id: int,
    user_id: int | None,
    oids: Collection[bytes],
    now: Millis,
) -> dict[bytes, LinkedFile]:
    """Link those files of one repository that are checked to another; return all that it holds.

    Raises repo_not_found if the other repository has gone meanwhile.
    """
    hold_repo(conn, target_id)
    found = linked_files(conn, source_id, oids)
    wanted = {oid for oid, file in found.items() if file.is_checked}
    held = _held(conn, sorted(wanted))
    link_files(conn, target_id, user_id, held, now)
    gone = wanted.difference(held.values())
    return {oid: file for oid, file in found.items() if oid not in gone}


def add_file(
    conn: Connection, grant: Grant, header: str | None, now: Millis, *, is_mended: bool = False
) -> None:
    """Link a file, whose bytes are in the blob store and checked, to the grant's repository.

    Whether the grant still holds is for the caller to check, in the same transaction. With
    `is_mended` the bytes have taken the place of damaged ones.
    """
    hold_repo(conn, grant.repo_id)
    conn.execute(
        insert_for(conn, files)
        .values(sha256=grant.sha256, size=grant.size, header=header, created_at=now, checked_at=now)
        .on_conflict_do_nothing(index_elements=["sha256"])
    )
    held = _held(conn, [grant.sha256])
    if not held:
        # Collected this moment, which takes an upload longer than the grace time.
        raise errors.unavailable()
    # It may be there as chunks alone: now it is there whole too.
    conn.execute(
        update(files)
        .where(files.c.sha256 == grant.sha256, files.c.whole.is_(False))
        .values(whole=True, spare_since=None)
    )
    if is_mended:
        mended = update(files).where(files.c.sha256 == grant.sha256)
        conn.execute(mended.values(damaged_at=None, checked_at=now))
    link_files(conn, grant.repo_id, grant.user_id, held, now)


def is_damaged(conn: Connection, oid: bytes) -> bool:
    """Say whether what is stored of a file is known not to be it, or not to be there."""
    damaged = select(files.c.id).where(files.c.sha256 == oid, files.c.damaged_at.is_not(None))
    return conn.execute(damaged).first() is not None


def _linked(
    conn: Connection, query: Select, repo_id: int, oids: Iterable[bytes]
) -> dict[bytes, LinkedFile]:
    found: dict[bytes, LinkedFile] = {}
    for some in batches(oids):
        for oid, *columns in conn.execute(query, {"repo": repo_id, "oids": some}):
            file = LinkedFile(*columns)
            if oid not in found or (file.is_checked and not found[oid].is_checked):
                found[oid] = file
    return found


def _link_readable(
    conn: Connection, repo_id: int, actor: Actor, oids: Sequence[bytes], now: Millis
) -> dict[bytes, LinkedFile]:
    found: dict[bytes, LinkedFile] = {}
    readable = (
        select(repo_files.c.file_id)
        .join(repos, repos.c.id == repo_files.c.repo_id)
        .where(repo_files.c.file_id == files.c.id, reads(actor))
        .exists()
    )
    for some in batches(oids):
        query = select(files.c.sha256).where(files.c.sha256.in_(some), readable)
        seen = list(conn.execute(query).scalars())
        if seen:
            link_files(conn, repo_id, actor.user_id, _held(conn, seen), now)
            found |= linked_files(conn, repo_id, seen)
    return found


def _refuse_unchecked(conn: Connection, actor: Actor, oids: Sequence[bytes]) -> None:
    claimed: list[str] = []
    for some in batches(oids):
        # Files that are not checked are few, so the search begins with them.
        query = (
            select(repo_files.c.oid)
            .select_from(files)
            .join(repo_files, repo_files.c.file_id == files.c.id)
            .join(repos, repos.c.id == repo_files.c.repo_id)
            .where(files.c.sha256.is_(None), repo_files.c.oid.in_(some), reads(actor))
            .distinct()
        )
        claimed += (oid.hex() for oid in conn.execute(query).scalars())
    if claimed:
        raise errors.unchecked(claimed)


def reads(actor: Actor) -> ColumnElement[bool]:
    """Repositories whose files the actor has beyond doubt: nothing behind a gate or locked away."""
    return and_(visible_to(actor), repos.c.gated == "", repos.c.disabled.is_(False))


def _held(conn: Connection, oids: Sequence[bytes]) -> dict[int, bytes]:
    """Return those that exist, id to hash; none is collected before this transaction ends."""
    query = (
        select(files.c.id, files.c.sha256)
        .where(files.c.sha256.in_(oids))
        .order_by(files.c.id)
        .with_for_update(read=True, key_share=True)
    )
    return {row.id: row.sha256 for row in conn.execute(query)}


def hold_repo(conn: Connection, repo_id: int) -> None:
    """Keep the repository from being deleted until this transaction ends."""
    query = (
        select(repos.c.id)
        .where(repos.c.id == repo_id, repos.c.type != DELETED)
        .with_for_update(read=True, key_share=True)
    )
    if conn.execute(query).scalar() is None:
        raise errors.repo_not_found(anonymous=False)


def link_files(
    conn: Connection,
    repo_id: int,
    user_id: int | None,
    held: Mapping[int, bytes | None],
    now: Millis,
) -> None:
    """Link files, id to the sha256 by which the repository is to know each, unless they are.

    The caller holds their rows, and knows that the user has the bytes.
    """
    rows = [
        {
            "repo_id": repo_id,
            "file_id": file_id,
            "oid": oid,
            "public_id": new_id(),
            "pushed_by": user_id,
            "pushed_at": now,
        }
        for file_id, oid in held.items()
    ]
    if not rows:
        return
    conn.execute(
        insert_for(conn, repo_files).on_conflict_do_nothing(index_elements=["repo_id", "file_id"]),
        rows,
    )
    conn.execute(
        update(files)
        .where(files.c.id.in_(held), files.c.unlinked_at.is_not(None))
        .values(unlinked_at=None)
    )
