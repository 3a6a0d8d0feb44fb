# SPDX-License-Identifier: Apache-2.0
"""What refs no longer lead to, and its removal.

Looking takes long in a large repository and needs no lock; removing is short. Between the two a
push or a commit may bring an object back to use, but not without moving a ref: so refs are compared
under the lock, and what new ones lead to is kept.

What refers to others goes before them, and commits' rows before all objects. So whenever this is
broken off, what is left is whole: a commit that has a row has all its history and its files, and a
folder all that is in it. Whoever finds something unused and puts it to use again, relies on that.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hubkeep.git.commits import parse_commit, parse_tag
from hubkeep.git.errors import MarkStale, ObjectMissing
from hubkeep.git.objects import Kind, inflate
from hubkeep.git.queries import delete_commits, list_refs
from hubkeep.git.queries_history import reachable_commits, trees_of_commits
from hubkeep.git.queries_objects import bounded_data, delete_objects, lock_repo, stream_kinds
from hubkeep.git.trees import SUBMODULE, is_folder, parse_tree
from hubkeep.git.types import Ref
from hubkeep.kit.batches import batches

_AT_ONCE = 2_000
_BYTES_AT_ONCE = 8 << 20
_UNDER_LOCK = 2_000
_FIRST = (Kind.TAG, Kind.COMMIT)


@dataclass(slots=True)
class Garbage:
    """Commits and objects that no ref led to when the refs were `refs`, in the order to remove them
    in, and all that is `kept`.
    """

    refs: tuple[Ref, ...]
    kept: set[bytes]
    commits: tuple[bytes, ...]
    objects: tuple[bytes, ...]

    def follow(self, conn: Connection, repo_id: int, limit: int | None = None) -> None:
        """Keep also what the refs of now lead to. MarkStale if that means reading more than `limit`
        objects; nothing is different then.
        """
        refs = tuple(list_refs(conn, repo_id))
        if refs != self.refs:
            tips = [ref.oid for ref in refs]
            self.kept |= _led_to(conn, repo_id, tips, self.kept, limit)
            self.refs = refs


def find_garbage(conn: Connection, repo_id: int) -> Garbage:
    """Look for what can go. Reads all trees that are in use; holds about 100 bytes an object.

    ObjectMissing, BadObject: in a damaged repository what seems unused may be all that is left of
    what was used.
    """
    refs = tuple(list_refs(conn, repo_id))
    kept = reachable_commits(conn, repo_id)
    roots = trees_of_commits(conn, repo_id)
    if not kept <= roots.keys():
        raise ObjectMissing(f"{len(kept - roots.keys())} commits of the history are missing")
    commits = tuple(oid for oid in roots if oid not in kept)
    tips = [ref.oid for ref in refs]
    kept |= _led_to(conn, repo_id, [*tips, *(roots[oid] for oid in kept)], kept)
    unused: dict[int, set[bytes]] = {kind: set() for kind in Kind}
    for oid, kind in stream_kinds(conn, repo_id):
        if oid not in kept:
            unused[kind].add(oid)
    trees = _parents_first(conn, repo_id, unused[Kind.TREE])
    first = (oid for kind in _FIRST for oid in unused[kind])
    return Garbage(refs, kept, commits, (*first, *trees, *unused[Kind.BLOB]))


def _led_to(
    conn: Connection,
    repo_id: int,
    starts: Iterable[bytes],
    known: Collection[bytes],
    limit: int | None = None,
) -> set[bytes]:
    """The objects that some lead to, themselves included, as far as they are not known already.

    ObjectMissing.
    """
    ahead = [oid for oid in dict.fromkeys(starts) if oid not in known]
    found = set(ahead)
    read = 0
    while ahead:
        batch = ahead[-_AT_ONCE:]
        del ahead[-_AT_ONCE:]
        missing = len(batch)
        read += missing
        if limit is not None and read > limit:
            raise MarkStale("Refs have moved far since unreachable objects were looked for")
        for _, kind, size, data in bounded_data(conn, repo_id, batch, _BYTES_AT_ONCE):
            missing -= 1
            for oid, leads_on in _referred_to(kind, inflate(data, size)):
                if oid not in found and oid not in known:
                    found.add(oid)
                    if leads_on:
                        ahead.append(oid)
        if missing:
            raise ObjectMissing(f"{missing} objects that others refer to are missing")
    return found


def _referred_to(kind: int, payload: bytes) -> Iterator[tuple[bytes, bool]]:
    """What an object names, and whether that may name others."""
    if kind == Kind.TREE:
        for entry in parse_tree(payload):
            if entry.mode != SUBMODULE:
                yield entry.oid, is_folder(entry)
    elif kind == Kind.COMMIT:
        commit = parse_commit(payload)
        yield from ((oid, True) for oid in (commit.tree, *commit.parents))
    elif kind == Kind.TAG:
        oid, word = parse_tag(payload)
        yield oid, word != b"blob"


def _parents_first(conn: Connection, repo_id: int, trees: Collection[bytes]) -> list[bytes]:
    """Order trees so that each stands behind all that it is in."""
    above = dict.fromkeys(trees, 0)
    for below in _below(conn, repo_id, list(trees), above):
        above[below] += 1
    ready = [oid for oid, count in above.items() if not count]
    ordered: list[bytes] = []
    while ready:
        ordered += ready
        freed: list[bytes] = []
        for below in _below(conn, repo_id, ready, above):
            above[below] -= 1
            if not above[below]:
                freed.append(below)
        ready = freed
    return ordered


def _below(
    conn: Connection, repo_id: int, trees: Sequence[bytes], among: Collection[bytes]
) -> Iterator[bytes]:
    """For each tree, those of the others that are in it, once each."""
    for _, kind, size, data in bounded_data(conn, repo_id, trees, _BYTES_AT_ONCE):
        yield from {oid for oid, _ in _referred_to(kind, inflate(data, size)) if oid in among}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of what can go, to be removed in one transaction."""

    commits: Sequence[bytes] = ()
    objects: Sequence[bytes] = ()


def parts(garbage: Garbage, size: int) -> Iterator[Part]:
    """Yield what was found in parts of so many commits or objects, in their order."""
    yield from (Part(commits=some) for some in batches(garbage.commits, size))
    yield from (Part(objects=some) for some in batches(garbage.objects, size))


def purge(conn: Connection, repo_id: int, garbage: Garbage, part: Part) -> None:
    """Remove a part of what was found, without what has come back to use since.

    MarkStale if so much has that finding out would keep others waiting: `follow` first, without the
    lock, and try again.
    """
    lock_repo(conn, repo_id)
    garbage.follow(conn, repo_id, _UNDER_LOCK)
    delete_commits(conn, repo_id, [oid for oid in part.commits if oid not in garbage.kept])
    delete_objects(conn, repo_id, [oid for oid in part.objects if oid not in garbage.kept])
