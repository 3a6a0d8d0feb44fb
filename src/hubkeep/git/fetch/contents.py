# SPDX-License-Identifier: Apache-2.0
"""The pack of all that refs lead to.

Usually that is all that a repository has, and then it is copied as it comes, without walking from
commit to commit: where each object is named by another one or by a ref, none is without a way to it
(no object can name itself by a detour). Where something was taken back, what refs lead to is looked
for, and the rest is left out: git would give it to whoever knows its id.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection

from hubkeep.git.fetch.packs import PackWriter
from hubkeep.git.fetch.queries import Stored, stream_all, stream_commits
from hubkeep.git.objects import OID_BYTES, Kind, inflate
from hubkeep.git.queries_history import reachable_commits, trees_of_commits
from hubkeep.git.queries_objects import bounded_data, count_objects, stream_oids
from hubkeep.git.types import Ref

BYTES_AT_ONCE = 8 << 20
_TREES_AT_ONCE = 2000

# A commit that stands in a tree is a submodule's, of another repository: it names nothing here.
_NAMED = re.compile(rb"160000 [^\0]+\0.{20}|[0-7]{5,6} [^\0]+\0(.{20})", re.DOTALL)
_FOLDERS = re.compile(rb"0?40000 [^\0]+\0(.{20})|[0-7]{5,6} [^\0]+\0.{20}", re.DOTALL)
_TAGGED = re.compile(rb"object ([0-9a-f]{40})\n")


def write_all(conn: Connection, repo_id: int, refs: Sequence[Ref], packs: Path) -> int:
    """Write all that the refs of a repository lead to as one pack; return the number of objects.

    The refs are all that there are in this snapshot. Holds some 200 bytes an object.
    """
    count = _write_whole(conn, repo_id, refs, packs)
    if count is not None:
        return count
    used = led_to(conn, repo_id, refs)
    with PackWriter(packs, len(used)) as pack:
        for stored in _only(conn, repo_id, used):
            pack.add(*stored)
        pack.finish()
    return len(used)


def led_to(conn: Connection, repo_id: int, refs: Sequence[Ref]) -> set[bytes]:
    """Return the ids of all objects that refs lead to, by reading all their trees."""
    used = reachable_commits(conn, repo_id)
    roots = trees_of_commits(conn, repo_id)
    ahead = {tree for oid, tree in roots.items() if oid in used}
    used |= set(chained(conn, repo_id, {ref.oid for ref in refs if ref.oid != ref.commit}))
    trees = set(ahead)
    while ahead:
        batch = [ahead.pop() for _ in range(min(len(ahead), _TREES_AT_ONCE))]
        for oid, kind, size, data in bounded_data(conn, repo_id, batch, BYTES_AT_ONCE):
            used.add(oid)
            if kind == Kind.TREE:
                payload = inflate(data, size)
                used.update(_NAMED.findall(payload))
                below = set(_FOLDERS.findall(payload)) - trees
                trees |= below
                ahead |= below
    used.discard(b"")
    return used


def chained(conn: Connection, repo_id: int, tags: Collection[bytes]) -> Iterator[bytes]:
    """Yield annotated tags, and those that they are tags of."""
    while tags:
        there = list(bounded_data(conn, repo_id, list(tags), BYTES_AT_ONCE))
        there = [row for row in there if row[1] == Kind.TAG]
        yield from (oid for oid, *_ in there)
        tags = {_tagged(inflate(data, size)) for _, _, size, data in there} - {b""}


def _write_whole(conn: Connection, repo_id: int, refs: Sequence[Ref], packs: Path) -> int | None:
    """Write all objects of a repository; None where one is among them that no other names."""
    unnamed = set(stream_oids(conn, repo_id))
    count = len(unnamed)
    unnamed.difference_update([ref.oid for ref in refs], [ref.commit for ref in refs])
    there: list[bytes] = []
    for commit, tree, parents in stream_commits(conn, repo_id):
        there.append(commit)
        unnamed.discard(tree)
        for at in range(0, len(parents), OID_BYTES):
            unnamed.discard(parents[at : at + OID_BYTES])
    if not unnamed.isdisjoint(there):
        return None
    with PackWriter(packs, count) as pack:
        for oid, kind, size, data in stream_all(conn, repo_id):
            pack.add(oid, kind, size, data)
            if kind == Kind.TREE:
                unnamed.difference_update(_NAMED.findall(inflate(data, size)))
            elif kind == Kind.TAG:
                unnamed.discard(_tagged(inflate(data, size)))
        if unnamed:
            return None
        pack.finish()
    return count


def _only(conn: Connection, repo_id: int, used: Collection[bytes]) -> Iterator[Stored]:
    if 2 * len(used) < count_objects(conn, repo_id):
        yield from bounded_data(conn, repo_id, list(used), BYTES_AT_ONCE)
    else:
        yield from (stored for stored in stream_all(conn, repo_id) if stored[0] in used)


def _tagged(payload: bytes) -> bytes:
    """Return the id of what an annotated tag names; empty for what is no tag."""
    found = _TAGGED.match(payload)
    return bytes.fromhex(found[1].decode()) if found else b""
