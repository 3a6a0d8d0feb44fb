# SPDX-License-Identifier: Apache-2.0
"""The cache's folders: deleted at any moment, shared by processes, kept under a size."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hubkeep.db import Database
from hubkeep.git.fetch import bare, contents
from hubkeep.git.fetch.cache import GitCache
from hubkeep.git.fetch.places import hold, numbers, remove
from tests.git.native import git
from tests.git.workshop import Workshop, new_repo
from tests.harness.hub import ROOT, program_env


@pytest.fixture
def repo(sqlite_repo: Workshop) -> Workshop:
    sqlite_repo.commit({"a.txt": b"a", "d/b.txt": b"b"})
    return sqlite_repo


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def cache(folder: Path) -> Iterator[GitCache]:
    with closing(GitCache(folder, 10**9)) as cache:
        yield cache


def checked(cache: GitCache, repo: Workshop) -> Path:
    """Where the repository is, which git finds to be whole and to have a commit."""
    with cache.current(repo.database, repo.id, "main") as cached:
        git("fsck", "--full", "--strict", cwd=cached.path)
        assert git("rev-parse", "--verify", "main", cwd=cached.path)
        return cached.path


def without_all(path: Path) -> None:
    shutil.rmtree(path.parent.parent)


def without_home(path: Path) -> None:
    shutil.rmtree(path.parent)


def without_place(path: Path) -> None:
    shutil.rmtree(path)


def without_refs(path: Path) -> None:
    (path / "packed-refs").unlink()


def without_head(path: Path) -> None:
    (path / "HEAD").unlink()


def without_lock(path: Path) -> None:
    (path / "in-use").unlink()


def with_odd_refs(path: Path) -> None:
    (path / "packed-refs").write_bytes(b"\0" * 100)


BROKEN = [
    without_all,
    without_home,
    without_place,
    without_refs,
    without_head,
    without_lock,
    with_odd_refs,
]


@pytest.mark.parametrize("damage", BROKEN)
def test_what_somebody_deletes_is_made_again(
    cache: GitCache, repo: Workshop, damage: Callable[[Path], None]
) -> None:
    damage(checked(cache, repo))
    checked(cache, repo)


@pytest.mark.parametrize("damage", BROKEN[:3])
def test_who_reads_meanwhile_keeps_the_descriptor_alone(
    cache: GitCache, repo: Workshop, damage: Callable[[Path], None]
) -> None:
    with cache.current(repo.database, repo.id, "main") as cached:
        damage(cached.path)
        checked(cache, repo)


def test_what_is_known_to_be_wrong_is_made_anew_and_its_readers_keep_it(
    cache: GitCache, repo: Workshop
) -> None:
    with cache.current(repo.database, repo.id, "main") as cached:
        cache.forget(repo.id)
        assert checked(cache, repo) != cached.path
        git("fsck", "--full", cwd=cached.path)
    cache.forget(repo.id + 1)


def test_a_damaged_repository_is_told_from_a_sound_one(cache: GitCache, repo: Workshop) -> None:
    with cache.current(repo.database, repo.id, "main") as cached:
        assert cached.is_sound()
        pack = next(cached.path.glob("objects/pack/*.pack"))
        data = pack.read_bytes()
        pack.chmod(0o600)
        for broken in (b"", data[: len(data) // 2], b"\0" * len(data)):
            pack.write_bytes(broken)
            assert not cached.is_sound()
        pack.unlink()
        assert not cached.is_sound()


def test_what_is_broken_off_while_it_grows_is_not_believed(
    cache: GitCache, repo: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pack may be there whose objects were taken back since."""
    first = checked(cache, repo)
    repo.commit({"late": b"late"})

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(bare.Bare, "_replace", die)
        with pytest.raises(KeyboardInterrupt):
            checked(cache, repo)
    assert len(list(first.glob("objects/pack/*.pack"))) == 2
    assert checked(cache, repo) != first


@pytest.mark.parametrize("grows", [False, True], ids=["new", "grown"])
def test_a_process_that_is_killed_leaves_nothing_that_is_believed(
    cache: GitCache, repo: Workshop, folder: Path, *, grows: bool
) -> None:
    """It is killed before each thing that it does to the folder, one after the other."""
    before = folder.with_name("before") if grows else ""
    if before:
        checked(cache, repo)
        repo.commit({"late": b"late"})
        folder.rename(before)
    words = [sys.executable, "-m", "tests.git.killing", str(repo.database.url), folder, before]
    done = subprocess.run(words, env=program_env(), cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert int(done.stdout) > (8 if grows else 15)


def test_a_place_is_removed_only_when_nobody_holds_it(cache: GitCache, repo: Workshop) -> None:
    with cache.current(repo.database, repo.id, "main") as cached:
        inherited = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(cached.lock,)
        )
    with inherited:
        assert not remove(cached.path), "a process that was started by the reader still reads"
        inherited.communicate(b"\n")
    assert remove(cached.path)
    assert hold(cached.path) is None
    assert numbers(cached.path.parent) == []


def test_many_at_once_build_it_once(
    cache: GitCache, repo: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds: list[int] = []
    write_all = contents.write_all

    def counted(*args: object) -> int:
        builds.append(1)
        return write_all(*args)

    monkeypatch.setattr(bare, "write_all", counted)
    threads = [threading.Thread(target=checked, args=(cache, repo)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds) == 1


def test_it_is_kept_under_its_size_and_what_is_used_stays(repo: Workshop, folder: Path) -> None:
    """Of four repositories of 300 KB, a megabyte has room for those that were used last."""
    database: Database = repo.database
    shelves = [Workshop(database, new_repo(database, f"shelf{number}")) for number in range(4)]
    for shelf in shelves:
        shelf.commit({"data": os.urandom(300_000)})
    with (
        closing(GitCache(folder, 1_000_000)) as cache,
        cache.current(database, shelves[0].id, "main"),
    ):
        paths = []
        for at, shelf in enumerate(shelves):
            path = checked(cache, shelf)
            os.utime(path / "in-use", (at, at))
            paths.append(path)
        assert paths[0].exists(), "it is in use, though for longest"
        assert not paths[1].exists()
        assert paths[3].exists()
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 1_000_000
