# SPDX-License-Identifier: Apache-2.0
"""Names: whatever the real git refuses, we refuse."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubkeep.git.errors import BadPath, BadRef
from hubkeep.git.names import check_path, check_ref_name, collision_key, is_attributes
from hubkeep.git.trees import FILE, TreeEntry, encode_tree
from tests.git.native import accepts, git

DISGUISES = [
    ".git",
    ".GIT",
    ".Git",
    "git~1",
    "GIT~1",
    ".git.",
    ".git ",
    ".git. .",
    ".git::$INDEX_ALLOCATION",
    ".git:x",
    ".g\u200cit",
    ".git\u2060"[:4] + "\u206a",
    "\ufeff.git",
    ".gi\u200dT",
    "git~1 ",
    ".gitmodules",
    ".GitModules",
    ".gitmodules .",
    ".gitm\u200codules",
    "gitmod~1",
    "GITMOD~4",
    "gi7eba~1",
    "gi7eb~10",
    "gi7e~100",
]
REFUSED = [
    "",
    ".",
    "..",
    "../a",
    "a/../b",
    "/a",
    "a/",
    "a//b",
    "./a",
    "a\\b",
    "a\0b",
    "a\nb",
    "a\x7fb",
    "a\x85b",
    "\ud800",
    "..\\ddd",
    "x" * 256,
    "a/" * 64 + "a",
    "/".join(["x" * 200] * 6),
    *DISGUISES,
    *(f"a/{name}/b" for name in DISGUISES),
]
ACCEPTED = [
    "a",
    ".gitattributes",
    ".gitignore",
    ".github/workflows/x.yml",
    "git",
    "x.git",
    "a b",
    "a:b",
    "...",
    "caf\u00e9",
    "cafe\u0301",
    "模型.bin",
    "\U0001f917",
    "-rf",
    "x" * 255,
    "/".join(["a"] * 64),
    "con",
    "git~2",
    "gitmodules",
    "git.git",
    "a-b_c.0",
]


@pytest.mark.parametrize("path", REFUSED)
def test_refused_paths(path: str) -> None:
    with pytest.raises(BadPath):
        check_path(path)


@pytest.mark.parametrize("path", [path for path in ACCEPTED if path != "..."])
def test_accepted_paths(path: str) -> None:
    assert b"/".join(check_path(path)).decode() == path


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scratch")
    git("init", "-q", "--bare", str(folder))
    return folder


def sound(scratch: Path, name: str) -> bool:
    """Whether `git fsck --strict` is content with a tree that has one file of this name."""
    stored = git("hash-object", "-w", "--stdin", cwd=scratch, stdin=b"[x]\n").decode().strip()
    tree = encode_tree([TreeEntry(FILE, name.encode(), bytes.fromhex(stored))])
    written = ("hash-object", "-w", "-t", "tree", "--literally", "--stdin")
    oid = git(*written, cwd=scratch, stdin=tree).decode().strip()
    verdict = accepts("fsck", "--strict", oid, cwd=scratch)
    # fsck looks at all objects, so a bad one must not be there the next time.
    (scratch / "objects" / oid[:2] / oid[2:]).unlink()
    return verdict


@pytest.mark.parametrize("name", [name for name in ACCEPTED if "/" not in name])
def test_git_finds_accepted_names_sound(scratch: Path, name: str) -> None:
    assert sound(scratch, name)


def test_git_would_refuse_the_disguises(scratch: Path) -> None:
    # .gitmodules is refused by git only for what it holds; we refuse it whole.
    refused = [name for name in DISGUISES if "mod" not in name.lower() and "gi7" not in name]
    refused = [name for name in refused if "m\u200co" not in name]
    assert [name for name in refused if sound(scratch, name)] == []


odd_names = st.text(
    alphabet=st.sampled_from(list(".git~1GIT :$\u200c\u206f\ufeffmodules/7eba")),
    min_size=1,
    max_size=9,
)


@given(name=odd_names)
@settings(max_examples=60, deadline=None)
def test_what_we_accept_git_accepts(scratch: Path, name: str) -> None:
    try:
        check_path(name)
    except BadPath:
        return
    assert "/" in name or sound(scratch, name)


@pytest.mark.parametrize(
    "name",
    [".gitattributes", ".GITATTRIBUTES", ".gitattributes ", ".git\u200cattributes", "gitatt~1"],
)
def test_disguises_of_attributes_are_known(name: str) -> None:
    assert is_attributes(name.encode())
    assert not is_attributes(b"README.md")
    assert not is_attributes(b"gitattributes")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("README.md", "readme.MD", True),
        ("caf\u00e9", "cafe\u0301", True),
        ("\u212aelvin", "kelvin", True),
        ("\u01c4", "\u01c6", True),
        ("a", "b", False),
        ("a", "\u00e1", False),
    ],
)
def test_collisions(one: str, other: str, same: bool) -> None:
    assert (collision_key(one.encode()) == collision_key(other.encode())) == same


ref_texts = st.lists(
    st.sampled_from([*"ab./@{}~^:?*[\\ -\x01\x7f", ".lock", "//", "..", "HEAD"]),
    min_size=1,
    max_size=6,
).map("".join)


@given(short=ref_texts)
@settings(max_examples=120, deadline=None)
def test_ref_names_are_those_of_git(short: str) -> None:
    name = f"refs/heads/{short}"
    try:
        check_ref_name(name)
    except BadRef:
        ours = False
    else:
        ours = True
    theirs = accepts("check-ref-format", name) and accepts("check-ref-format", "--branch", short)
    # `--branch` also expands names such as @{-1}; those are refused by the first form.
    assert ours == theirs


@pytest.mark.parametrize(
    "name",
    [
        "main",
        "refs/heads",
        "refs/heads/",
        "refs/heads/HEAD",
        "refs/heads/-x",
        "refs/heads/refs/heads/x",
        "refs/heads/" + "a1" * 20,
        "refs/heads/\ud800",
        "refs/heads/" + "x" * 600,
        "refs/heads/" + "x" * 250,
        "refs/tags/a\nb",
    ],
)
def test_refused_ref_names(name: str) -> None:
    with pytest.raises(BadRef):
        check_ref_name(name)


@pytest.mark.parametrize("name", ["heads/main", "tags/v1.0", "pr/1", "heads/a/\u00e9"])
def test_accepted_ref_names(name: str) -> None:
    check_ref_name(f"refs/{name}")
