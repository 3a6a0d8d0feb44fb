# SPDX-License-Identifier: Apache-2.0
"""Uploads in parts into a folder: what another process finds, and what nobody can slip in."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from hubkeep.blobs import BadParts, HashMismatch, UploadMissing
from hubkeep.blobs.local import LocalStore
from tests.blobs.bodies import Body, body, content, put_parts, python, sha256_of, stored_keys, whole

pytestmark = pytest.mark.anyio

PART = 100_000
DATA = content(3 * PART + 17)
SHA256 = sha256_of(DATA)


@pytest.fixture
async def local(tmp_path: Path) -> AsyncGenerator[LocalStore, None]:
    store = LocalStore(tmp_path)
    yield store
    await store.close()


@pytest.fixture
async def other(tmp_path: Path) -> AsyncGenerator[LocalStore, None]:
    """A store of another process, as good as, on the same folder."""
    store = LocalStore(tmp_path)
    yield store
    await store.close()


async def begin(store: LocalStore) -> str:
    return await store.begin_upload("a", size=len(DATA), part_size=PART)


async def sent_by_a_gate(gate: asyncio.Event, *pieces: bytes) -> AsyncGenerator[bytes, None]:
    """A slow client: the last piece comes when the gate opens."""
    for piece in pieces[:-1]:
        yield piece
    await gate.wait()
    yield pieces[-1]


async def count_bytes_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of what is read from files from now on."""
    sizes: list[int] = []
    pread = os.pread

    def counted(fd: int, length: int, offset: int) -> bytes:
        sizes.append(length)
        return pread(fd, length, offset)

    monkeypatch.setattr(os, "pread", counted)
    return sizes


async def test_parts_in_order_are_not_read_again(
    local: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await begin(local)
    etags = await put_parts(local, upload, DATA, PART, [1, 2, 3, 4])
    read = await count_bytes_read(monkeypatch)
    await local.finish_upload(upload, etags, sha256=SHA256)
    assert read == []


async def test_what_came_out_of_order_is_read_again_from_there(
    local: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await begin(local)
    etags = await put_parts(local, upload, DATA, PART, [1, 2, 4, 3])
    read = await count_bytes_read(monkeypatch)
    await local.finish_upload(upload, etags, sha256=SHA256)
    assert sum(read) == 17


async def test_the_upload_outlives_the_process(local: LocalStore, other: LocalStore) -> None:
    upload = await begin(local)
    etags = await put_parts(local, upload, DATA, PART, [1, 3])
    assert await other.parts(upload) == etags
    etags |= await put_parts(other, upload, DATA, PART, [2, 4])
    await other.finish_upload(upload, etags, sha256=SHA256)
    await local.finish_upload(upload, etags, sha256=SHA256)
    assert await whole(local, "a") == DATA


async def test_two_processes_finish_at_once(local: LocalStore, other: LocalStore) -> None:
    upload = await begin(local)
    etags = await put_parts(local, upload, DATA, PART, [1, 2, 3, 4])
    await asyncio.gather(
        *[store.finish_upload(upload, etags, sha256=SHA256) for store in (local, other) * 3]
    )
    assert await whole(local, "a") == DATA


async def test_another_process_changes_a_part_behind_the_running_hash(
    local: LocalStore, other: LocalStore
) -> None:
    upload = await begin(local)
    etags = await put_parts(local, upload, DATA, PART, [1, 2, 3, 4])
    await other.put_part(upload, 1, body(b"x" * PART), size=PART)
    with pytest.raises(HashMismatch):
        await local.finish_upload(upload, etags, sha256=SHA256)
    assert await stored_keys(local) == []


async def test_a_slow_part_cannot_change_a_finished_blob(
    local: LocalStore, other: LocalStore, tmp_path: Path
) -> None:
    """The request began to write before the good part came, and goes on after the finish."""
    upload = await begin(local)
    gate = asyncio.Event()
    pieces = [b"x"] * 1200  # more than one batch takes, so that the first batch is written
    slow_body = sent_by_a_gate(gate, *pieces, b"x" * (PART - 1200))
    slow = asyncio.create_task(other.put_part(upload, 1, slow_body, size=PART))
    async with asyncio.timeout(10):
        while not (tmp_path / "uploads" / upload / "data").stat().st_size:
            await other.parts(upload)
    etags = await put_parts(local, upload, DATA, PART, [1, 2, 3, 4])
    await local.finish_upload(upload, etags, sha256=SHA256)
    gate.set()
    with pytest.raises(UploadMissing):
        await slow
    assert await whole(local, "a") == DATA


async def test_a_part_sent_again_and_broken_off_is_not_there(local: LocalStore) -> None:
    upload = await begin(local)
    etags = await put_parts(local, upload, DATA, PART, [1, 2, 3, 4])
    hanging = Body(b"x" * 60, times=1200, hangs=True)  # more pieces than one batch takes
    again = asyncio.create_task(local.put_part(upload, 2, hanging, size=PART))
    async with asyncio.timeout(10):
        while 2 in await local.parts(upload):
            pass
    again.cancel()
    await asyncio.wait([again])
    assert set(await local.parts(upload)) == {1, 3, 4}
    with pytest.raises(BadParts):
        await local.finish_upload(upload, etags, sha256=SHA256)
    await put_parts(local, upload, DATA, PART, [2])
    await local.finish_upload(upload, etags, sha256=SHA256)
    assert await whole(local, "a") == DATA


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from hubkeep.blobs.local import LocalStore

root, where, upload, sha256 = sys.argv[1:]
link, unlink = os.link, Path.unlink

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def fatal_link(source, target):
    if where == "after the link":
        link(source, target)
    die()

def fatal_unlink(path, missing_ok=False):
    die() if path.name == "sealed" else unlink(path, missing_ok)

if where == "after the marker":
    Path.unlink = fatal_unlink
else:
    os.link = fatal_link

async def main():
    store = LocalStore(Path(root))
    await store.finish_upload(upload, await store.parts(upload), sha256=sha256)

asyncio.run(main())
"""


@pytest.mark.parametrize("where", ["before the link", "after the link", "after the marker"])
async def test_a_finish_that_was_killed_is_finished_by_the_next(
    local: LocalStore, tmp_path: Path, where: str
) -> None:
    upload = await begin(local)
    etags = await put_parts(local, upload, DATA, PART, [2, 1, 3, 4])
    command, environment = python(KILLED, tmp_path, where, upload, SHA256)
    killed = await asyncio.create_subprocess_exec(*command, env=environment)
    assert await killed.wait() == -signal.SIGKILL
    with pytest.raises(UploadMissing):
        await local.put_part(upload, 1, body(b"x" * PART), size=PART)
    await local.finish_upload(upload, etags, sha256=SHA256)
    assert await whole(local, "a") == DATA
    assert [going async for going in local.uploads()] == []


async def test_a_torn_journal_line_costs_one_part(local: LocalStore, tmp_path: Path) -> None:
    upload = await begin(local)
    await put_parts(local, upload, DATA, PART, [1, 2])
    journal = tmp_path / "uploads" / upload / "journal"
    os.truncate(journal, journal.stat().st_size - 3)
    assert set(await local.parts(upload)) == {1}
    etags = await put_parts(local, upload, DATA, PART, [4, 3, 2])
    etags |= await local.parts(upload)
    await local.finish_upload(upload, etags, sha256=SHA256)
    assert await whole(local, "a") == DATA


async def test_a_finish_goes_on_when_its_caller_leaves(
    local: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await begin(local)
    etags = await put_parts(local, upload, DATA, PART, [2, 1, 3, 4])
    link, reached, gate = os.link, threading.Event(), threading.Event()

    def slow_link(source: Path, target: Path) -> None:
        reached.set()
        gate.wait(10)
        link(source, target)

    monkeypatch.setattr(os, "link", slow_link)
    caller = asyncio.create_task(local.finish_upload(upload, etags, sha256=SHA256))
    await asyncio.to_thread(reached.wait, 10)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    again = asyncio.create_task(local.finish_upload(upload, etags, sha256=SHA256))
    gate.set()
    await again
    assert await whole(local, "a") == DATA


async def test_the_blob_is_as_young_as_its_finish(local: LocalStore, tmp_path: Path) -> None:
    upload = await begin(local)
    etags = await put_parts(local, upload, DATA, PART, [1, 2, 3, 4])
    os.utime(tmp_path / "uploads" / upload / "data", (0, 0))
    await local.finish_upload(upload, etags, sha256=SHA256)
    (stored,) = await stored_keys(local)
    assert time.time() - stored.modified.timestamp() < 60


async def test_nothing_is_left_of_an_upload(local: LocalStore, tmp_path: Path) -> None:
    upload = await begin(local)
    etags = await put_parts(local, upload, DATA, PART, [1, 2, 3, 4])
    await local.finish_upload(upload, etags, sha256=SHA256)
    aborted = await begin(local)
    await put_parts(local, aborted, DATA, PART, [1])
    await local.abort_upload(aborted)
    broken = tmp_path / "uploads" / ("0" * 32)
    broken.mkdir()
    assert await local.sweep(timedelta(days=1)) == 0
    assert await local.sweep(timedelta(days=-1)) == 2
    assert list((tmp_path / "uploads").iterdir()) == []
    assert await whole(local, "a") == DATA
