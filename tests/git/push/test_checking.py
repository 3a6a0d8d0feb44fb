# SPDX-License-Identifier: Apache-2.0
"""What git would take and the hub does not: refused with the reason, before anything is written."""

import struct
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from hubkeep.git import store
from hubkeep.git.fsck import Expected, check_repository
from hubkeep.git.names import MAX_DEPTH
from hubkeep.git.objects import Kind, pointer_bytes, stage_blob
from hubkeep.git.push.incoming import Bounds, Checked, Refused
from hubkeep.git.queries import commits
from hubkeep.git.queries_objects import count_objects
from tests.git.push.pushing import BOUNDS, Clone, HandMade, entry_head, push, taken
from tests.git.workshop import Workshop

FILE, FOLDER = b"100644", b"40000"
MAIN = "refs/heads/main"


def check(
    repo: Workshop, tmp_path: Path, made: HandMade, *tips: bytes, bounds: Bounds = BOUNDS
) -> Checked:
    with closing(taken(tmp_path, made.pack, bounds)) as incoming:
        checked = repo.read(incoming.check, tips)
        return Checked(
            dict(checked.commits), checked.peeled, dict(checked.pointers), checked.gained
        )


def refusal(
    repo: Workshop, tmp_path: Path, made: HandMade, *tips: bytes, bounds: Bounds = BOUNDS
) -> str:
    with pytest.raises(Refused) as caught:
        check(repo, tmp_path, made, *tips, bounds=bounds)
    assert not caught.value.by_git
    return "\n".join(caught.value.lines)


def nested(made: HandMade, path: bytes, blob: bytes) -> bytes:
    """The root of a tree with one file."""
    *above, name = path.split(b"/")
    tree = made.tree((FILE, name, blob))
    for folder in reversed(above):
        tree = made.tree((FOLDER, folder, tree))
    return tree


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (b"a\nb", "control character"),
        (b"a\\b", "backslash"),
        (b"\xff", "must be UTF-8"),
        (b"x" * 256, "255 bytes"),
        (b"/".join([b"a"] * (MAX_DEPTH + 1)), "64 levels"),
        (b"/".join([b"a" * 200] * 6), "1024 bytes"),
        (b"a/.gitmodules", "submodules"),
        (b"a/GITMOD~1", "submodules"),
    ],
)
def test_names_are_those_of_the_api(
    sqlite_repo: Workshop, tmp_path: Path, path: bytes, words: str
) -> None:
    made = HandMade()
    commit = made.commit(nested(made, path, made.blob(b"x")))
    assert words in refusal(sqlite_repo, tmp_path, made, commit)


def test_the_deepest_and_the_longest_path_are_fine(sqlite_repo: Workshop, tmp_path: Path) -> None:
    made = HandMade()
    blob = made.blob(b"x")
    deep = made.commit(nested(made, b"/".join([b"a"] * MAX_DEPTH), blob))
    long = made.commit(nested(made, b"/".join([b"a" * 204, *[b"a" * 204] * 4]), blob))
    check(sqlite_repo, tmp_path, made, deep, long)


def test_a_folder_moved_too_deep_is_refused(repo: Workshop, tmp_path: Path) -> None:
    made = HandMade()
    first = made.commit(nested(made, b"/".join([b"a"] * MAX_DEPTH), made.blob(b"x")))
    push(repo, tmp_path, made.pack, {MAIN: first})
    tree = repo.tree()
    moved = HandMade()
    second = moved.commit(moved.tree((FOLDER, b"b", tree)), first)
    assert "64 levels" in refusal(repo, tmp_path, moved, second)


@pytest.mark.parametrize(
    ("mode", "words"),
    [(b"100664", "has the mode 100664"), (b"160000", "is a submodule"), (b"100755", "")],
)
def test_modes(sqlite_repo: Workshop, tmp_path: Path, mode: bytes, words: str) -> None:
    made = HandMade()
    commit = made.commit(made.tree((mode, b"lib", made.blob(b"x"))))
    if words:
        assert words in refusal(sqlite_repo, tmp_path, made, commit)
    else:
        check(sqlite_repo, tmp_path, made, commit)


def test_new_names_must_not_collide(sqlite_repo: Workshop, tmp_path: Path) -> None:
    made = HandMade()
    blob = made.blob(b"x")
    first = made.commit(made.tree((FILE, b"README", blob)))
    second = made.commit(made.tree((FILE, b"README", blob), (FILE, b"readme", blob)), first)
    found = refusal(sqlite_repo, tmp_path, made, second)
    assert "'readme' and 'README' are one file" in found
    made = HandMade()
    names = ("stra\u00dfe", "STRASSE")
    folder = made.tree(*((FILE, name, made.blob(b"x")) for name in sorted(map(str.encode, names))))
    tip = made.commit(made.tree((FOLDER, b"f", folder)))
    assert "are one file" in refusal(sqlite_repo, tmp_path, made, tip)


def test_missing_objects(repo: Workshop, tmp_path: Path) -> None:
    repo.commit({"a": b"there"})
    nothing, there, root = b"\x11" * 20, stage_blob(b"there").oid, repo.tree()

    main = repo.read(store.resolve, "main").commit
    for tip_of in (
        lambda _: nothing,
        lambda made: made.commit(nothing),
        lambda made: made.commit(small(made), nothing),
        lambda made: made.commit(made.tree((FILE, b"a", nothing))),
        lambda made: made.commit(made.tree((FOLDER, b"a", nothing))),
        lambda made: made.tag(nothing),
        # Of another kind than it is said to be.
        lambda made: made.commit(made.tree((FILE, b"a", root))),
        lambda made: made.commit(made.tree((FOLDER, b"a", there))),
        lambda made: made.commit(there),
        lambda made: made.commit(small(made), root),
        lambda made: made.tag(root),
        lambda made: made.tag(main, b"tag"),
    ):
        made = HandMade()
        assert "missing necessary objects" in refusal(repo, tmp_path, made, tip_of(made))


def small(made: HandMade) -> bytes:
    return made.tree((FILE, b"a", made.blob(b"x")))


def test_objects_of_another_kind_in_the_pack(sqlite_repo: Workshop, tmp_path: Path) -> None:
    for tip_of in (
        lambda made: made.commit(made.tree((FOLDER, b"a", made.blob(b"x")))),
        lambda made: made.commit(made.tree((FILE, b"a", small(made)))),
        lambda made: made.commit(made.blob(b"x")),
        lambda made: made.commit(small(made), made.blob(b"y")),
        lambda made: made.tag(made.commit(small(made)), b"tag"),
        lambda made: made.tag(small(made)),
    ):
        made = HandMade()
        tip = tip_of(made)
        with pytest.raises(Refused, match=r"missing necessary objects|is a \w+, not a|invalid"):
            check(sqlite_repo, tmp_path, made, tip)


def test_what_the_repository_has_need_not_be_sent(repo: Workshop, tmp_path: Path) -> None:
    parent = repo.commit({"a": b"there", "b/c": b"too", ".gitattributes": b"* text\n"}).oid
    made = HandMade()
    a, attributes = stage_blob(b"there").oid, stage_blob(b"* text\n").oid
    entries = [(FILE, b".gitattributes", attributes), (FILE, b"again", a)]
    tip = made.commit(made.tree(*entries, (FOLDER, b"all", repo.tree())), parent)
    checked = push(repo, tmp_path, made.pack, {MAIN: tip})
    assert checked.gained == 0
    assert repo.files()["all/b/c"] == b"too"


def test_attributes_that_git_refuses(repo: Workshop, tmp_path: Path) -> None:
    long = b"a" * 3000
    repo.commit({"text": long})
    made = HandMade()
    tip = made.commit(made.tree((FILE, b".gitattributes", stage_blob(long).oid)))
    assert "line of 2048 bytes" in refusal(repo, tmp_path, made, tip)
    made = HandMade()
    tip = made.commit(made.tree((FILE, b"GI7D29~1", made.blob(long))))
    with pytest.raises(Refused, match=r"gitattributesLineLength|line of 2048 bytes"):
        check(repo, tmp_path, made, tip)


def test_commits_that_no_table_holds(sqlite_repo: Workshop, tmp_path: Path) -> None:
    made = HandMade()
    tree = made.tree((FILE, b"a", made.blob(b"x")))
    late = made.commit(tree, at="253402300800")
    assert "after the year 9999" in refusal(sqlite_repo, tmp_path, made, late)
    roots = [made.commit(tree, text=b"%d\n" % n) for n in range(65)]
    assert "64 parents" in refusal(sqlite_repo, tmp_path, made, made.commit(tree, *roots))
    check(sqlite_repo, tmp_path, made, made.commit(tree, *roots[:64], at="253402300799"))


def test_other_encodings_are_shown_as_well_as_can_be(repo: Workshop, tmp_path: Path) -> None:
    made = HandMade()
    tip = made.commit(made.tree((FILE, b"a", made.blob(b"x"))), text=b"caf\xe9\n\nna\xefve\n")
    checked = push(repo, tmp_path, made.pack, {MAIN: tip})
    assert (checked.commits[tip].title, checked.commits[tip].message) == (
        "caf\ufffd",
        "na\ufffdve",
    )


def test_long_texts_are_kept_in_part(repo: Workshop, tmp_path: Path) -> None:
    """A list has a thousand commits; each may have a MiB of text."""
    made = HandMade()
    tree = made.tree((FILE, b"a", made.blob(b"x")))
    text = b"t" * 400_000 + b"\n\n" + b"\xc3\xa4" * 200_000
    signed = b"n" * 100_000 + b" <a@example.org> 1790000000 +0000"
    lines = (b"tree " + tree.hex().encode(), b"author " + signed, b"committer " + signed)
    tip = made.add(Kind.COMMIT, b"\n".join(lines) + b"\n\n" + text)
    checked = push(repo, tmp_path, made.pack, {MAIN: tip})
    for row in (checked.commits[tip], repo.read(commits, [tip])[tip]):
        assert row.author == "n" * 1000 + " <a@example.org>"
        assert (row.title, row.message) == ("t" * 1000, "ä" * 8000)
    expected = Expected("main", tip)
    assert repo.read(check_repository, expected, lambda _: {}, lambda _: None).problems == []


def test_tags_lead_to_commits(repo: Workshop, tmp_path: Path) -> None:
    made = HandMade()
    blob = made.blob(b"x")
    commit = made.commit(made.tree((FILE, b"a", blob)))
    tag = made.tag(commit)
    tip = made.tag(tag, b"tag")
    push(repo, tmp_path, made.pack, {"refs/tags/v1": tip})
    # Known already, with nothing sent.
    checked = check(repo, tmp_path, HandMade(), tip, tag, commit)
    assert checked.peeled == dict.fromkeys((tip, tag, commit), commit)
    for bad in (made.tag(blob, b"blob"), blob, repo.read(commits, [commit])[commit].tree):
        assert "does not lead to a commit" in refusal(repo, tmp_path, made, bad)
    deep = commit
    for _ in range(10):
        deep = made.tag(deep, b"tag" if deep != commit else b"commit")
    assert "does not lead to a commit" in refusal(repo, tmp_path, made, deep)


def test_large_files_are_named_with_what_to_do(sqlite_repo: Workshop, tmp_path: Path) -> None:
    made = HandMade()
    small = Bounds(1 << 24, 1000, 1 << 20)
    tree = made.tree((FILE, b"model.bin", made.blob(bytes(3 << 20))))
    first = made.commit(made.tree((FILE, b"b", made.blob(bytes(1 << 20))), (FOLDER, b"c", tree)))
    second = made.commit(made.tree((FILE, b"a", made.blob(b"x"))), first)
    assert refusal(sqlite_repo, tmp_path, made, second, bounds=small).splitlines() == [
        "c/model.bin has 3 MiB; files over 1 MiB go through git-lfs",
        '  git lfs install && git lfs migrate import --include="c/model.bin"',
        "then push again",
    ]
    many = [(FILE, b"$(f)%02d" % n, made.blob(bytes((1 << 20) + n + 1))) for n in range(12)]
    found = refusal(sqlite_repo, tmp_path, made, made.commit(made.tree(*many)), bounds=small)
    assert found.count("files over") == 10
    assert "and 2 more" in found
    assert "git lfs migrate import --above=1048576b" in found
    assert "--include" not in found


def test_pointers_are_found_where_they_first_stand(repo: Workshop, tmp_path: Path) -> None:
    made = HandMade()
    sha256 = bytes(range(32))
    blob = made.blob(pointer_bytes(sha256, 5000))
    first = made.commit(made.tree((FOLDER, b"d", made.tree((FILE, b"w.bin", blob)))))
    second = made.commit(made.tree((FILE, b"moved.bin", blob)), first)
    checked = push(repo, tmp_path, made.pack, {MAIN: second})
    assert {o: (p.lfs.sha256, p.lfs.size, p.path) for o, p in checked.pointers.items()} == {
        blob: (sha256, 5000, "d/w.bin")
    }
    assert checked.gained == 5000


def test_what_no_tip_leads_to_is_not_stored(repo: Workshop, tmp_path: Path) -> None:
    made = HandMade()
    tip = made.commit(made.tree((FILE, b"a", made.blob(b"x"))))
    made.commit(made.tree((FILE, b"b", made.blob(b"unused"))), text=b"unused\n")
    made.tag(tip)
    checked = push(repo, tmp_path, made.pack, {MAIN: tip})
    assert list(checked.commits) == [tip]
    assert repo.read(count_objects) == 3


def test_folders_of_folders_of_folders(
    sqlite_repo: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = HandMade()
    tree = made.tree((FILE, b"a", made.blob(b"")))
    for _ in range(10):
        tree = made.tree(*((FOLDER, b"%d" % n, tree) for n in range(10)))
    assert "more than 500000 files" in refusal(sqlite_repo, tmp_path, made, made.commit(tree))
    # As many as are allowed, and then one changes in each of them, again and again.
    monkeypatch.setattr("hubkeep.git.push.walk.MAX_COMPARED", 10_000)
    made = HandMade()
    parents: list[bytes] = []
    for content in (b"1", b"2", b"3"):
        tree = made.tree((FILE, b"a", made.blob(content)))
        for _ in range(3):
            tree = made.tree(*((FOLDER, b"%d" % n, tree) for n in range(10)))
        parents = [made.commit(tree, *parents)]
    assert "looked through at once" in refusal(sqlite_repo, tmp_path, made, *parents)


def test_files_are_counted_together_with_what_is_there(
    repo: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubkeep.git.push.contents.MAX_FILES", 30)
    monkeypatch.setattr("hubkeep.git.push.contents._MANY", 5)
    parent = repo.commit({f"old/{n}/f": b"x" for n in range(12)}).oid
    made = HandMade()
    inside = made.tree(*((FILE, b"%d" % n, made.blob(b"x")) for n in range(8)))
    old = repo.read(store.entry, repo.tree(), "old")
    assert old is not None
    entry = (FOLDER, b"old", old.oid)
    tip = made.commit(made.tree((FOLDER, b"new", inside), entry), parent)
    assert "more than 30 files" in refusal(repo, tmp_path, made, tip)


def test_an_empty_commit_of_an_empty_repository(repo: Workshop, tmp_path: Path) -> None:
    clone = Clone.new(tmp_path / "clone")
    tip = clone.commit({}, "nothing yet")
    push(repo, tmp_path, clone.pack("main"), {MAIN: tip})
    assert repo.files() == {}
    made = HandMade()
    second = made.commit(made.tree((FILE, b"a", made.blob(b"x"))), tip)
    push(repo, tmp_path, made.pack, {MAIN: second})


def test_objects_that_are_far_larger_deflated_than_whole(
    sqlite_repo: Workshop, tmp_path: Path
) -> None:
    """git takes them; whoever reads many small objects at once would hold all of it."""
    made = HandMade()
    blob = made.blob(b"small")
    nothing = b"\x00\x00\x00\xff\xff"  # a block of deflate's that holds no bytes
    stored = b"\x01" + struct.pack("<HH", 5, 5 ^ 0xFFFF) + b"small"
    ending = struct.pack(">I", zlib.adler32(b"small"))
    padded = b"\x78\x01" + nothing * 100_000 + stored + ending
    made.entries[blob] = entry_head(Kind.BLOB, 5) + padded
    tip = made.commit(made.tree((FILE, b"a", blob)))
    assert f"{blob.hex()} has 5 bytes, but 500" in refusal(sqlite_repo, tmp_path, made, tip)
