# SPDX-License-Identifier: Apache-2.0
"""The cache that fetches are served from, against the real git."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hubkeep.git import store
from hubkeep.git.bare import write_bare_repository
from hubkeep.git.commits import encode_tag
from hubkeep.git.fetch.cache import GitCache
from hubkeep.git.folders import Trees
from hubkeep.git.objects import Kind, deflate, object_id
from hubkeep.git.queries import delete_ref, insert_ref
from hubkeep.git.queries_objects import insert_objects
from hubkeep.git.trees import SUBMODULE, TreeEntry, encode_tree
from hubkeep.git.types import Ref
from hubkeep.git.writing import store_commit
from tests.git.dags import Dag
from tests.git.native import git, lines
from tests.git.workshop import ALICE, START, Workshop

ALL = ("--batch-all-objects", "--batch-check=%(objectname)")


class Reader:
    """A cache, and what git finds in it."""

    def __init__(self, folder: Path, max_bytes: int = 10**9) -> None:
        self.folder = folder
        self.cache = GitCache(folder, max_bytes, rest=0)

    def path(self, repo: Workshop, branch: str = "main") -> Path:
        """Where the repository lies after it was brought up to date."""
        with self.cache.current(repo.database, repo.id, branch) as cached:
            return cached.path

    def objects(self, repo: Workshop, branch: str = "main") -> set[str]:
        """All objects that it has, after git has found that it is whole."""
        with self.cache.current(repo.database, repo.id, branch) as cached:
            git("fsck", "--full", "--strict", cwd=cached.path)
            listed = git("cat-file", *ALL, cwd=cached.path)
        return set(lines(listed))

    def refs(self, repo: Workshop) -> dict[str, str]:
        """Its refs."""
        path = self.path(repo)
        told = lines(git("for-each-ref", "--format=%(refname) %(objectname)", cwd=path))
        return dict(line.split(" ") for line in told)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(tmp_path / "cache")
    with closing(reader.cache):
        yield reader


def reachable(repo: Workshop, folder: Path) -> set[str]:
    """The objects that refs lead to, as git says of a repository that has more."""
    repo.read(write_bare_repository, folder)
    return {line.split()[0] for line in lines(git("rev-list", "--objects", "--all", cwd=folder))}


def add_ref(repo: Workshop, name: str, oid: bytes, commit: bytes) -> None:
    repo.database.write_now(lambda conn: insert_ref(conn, repo.id, Ref(name, oid, commit), START))


def add_tag(repo: Workshop, name: str, target: bytes, kind: bytes, commit: bytes) -> bytes:
    """Make an annotated tag of a commit or of a tag."""
    payload = encode_tag(target, name, ALICE, START, name).replace(b"type commit", b"type " + kind)
    oid = object_id(Kind.TAG, payload)
    row = (oid, Kind.TAG, len(payload), deflate(payload), None)

    def work(conn: Connection) -> None:
        insert_objects(conn, repo.id, [row])
        insert_ref(conn, repo.id, Ref(f"refs/tags/{name}", oid, commit), START)

    repo.database.write_now(work)
    return oid


def test_an_empty_repository_names_its_branch(repo: Workshop, reader: Reader) -> None:
    path = reader.path(repo, "trunk")
    assert git("symbolic-ref", "HEAD", cwd=path).strip() == b"refs/heads/trunk"
    assert reader.refs(repo) == {}


def test_it_holds_what_refs_lead_to_and_follows_them(
    repo: Workshop, reader: Reader, tmp_path: Path
) -> None:
    for number in range(4):
        repo.commit({"a.txt": b"%d" % number, f"deep/er/{number}": b"x%d" % number})
        assert reader.objects(repo) == reachable(repo, tmp_path / f"bare-{number}")
        assert list(reader.refs(repo)) == ["refs/heads/main"]


def test_it_stays_as_it_is_while_nothing_moves(repo: Workshop, reader: Reader) -> None:
    repo.commit({"a.txt": b"a"})
    first = reader.path(repo)
    before = sorted((path, path.stat().st_mtime_ns) for path in first.rglob("*.pack"))
    assert reader.path(repo) == first
    assert sorted((path, path.stat().st_mtime_ns) for path in first.rglob("*.pack")) == before


def test_a_commit_adds_one_small_pack(repo: Workshop, reader: Reader) -> None:
    repo.commit({f"d{number % 10}/{number}": b"%d" % number for number in range(150)})
    first = reader.path(repo)
    size = max(path.stat().st_size for path in first.rglob("*.pack"))
    repo.commit({"d1/new": b"new"})
    assert reader.path(repo) == first
    packs = sorted(path.stat().st_size for path in first.rglob("*.pack"))
    assert packs[-1] == size
    # A commit, the root, a folder of 31 entries, a file: no more than these.
    shown = lines(git("verify-pack", "-v", *map(str, first.rglob("*.idx")), cwd=first))
    assert sum(" commit " in line or " tree " in line for line in shown) == 1 + 11 + 3
    assert len(packs) == 2


def test_merges_bring_what_any_parent_lacks(repo: Workshop, reader: Reader, tmp_path: Path) -> None:
    base = {"a.txt": b"a", "d/b.txt": b"b"}
    dag = Dag(repo).add([([], base)])
    first = reader.path(repo, "c0")
    left, right = {**base, "d/left": b"left"}, {**base, "d/right": b"right", "a.txt": b"aa"}
    dag.add([([0], left), ([0], right), ([1, 2], {**left, **right, "both": b"both"})])
    dag.add([([3], base), ([], {"other/root": b"root"}), ([5, 3], left)])
    assert reader.objects(repo, "c0") == reachable(repo, tmp_path / "bare")
    assert reader.path(repo, "c0") == first


def test_tags_of_tags_come_along_and_go(repo: Workshop, reader: Reader, tmp_path: Path) -> None:
    commit = repo.commit({"a.txt": b"a"}).oid
    first = reader.path(repo)
    inner = add_tag(repo, "inner", commit, b"commit", commit)
    outer = add_tag(repo, "outer", inner, b"tag", commit)
    repo.database.write_now(lambda conn: delete_ref(conn, repo.id, "refs/tags/inner"))
    assert {inner.hex(), outer.hex()} < reader.objects(repo)
    assert reader.path(repo) == first
    peeled = git("rev-parse", "refs/tags/outer^{commit}", cwd=first).strip()
    assert peeled.decode() == commit.hex()
    repo.database.write_now(lambda conn: delete_ref(conn, repo.id, "refs/tags/outer"))
    assert reader.objects(repo).isdisjoint({inner.hex(), outer.hex()})


def test_what_is_squashed_is_not_there_any_more(
    repo: Workshop, reader: Reader, tmp_path: Path
) -> None:
    secret = repo.commit({"secret": b"password"})
    repo.commit({"a": b"a"}, delete=["secret"])
    assert secret.oid.hex() in reader.objects(repo)
    repo.squash()
    assert reader.objects(repo) == reachable(repo, tmp_path / "bare")
    assert secret.oid.hex() not in reader.objects(repo)


def test_a_deleted_branch_takes_along_what_only_it_led_to(
    repo: Workshop, reader: Reader, tmp_path: Path
) -> None:
    base = repo.commit({"a": b"a"}).oid
    add_ref(repo, "refs/heads/draft", base, base)
    add_ref(repo, "refs/heads/same", base, base)
    repo.commit({"draft": b"draft"}, branch="draft")
    first = reader.path(repo)
    repo.database.write_now(lambda conn: store.delete_branch(conn, repo.id, "same"))
    assert reader.path(repo) == first, "main leads to all that it had"
    repo.database.write_now(lambda conn: store.delete_branch(conn, repo.id, "draft"))
    assert reader.objects(repo) == reachable(repo, tmp_path / "bare")


def test_a_first_build_leaves_out_what_nothing_leads_to(
    repo: Workshop, reader: Reader, tmp_path: Path
) -> None:
    lost = repo.commit({"lost": b"lost"}).oid
    repo.squash()
    # Objects that no commit ever had: such are left by pushes of which a part was refused.
    payload = b"nobody's"
    blob = object_id(Kind.BLOB, payload)
    row = (blob, Kind.BLOB, len(payload), deflate(payload), None)
    repo.database.write_now(lambda conn: insert_objects(conn, repo.id, [row]))
    assert reader.objects(repo) == reachable(repo, tmp_path / "bare")
    assert reader.objects(repo).isdisjoint({lost.hex(), blob.hex()})


def test_a_stray_object_alone_is_left_out(repo: Workshop, reader: Reader) -> None:
    repo.commit({"a": b"a"})
    payload = b"nobody's"
    blob = object_id(Kind.BLOB, payload)
    row = (blob, Kind.BLOB, len(payload), deflate(payload), None)
    repo.database.write_now(lambda conn: insert_objects(conn, repo.id, [row]))
    assert blob.hex() not in reader.objects(repo)


def test_a_submodule_names_nothing_of_this_repository(repo: Workshop, reader: Reader) -> None:
    """A folder that names a commit taken back, as a submodule, does not bring it back."""
    lost = repo.commit({"lost": b"lost"}).oid
    repo.squash()
    payload = encode_tree([TreeEntry(SUBMODULE, b"sub", lost)])
    tree = object_id(Kind.TREE, payload)

    def work(conn: Connection) -> None:
        trees = Trees(conn, repo.id)
        trees.add(tree, [TreeEntry(SUBMODULE, b"sub", lost)])
        made = store_commit(trees, repo.new(), tree, [], {tree: payload}).oid
        insert_ref(conn, repo.id, Ref("refs/heads/sub", made, made), START)

    repo.database.write_now(work)
    assert tree.hex() in reader.objects(repo)
    assert lost.hex() not in reader.objects(repo)


def test_a_large_object_and_many_small_ones(repo: Workshop, reader: Reader, tmp_path: Path) -> None:
    files = {f"f{number}": b"%d" % number for number in range(1200)}
    repo.commit({**files, "large": b"0123456789" * 100_000, "empty": b""})
    assert reader.objects(repo) == reachable(repo, tmp_path / "bare")


def test_the_default_branch_is_followed(repo: Workshop, reader: Reader) -> None:
    repo.commit({"a": b"a"})
    first = reader.path(repo)
    assert reader.path(repo, "other") == first
    assert git("symbolic-ref", "HEAD", cwd=first).strip() == b"refs/heads/other"


def test_packs_stay_few_and_readers_undisturbed(repo: Workshop, reader: Reader) -> None:
    repo.commit({"a": b"0"})
    with reader.cache.current(repo.database, repo.id, "main") as held:
        for number in range(25):
            repo.commit({"a": b"%d" % number, f"d/{number}": b"x"})
            reader.path(repo)
            reader.cache._tidier.wait()
        last = reader.path(repo)
        assert last != held.path
        git("fsck", "--full", "--strict", cwd=held.path)
    assert len(list(last.rglob("*.pack"))) < 12
    git("fsck", "--full", "--strict", cwd=last)
    repo.commit({"b": b"b"})
    reader.path(repo)
    assert not held.path.exists(), "who asks next removes what nobody reads any more"


def test_deltas_are_looked_for_once_in_what_is_read_again(repo: Workshop, reader: Reader) -> None:
    text = [b"line %d\n" % number for number in range(400)]
    for number in range(80):
        text[number] = b"changed %d\n" % number
        repo.commit({"text": b"".join(text)})
    first = reader.path(repo)
    size = sum(path.stat().st_size for path in first.rglob("*.pack"))
    reader.cache._tidier.wait()
    last = reader.path(repo)
    assert sum(path.stat().st_size for path in last.rglob("*.pack")) < size / 3
    reader.cache._tidier.wait()
    assert reader.path(repo) == last
