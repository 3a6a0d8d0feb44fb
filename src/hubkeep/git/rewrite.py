# SPDX-License-Identifier: Apache-2.0
"""Writing a repository's history anew without certain large files."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from hubkeep.db.tables import git_objects
from hubkeep.git.errors import ObjectMissing, TooLarge
from hubkeep.git.folders import Trees
from hubkeep.git.last_commits import encode_record, record_of
from hubkeep.git.objects import Kind, deflate, inflate, object_id
from hubkeep.git.queries import (
    commits,
    delete_ref,
    insert_commit,
    insert_ref,
    list_refs,
    move_ref,
)
from hubkeep.git.queries_history import reachable_commits
from hubkeep.git.queries_objects import insert_objects, lock_repo, object_data
from hubkeep.git.trees import EMPTY_TREE, encode_tree, is_folder, parse_tree
from hubkeep.git.types import CommitRow, Ref
from hubkeep.kit.batches import batches
from hubkeep.kit.time import Millis

MAX_COMMITS = 20_000
"""Longer histories are refused: they are written in one transaction."""

# Signatures of commits hold no more, and tags that were merged are not what they were.
_DROPPED = re.compile(rb"\n(?:gpgsig|gpgsig-sha256|mergetag) [^\n]*(?:\n [^\n]*)*")
_PARENTS = re.compile(rb"\A(tree )[0-9a-f]{40}((?:\nparent [0-9a-f]{40})*)")
_TAGGED = re.compile(rb"\Aobject [0-9a-f]{40}\ntype commit\n")
_TAG_SIGNATURE = re.compile(rb"-----BEGIN (?:PGP|SSH) SIGNATURE-----.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class MovedRef:
    """A ref that leads to a rewritten commit."""

    name: str
    new: CommitRow


@dataclass(frozen=True, slots=True)
class _Pruned:
    """A tree without the unwanted files, and the bytes of those that were in it."""

    oid: bytes
    removed: int


def remove_lfs_files(
    conn: Connection, repo_id: int, sha256s: Collection[bytes], at: Millis
) -> list[MovedRef]:
    """Take the pointers to large files out of all that refs lead to, and move the refs.

    Commits keep authors, dates and messages, and one that is left without changes stays. Commits
    without such files behind them keep their ids. Rewritten ones carry their facts over and their
    size without the files; signatures are dropped. What was rewritten stays until it is purged.
    TooLarge for a history of more than MAX_COMMITS commits.
    """
    lock_repo(conn, repo_id)
    unwanted = _pointers(conn, repo_id, sha256s)
    if not unwanted:
        return []
    reachable = reachable_commits(conn, repo_id)
    if len(reachable) > MAX_COMMITS:
        raise TooLarge(f"The history has more than {MAX_COMMITS} commits")
    rewriting = _Rewriting(conn, repo_id, unwanted)
    found = commits(conn, repo_id, list(reachable))
    for row in sorted(found.values(), key=lambda row: row.generation):
        rewriting.add(row)
    moved = [ref for ref in list_refs(conn, repo_id) if rewriting.made[ref.commit] != ref.commit]
    for ref in moved:
        _move(conn, repo_id, ref, rewriting.made[ref.commit], at)
    rows = commits(conn, repo_id, [rewriting.made[ref.commit] for ref in moved])
    return [MovedRef(ref.name, rows[rewriting.made[ref.commit]]) for ref in moved]


def _pointers(conn: Connection, repo_id: int, sha256s: Collection[bytes]) -> dict[bytes, int]:
    """The blobs that point at these files, and the files' sizes."""
    found: dict[bytes, int] = {}
    for some in batches(sha256s):
        query = select(git_objects.c.oid, git_objects.c.lfs_size).where(
            git_objects.c.repo_id == repo_id, git_objects.c.lfs_sha256.in_(some)
        )
        found.update((row[0], row[1]) for row in conn.execute(query))
    return found


class _Rewriting:
    """Commits, parents first, and what became of them: `made` maps old ids to new ones.

    Of trees only the ids are remembered: those of a long history do not fit into memory.
    """

    def __init__(self, conn: Connection, repo_id: int, unwanted: Mapping[bytes, int]) -> None:
        self._conn = conn
        self._repo_id = repo_id
        self._unwanted = unwanted
        self._pruned: dict[bytes, _Pruned] = {}
        self.made: dict[bytes, bytes] = {}

    def add(self, row: CommitRow) -> None:
        """Rewrite a commit whose parents were added before."""
        pruned = self._prune(row.tree)
        parents = tuple(self.made[parent] for parent in row.parents)
        if pruned.oid == row.tree and parents == row.parents:
            self.made[row.oid] = row.oid
            return
        payload = _repointed(self._payload(row.oid), pruned.oid, parents)
        oid = self._store(Kind.COMMIT, payload)
        size = None if row.size is None else row.size - pruned.removed
        new = replace(row, oid=oid, tree=pruned.oid, parents=parents, size=size)
        before = commits(self._conn, self._repo_id, parents)
        trees = Trees(self._conn, self._repo_id)
        sources = [(parent, before[parent].tree) for parent in parents]
        record = record_of(trees, oid, pruned.oid, sources)
        insert_commit(self._conn, self._repo_id, new, encode_record(record))
        self.made[row.oid] = oid

    def _prune(self, tree: bytes) -> _Pruned:
        known = self._pruned.get(tree)
        if known is not None:
            return known
        kept, removed = [], 0
        entries = parse_tree(self._payload(tree))
        for entry in entries:
            if is_folder(entry):
                below = self._prune(entry.oid)
                removed += below.removed
                if below.oid != entry.oid and below.oid == EMPTY_TREE:
                    continue
                kept.append(entry._replace(oid=below.oid))
            elif entry.oid in self._unwanted:
                removed += self._unwanted[entry.oid]
            else:
                kept.append(entry)
        oid = tree if kept == entries else self._store(Kind.TREE, encode_tree(kept))
        result = self._pruned[tree] = _Pruned(oid, removed)
        return result

    def _payload(self, oid: bytes) -> bytes:
        for _, _, size, data in object_data(self._conn, self._repo_id, [oid]):
            return inflate(data, size)
        raise ObjectMissing(f"The object {oid.hex()} is missing")

    def _store(self, kind: Kind, payload: bytes) -> bytes:
        oid = object_id(kind, payload)
        row = (oid, kind, len(payload), deflate(payload), None)
        insert_objects(self._conn, self._repo_id, [row])
        return oid


def _repointed(payload: bytes, tree: bytes, parents: Sequence[bytes]) -> bytes:
    """A commit with another tree and other parents."""
    head, _, text = payload.partition(b"\n\n")
    named = b"".join(b"\nparent " + parent.hex().encode() for parent in parents)
    head = _PARENTS.sub(lambda found: found[1] + tree.hex().encode() + named, head, count=1)
    return _DROPPED.sub(b"", head) + b"\n\n" + text


def _move(conn: Connection, repo_id: int, ref: Ref, new: bytes, at: Millis) -> None:
    if ref.oid == ref.commit:
        move_ref(conn, repo_id, ref.name, ref.oid, new, at)
        return
    delete_ref(conn, repo_id, ref.name)
    insert_ref(conn, repo_id, Ref(ref.name, _retagged(conn, repo_id, ref.oid, new), new), at)


def _retagged(conn: Connection, repo_id: int, tag: bytes, new: bytes) -> bytes:
    """Store an annotated tag for another commit. A tag of a tag becomes the commit itself."""
    for _, _, size, data in object_data(conn, repo_id, [tag]):
        payload = inflate(data, size)
        if _TAGGED.match(payload) is None:
            return new
        head = b"object " + new.hex().encode() + b"\ntype commit\n"
        moved = _TAG_SIGNATURE.sub(b"", _TAGGED.sub(head, payload, count=1))
        oid = object_id(Kind.TAG, moved)
        insert_objects(conn, repo_id, [(oid, Kind.TAG, len(moved), deflate(moved), None)])
        return oid
    raise ObjectMissing(f"The tag {tag.hex()} is missing")
