# SPDX-License-Identifier: Apache-2.0
"""SQL of objects: batches by oid, first-wins inserts, streams of whole repositories."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    Row,
    Select,
    bindparam,
    delete,
    func,
    literal,
    select,
    true,
)

from hubkeep.db.tables import git_objects, repos
from hubkeep.git.objects import OID_BYTES, Kind, LfsPointer
from hubkeep.kit.batches import batches

_OIDS = 10_000
_DATA_OIDS = 500
_STREAM_ROWS = 500


class ByOids:
    """A SELECT of a repository's rows by many oids.

    The oids travel as one value that the database cuts up, which is several times quicker than
    variables or arrays. PostgreSQL must be told to look each up by the index: not knowing how many
    there are, it would rather read the table.
    """

    def __init__(self, query: Select, repo: Column[int], oid: Column[bytes]) -> None:
        first = select(literal(0).label("i")).cte("numbers", recursive=True)
        numbers = first.union_all(select(first.c.i + 1).where(first.c.i < bindparam("last")))
        all_oids = bindparam("oids", type_=LargeBinary)
        one = func.substr(all_oids, numbers.c.i * OID_BYTES + 1, OID_BYTES, type_=LargeBinary)
        mine = query.where(repo == bindparam("repo"), oid == one)
        self._sqlite = mine
        each = mine.correlate(numbers).offset(0).lateral("each")
        self._postgresql = select(*each.c).select_from(numbers.join(each, true()))

    def rows(
        self, conn: Connection, repo_id: int, oids: Sequence[bytes], batch: int = _OIDS
    ) -> Iterator[Row]:
        """Yield the rows in no order; at most `batch` oids go into one statement."""
        query = self._postgresql if conn.dialect.name == "postgresql" else self._sqlite
        for part in batches(oids, batch):
            values = {"repo": repo_id, "oids": b"".join(part), "last": len(part) - 1}
            yield from conn.execute(query, values)


_INFO = ByOids(
    select(
        git_objects.c.oid,
        git_objects.c.kind,
        git_objects.c.size,
        git_objects.c.lfs_sha256,
        git_objects.c.lfs_size,
    ),
    git_objects.c.repo_id,
    git_objects.c.oid,
)
_DATA = ByOids(
    select(git_objects.c.oid, git_objects.c.kind, git_objects.c.size, git_objects.c.data),
    git_objects.c.repo_id,
    git_objects.c.oid,
)
_COUNT = (
    select(func.count()).select_from(git_objects).where(git_objects.c.repo_id == bindparam("repo"))
)
_KINDS = (
    select(git_objects.c.oid, git_objects.c.kind)
    .where(git_objects.c.repo_id == bindparam("repo"))
    .execution_options(yield_per=_STREAM_ROWS)
)
# As the drivers take it: a push brings thousands of rows, and SQLAlchemy would look at each value.
_INSERT = """
INSERT INTO git_objects (repo_id, oid, kind, size, data, lfs_sha256, lfs_size)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (repo_id, oid) DO NOTHING
"""
# A lock that keeps other writers of the repository out, but not rows that refer to it.
_LOCK = select(repos.c.id).where(repos.c.id == bindparam("repo")).with_for_update(key_share=True)


def lock_repo(conn: Connection, repo_id: int) -> None:
    """Wait until no other transaction writes into the repository, and keep others out.

    SQLite has one writer anyway.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(_LOCK, {"repo": repo_id})


ObjectInfo = tuple[int, int, LfsPointer | None]
"""Kind, size and, for pointers, what they point at."""


def object_infos(conn: Connection, repo_id: int, oids: Sequence[bytes]) -> dict[bytes, ObjectInfo]:
    """Return what is known of the objects without reading them; those missing are left out."""
    return {
        oid: (kind, size, LfsPointer(sha256, lfs_size) if sha256 is not None else None)
        for oid, kind, size, sha256, lfs_size in _INFO.rows(conn, repo_id, oids)
    }


def object_data(
    conn: Connection, repo_id: int, oids: Sequence[bytes]
) -> Iterator[tuple[bytes, int, int, bytes]]:
    """Yield (oid, kind, size, deflated data) of the objects that are there."""
    for row in _DATA.rows(conn, repo_id, oids, _DATA_OIDS):
        yield row[0], row[1], row[2], row[3]


def bounded_data(
    conn: Connection, repo_id: int, oids: Sequence[bytes], limit: int
) -> Iterator[tuple[bytes, int, int, bytes]]:
    """Like `object_data`, with no more than `limit` bytes, inflated, of several objects at once."""
    for some in batches(oids, _DATA_OIDS):
        for few in bounded(object_infos(conn, repo_id, some), limit):
            yield from object_data(conn, repo_id, few)


def bounded(infos: Mapping[bytes, ObjectInfo], limit: int) -> Iterator[list[bytes]]:
    """Yield the oids in lists that take no more than `limit` bytes, or hold one object."""
    batch: list[bytes] = []
    held = 0
    for oid, (_, size, _) in infos.items():
        if batch and held + size > limit:
            yield batch
            batch, held = [], 0
        batch.append(oid)
        held += size
    if batch:
        yield batch


ObjectRow = tuple[bytes, Kind, int, bytes, LfsPointer | None]
"""Oid, kind, size, deflated data, and for pointers what they point at."""


def insert_objects(conn: Connection, repo_id: int, rows: Iterable[ObjectRow]) -> int:
    """Insert objects; one that is there already stays as it is. Return how many were not there."""
    values = [
        (repo_id, oid, int(kind), size, data, lfs and lfs.sha256, lfs and lfs.size)
        for oid, kind, size, data, lfs in rows
    ]
    if not values:
        return 0
    mark = "%s" if conn.dialect.name == "postgresql" else "?"
    return conn.exec_driver_sql(_INSERT.replace("?", mark), values).rowcount


def count_objects(conn: Connection, repo_id: int) -> int:
    """Count the repository's objects."""
    return conn.execute(_COUNT, {"repo": repo_id}).scalar_one()


def stream_oids(conn: Connection, repo_id: int) -> Iterator[bytes]:
    """Yield the oids of all objects, in no order, without holding them."""
    for oid, _ in stream_kinds(conn, repo_id):
        yield oid


def stream_kinds(conn: Connection, repo_id: int) -> Iterator[tuple[bytes, int]]:
    """Yield (oid, kind) of all objects, in no order, without holding them."""
    for row in conn.execute(_KINDS, {"repo": repo_id}):
        yield row[0], row[1]


def delete_objects(conn: Connection, repo_id: int, oids: Sequence[bytes]) -> int:
    """Delete objects and return how many there were."""
    deleted = 0
    for some in batches(oids, _OIDS):
        mine = git_objects.c.oid.in_(some)
        deleted += conn.execute(
            delete(git_objects).where(git_objects.c.repo_id == repo_id, mine)
        ).rowcount
    return deleted
