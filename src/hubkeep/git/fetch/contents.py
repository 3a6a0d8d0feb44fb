# SPDX-License-Identifier: Apache-2.0
"""The pack of all that refs lead to.

Usually that is all that a repository has, and then it is copied as it comes, without walking from
commit to commit: where each object is named by another one or by a ref, none is without a way to it
(no object can name itself by a detour). Where something was taken back it is walked, and what no
ref leads to is left out: git would give it to whoever knows its id.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection

from hubkeep.git.fetch.packs import PackWriter
from hubkeep.git.fetch.queries import Stored, stream_all, stream_links
from hubkeep.git.objects import OID_BYTES, Kind, inflate
from hubkeep.git.queries_objects import stream_oids
from hubkeep.git.reachable import find_garbage
from hubkeep.git.types import Ref

# A commit that stands in a tree is a submodule's, of another repository: it names nothing here.
_NAMED = re.compile(rb"160000 [^\0]+\0.{20}|[0-7]{5,6} [^\0]+\0(.{20})", re.DOTALL)
_TAGGED = re.compile(rb"object ([0-9a-f]{40})\n")


def write_all(conn: Connection, repo_id: int, refs: Sequence[Ref], packs: Path) -> int:
    """Write all that the refs of a repository lead to as one pack; return the number of objects.

    The refs are all that there are in this snapshot. Holds about 150 bytes an object.
    """
    unnamed = set(stream_oids(conn, repo_id))
    count = len(unnamed)
    unnamed.difference_update([ref.oid for ref in refs], [ref.commit for ref in refs])
    for tree, parents in stream_links(conn, repo_id):
        unnamed.discard(tree)
        for at in range(0, len(parents), OID_BYTES):
            unnamed.discard(parents[at : at + OID_BYTES])
    with PackWriter(packs, count) as pack:
        for oid, kind, size, data in stream_all(conn, repo_id):
            pack.add(oid, kind, size, data)
            if kind == Kind.TREE:
                unnamed.difference_update(_NAMED.findall(inflate(data, size)))
            elif kind == Kind.TAG:
                unnamed.discard(tagged(inflate(data, size)))
        if not unnamed:
            pack.finish()
            return count
    unused = set(find_garbage(conn, repo_id).objects)
    with PackWriter(packs, count - len(unused)) as pack:
        for stored in _without(stream_all(conn, repo_id), unused):
            pack.add(*stored)
        pack.finish()
    return count - len(unused)


def tagged(payload: bytes) -> bytes:
    """Return the id of what an annotated tag names; empty for what is no tag."""
    found = _TAGGED.match(payload)
    return bytes.fromhex(found[1].decode()) if found else b""


def _without(objects: Iterator[Stored], unused: Collection[bytes]) -> Iterator[Stored]:
    return (stored for stored in objects if stored[0] not in unused)
