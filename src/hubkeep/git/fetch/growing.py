# SPDX-License-Identifier: Apache-2.0
"""What a repository has gained since it was cached: the objects of new commits and tags."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection

from hubkeep.git.ancestry import commits_beyond, is_ancestor
from hubkeep.git.errors import ObjectMissing
from hubkeep.git.fetch.contents import BYTES_AT_ONCE, chained
from hubkeep.git.fetch.packs import PackWriter
from hubkeep.git.folders import Trees
from hubkeep.git.objects import Kind
from hubkeep.git.queries import commits
from hubkeep.git.queries_objects import bounded_data, object_infos
from hubkeep.git.trees import EMPTY_TREE, SUBMODULE, is_folder
from hubkeep.git.types import CommitRow, Ref
from hubkeep.kit.batches import batches

_MOST_COMMITS = 2000
_ROOT_BYTES = 2 << 20
_ROOTS = 64
_FEW = 64

_Pair = tuple[bytes, tuple[bytes, ...]]
"""A tree, and those that stood in its place in the parents of its commit."""


def gained(
    conn: Connection, repo_id: int, old: Sequence[Ref], new: Sequence[Ref]
) -> list[bytes] | None:
    """Return the objects that `new` refs lead to and `old` ones did not, and perhaps a few more of
    the former.

    None where the repository has to be read anew: the new refs do not lead to all that the old ones
    led to, or what they gained is most of it.
    """
    had, have = {ref.commit for ref in old}, {ref.commit for ref in new}
    lost_tags = _tags(old) - _tags(new)
    if not had or lost_tags:
        return None
    if not _lead_to(conn, repo_id, have, had - have):
        return None
    fresh = commits_beyond(conn, repo_id, sorted(have - had), sorted(had))
    if len(fresh) > _MOST_COMMITS:
        return None
    found = dict.fromkeys(commit.oid for commit in fresh)
    found |= dict.fromkeys(chained(conn, repo_id, _tags(new) - _tags(old)))
    for some in _by_size(conn, repo_id, fresh):
        _add_content(conn, repo_id, some, found)
    return [oid for oid in found if oid != EMPTY_TREE]


def write_some(conn: Connection, repo_id: int, oids: Sequence[bytes], packs: Path) -> Path:
    """Write objects as one pack and return its path. ObjectMissing."""
    with PackWriter(packs, len(oids)) as pack:
        for stored in bounded_data(conn, repo_id, oids, BYTES_AT_ONCE):
            pack.add(*stored)
        return pack.finish()


def _tags(refs: Sequence[Ref]) -> set[bytes]:
    return {ref.oid for ref in refs if ref.oid != ref.commit}


def _lead_to(
    conn: Connection, repo_id: int, tips: Collection[bytes], old: Collection[bytes]
) -> bool:
    """Whether all commits of `old` lead to some of the tips."""
    try:
        if len(tips) * len(old) <= _FEW:  # which gives up early, where a history was squashed
            return all(any(is_ancestor(conn, repo_id, one, tip) for tip in tips) for one in old)
        return not commits_beyond(conn, repo_id, sorted(old), sorted(tips))
    except ObjectMissing:  # it was taken back and collected
        return False


def _by_size(
    conn: Connection, repo_id: int, fresh: Sequence[CommitRow]
) -> Iterator[list[CommitRow]]:
    """Yield commits, some at a time, so that their folders can be held together."""
    for some in batches(fresh, _ROOTS):
        sizes = object_infos(conn, repo_id, [commit.tree for commit in some])
        batch: list[CommitRow] = []
        held = 0
        for commit in some:
            _, size, _ = sizes.get(commit.tree, (Kind.TREE, 0, None))
            if batch and held + size > _ROOT_BYTES:
                yield batch
                batch, held = [], 0
            batch.append(commit)
            held += size
        yield batch


def _add_content(
    conn: Connection, repo_id: int, fresh: Sequence[CommitRow], found: dict[bytes, None]
) -> None:
    """Add the folders and files of commits that their parents do not have.

    All commits go down their folders together, one statement a level. Each is held against its own
    parents alone, whatever was found for others: then it has all of its files in any order.
    """
    parents = {oid for commit in fresh for oid in commit.parents}
    roots = {oid: row.tree for oid, row in commits(conn, repo_id, list(parents)).items()}
    trees = Trees(conn, repo_id)
    pairs: set[_Pair] = set()
    for commit in fresh:
        old = tuple(roots[oid] for oid in commit.parents)
        if commit.tree not in old:
            found[commit.tree] = None
            pairs.add((commit.tree, old))
    while pairs:
        trees.load(oid for tree, old in pairs for oid in (tree, *old))
        pairs = {below for pair in pairs for below in _compare(trees, pair, found)}


def _compare(trees: Trees, pair: _Pair, found: dict[bytes, None]) -> Iterator[_Pair]:
    """Add what is new in a folder, and yield the new folders in it."""
    tree, old = pair
    before = [trees[oid] for oid in old]
    known = {entry.oid for entries in before for entry in entries}
    folders = [{e.name: e.oid for e in entries if is_folder(e)} for entries in before]
    for entry in trees[tree]:
        if entry.oid in known or entry.mode == SUBMODULE:
            continue
        found[entry.oid] = None
        if is_folder(entry):
            yield entry.oid, tuple(names[entry.name] for names in folders if entry.name in names)
