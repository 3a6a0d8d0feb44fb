# SPDX-License-Identifier: Apache-2.0
"""Objects as bytes: ids as git's, formats there and back, nothing unpacked past its bound."""

import hashlib
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubkeep.git.commits import (
    MAX_PARENTS,
    Signature,
    encode_commit,
    encode_tag,
    full_message,
    parse_commit,
)
from hubkeep.git.diff import unified_diff
from hubkeep.git.errors import BadObject
from hubkeep.git.objects import (
    Kind,
    LfsPointer,
    deflate,
    inflate,
    object_id,
    parse_pointer,
    pointer_bytes,
    stage_blob,
)
from hubkeep.git.trees import (
    EMPTY_TREE,
    EXECUTABLE,
    FILE,
    FOLDER,
    TreeEntry,
    encode_tree,
    parse_tree,
)
from tests.git.native import git

oids = st.binary(min_size=20, max_size=20)
entries = st.builds(
    TreeEntry,
    st.sampled_from([FILE, EXECUTABLE, FOLDER]),
    st.binary(min_size=1, max_size=6).map(lambda raw: raw.replace(b"\0", b"0").replace(b"/", b"-")),
    oids,
)


def test_ids_are_those_of_git() -> None:
    for content in (b"", b"hello\n", b"\0" * 1000):
        oid = git("hash-object", "--stdin", stdin=content).decode().strip()
        assert object_id(Kind.BLOB, content).hex() == oid
        assert stage_blob(content).oid.hex() == oid
    assert EMPTY_TREE.hex() == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@given(st.lists(entries, max_size=8, unique_by=lambda entry: entry.name))
def test_trees_go_there_and_back(wanted: list[TreeEntry]) -> None:
    parsed = parse_tree(encode_tree(wanted))
    assert sorted(parsed) == sorted(wanted)
    assert encode_tree(parsed) == encode_tree(reversed(wanted))


def test_folders_sort_as_if_they_ended_in_a_slash() -> None:
    oid = b"\1" * 20
    names = [(FOLDER, b"a"), (FILE, b"a.b"), (FILE, b"a-b"), (FILE, b"a0")]
    parsed = parse_tree(encode_tree([TreeEntry(mode, name, oid) for mode, name in names]))
    assert [entry.name for entry in parsed] == [b"a-b", b"a.b", b"a", b"a0"]


@pytest.mark.parametrize(
    "bad", [b"x", b"100644 a\0short", b"100644 \0" + b"1" * 20, b"9 a\0" + b"1" * 20]
)
def test_damaged_trees_are_refused(bad: bytes) -> None:
    with pytest.raises(BadObject):
        parse_tree(bad)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_tree_or_refused(payload: bytes) -> None:
    try:
        parsed = parse_tree(payload)
    except BadObject:
        return
    assert b"".join(b"%b %b\0%b" % entry for entry in parsed) == payload


def test_a_bomb_is_not_unpacked() -> None:
    bomb = zlib.compress(b"\0" * (64 << 20))
    with pytest.raises(BadObject):
        inflate(bomb, 1000)
    with pytest.raises(BadObject):
        inflate(bomb, 0)


@pytest.mark.parametrize(
    "data", [b"", b"junk", deflate(b"abc")[:-1], deflate(b"abcd"), deflate(b"ab")]
)
def test_damaged_data_is_refused(data: bytes) -> None:
    with pytest.raises(BadObject):
        inflate(data, 3)


def test_pointers_are_those_of_git_lfs() -> None:
    sha256 = hashlib.sha256(b"").digest()
    pointer = pointer_bytes(sha256, 12345)
    assert pointer == (
        b"version https://git-lfs.github.com/spec/v1\n"
        b"oid sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
        b"size 12345\n"
    )
    assert parse_pointer(pointer) == LfsPointer(sha256, 12345)
    assert stage_blob(pointer).lfs == LfsPointer(sha256, 12345)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"version https://example.org/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1\n",
        pointer_bytes(b"\0" * 32, 1) + b"more\n",
        pointer_bytes(b"\0" * 32, 1).replace(b"00", b"0g", 1),
        pointer_bytes(b"\0" * 32, 2**63),
        pointer_bytes(b"\0" * 32, 1) + b"\n" * 2000,
    ],
)
def test_what_is_no_pointer_is_a_plain_file(content: bytes) -> None:
    assert parse_pointer(content) is None


texts = st.text(max_size=40)


@given(name=texts, email=texts, title=texts, body=texts, at=st.integers(0, 2**40))
def test_any_commit_can_be_read_again(
    name: str, email: str, title: str, body: str, at: int
) -> None:
    title, body = full_message(title, body)
    author = Signature(name, email)
    payload = encode_commit(b"\1" * 20, [b"\2" * 20], author, at, title, body)
    assert b"\0" not in payload
    commit = parse_commit(payload)
    assert (commit.tree, commit.parents) == (b"\1" * 20, (b"\2" * 20,))
    assert (commit.author, commit.committed_at) == (author.text, at // 1000)
    if title:
        assert (commit.title, commit.message) == (title, body.strip("\n"))


@pytest.mark.parametrize(
    "name", ["a\nparent " + "0" * 40, "a <b> 0 +0000\ncommitter x", "\0", "<>", " . ,", "\ud800"]
)
def test_no_name_breaks_out_of_its_line(name: str) -> None:
    author = Signature(name, name)
    commit = parse_commit(encode_commit(b"\1" * 20, [], author, 0, "t", ""))
    assert commit.parents == ()
    assert commit.author == author.text


def test_a_commit_has_not_too_many_parents() -> None:
    parents = [bytes([i]) * 20 for i in range(MAX_PARENTS + 1)]
    author = Signature("a", "b")
    with pytest.raises(BadObject):
        parse_commit(encode_commit(b"\1" * 20, parents, author, 0, "t", ""))
    assert len(
        parse_commit(encode_commit(b"\1" * 20, parents[1:], author, 0, "t", "")).parents
    ) == (MAX_PARENTS)


@pytest.mark.parametrize("payload", [b"", b"tree x\n\n", b"tree " + b"0" * 40 + b"\n\n"])
def test_damaged_commits_are_refused(payload: bytes) -> None:
    with pytest.raises(BadObject):
        parse_commit(payload)


def test_a_tag_is_what_git_takes_for_one() -> None:
    payload = encode_tag(b"\1" * 20, "v1", Signature("a", "b@c"), 5000, "first\n\nrelease\n")
    oid = git("hash-object", "-t", "tag", "--literally", "--stdin", stdin=payload)
    assert object_id(Kind.TAG, payload).hex() == oid.decode().strip()
    assert payload.endswith(b"tagger a <b@c> 5 +0000\n\nfirst\n\nrelease\n")


lines = st.lists(st.sampled_from([b"a", b"b", b"c", b"", b"\x0c", b"\xff"]), max_size=20)


@given(old=lines, new=lines, old_end=st.booleans(), new_end=st.booleans())
def test_diffs_can_be_applied(
    old: list[bytes], new: list[bytes], old_end: bool, new_end: bool
) -> None:
    before = b"\n".join(old) + (b"\n" if old and old_end else b"")
    after = b"\n".join(new) + (b"\n" if new and new_end else b"")
    text = unified_diff("f", before, after)
    assert text is not None
    both = [side.decode("utf-8", "surrogateescape") for side in (before, after)]
    assert applied(both[0], text) == both[1]


def applied(before: str, diff: str) -> str:
    """Apply a unified diff the way `patch` does, without leniency."""
    if not diff:
        return before
    source = before.split("\n")
    result: list[str] = []
    at = 0
    ended = not before or before.endswith("\n")
    source = source[:-1] if ended else source
    last = ""
    touched_end = ended
    for line in diff.split("\n")[2:-1]:
        if line.startswith("@@"):
            start, _, length = line.split()[1][1:].partition(",")
            first = int(start) if length == "0" else int(start) - 1
            result += source[at:first]
            at = first
        elif line.startswith("\\"):
            touched_end = touched_end if last == "-" else False
        else:
            assert line[0] == "+" or source[at] == line[1:]
            at += line[0] != "+"
            if line[0] != "-":
                result.append(line[1:])
                touched_end = True
        last = line[:1]
    rest = source[at:]
    ended = ended if rest else touched_end
    result += rest
    return "\n".join(result) + ("\n" if ended and result else "")


@pytest.mark.parametrize("binary", [b"\0", b"x" * 7999 + b"\0"])
def test_binary_files_have_no_diff(binary: bytes) -> None:
    assert unified_diff("f", b"text\n", binary) is None
    assert unified_diff("f", binary, b"text\n") is None


def test_in_a_diff_of_two_long_texts_all_lines_are_replaced() -> None:
    old = b"".join(b"%d\n" % i for i in range(10_000))
    whole = unified_diff("f", old, old.replace(b"\n", b"x\n"))
    assert whole is not None
    assert whole.startswith("--- a/f\n+++ b/f\n@@ -1,10000 +1,10000 @@\n-0\n-1\n")
    assert unified_diff("f", old, old.replace(b"5000\n", b"five\n")) == (
        "--- a/f\n+++ b/f\n@@ -4998,7 +4998,7 @@\n"
        " 4997\n 4998\n 4999\n-5000\n+five\n 5001\n 5002\n 5003\n"
    )


def test_texts_that_are_made_to_keep_a_search_for_matches_busy_are_replaced() -> None:
    runs = [number // 39 for number in range(1_989)]
    sides = [[f"{run}\n{side}{at}\n" for at, run in enumerate(runs)] for side in "ab"]
    old, new = ("".join(lines).encode() for lines in sides)
    text = unified_diff("f", old, new)
    assert text is not None
    assert not re.search("^ ", text, re.MULTILINE)
    assert applied(old.decode(), text) == new.decode()


def test_new_and_deleted_files_are_named_as_git_does() -> None:
    assert unified_diff("f", None, b"a\n") == "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n"
    assert unified_diff("f", b"a", None) == (
        "--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n\\ No newline at end of file\n"
    )
    assert unified_diff("f", b"", b"a\n") == "--- a/f\n+++ b/f\n@@ -0,0 +1 @@\n+a\n"
