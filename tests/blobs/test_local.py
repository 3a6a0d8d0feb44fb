# SPDX-License-Identifier: Apache-2.0
"""The folder: what is on the disk, what is durable, and what a kill or a full disk leaves."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import time
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from hubkeep.blobs import BadKey, NoSpace, StoreUnavailable, whole_key
from hubkeep.blobs.local import LocalStore
from tests.blobs.bodies import Body, body, content, put, python, sha256_of, stored_keys, whole

pytestmark = pytest.mark.anyio

MIB = 1 << 20


@pytest.fixture
async def local(tmp_path: Path) -> AsyncGenerator[LocalStore, None]:
    store = LocalStore(tmp_path)
    yield store
    await store.close()


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


async def test_a_blob_is_a_plain_file(local: LocalStore, tmp_path: Path) -> None:
    data = content(MIB + 1)
    key = await put(local, data)
    path = local.local_path(key)
    assert path == tmp_path / "blobs" / key
    assert path.read_bytes() == data
    assert files(tmp_path) == [f"blobs/{key}"]
    assert await local.signed_get(key, seconds=60) is None


async def test_another_store_on_the_folder_sees_it(local: LocalStore, tmp_path: Path) -> None:
    key = await put(local, b"abc")
    other = LocalStore(tmp_path)
    assert await whole(other, key) == b"abc"
    await other.close()


@pytest.mark.parametrize("how", ["breaks", "hangs", "hash"])
async def test_a_failed_put_removes_its_file(tmp_path: Path, how: str) -> None:
    store = LocalStore(tmp_path)
    failing = Body(content(3 * MIB), breaks=how == "breaks", hangs=how == "hangs")
    size = 3 * MIB if how == "hash" else 4 * MIB
    task = asyncio.create_task(store.put("a", failing, size=size, sha256="0" * 64))
    await failing.drained.wait()
    if how == "hangs":
        task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() or task.exception() is not None
    await store.close()
    assert files(tmp_path) == []


async def test_bytes_are_durable_before_their_name_and_the_name_before_the_answer(
    local: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, link = os.fsync, os.link

    def record_fsync(fd: int) -> None:
        fsync(fd)
        done.append("sync " + os.readlink(f"/proc/self/fd/{fd}").removeprefix(str(tmp_path)))

    def record_link(source: Path, target: Path) -> None:
        link(source, target)
        done.append("link " + str(source).removeprefix(str(tmp_path)))

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "link", record_link)
    await local.put("x/y/z", body(b"abc"), size=3, sha256=None)
    temporary = done[0].removeprefix("sync ")
    assert temporary.startswith("/tmp/")
    assert done == [
        f"sync {temporary}",
        "sync /blobs/x",
        "sync /blobs",
        f"link {temporary}",
        "sync /blobs/x/y",
    ]
    done.clear()
    await local.put("x/y/again", body(b"abc"), size=3, sha256=None)
    assert [step.partition(" ")[0] for step in done] == ["sync", "link", "sync"]


async def test_what_replaces_is_durable_before_it_takes_the_name(
    local: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await local.put("x/y", body(b"abc"), size=3, sha256=None)
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def record_fsync(fd: int) -> None:
        fsync(fd)
        done.append("sync " + os.readlink(f"/proc/self/fd/{fd}").removeprefix(str(tmp_path)))

    def record_replace(source: Path, target: Path) -> None:
        replace(source, target)
        done.append("replace " + str(target).removeprefix(str(tmp_path)))

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    await local.put("x/y", body(b"xyz"), size=3, sha256=None, replace=True)
    assert done[0].startswith("sync /tmp/")
    assert done[1:] == ["replace /blobs/x/y", "sync /blobs/x"]
    assert files(tmp_path) == ["blobs/x/y"]


async def test_putting_again_makes_the_file_young(local: LocalStore) -> None:
    key = await put(local, b"abc")
    path = local.local_path(key)
    assert path is not None
    os.utime(path, (0, 0))
    await put(local, b"abc")
    (stored,) = await stored_keys(local)
    assert time.time() - stored.modified.timestamp() < 60


async def test_a_key_cannot_be_a_folder_too(local: LocalStore) -> None:
    await local.put("a/b", body(b"x"), size=1, sha256=None)
    for key in ("a", "a/b/c", "a/b/c/d"):
        for replace in (False, True):
            with pytest.raises(BadKey):
                await local.put(key, body(b"x"), size=1, sha256=None, replace=replace)
    assert await local.size("a/b/c") is None
    await local.delete("a/b/c")
    await local.delete("a")
    assert await whole(local, "a/b") == b"x"


async def test_sweeping_takes_old_temporary_files_only(local: LocalStore, tmp_path: Path) -> None:
    old, young = tmp_path / "tmp" / "old", tmp_path / "tmp" / "young"
    old.write_bytes(b"left by a kill")
    os.utime(old, (0, 0))
    young.write_bytes(b"being written")
    key = await put(local, b"abc")
    assert await local.sweep(timedelta(hours=1)) == 1
    assert files(tmp_path) == [f"blobs/{key}", "tmp/young"]


KILLED = """
import asyncio, sys
from pathlib import Path
from hubkeep.blobs.local import LocalStore

async def endless():
    for number in range(1000):
        if number == 5:
            print("going", flush=True)
        yield b"x" * (1 << 20)
        await asyncio.sleep(0)

asyncio.run(LocalStore(Path(sys.argv[1])).put("a", endless(), size=1 << 50, sha256=None))
"""


async def test_a_kill_leaves_nothing_visible(local: LocalStore, tmp_path: Path) -> None:
    command, environment = python(KILLED, tmp_path)
    child = await asyncio.create_subprocess_exec(*command, env=environment, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert await child.stdout.readline() == b"going\n"
    child.kill()
    assert await child.wait() == -signal.SIGKILL
    assert await stored_keys(local) == []
    assert len(files(tmp_path)) == 1
    assert await local.sweep(timedelta(days=-1)) == 1
    assert files(tmp_path) == []
    await local.put("a", body(b"abc"), size=3, sha256=None)
    assert await whole(local, "a") == b"abc"


FULL = """
import asyncio, resource, signal, sys
from pathlib import Path
from hubkeep.blobs import NoSpace
from hubkeep.blobs.local import LocalStore

async def ones(size):
    yield b"1" * size

async def main():
    store = LocalStore(Path(sys.argv[1]))
    await store.put("before", ones(1000), size=1000, sha256=None)
    upload = await store.begin_upload("parts", size=2 << 20, part_size=1 << 20)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    for refused in (
        store.put("a", ones(3 << 20), size=3 << 20, sha256=None),
        store.put_part(upload, 1, ones(1 << 20), size=1 << 20),
    ):
        try:
            await refused
        except NoSpace:
            print("full")
    before = await store.read("before", 0, 5000)
    print(len(before), await store.size("a"), await store.parts(upload))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await store.put("a", ones(3 << 20), size=3 << 20, sha256=None)
    await store.put_part(upload, 1, ones(1 << 20), size=1 << 20)
    print(await store.size("a"), list(await store.parts(upload)))
    await store.close()

asyncio.run(main())
"""


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """The limit of a process stands in for a full disk: the same write fails, halfway through."""
    command, environment = python(FULL, tmp_path)
    child = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert child.stdout.split("\n")[:-1] == ["full", "full", "1000 None {}", "3145728 [1]"]
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, NoSpace),
        (errno.EDQUOT, NoSpace),
        (errno.EIO, StoreUnavailable),
        (errno.EROFS, StoreUnavailable),
    ],
)
@pytest.mark.parametrize("call", ["pwritev", "fsync", "link"])
async def test_a_disk_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception], call: str
) -> None:
    store = LocalStore(tmp_path)
    key = await put(store, b"before")

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(kind):
            await put(store, b"after")
    assert await whole(store, key) == b"before"
    assert await store.size(whole_key(sha256_of(b"after"))) is None
    await put(store, b"after")
    await store.close()
    assert len(files(tmp_path)) == 2


async def test_a_file_cut_short_is_noticed(local: LocalStore) -> None:
    data = content(3 * MIB)
    key = await put(local, data)
    path = local.local_path(key)
    assert path is not None
    pieces = local.open(key)
    first = await anext(pieces)
    os.truncate(path, MIB)
    with pytest.raises(StoreUnavailable):
        _ = [piece async for piece in pieces]
    assert data.startswith(first)


async def test_reading_goes_on_in_a_deleted_blob(local: LocalStore) -> None:
    data = content(3 * MIB)
    key = await put(local, data)
    pieces = local.open(key)
    first = await anext(pieces)
    await local.delete(key)
    assert first + b"".join([piece async for piece in pieces]) == data
