# SPDX-License-Identifier: Apache-2.0
"""Looking through repositories: what is whole is found whole, and each kind of damage is named."""

from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection, Delete, Update, delete, select, update

from hubkeep.db.tables import git_commits, git_objects, git_refs
from hubkeep.git import fsck, store
from hubkeep.git.bare import write_bare_repository
from hubkeep.git.folders import Trees
from hubkeep.git.fsck import Expected, Findings, check_repository
from hubkeep.git.last_commits import encode_record
from hubkeep.git.objects import Kind, deflate, object_id, pointer_bytes
from hubkeep.git.queries import commits, insert_ref, move_ref
from hubkeep.git.queries_objects import insert_objects
from hubkeep.git.trees import FILE, FOLDER, TreeEntry, encode_tree
from hubkeep.git.types import Ref
from hubkeep.git.writing import store_commit
from tests.git.native import git
from tests.git.workshop import ALICE, START, Workshop, new_repo

T = TypeVar("T")

HELD = bytes(range(32))
POINTER = pointer_bytes(HELD, 7)


class Sample:
    """A repository with folders, a merge, tags of tags, a pointer, and something unused."""

    def __init__(self, repo: Workshop) -> None:
        self.repo = repo
        self.conn: Connection | None = None
        self.first = repo.commit({"a": b"1", "f/g/b": b"2", "f/c": b"3", "big.bin": POINTER}).oid
        repo.write(store.create_branch, "side", self.first, START)
        self.side = repo.commit({"side": b"s"}, branch="side").oid
        self.second = repo.commit({"f/g/b": b"22"}).oid
        self.head = self._merge()
        self.tags = self._tag_of_tag()
        repo.write(store.create_branch, "gone", self.head, START)
        self.unused = repo.commit({"unused": b"u"}, branch="gone").oid
        repo.write(store.delete_branch, "gone")
        self.tree = repo.tree()
        self.file, self.folder = self.oid("f/c"), self.oid("f/g")
        self.unused_blob = object_id(Kind.BLOB, b"u")
        self.linked = {HELD: 7}
        self.expected_head: bytes | None = self.head

    def _merge(self) -> bytes:
        tree = self.repo.commit({"side": b"s"}, branch="main").tree
        heads = [self.repo.read(store.resolve, name).commit for name in ("main", "side")]
        new = self.repo.new(title="a merge")

        def work(conn: Connection) -> bytes:
            rows = commits(conn, self.repo.id, heads)
            parents = [rows[oid] for oid in heads]
            row = store_commit(Trees(conn, self.repo.id), new, tree, parents, {})
            assert move_ref(conn, self.repo.id, "refs/heads/main", heads[0], row.oid, START)
            return row.oid

        return self.repo.database.write_now(work)

    def _tag_of_tag(self) -> tuple[bytes, bytes]:
        self.repo.write(store.create_tag, "v1", self.first, tagger=ALICE, at=START, message="one")
        [inner] = [ref.oid for ref in self.repo.read(store.refs) if ref.name == "refs/tags/v1"]
        payload = (
            f"object {inner.hex()}\ntype tag\ntag outer\n"
            "tagger a <a@example.org> 1790000000 +0000\n\nx\n"
        ).encode()
        outer = object_id(Kind.TAG, payload)
        row = (outer, Kind.TAG, len(payload), deflate(payload), None)
        self.repo.write(insert_objects, [row])
        self.repo.write(insert_ref, Ref("refs/tags/outer", outer, self.first), START)
        self.repo.write(store.delete_tag, "v1")
        return outer, inner

    def oid(self, path: str, revision: str = "main") -> bytes:
        return self.repo.read(store.entry, self.repo.tree(revision), path).oid

    def check(self) -> Findings:
        def links(oids: Collection[bytes]) -> Mapping[bytes, int]:
            return {oid: size for oid, size in self.linked.items() if oid in oids}

        told: list[int] = []
        expected = Expected("main", self.expected_head)
        found = self.run(
            lambda conn: check_repository(conn, self.repo.id, expected, links, told.append)
        )
        assert sum(told) == found.objects
        return found

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run something in the transaction that `undone` has begun, or in one of its own."""
        return work(self.conn) if self.conn else self.repo.database.write_now(work)

    @contextmanager
    def undone(self) -> Generator[None]:
        """Whatever is done with this repository within has never happened after it."""
        self.conn = self.repo.database._write_side.engine.connect()
        try:
            self.conn.begin()
            yield
        finally:
            self.conn.rollback()
            self.conn.close()
            self.conn, self.linked, self.expected_head = None, {HELD: 7}, self.head

    def change(self, what: Update | Delete) -> None:
        """Change rows behind the hub's back."""
        self.run(lambda conn: conn.execute(what))

    def stored(self, oid: bytes, **values: object) -> None:
        """Change an object's row."""
        self.change(update(git_objects).where(git_objects.c.oid == oid).values(**values))

    def row(self, oid: bytes, **values: object) -> None:
        """Change a commit's row."""
        self.change(update(git_commits).where(git_commits.c.oid == oid).values(**values))

    def ref(self, name: str, **values: object) -> None:
        """Change a ref."""
        self.change(update(git_refs).where(git_refs.c.name == name).values(**values))

    def drop(self, oid: bytes) -> None:
        """Delete an object."""
        self.change(delete(git_objects).where(git_objects.c.oid == oid))

    def drop_row(self, oid: bytes) -> None:
        """Delete a commit's row."""
        self.change(delete(git_commits).where(git_commits.c.oid == oid))

    def take_tree(self, payload: bytes) -> None:
        """Have a branch with a root folder of these bytes."""
        self.strange = object_id(Kind.TREE, payload)
        new = self.repo.new(title="a strange folder")

        def work(conn: Connection) -> None:
            trees = Trees(conn, self.repo.id)
            trees.add(self.strange, [])
            row = store_commit(trees, new, self.strange, [], {self.strange: payload})
            store.create_branch(conn, self.repo.id, "strange", row.oid, START)

        self.run(work)


@pytest.fixture
def sample(repo: Workshop) -> Sample:
    return Sample(repo)


def test_a_whole_repository_is_found_whole(sample: Sample, tmp_path: Path) -> None:
    found = sample.check()
    assert (found.problems, found.damaged, found.absent) == ([], 0, {})
    rows = sample.repo.read(lambda conn, _: conn.execute(select(git_objects)).all())
    assert (found.objects, found.size) == (len(rows), sum(row.size for row in rows))
    assert found.commits == 6
    assert found.waiting == 2  # a folder and a file: the unused commit has a row
    sample.repo.read(write_bare_repository, tmp_path / "bare")
    assert git("fsck", "--full", "--strict", cwd=tmp_path / "bare") == b""


def test_an_empty_repository_is_whole(repo: Workshop) -> None:
    found = repo.read(check_repository, Expected("main", None), lambda _: {}, lambda _: None)
    assert found == Findings()


Damage = Callable[[Sample], object]

DAMAGES: dict[str, tuple[Damage, Callable[[Sample], bytes | str], str]] = {
    "bytes that do not unfold": (
        lambda s: s.stored(s.oid("a"), data=b"rubbish"),
        lambda s: s.oid("a"),
        "is damaged",
    ),
    "bytes of something else": (
        lambda s: s.stored(s.oid("a"), data=deflate(b"x")),
        lambda s: s.oid("a"),
        "its bytes are not those that its id stands for",
    ),
    "a wrong size": (
        lambda s: s.stored(s.oid("a"), size=2),
        lambda s: s.oid("a"),
        "does not have the 2 bytes",
    ),
    "a wrong kind": (
        lambda s: s.stored(s.oid("a"), kind=9),
        lambda s: s.oid("a"),
        "is of kind 9",
    ),
    "a damaged folder": (
        lambda s: s.stored(s.tree, data=deflate(b"x"), size=1),
        lambda s: s.tree,
        "its bytes are not those",
    ),
    "a damaged object that waits for being collected": (
        lambda s: s.stored(s.unused_blob, data=b""),
        lambda s: s.unused_blob,
        "is damaged",
    ),
    "a missing file": (lambda s: s.drop(s.oid("f/c")), lambda s: s.file, "is missing"),
    "a missing folder": (lambda s: s.drop(s.oid("f/g")), lambda s: s.folder, "is missing"),
    "a missing commit": (lambda s: s.drop(s.second), lambda s: s.second, "is missing"),
    "a missing tag": (lambda s: s.drop(s.tags[1]), lambda s: s.tags[1], "is missing"),
    "a missing row": (
        lambda s: s.drop_row(s.first),
        lambda s: s.first,
        "has no row, and the history needs it",
    ),
    "a missing parent": (
        lambda s: s.drop_row(s.first),
        lambda s: s.second,
        "lacks its parent",
    ),
    "a ref to nothing": (
        lambda s: s.ref("refs/heads/side", oid=bytes(20), commit_oid=bytes(20)),
        lambda _: "refs/heads/side",
        f"leads to the commit {bytes(20).hex()}, which is missing",
    ),
    "a ref to another commit than its tag": (
        lambda s: s.ref("refs/tags/outer", commit_oid=s.second),
        lambda _: "refs/tags/outer",
        "is a tag of",
    ),
    "a row with another tree": (
        lambda s: s.row(s.second, tree=s.repo.tree("side")),
        lambda s: s.second,
        "its row",
    ),
    "a row with other parents": (
        lambda s: s.row(s.second, parents=s.side),
        lambda s: s.second,
        "has other parents than its row",
    ),
    "a row with another title": (
        lambda s: s.row(s.second, title="x"),
        lambda s: s.second,
        "has another title than its row",
    ),
    "a wrong generation": (
        lambda s: s.row(s.second, generation=9),
        lambda s: s.second,
        "is of generation 2",
    ),
    "a wrong note of merges": (
        lambda s: s.row(s.head, linear=True),
        lambda s: s.head,
        "whether there are merges",
    ),
    "a record that does not unfold": (
        lambda s: s.row(s.second, last_changes=b"x"),
        lambda s: s.second,
        "has a damaged record",
    ),
    "a record that is cut off": (
        lambda s: s.row(s.second, last_changes=encode_record({b"": bytes(19)})),
        lambda s: s.second,
        "record",
    ),
    "a record with too few entries": (
        lambda s: s.row(s.second, last_changes=encode_record({b"f": s.first})),
        lambda s: s.second,
        "has a record of 1 entries of 'f', which has 2",
    ),
    "a record with too many places": (
        lambda s: s.row(s.second, last_changes=encode_record({b"f/": s.first * 3})),
        lambda s: s.second,
        "has a record of 3 entries of 'f/', which has 2",
    ),
    "a record of no folder": (
        lambda s: s.row(s.second, last_changes=encode_record({b"f/x": s.first})),
        lambda s: s.second,
        "has a record of 1 entries of 'f/x', which is not there",
    ),
    "a record with unknown commits": (
        lambda s: s.row(s.second, last_changes=encode_record({b"f": bytes(40)})),
        lambda s: s.second,
        "has a record that names commits that are not there",
    ),
    "a pointer that is not noted": (
        lambda s: s.stored(s.oid("big.bin"), lfs_sha256=None, lfs_size=None),
        lambda s: s.oid("big.bin"),
        "is said to at nothing",
    ),
    "a pointer that is noted wrongly": (
        lambda s: s.stored(s.oid("big.bin"), lfs_size=8),
        lambda s: s.oid("big.bin"),
        "8 bytes",
    ),
    "a file that is noted as a pointer": (
        lambda s: s.stored(s.oid("a"), lfs_sha256=HELD, lfs_size=7),
        lambda s: s.oid("a"),
        "is said to point at an LFS file, and does not",
    ),
    "an LFS file of another size": (
        lambda s: s.linked.update({HELD: 8}),
        lambda s: s.oid("big.bin"),
        "but it has 8",
    ),
    "a file where a folder should be": (
        lambda s: s.take_tree(encode_tree([TreeEntry(FOLDER, b"x", s.oid("a"))])),
        lambda s: s.oid("a"),
        "is a blob, where a tree is needed",
    ),
    "a folder where a file should be": (
        lambda s: s.take_tree(encode_tree([TreeEntry(FILE, b"x", s.oid("f"))])),
        lambda s: s.oid("f"),
        "is a tree, where a blob is needed",
    ),
    "a folder in no order": (
        lambda s: s.take_tree(
            b"100644 b\0" + s.oid("a") + b"100644 a\0" + s.oid("a"),
        ),
        lambda s: s.strange,
        "is not in git's order",
    ),
    "a name that is there twice": (
        lambda s: s.take_tree(b"100644 a\0" + s.oid("a") + b"100644 a\0" + s.oid("f/c")),
        lambda s: s.strange,
        "is not in git's order",
    ),
    "a folder of rubbish": (
        lambda s: s.take_tree(b"rubbish"),
        lambda s: s.strange,
        "A tree is damaged",
    ),
    "a head that is not the branch's": (
        lambda s: setattr(s, "expected_head", s.first),
        lambda _: "refs/heads/main",
        "but lists and searches show",
    ),
}


def test_damage_is_found_and_named(sample: Sample) -> None:
    for name, (do, where, text) in DAMAGES.items():
        with sample.undone():
            do(sample)
            found = sample.check()
            place = where(sample)
        wanted = place if isinstance(place, str) else place.hex()
        assert [
            problem
            for problem in found.problems
            if problem.what.endswith(wanted) and text in problem.text and problem.advice
        ], (name, found.problems)
    assert sample.check().damaged == 0


def test_files_that_the_history_names_and_nobody_holds_are_listed(sample: Sample) -> None:
    sample.linked.clear()
    found = sample.check()
    assert found.damaged == 0
    assert {oid: lfs.size for oid, lfs in found.absent.items()} == {HELD: 7}


def test_other_repositories_do_not_help(repo: Workshop, sample: Sample) -> None:
    """What is missing here is missing, whoever else has it."""
    other = Sample(Workshop(repo.database, new_repo(repo.database, "other")))
    sample_id = sample.repo.id
    gone = delete(git_objects).where(
        git_objects.c.repo_id == sample_id, git_objects.c.oid == other.oid("a")
    )
    repo.database.write_now(lambda conn: conn.execute(gone))
    assert other.check().damaged == 0
    assert sample.check().damaged == 1


def test_much_damage_is_counted_and_not_all_told(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fsck, "MAX_PROBLEMS", 3)
    sample.repo.database.write_now(lambda conn: conn.execute(update(git_objects).values(data=b"")))
    found = sample.check()
    assert found.damaged > 10
    assert len(found.problems) == 3
