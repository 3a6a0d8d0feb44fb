# SPDX-License-Identifier: Apache-2.0
"""What refs no longer lead to, and its removal.

Looking takes long in a large repository and needs no lock; removing is short. Between the two a
commit may bring an object back to use, but not without moving a ref: so the refs are compared.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from hubkeep.git.errors import MarkStale
from hubkeep.git.objects import Kind, inflate
from hubkeep.git.queries import delete_commits, list_refs
from hubkeep.git.queries_history import reachable_commits, trees_of_commits
from hubkeep.git.queries_objects import delete_objects, lock_repo, object_data, stream_oids
from hubkeep.git.trees import SUBMODULE, is_folder, parse_tree
from hubkeep.git.types import Ref

_TREES_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Garbage:
    """Commits and objects that no ref led to when the refs were `refs`."""

    refs: tuple[Ref, ...]
    commits: tuple[bytes, ...]
    objects: tuple[bytes, ...]


def find_garbage(conn: Connection, repo_id: int) -> Garbage:
    """Look for what can go. Reads all trees that are in use; holds 20 bytes for each object."""
    refs = tuple(list_refs(conn, repo_id))
    used = reachable_commits(conn, repo_id)
    roots = trees_of_commits(conn, repo_id)
    unused_commits = tuple(oid for oid in roots if oid not in used)
    kept = used | {ref.oid for ref in refs}
    kept |= _used_in(conn, repo_id, [roots[oid] for oid in used])
    unused = tuple(oid for oid in stream_oids(conn, repo_id) if oid not in kept)
    return Garbage(refs, unused_commits, unused)


def _used_in(conn: Connection, repo_id: int, roots: Iterable[bytes]) -> set[bytes]:
    """The trees, and all that they refer to."""
    seen = set(roots)
    ahead = list(seen)
    while ahead:
        batch, ahead = ahead[-_TREES_AT_ONCE:], ahead[:-_TREES_AT_ONCE]
        for _, kind, size, data in object_data(conn, repo_id, batch):
            if kind != Kind.TREE:
                continue
            for entry in parse_tree(inflate(data, size)):
                if entry.oid in seen or entry.mode == SUBMODULE:
                    continue
                seen.add(entry.oid)
                if is_folder(entry):
                    ahead.append(entry.oid)
    return seen


def purge(conn: Connection, repo_id: int, garbage: Garbage, limit: int) -> int:
    """Remove up to `limit` of the commits and objects that were found, and return how many went.

    Commits go first, so that none can be found whose files are gone. To be called, each time in a
    transaction of its own, until it returns 0. MarkStale if refs moved since.
    """
    lock_repo(conn, repo_id)
    if tuple(list_refs(conn, repo_id)) != garbage.refs:
        raise MarkStale("Refs moved since unreachable objects were looked for")
    gone = 0
    for oids, remove in ((garbage.commits, delete_commits), (garbage.objects, delete_objects)):
        for start in range(0, len(oids), limit):
            if gone >= limit:
                return gone
            gone += remove(conn, repo_id, oids[start : start + limit - gone])
    return gone
