# SPDX-License-Identifier: Apache-2.0
"""A blob store on S3 or what speaks its protocol.

    blobs/<key>                     what is stored
    uploads/, staging/, finished/   uploads in parts (`s3_uploads`)
    staging/                        what clients put by themselves (`s3_staged`)

S3 makes an object visible whole or not at all, but checks no sha256. So a small body is held in
memory until it is checked; a larger one goes into a multipart upload, which is completed once the
hash is right and aborted if not. Two puts of one key at the same time may both succeed, the later
one writing over the earlier: the same bytes, for keys that are hashes.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

from hubkeep.blobs.body import batches, check_of, checked, joined
from hubkeep.blobs.errors import BlobMissing
from hubkeep.blobs.s3_objects import S3Objects
from hubkeep.blobs.s3_parts import S3Parts
from hubkeep.blobs.s3_place import S3Credentials, S3Place
from hubkeep.blobs.s3_staged import S3Staged
from hubkeep.blobs.s3_uploads import S3Uploads
from hubkeep.blobs.store import (
    PIECE,
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

_PART = 8 * PIECE
# S3 takes 10,000 parts: bodies beyond 70 GiB go in larger ones, and take as much more memory.
_MOST_PARTS = 9000


class S3Store:
    """Blobs in a bucket, which must exist.

    What blocks (boto3, hashing) runs in eight threads, most of which wait for the network. A put
    holds two parts in memory: 16 MiB up to 70 GiB.
    """

    def __init__(self, place: S3Place, credentials: S3Credentials) -> None:
        self._place = place
        self._objects = S3Objects(place, credentials)
        self._parts = S3Parts(place, credentials)
        self._threads = Threads(count=8, name="s3")
        self._uploads = S3Uploads(self._objects, self._parts, self._threads)
        self._staged = S3Staged(self._objects, self._parts, self._threads)

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
        path = self._path(key)
        checking = check_of(sha256, check)
        part_size = max(_PART, -(-(size or 0) // _MOST_PARTS))
        async with aclosing(_chunks(body, size, part_size)) as chunks:
            chunk = await anext(chunks, b"")
            if len(chunk) < part_size or len(chunk) == size:
                return await self._put_whole(path, chunk, checking, replace)
            incoming = _Incoming(self._parts, path, checking)
            try:
                async with self._threads.pipeline() as pipe:
                    await pipe.run(incoming.send, chunk)
                    async for chunk in chunks:
                        await pipe.run(incoming.send, chunk)
                await self._threads.run(checking.finish)
                if not replace and await self._renew(path):
                    return False
                await self._threads.run(incoming.complete)
                return True
            finally:
                self._threads.later(incoming.discard)

    async def _put_whole(self, path: str, content: bytes, checking: Check, replace: bool) -> bool:
        content = await self._threads.run(checked, content, checking)
        if replace:
            await self._objects.write(path, content)
        elif not await self._objects.create(path, content):
            if await self._renew(path):
                return False
            await self._objects.write(path, content)  # deleted just between the two
        return True

    async def _renew(self, path: str) -> bool:
        return await self._threads.run(self._parts.renew, path)

    async def open(
        self, key: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        check_range(start, end)
        async with aclosing(self._objects.stream(self._path(key), start, end)) as pieces:
            try:
                async for piece in pieces:
                    yield piece
            except BlobMissing:
                raise BlobMissing(key) from None

    async def read(self, key: str, start: int, length: int) -> bytes:
        check_range(start, start + length)
        return b"".join([piece async for piece in self.open(key, start, start + length)])

    async def size(self, key: str) -> int | None:
        return await self._objects.size(self._path(key))

    async def delete(self, key: str) -> None:
        await self._objects.delete(self._path(key))

    async def keys(self, prefix: str = "") -> AsyncGenerator[StoredKey, None]:
        folder = check_prefix(prefix)
        async for found in self._objects.listed(self._objects.blob(folder) if folder else "blobs"):
            yield StoredKey(found.key.removeprefix("blobs/"), found.size, found.modified)

    def local_path(self, key: str) -> Path | None:
        check_key(key)
        return None

    async def signed_get(
        self,
        key: str,
        *,
        seconds: int,
        filename: str | None = None,
        content_type: str | None = None,
        span: tuple[int, int] | None = None,
    ) -> str | None:
        path = self._path(key)
        check_span(span)
        if not self._place.direct:
            return None
        return await self._threads.run(
            self._parts.sign_get, path, seconds, filename, content_type, span
        )

    async def signed_put(self, *, size: int, seconds: int) -> SignedPut | None:
        check_staged_size(size)
        return await self._staged.sign(size, seconds) if self._place.direct else None

    async def publish_staged(
        self, staged: str, key: str, check: Callable[[AsyncGenerator[bytes, None]], Awaitable[T]]
    ) -> tuple[T, bool]:
        return await self._staged.publish(staged, self._path(key), check)

    async def begin_upload(self, key: str, *, size: int, part_size: int) -> str:
        return await self._uploads.begin(key, size, part_size)

    async def put_part(
        self, upload: str, number: int, body: AsyncIterable[bytes], *, size: int
    ) -> str:
        return await self._uploads.put_part(upload, number, body, size)

    async def signed_part(self, upload: str, number: int, *, seconds: int) -> str | None:
        if self._place.direct:
            return await self._uploads.signed_part(upload, number, seconds)
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
        return await self._uploads.sweep(older_than)

    async def close(self) -> None:
        await self._uploads.close()
        await self._threads.close()
        self._parts.close()

    def _path(self, key: str) -> str:
        return self._objects.blob(check_key(key))


class _Incoming:
    """A body on its way into a multipart upload. Every method blocks.

    boto3 rather than obstore's streaming put, which neither aborts the upload nor lets go of the
    body when the caller is cancelled. The lock lets `discard` wait for a part still on its way.
    """

    def __init__(self, parts: S3Parts, path: str, check: Check) -> None:
        self._parts = parts
        self._path = path
        self._lock = threading.Lock()
        self._check = check
        self._etags: dict[int, str] = {}
        self._s3_id: str | None = None
        self._over = False

    def send(self, content: bytes) -> None:
        """Check the next part, and send what is to be stored of it."""
        with self._lock:
            if self._over:
                return
            content = joined(self._check.take([content]))
            if not content:
                return
            if self._s3_id is None:
                self._s3_id = self._parts.create(self._path)
            number = len(self._etags) + 1
            self._etags[number] = self._parts.send(self._path, self._s3_id, number, content)

    def complete(self) -> None:
        """Make the object visible."""
        with self._lock:
            if self._s3_id is not None and not self._over:
                self._parts.complete(self._path, self._s3_id, self._etags)
                self._over = True

    def discard(self) -> None:
        """Abort the upload, unless it is complete."""
        with self._lock:
            if self._s3_id is not None and not self._over:
                self._parts.abort(self._path, self._s3_id)
            self._over = True


async def _chunks(
    body: AsyncIterable[bytes], size: int | None, part_size: int
) -> AsyncGenerator[bytes, None]:
    """The body in pieces of `part_size`, the last one as it comes."""
    held: list[bytes | memoryview] = []
    have = 0
    async with aclosing(batches(body, size)) as bounded:
        async for batch in bounded:
            for piece in batch:
                have += len(piece)
                if have <= part_size:
                    held.append(piece)
                    continue
                have -= part_size
                view = memoryview(piece)
                yield b"".join([*held, view[: len(piece) - have]])
                held = [view[len(piece) - have :]]
    if have:
        yield b"".join(held)
