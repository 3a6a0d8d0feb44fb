# SPDX-License-Identifier: Apache-2.0
"""Patterns mean what they mean to git, and no pattern takes long."""

import re
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubkeep.content.attributes import LfsRules
from hubkeep.content.patterns import IgnoreRules, TooMuchWork, check_work
from tests.content.shelf import Shelf
from tests.harness.hub import on_sqlite

# `[` opens a class in some and stands for itself in none: git and fnmatch differ where it is open.
piece = st.sampled_from(["a", "b", "*", "?", "**", "[ab]", "[!a]", "[^b]", ".", "\\a", "\\*", "ab"])
segment = st.sampled_from(["a", "b", "*", "**", "a*"]) | st.lists(
    piece, min_size=1, max_size=4
).map("".join)
# Stars beside something else count as one. git says so too, but some versions look at the wrong
# byte (wildmatch.c compares addresses in the pattern with the path's) and answer now so, now so.
BESIDE = re.compile(r"[^/]\*\*|\*\*[^/]")
pattern = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "", "/", "**/"]),
    st.lists(segment, min_size=1, max_size=3).map("/".join),
    st.sampled_from(["", "", "/", "/**"]),
).filter(lambda text: BESIDE.search(text) is None)
name = st.sampled_from("ab") | st.text("ab.*", min_size=1, max_size=4).filter(
    lambda text: text.strip(".")
)
path = st.lists(name, min_size=1, max_size=4).map("/".join)


def git(folder: Path, *arguments: str, given: str) -> list[str]:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, input=given.encode(), capture_output=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.decode().split("\0")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkout")
    git(folder, "init", "-q", given="")
    return folder


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    lines=st.lists(st.builds("{}{}".format, st.sampled_from(["", "", "!"]), pattern), max_size=8),
    paths=st.lists(path, min_size=1, max_size=20, unique=True),
)
def test_git_ignores_the_same_files(checkout: Path, lines: list[str], paths: list[str]):
    text = "\n".join(lines) + "\n"
    (checkout / ".gitignore").write_text(text)
    ignored = git(checkout, "check-ignore", "--no-index", "-z", "--stdin", given="\0".join(paths))
    rules = IgnoreRules(text)
    assert [one for one in paths if rules.is_ignored(one)] == [one for one in ignored if one]


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    lines=st.lists(
        st.builds("{} {}".format, pattern, st.sampled_from(["filter=lfs", "-filter", "filter=x"])),
        max_size=8,
    ),
    paths=st.lists(path, min_size=1, max_size=20, unique=True),
)
def test_git_gives_the_same_files_to_lfs(checkout: Path, lines: list[str], paths: list[str]):
    text = "\n".join(line for line in lines if not line.startswith("[")) + "\n"
    (checkout / ".gitattributes").write_text(text)
    told = git(checkout, "check-attr", "-z", "--stdin", "filter", given="\0".join(paths))
    verdicts = dict(zip(told[0::3], told[2::3], strict=False))
    rules = LfsRules(text)
    assert {one: rules.is_lfs(one) for one in paths} == {
        one: verdicts[one] == "lfs" for one in paths
    }


def test_stars_beside_something_else_stay_in_their_segment():
    rules = IgnoreRules("a/a**\n")
    assert [one for one in ("a/a", "a/ab", "a/a/b", "a/b") if rules.is_ignored(one)] == [
        "a/a",
        "a/ab",
        "a/a/b",  # in the ignored folder a/a
    ]
    assert not LfsRules("a/a** filter=lfs\n").is_lfs("a/a/b")


def test_a_hostile_pattern_takes_no_time():
    hostile = "*a" * 100 + "*b\n" + "**/a/" * 50 + "b\n" + "[" * 200 + "\n" + "\\\n"
    begun = time.perf_counter()
    ignore, lfs = IgnoreRules(hostile), LfsRules(hostile.replace("\n", " filter=lfs\n"))
    for path in ("a" * 1000, "a/" * 60 + "a"):
        assert not ignore.is_ignored(path)
        assert not lfs.is_lfs(path)
    assert time.perf_counter() - begun < 2


def test_work_is_bounded():
    rules = IgnoreRules("\n".join(f"*{'a' * 100}{number}" for number in range(2000)))
    with pytest.raises(TooMuchWork):
        check_work(rules.work, ["a" * 1000 + str(number) for number in range(1000)])
    check_work(IgnoreRules("*.tmp\n" * 100).work, [f"data/{n}.parquet" for n in range(1000)])


@on_sqlite
@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ("*a" * 40 + "*b", 200),
        ("\\", 200),
        ("[", 200),
        ("x" * 300_000, 400),
        ("**/a/b\n" * 9000, 400),
    ],
)
def test_preupload_answers_at_once_whatever_the_patterns(shelf: Shelf, rules: str, status: int):
    files = [{"path": "a" * 900 + str(number), "size": 1} for number in range(50)]
    begun = time.perf_counter()
    answer = shelf.hub.post(
        f"{shelf.api}/preupload/main",
        token=shelf.token,
        json={"files": files * 20, "gitIgnore": rules, "gitAttributes": rules},
    )
    assert (answer.status_code, time.perf_counter() - begun < 10) == (status, True)


@on_sqlite
def test_a_sample_that_is_no_base64_is_refused(shelf: Shelf):
    answer = shelf.hub.post(
        f"{shelf.api}/preupload/main",
        token=shelf.token,
        json={"files": [{"path": "a", "size": 1, "sample": "é"}]},
    )
    assert answer.status_code == 400
