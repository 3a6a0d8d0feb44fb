# SPDX-License-Identifier: Apache-2.0
"""Objects and commits on their way into the database. The caller holds the repository's lock."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Connection

from hubkeep.git.commits import encode_commit, full_message
from hubkeep.git.errors import Collision, ObjectMissing
from hubkeep.git.folders import Trees
from hubkeep.git.last_commits import encode_record, record_of
from hubkeep.git.objects import Kind, StagedBlob, deflate, object_id
from hubkeep.git.queries import insert_commit
from hubkeep.git.queries_objects import ObjectRow, insert_objects, object_infos
from hubkeep.git.types import CommitRow, NewCommit
from hubkeep.kit.batches import batches

_BATCH_ROWS = 2_000
_BATCH_BYTES = 8 << 20


def store_blobs(
    conn: Connection, repo_id: int, blobs: Iterable[StagedBlob], wanted: Iterable[bytes]
) -> int:
    """Store those blobs that are wanted; return how many bytes of files the repository gained.

    A pointer counts as the file that it points at. At most a few megabytes are in memory at once.
    Collision if a blob is there with another size, ObjectMissing if a wanted one is neither among
    `blobs` nor in the repository.
    """
    missing = set(wanted)
    gained = 0
    for batch in _bounded(blob for blob in blobs if blob.oid in missing):
        fresh = {blob.oid: blob for blob in batch}
        there = object_infos(conn, repo_id, list(fresh))
        for oid, (kind, size, _) in there.items():
            blob = fresh.pop(oid)
            if kind != Kind.BLOB or size != blob.size:
                raise Collision(f"{oid.hex()} is the id of another object already")
        insert_objects(
            conn, repo_id, [(b.oid, Kind.BLOB, b.size, b.data, b.lfs) for b in fresh.values()]
        )
        gained += sum(b.lfs.size if b.lfs else b.size for b in fresh.values())
        missing.difference_update(fresh, there)
    if missing:
        missing.difference_update(object_infos(conn, repo_id, list(missing)))
    if missing:
        raise ObjectMissing(f"{len(missing)} blob(s) of the commit are missing")
    return gained


def _bounded(blobs: Iterable[StagedBlob]) -> Iterator[list[StagedBlob]]:
    batch: list[StagedBlob] = []
    held = 0
    for blob in blobs:
        batch.append(blob)
        held += len(blob.data)
        if len(batch) >= _BATCH_ROWS or held >= _BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def store_commit(
    trees: Trees,
    new: NewCommit,
    tree: bytes,
    parents: Sequence[CommitRow],
    payloads: Mapping[bytes, bytes],
) -> CommitRow:
    """Store a commit, its new trees, its row and its record of last changes.

    `payloads` are the trees by their ids. The time of a commit is in whole seconds.
    """
    conn, repo_id = trees.conn, trees.repo_id
    title, body = full_message(new.title, new.body)
    oids = tuple(parent.oid for parent in parents)
    payload = encode_commit(tree, oids, new.author, new.at, title, body)
    oid = object_id(Kind.COMMIT, payload)
    row = CommitRow(
        oid=oid,
        tree=tree,
        parents=oids,
        generation=1 + max((parent.generation for parent in parents), default=0),
        linear=len(parents) < 2 and all(parent.linear for parent in parents),
        committed_at=max(new.at, 0) // 1000 * 1000,
        author=new.author.text,
        author_id=new.author_id,
        title=title,
        message=body,
        facts_id=None,
        size=None,
    )
    rows = _object_rows(payloads, oid, payload)
    for batch in batches(rows, _BATCH_ROWS):
        insert_objects(conn, repo_id, batch)
    record = record_of(trees, oid, tree, [(parent.oid, parent.tree) for parent in parents])
    insert_commit(conn, repo_id, row, encode_record(record))
    return row


def _object_rows(
    payloads: Mapping[bytes, bytes], commit: bytes, payload: bytes
) -> Iterator[ObjectRow]:
    for oid, tree in payloads.items():
        yield oid, Kind.TREE, len(tree), deflate(tree), None
    yield commit, Kind.COMMIT, len(payload), deflate(payload), None
