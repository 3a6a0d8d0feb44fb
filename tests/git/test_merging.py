# SPDX-License-Identifier: Apache-2.0
"""Merges by the real git: what becomes of its output, and of pointers."""

import random
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from hubkeep.git import merging
from hubkeep.git.errors import ObjectMissing, TooLarge
from hubkeep.git.merge_commits import commit_merged, prepare_merged
from hubkeep.git.merging import Conflict, Merged, Side, merge_commits, merge_trees, read_merge
from hubkeep.git.objects import Kind, deflate, object_id, pointer_bytes
from hubkeep.git.program import GitFailed
from hubkeep.git.queries_objects import delete_objects, insert_objects
from hubkeep.git.trees import EMPTY_TREE, FILE, FOLDER, TreeEntry, encode_tree
from tests.git.dags import Dag, Files
from tests.git.native import git, lines
from tests.git.workshop import Workshop

ROOT = b"1" * 40


def scratch(tmp_path: Path) -> Path:
    """A new folder for git to write into."""
    return Path(tempfile.mkdtemp(dir=tmp_path))


def forked(repo: Workshop, tmp_path: Path, *versions: Files) -> tuple[Path, list[Side]]:
    """A base and two commits on it, written out."""
    base, one, other = versions
    dag = Dag(repo).add([([], base), ([0], one), ([0], other)])
    dag.native(tmp_path / "bare")
    return tmp_path / "bare", [Side(oid, f"side{i}") for i, oid in enumerate(dag.oids)][1:]


@pytest.mark.parametrize("seed", range(6))
def test_results_are_those_of_git(sqlite_repo: Workshop, tmp_path: Path, seed: int) -> None:
    choose = random.Random(seed)
    names = ["a", "b", "f/a", "f/g/b"]

    def text() -> bytes:
        return b"".join(b"%d\n" % (i if choose.random() < 0.9 else 99) for i in range(12))

    bare, sides = forked(
        sqlite_repo, tmp_path, *({name: text() for name in names if name} for _ in range(3))
    )
    before = set(bare.rglob("*"))
    found = merge_commits(bare, scratch(tmp_path), *sides)
    assert set(bare.rglob("*")) == before
    said = git("merge-tree", "--write-tree", *(s.oid.hex() for s in sides), cwd=bare, check=False)
    if isinstance(found, Merged):
        assert lines(said) == [found.tree.hex()]
    else:
        assert {path for each in found for path in each.paths} <= set(names)
        assert all(f"Merge conflict in {each.paths[0]}" in said.decode() for each in found)


def test_kinds_of_conflicts(sqlite_repo: Workshop, tmp_path: Path) -> None:
    bare, sides = forked(
        sqlite_repo,
        tmp_path,
        {"old": b"1\n2\n3\n4\n5\n", "x": b"x\n"},
        {"one": b"1\n2\n3\n4\n5\n", "both": b"1\n", "x": b"y\n"},
        {"two": b"1\n2\n3\n4\n5\n", "both": b"2\n"},
    )
    found = merge_commits(bare, scratch(tmp_path), *sides)
    assert not isinstance(found, Merged)
    kinds = {each.kind: each for each in found}
    assert {*kinds} == {"rename/rename", "add/add", "modify/delete"}
    assert "deleted in side2 and modified in side1" in kinds["modify/delete"].message
    assert {*kinds["rename/rename"].paths} == {"old", "one", "two"}


def test_pointers_are_not_mixed_into_nonsense(sqlite_repo: Workshop, tmp_path: Path) -> None:
    """Changes far enough from each other, which git would mix, as with extensions in a pointer."""
    more = b"".join(b"ext-%d-x sha256:%064d\n" % (i, i) for i in range(6))
    plain = pointer_bytes(b"a" * 32, 1).replace(b"spec/v1\n", b"spec/v1\n" + more)
    one = plain.replace(b"ext-0-x", b"ext-0-y")
    other = plain.replace(b"size 1\n", b"size 2\n")
    bare, sides = forked(sqlite_repo, tmp_path, {"f/m": plain}, {"f/m": one}, {"f/m": other})
    assert merge_commits(bare, scratch(tmp_path), *sides) == [
        Conflict(["f/m"], "lfs", "Both sides changed the LFS file f/m")
    ]


def test_pointers_are_known_where_a_side_has_renamed_them(
    sqlite_repo: Workshop, tmp_path: Path
) -> None:
    more = b"".join(b"ext-%d-x sha256:%064d\n" % (i, i) for i in range(6))
    plain = pointer_bytes(b"a" * 32, 1).replace(b"spec/v1\n", b"spec/v1\n" + more)
    one = plain.replace(b"ext-0-x", b"ext-0-y")
    other = plain.replace(b"size 1\n", b"size 2\n")
    bare, sides = forked(sqlite_repo, tmp_path, {"m": plain}, {"n": one}, {"m": other})
    found = merge_commits(bare, scratch(tmp_path), *sides)
    assert isinstance(found, list)
    assert [(each.paths, each.kind) for each in found] == [(["n"], "lfs")]


def test_texts_that_only_begin_as_pointers_do_are_merged(
    sqlite_repo: Workshop, tmp_path: Path
) -> None:
    lines = [b"version https://git-lfs.github.com/spec/v1\n", *(b"%d\n" % i for i in range(9))]
    plain = b"".join(lines)
    one, other = plain.replace(b"1\n2", b"one\n2"), plain + b"more\n"
    large = plain + b"-\n" * 1000
    bare, sides = forked(
        sqlite_repo,
        tmp_path,
        {"how to.md": plain, "f/large": large},
        {"how to.md": one, "f/large": large.replace(b"1\n2", b"one\n2")},
        {"how to.md": other, "f/large": large + b"more\n"},
    )
    found = merge_commits(bare, scratch(tmp_path), *sides)
    assert isinstance(found, Merged)
    assert len(found.blobs) == 2


def test_git_may_not_write_more_than_is_read(
    sqlite_repo: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the bound is lowered: it is the system that holds git to it."""
    assert merging._LIMITS.file_bytes == merging._RESULT_BYTES
    monkeypatch.setattr(merging, "_LIMITS", replace(merging._LIMITS, file_bytes=4096))
    choose = random.Random(1)
    text = b"".join(b"%d\n" % choose.getrandbits(200) for _ in range(1000))
    bare, sides = forked(
        sqlite_repo, tmp_path, {"a": text}, {"a": b"1\n" + text}, {"a": text + b"1\n"}
    )
    with pytest.raises(GitFailed):
        merge_commits(bare, scratch(tmp_path), *sides)


def test_what_a_merge_needs_must_still_be_there(sqlite_repo: Workshop, tmp_path: Path) -> None:
    """Between reading and writing, what nothing leads to may have been removed."""
    bare, sides = forked(
        sqlite_repo, tmp_path, {"a": b"1"}, {"a": b"1", "b": b"1"}, {"a": b"1", "f/c": b"new"}
    )
    found = merge_commits(bare, scratch(tmp_path), *sides)
    assert isinstance(found, Merged)
    head, other = (side.oid for side in sides)
    prepared = sqlite_repo.read(prepare_merged, sqlite_repo.tree("c1"), found)
    assert [each.path for each in prepared.changed] == ["f/c"]
    new = sqlite_repo.new(branch="c1")
    sqlite_repo.write(delete_objects, [object_id(Kind.BLOB, b"new")])
    with pytest.raises(ObjectMissing):
        sqlite_repo.write(commit_merged, new, prepared, head, other, joins=True)


@pytest.mark.parametrize("what", ["files", "folders", "entries"])
def test_few_trees_that_stand_for_many_files_are_refused(sqlite_repo: Workshop, what: str) -> None:
    payloads: dict[bytes, bytes] = {}
    old = EMPTY_TREE
    if what == "entries":
        # Few files change, but in many folders, each of which is long.
        wide = repeated(payloads, FILE, object_id(Kind.BLOB, b""), 10_000)
        wider = repeated(payloads, FILE, object_id(Kind.BLOB, b""), 10_001)
        old, new = (repeated(payloads, FOLDER, each, 100) for each in (wide, wider))
    else:
        new = repeated(payloads, FOLDER, EMPTY_TREE, 1)
        if what == "files":
            new = repeated(payloads, FILE, object_id(Kind.BLOB, b""), 2)
        for _ in range(3):
            new = repeated(payloads, FOLDER, new, 40 if what == "files" else 50)
    rows = [(oid, Kind.TREE, len(data), deflate(data), None) for oid, data in payloads.items()]
    sqlite_repo.write(insert_objects, rows)
    with pytest.raises(TooLarge, match=f"More than 1[0]+ {what}"):
        sqlite_repo.read(prepare_merged, old, Merged(new, {}, []))


def repeated(payloads: dict[bytes, bytes], mode: bytes, oid: bytes, count: int) -> bytes:
    """A tree that has one thing many times."""
    payload = encode_tree([TreeEntry(mode, b"%05d" % i, oid) for i in range(count)])
    tree = object_id(Kind.TREE, payload)
    payloads[tree] = payload
    return tree


def test_the_folder_may_be_named_from_where_the_hub_runs(
    sqlite_repo: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare, sides = forked(sqlite_repo, tmp_path, {"a": b"1"}, {"b": b"1"}, {"a": b"1", "c": b"1"})
    monkeypatch.chdir(tmp_path)
    assert merge_commits(
        Path(bare.name), scratch(tmp_path).relative_to(tmp_path), *sides
    ) == merge_commits(bare, scratch(tmp_path), *sides)


def test_trees_are_merged_without_commits(sqlite_repo: Workshop, tmp_path: Path) -> None:
    bare, sides = forked(sqlite_repo, tmp_path, {"a": b"1"}, {"a": b"2"}, {"a": b"1", "b": b"1"})
    trees = [
        bytes.fromhex(git("rev-parse", f"{each.oid.hex()}^{{tree}}", cwd=bare).decode().strip())
        for each in sides
    ]
    found = merge_trees(
        bare, scratch(tmp_path), trees[1], Side(trees[1], "x"), Side(EMPTY_TREE, "y")
    )
    assert isinstance(found, Merged)
    assert found.tree == EMPTY_TREE
    with pytest.raises(ObjectMissing):
        merge_trees(bare, scratch(tmp_path), b"\x01" * 20, Side(trees[0], "x"), Side(trees[1], "y"))


def test_what_git_prints_is_read_to_the_letter() -> None:
    files = b"100644 " + ROOT + b" 1\todd\nname\0" + b"100644 " + ROOT + b" 2\todd\nname\0"
    message = b"1\0odd\nname\0CONFLICT (contents)\0CONFLICT (content): Merge conflict in it\n\0"
    auto = b"1\0odd\nname\0Auto-merging\0Auto-merging odd\nname\n\0"
    tree, conflicts = read_merge(ROOT + b"\0" + files + b"\0" + auto + message)
    assert tree.hex().encode() == ROOT
    assert conflicts == [Conflict(["odd\nname"], "content", "Merge conflict in it")]
    assert read_merge(ROOT + b"\0" + files + b"\0")[1] == [Conflict(["odd\nname"], "content", "")]
    assert read_merge(ROOT + b"\0\0" + auto) == (tree, [])
    for odd in (b"", b"fatal", ROOT + b"\0\0" + b"2\0a\0", ROOT + b"\0\0" + b"x\0a\0", ROOT[:8]):
        with pytest.raises(GitFailed):
            read_merge(odd)
