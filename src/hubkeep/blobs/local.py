# SPDX-License-Identifier: Apache-2.0
"""A blob store in a folder: one file per key, readable by any other program.

    blobs/<key>     what is stored
    tmp/            what is being written, on the same file system, so that naming it is atomic
    uploads/        uploads in parts (`local_parts`)

A file is written and hashed under a temporary name, synced, and linked to its key, or renamed to it
where it replaces another; the folder is synced before the call returns. What a kill leaves lies in
tmp/ and waits for the sweep.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from stat import S_ISREG

from hubkeep.blobs.body import batches, check_of
from hubkeep.blobs.errors import UploadMissing
from hubkeep.blobs.local_files import (
    Folders,
    Incoming,
    Outgoing,
    disk_errors,
    fsync_folder,
    open_blob,
)
from hubkeep.blobs.local_uploads import LocalUploads
from hubkeep.blobs.store import (
    Check,
    SignedPut,
    StoredKey,
    StoredUpload,
    T,
    check_key,
    check_prefix,
    check_range,
    check_span,
    check_staged_size,
)
from hubkeep.blobs.work import Threads

_LISTED_AT_ONCE = 500


class LocalStore:
    """Blobs as files under `root`, which is made if it is not there.

    Everything below `root` belongs to the store and must be one file system with hard links. File
    access runs in four threads.
    """

    def __init__(self, root: Path) -> None:
        self._blobs, self._tmp, uploads = root / "blobs", root / "tmp", root / "uploads"
        with disk_errors():
            for folder in (self._blobs, self._tmp, uploads):
                folder.mkdir(parents=True, exist_ok=True)
            fsync_folder(root)
            fsync_folder(root.parent)
        self._threads = Threads(count=4, name="blobs")
        self._folders = Folders(self._blobs)
        self._uploads = LocalUploads(uploads, self._blobs, self._folders, self._threads)

    async def put(
        self,
        key: str,
        body: AsyncIterable[bytes],
        *,
        size: int | None,
        sha256: str | None,
        check: Check | None = None,
        replace: bool = False,
    ) -> bool:
        target = self._path(key)
        incoming = Incoming(self._tmp, check_of(sha256, check))
        try:
            async with aclosing(batches(body, size)) as bounded, self._threads.pipeline() as pipe:
                async for batch in bounded:
                    await pipe.run(incoming.write, batch)
            return await self._threads.run(incoming.publish, self._folders, target, key, replace)
        except BaseException:
            self._threads.later(incoming.discard)
            raise

    async def open(
        self, key: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        check_range(start, end)
        outgoing = Outgoing(self._path(key), key)
        try:
            stop, piece = await self._threads.run(outgoing.begin, start, end)
            while piece:
                yield piece
                start += len(piece)
                if start == stop:
                    break
                piece = await self._threads.run(outgoing.piece, start, stop)
        finally:
            self._threads.later(outgoing.close)

    async def read(self, key: str, start: int, length: int) -> bytes:
        check_range(start, start + length)
        return await self._threads.run(_read, self._path(key), key, start, length)

    async def size(self, key: str) -> int | None:
        return await self._threads.run(_size, self._path(key))

    async def delete(self, key: str) -> None:
        await self._threads.run(_delete, self._path(key))

    async def keys(self, prefix: str = "") -> AsyncGenerator[StoredKey, None]:
        walk = _walk(self._blobs, check_prefix(prefix))
        while some := await self._threads.run(lambda: list(islice(walk, _LISTED_AT_ONCE))):
            for stored in some:
                yield stored

    def local_path(self, key: str) -> Path | None:
        return self._path(key)

    async def signed_get(
        self,
        key: str,
        *,
        seconds: int,  # noqa: ARG002 - the contract's
        filename: str | None = None,  # noqa: ARG002
        content_type: str | None = None,  # noqa: ARG002
        span: tuple[int, int] | None = None,
    ) -> str | None:
        check_key(key)
        check_span(span)
        return None

    async def signed_put(self, *, size: int, seconds: int) -> SignedPut | None:  # noqa: ARG002
        check_staged_size(size)
        return None

    async def publish_staged(
        self,
        staged: str,
        key: str,
        check: Callable[[AsyncGenerator[bytes, None]], Awaitable[T]],  # noqa: ARG002
    ) -> tuple[T, bool]:
        check_key(key)
        raise UploadMissing(staged)

    async def begin_upload(self, key: str, *, size: int, part_size: int) -> str:
        return await self._uploads.begin(key, size, part_size)

    async def put_part(
        self, upload: str, number: int, body: AsyncIterable[bytes], *, size: int
    ) -> str:
        return await self._uploads.put_part(upload, number, body, size)

    async def signed_part(self, upload: str, number: int, *, seconds: int) -> str | None:  # noqa: ARG002
        await self._uploads.check_part(upload, number)
        return None

    async def parts(self, upload: str) -> dict[int, str]:
        return await self._uploads.parts(upload)

    async def finish_upload(self, upload: str, etags: dict[int, str], *, sha256: str) -> None:
        await self._uploads.finish(upload, etags, sha256)

    async def abort_upload(self, upload: str) -> None:
        await self._uploads.abort(upload)

    def uploads(self) -> AsyncGenerator[StoredUpload, None]:
        return self._uploads.listed()

    async def sweep(self, older_than: timedelta) -> int:
        removed = await self._threads.run(_sweep_files, self._tmp, older_than)
        return removed + await self._uploads.sweep(older_than)

    async def close(self) -> None:
        await self._uploads.close()
        await self._threads.close()

    def _path(self, key: str) -> Path:
        return self._blobs / check_key(key)


def _read(path: Path, key: str, start: int, length: int) -> bytes:
    with disk_errors():
        fd = open_blob(path, key)
        with os.fdopen(fd, "rb", buffering=0) as file:
            pieces = []
            while length and (piece := os.pread(file.fileno(), length, start)):
                pieces.append(piece)
                start += len(piece)
                length -= len(piece)
    return b"".join(pieces)


def _size(path: Path) -> int | None:
    with disk_errors():
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
    return status.st_size if S_ISREG(status.st_mode) else None


def _delete(path: Path) -> None:
    with disk_errors(), suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
        path.unlink()


def _walk(root: Path, prefix: str) -> Iterator[StoredKey]:
    """All files below the folder; the names of one folder at a time are in memory."""
    folders = [prefix]
    while folders:
        folder = folders.pop()
        for entry in _entries(root / folder):
            key = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append(key)
                continue
            with disk_errors(), suppress(FileNotFoundError):
                status = entry.stat()
                yield StoredKey(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with disk_errors():
        try:
            with os.scandir(folder) as entries:
                return list(entries)
        except (FileNotFoundError, NotADirectoryError):
            return []


def _sweep_files(folder: Path, older_than: timedelta) -> int:
    limit = time.time() - older_than.total_seconds()
    removed = 0
    for entry in _entries(folder):
        with disk_errors(), suppress(FileNotFoundError):
            if entry.stat().st_mtime < limit:
                os.unlink(entry.path)
                removed += 1
    return removed
