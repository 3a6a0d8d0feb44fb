# SPDX-License-Identifier: Apache-2.0
"""Histories written anew without large files: everything else stays, and git accepts the result."""

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubkeep.db import Database
from hubkeep.git import refs, rewrite, store
from hubkeep.git.bare import write_bare_repository
from hubkeep.git.errors import TooLarge
from hubkeep.git.last_commits import last_commits
from hubkeep.git.objects import parse_pointer, pointer_bytes
from hubkeep.git.rewrite import remove_lfs_files
from tests.git.native import accepts, git, lines
from tests.git.workshop import ALICE, START, Workshop, new_repo

BAD, GOOD = bytes(32), b"\1" * 32
FILES = {"bad": pointer_bytes(BAD, 1000), "good": pointer_bytes(GOOD, 10), "text": b"hello"}
AT = START + 10**9


def fsck(repo: Workshop, folder: Path) -> Path:
    """Write the repository out and have git check it."""
    bare = folder / "bare.git"
    repo.database.read_now(lambda conn: write_bare_repository(conn, repo.id, bare))
    assert accepts("fsck", "--full", "--strict", cwd=bare)
    return bare


def test_pointers_go_and_all_else_stays(repo: Workshop, tmp_path: Path):
    first = repo.commit({"README.md": b"one", "data/good.bin": FILES["good"]}).oid
    repo.commit({"data/bad.bin": FILES["bad"], "only/bad.bin": FILES["bad"]}, title="Add bad")
    repo.write(refs.create_tag, "v1", store_head(repo), tagger=ALICE, at=START, message="The first")
    repo.write(refs.create_branch, "old", first, START)
    last = repo.commit({"README.md": b"two"}, title="Change the words")

    moved = repo.write(remove_lfs_files, [BAD], AT)
    repo.collect()

    assert {ref.name for ref in moved} == {"refs/heads/main", "refs/tags/v1"}
    assert repo.files() == {"README.md": b"two", "data/good.bin": FILES["good"]}
    assert repo.files("v1") == {"README.md": b"one", "data/good.bin": FILES["good"]}
    assert repo.read(store.resolve, "old").commit == first
    assert repo.read(store.resolve, last.oid.hex()) is None
    bare = fsck(repo, tmp_path)
    assert lines(git("log", "--format=%s", "main", cwd=bare)) == [
        "Change the words",
        "Add bad",
        "a change",
    ]
    assert git("cat-file", "-t", "v1", cwd=bare) == b"tag\n"
    assert b"bad.bin" not in git("log", "--all", "--stat", cwd=bare)


def store_head(repo: Workshop) -> bytes:
    found = repo.read(store.resolve, "main")
    assert found is not None
    return found.commit


def test_a_history_without_such_files_is_left_alone(repo: Workshop):
    head = repo.commit({"a": FILES["good"]}).oid
    assert repo.write(remove_lfs_files, [BAD], AT) == []
    assert store_head(repo) == head


def test_a_repository_may_be_left_without_files(repo: Workshop, tmp_path: Path):
    repo.commit({"a/b/c": FILES["bad"]})
    repo.write(remove_lfs_files, [BAD], AT)
    assert repo.files() == {}
    fsck(repo, tmp_path)


def test_a_history_that_is_too_long_is_refused(repo: Workshop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rewrite, "MAX_COMMITS", 1)
    repo.commit({"a": FILES["bad"]})
    head = repo.commit({"b": b""}).oid
    with pytest.raises(TooLarge):
        repo.write(remove_lfs_files, [BAD], AT)
    assert store_head(repo) == head


def test_signatures_and_merged_tags_are_dropped():
    signed = (
        b"tree " + b"0" * 40 + b"\nparent " + b"1" * 40 + b"\nauthor A <a> 1 +0100\n"
        b"committer A <a> 1 +0100\nmergetag object x\n type commit\n \n text\n"
        b"gpgsig -----BEGIN\n \n abc\nencoding latin-1\n\nWords\n\ntree 0\n"
    )
    assert rewrite._repointed(signed, b"\2" * 20, [b"\3" * 20, b"\4" * 20]) == (
        b"tree " + b"02" * 20 + b"\nparent " + b"03" * 20 + b"\nparent " + b"04" * 20
        + b"\nauthor A <a> 1 +0100\ncommitter A <a> 1 +0100\nencoding latin-1\n\nWords\n\ntree 0\n"
    )  # fmt: skip


paths = st.sampled_from(["a", "b/a", "b/c/a", "b/c/d", "e/f", "g"])
steps = st.lists(
    st.tuples(
        st.sampled_from(["main", "dev"]), st.dictionaries(paths, st.sampled_from(sorted(FILES)))
    ),
    min_size=1,
    max_size=8,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=steps)
def test_any_history_is_git_s_after_it(
    sqlite_url: str, tmp_path_factory: pytest.TempPathFactory, history: list
):
    folder = tmp_path_factory.mktemp("rewrite")
    with closing(Database(sqlite_url)) as database:
        repo = Workshop(database, new_repo(database, folder.name))
        repo.commit({"start": b""})
        repo.write(refs.create_branch, "dev", store_head(repo), START)
        for branch, files in history:
            repo.commit({path: FILES[kind] for path, kind in files.items()}, branch=branch)
        before = {branch: repo.files(branch) for branch in ("main", "dev")}

        repo.write(remove_lfs_files, [BAD], AT)

        bare = fsck(repo, folder)
        for branch, files in before.items():
            kept = {path: text for path, text in files.items() if not is_bad(text)}
            assert repo.files(branch) == kept
            at = repo.read(store.resolve, branch).commit
            for name, row in repo.read(last_commits, at, "").items():
                found = git("log", "-1", "--format=%H", branch, "--", name, cwd=bare)
                assert row.oid.hex() == found.decode().strip()


def is_bad(content: bytes) -> bool:
    pointer = parse_pointer(content)
    return pointer is not None and pointer.sha256 == BAD
