# SPDX-License-Identifier: Apache-2.0
"""A checked push on its way into the database: rows are copied, nothing is computed."""

from collections.abc import Iterator

from sqlalchemy import Connection

from hubkeep.git.objects import Kind, deflate
from hubkeep.git.push.pack import Pack
from hubkeep.git.push.types import Checked, Refused
from hubkeep.git.queries import insert_commits
from hubkeep.git.queries_objects import ObjectRow, insert_objects, object_infos
from hubkeep.git.trees import EMPTY_TREE
from hubkeep.kit.batches import batches

_BATCH_ROWS = 2_000
_BATCH_BYTES = 8 << 20
_COMMITS = 500


def store(conn: Connection, repo_id: int, pack: Pack, checked: Checked) -> None:
    """Insert what is new, first of all the objects. Refused, with nothing to be undone by others
    than the caller's transaction.
    """
    if checked.outside is not None:
        checked.outside.still_there(conn, repo_id)
    for rows in _bounded(_objects(pack, checked)):
        if insert_objects(conn, repo_id, rows) == len(rows):
            continue
        there = object_infos(conn, repo_id, [row[0] for row in rows])
        for oid, kind, size, _, _ in rows:
            if there[oid][:2] != (kind, size):
                raise Refused(f"{oid.hex()} is the id of another object in this repository")
    if checked.has_empty_tree:
        insert_objects(conn, repo_id, [(EMPTY_TREE, Kind.TREE, 0, deflate(b""), None)])
    for some in batches(checked.commits, _COMMITS):
        rows = [(checked.commits[oid], checked.records[oid] or None) for oid in some]
        insert_commits(conn, repo_id, rows)


def _objects(pack: Pack, checked: Checked) -> Iterator[ObjectRow]:
    """In the order of their ids, which is that of the database's index."""
    for position, is_reached in enumerate(checked.reached):
        if is_reached:
            oid, kind = pack.oid(position), Kind(pack.kinds[position])
            pointer = checked.pointers.get(oid) if kind == Kind.BLOB else None
            lfs = pointer.lfs if pointer else None
            yield oid, kind, pack.sizes[position], pack.data(position), lfs


def _bounded(rows: Iterator[ObjectRow]) -> Iterator[list[ObjectRow]]:
    batch: list[ObjectRow] = []
    held = 0
    for row in rows:
        batch.append(row)
        held += len(row[3])
        if len(batch) >= _BATCH_ROWS or held >= _BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
