# SPDX-License-Identifier: Apache-2.0
"""A whole repository looked through: are all bytes what they are called, and is nothing missing?

First the commits, each with the row and the record that were made of it; then the refs; then from
the commits' trees down, level by level, all that refs lead to; then what is left, which waits for
being collected. Each object is read once. An oid is remembered for each object, nothing more.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from hubkeep.git.commits import parse_tag
from hubkeep.git.errors import BadObject
from hubkeep.git.fsck_objects import Problem, Read, bad_order, misnamed, unlike_pointer
from hubkeep.git.fsck_rows import CommitChecks
from hubkeep.git.objects import Kind, LfsPointer
from hubkeep.git.queries import list_refs
from hubkeep.git.queries_fsck import commit_oids, stream_rows
from hubkeep.git.queries_history import reachable_commits
from hubkeep.git.queries_objects import bounded, object_data, object_infos, stream_kinds
from hubkeep.git.trees import FOLDER_MODES, SUBMODULE, parse_tree
from hubkeep.git.types import Ref
from hubkeep.kit.batches import batches

MAX_PROBLEMS = 1_000
_AT_ONCE = 500
_BYTES_AT_ONCE = 8 << 20

LEAD = "Restore the database from a backup, or push the ref again from a clone"

Links = Callable[[Collection[bytes]], Mapping[bytes, int]]
"""The sizes of those LFS files that the repository holds, by sha256."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the repository is said to be elsewhere."""

    default_branch: str
    head: bytes | None


@dataclass(slots=True)
class Findings:
    """What was found in a repository.

    `waiting` counts the objects that no ref leads to: they wait for being collected. `absent` are
    the LFS files that the history names and the repository does not hold: somebody has deleted
    them, or has never sent them. There are at most MAX_PROBLEMS `problems`; `damaged` counts all.
    """

    commits: int = 0
    objects: int = 0
    size: int = 0
    waiting: int = 0
    damaged: int = 0
    problems: list[Problem] = field(default_factory=list)
    absent: dict[bytes, LfsPointer] = field(default_factory=dict)

    def add(self, problem: Problem) -> None:
        """Note a problem."""
        self.damaged += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)


def check_repository(
    conn: Connection,
    repo_id: int,
    expected: Expected,
    links: Links,
    progress: Callable[[int], None],
) -> Findings:
    """Look through a repository; to be run on one snapshot, as `Database.read_now` gives.

    `progress` is told how many objects have been read since the last time. Holds about 100 bytes
    an object, and a few megabytes of objects.
    """
    return _Check(conn, repo_id, links, progress).run(expected)


class _Check:
    def __init__(
        self, conn: Connection, repo_id: int, links: Links, progress: Callable[[int], None]
    ) -> None:
        self._conn = conn
        self._repo_id = repo_id
        self._links = links
        self._progress = progress
        self._found = Findings()
        self._others: set[bytes] = set()  # commits and tags
        self._trees: set[bytes] = set()
        self._blobs: set[bytes] = set()

    def run(self, expected: Expected) -> Findings:
        used = reachable_commits(self._conn, self._repo_id)
        trees = self._commits(used)
        self._refs(expected)
        del used
        self._folders(trees)
        self._left_over()
        return self._found

    def _commits(self, used: Collection[bytes]) -> list[bytes]:
        """Check all commits; return the trees of those that are in use."""
        self._others.update(commit_oids(self._conn, self._repo_id))
        checks = CommitChecks(self._conn, self._repo_id, self._others, self._found.add)
        roots: set[bytes] = set()
        for rows in batches(stream_rows(self._conn, self._repo_id), _AT_ONCE):
            by_oid = {row.oid: row for row, _ in rows}
            for read in self._read(list(by_oid), Kind.COMMIT, "commit"):
                checks.agree(by_oid[read.oid], read.payload)
            in_use = [(row, record) for row, record in rows if row.oid in used]
            checks.lineage([row for row, _ in in_use])
            checks.records(in_use)
            roots.update(row.tree for row, _ in in_use)
            self._found.commits += len(rows)
        for oid in used:
            if oid not in self._others:
                self._problem(f"commit {oid.hex()}", "has no row, and the history needs it")
        return list(roots)

    def _refs(self, expected: Expected) -> None:
        refs = list_refs(self._conn, self._repo_id)
        ends = self._tags([ref.oid for ref in refs if ref.oid != ref.commit])
        for ref in refs:
            end = ref.oid if ref.oid == ref.commit else ends.get(ref.oid)
            if ref.commit not in self._others:
                text = f"leads to the commit {ref.commit.hex()}, which is missing"
                self._found.add(Problem(ref.name, text, LEAD))
            elif end not in (None, ref.commit):
                text = f"is a tag of {end.hex()}, but is said to lead to {ref.commit.hex()}"
                self._found.add(Problem(ref.name, text, LEAD))
        self._head(refs, expected)

    def _head(self, refs: Sequence[Ref], expected: Expected) -> None:
        branch = f"refs/heads/{expected.default_branch}"
        head = next((ref.commit for ref in refs if ref.name == branch), None)
        if head != expected.head:
            shown = expected.head.hex() if expected.head else "nothing"
            text = f"is at {head.hex() if head else 'nothing'}, but lists and searches show {shown}"
            self._found.add(Problem(branch, text, "The next commit to this branch puts it right"))

    def _tags(self, oids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Check annotated tags and the tags that they are of; return what each leads to in the end.

        Those that lead nowhere are left out, and named.
        """
        targets: dict[bytes, bytes] = {}
        ahead = list(dict.fromkeys(oids))
        while ahead:
            self._others.update(ahead)
            below: list[bytes] = []
            for read in self._read(ahead, Kind.TAG, "tag"):
                try:
                    target, kind = parse_tag(read.payload)
                except BadObject as bad:
                    self._problem(f"tag {read.oid.hex()}", str(bad))
                    continue
                targets[read.oid] = target
                if kind == b"tag" and target not in self._others:
                    below.append(target)
            ahead = below
        ends: dict[bytes, bytes] = {}
        for oid in oids:
            end = oid
            while end in targets:
                end = targets[end]
            if end != oid:
                ends[oid] = end
        return ends

    def _folders(self, trees: list[bytes]) -> None:
        """Check these trees and all that is in them."""
        self._trees.update(trees)
        blobs: list[bytes] = []
        while trees:
            batch = trees[-_AT_ONCE:]
            del trees[-_AT_ONCE:]
            for read in self._read(batch, Kind.TREE, "folder"):
                self._inside(read, trees, blobs)
            while len(blobs) >= _AT_ONCE or (blobs and not trees):
                self._files(blobs[-_AT_ONCE:])
                del blobs[-_AT_ONCE:]

    def _inside(self, read: Read, trees: list[bytes], blobs: list[bytes]) -> None:
        """Look into a folder; what was not met before is put into the lists."""
        try:
            entries = parse_tree(read.payload)
        except BadObject as bad:
            self._problem(f"folder {read.oid.hex()}", str(bad))
            return
        if bad_order(entries):
            self._problem(f"folder {read.oid.hex()}", "is not in git's order")
        for mode, _, oid in entries:
            if mode in FOLDER_MODES:
                if oid not in self._trees:
                    self._trees.add(oid)
                    trees.append(oid)
            elif oid not in self._blobs and mode != SUBMODULE:
                self._blobs.add(oid)
                blobs.append(oid)

    def _files(self, oids: Sequence[bytes]) -> None:
        pointers: dict[bytes, tuple[bytes, LfsPointer]] = {}
        for read in self._read(oids, Kind.BLOB, "file"):
            if read.lfs is not None:
                pointers[read.lfs.sha256] = (read.oid, read.lfs)
        held = self._links(pointers) if pointers else {}
        for sha256, (oid, lfs) in pointers.items():
            if sha256 not in held:
                self._found.absent[sha256] = lfs
            elif held[sha256] != lfs.size:
                text = f"says that LFS file {sha256.hex()} has {lfs.size} bytes"
                self._problem(f"file {oid.hex()}", f"{text}, but it has {held[sha256]}")

    def _left_over(self) -> None:
        """Check what nothing leads to: its bytes alone, for what it refers to may be gone."""
        left = (
            (oid, kind)
            for oid, kind in stream_kinds(self._conn, self._repo_id)
            if oid not in self._trees and oid not in self._blobs and oid not in self._others
        )
        for some in batches(left, _AT_ONCE):
            self._found.waiting += len(some)
            for _ in self._read([oid for oid, _ in some], None, "unused object"):
                pass

    def _read(self, oids: Sequence[bytes], kind: Kind | None, word: str) -> Iterator[Read]:
        """Read objects and check that their bytes are theirs; yield those of which that holds."""
        missing = set(oids)
        for some in batches(oids, _AT_ONCE):
            infos = object_infos(self._conn, self._repo_id, some)
            for few in bounded(infos, _BYTES_AT_ONCE):
                for oid, number, size, data in object_data(self._conn, self._repo_id, few):
                    missing.discard(oid)
                    read = Read.of(oid, number, size, data, infos[oid][2])
                    self._found.objects += 1
                    self._found.size += size
                    wrong = misnamed(read, kind) or unlike_pointer(read)
                    if wrong:
                        self._problem(f"{word} {oid.hex()}", wrong)
                    else:
                        yield read
                self._progress(len(few))
        for oid in missing:
            self._problem(f"{word} {oid.hex()}", "is missing")

    def _problem(self, what: str, text: str) -> None:
        self._found.add(Problem(what, text))
