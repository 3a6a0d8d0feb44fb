# SPDX-License-Identifier: Apache-2.0
"""A blob store in memory, for tests: the whole contract, nothing kept."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hubkeep.blobs.body import batches, check_of, checked
from hubkeep.blobs.errors import BlobMissing, UploadMissing
from hubkeep.blobs.parted import Finished, Parted, new_parted, new_upload
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


@dataclass(slots=True)
class _Blob:
    content: bytes
    modified: datetime


@dataclass(slots=True)
class _Open:
    record: Parted
    parts: dict[int, bytes] = field(default_factory=dict)


class MemoryStore:
    """Blobs in a dictionary. One process, one event loop."""

    def __init__(self) -> None:
        self._blobs: dict[str, _Blob] = {}
        self._open: dict[str, _Open] = {}
        self._finished: dict[str, tuple[Finished, datetime]] = {}

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
        check_key(key)
        content = checked(await _collect(body, size), check_of(sha256, check))
        if replace:
            self._blobs.pop(key, None)
        return self._keep(key, content)

    async def open(
        self, key: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        check_range(start, end)
        content = self._content(key)
        stop = len(content) if end is None else min(end, len(content))
        for at in range(start, stop, PIECE):
            yield content[at : min(at + PIECE, stop)]

    async def read(self, key: str, start: int, length: int) -> bytes:
        check_range(start, start + length)
        return self._content(key)[start : start + length]

    async def size(self, key: str) -> int | None:
        blob = self._blobs.get(check_key(key))
        return None if blob is None else len(blob.content)

    async def delete(self, key: str) -> None:
        self._blobs.pop(check_key(key), None)

    async def keys(self, prefix: str = "") -> AsyncGenerator[StoredKey, None]:
        folder = check_prefix(prefix)
        for key, blob in list(self._blobs.items()):
            if not folder or key.startswith(folder + "/"):
                yield StoredKey(key, len(blob.content), blob.modified)

    def local_path(self, key: str) -> Path | None:
        check_key(key)
        return None

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
        upload = new_upload()
        self._open[upload] = _Open(new_parted(key, size, part_size))
        return upload

    async def put_part(
        self, upload: str, number: int, body: AsyncIterable[bytes], *, size: int
    ) -> str:
        self._upload(upload).record.check_length(number, size)
        content = await _collect(body, size)
        self._upload(upload).parts[number] = content
        return _etag(content)

    async def signed_part(self, upload: str, number: int, *, seconds: int) -> str | None:  # noqa: ARG002
        self._upload(upload).record.offset(number)
        return None

    async def parts(self, upload: str) -> dict[int, str]:
        return {number: _etag(part) for number, part in self._upload(upload).parts.items()}

    async def finish_upload(self, upload: str, etags: dict[int, str], *, sha256: str) -> None:
        if upload in self._finished:
            finished, _ = self._finished[upload]
            finished.check(sha256)
            self._content(finished.key)
            return
        going = self._upload(upload)
        going.record.check_etags(etags, await self.parts(upload))
        del self._open[upload]
        content = b"".join(going.parts[number] for number in sorted(going.parts))
        content = checked(content, check_of(sha256, None))
        self._keep(going.record.key, content)
        self._finished[upload] = Finished(going.record.key, sha256), datetime.now(UTC)

    async def abort_upload(self, upload: str) -> None:
        self._open.pop(upload, None)
        self._finished.pop(upload, None)

    async def uploads(self) -> AsyncGenerator[StoredUpload, None]:
        for upload, going in list(self._open.items()):
            yield StoredUpload(upload, going.record.key, going.record.started)

    async def sweep(self, older_than: timedelta) -> int:
        limit = datetime.now(UTC) - older_than
        old = [upload for upload, (_, at) in self._finished.items() if at < limit]
        for upload in old:
            del self._finished[upload]
        return len(old)

    async def close(self) -> None:
        """Nothing to release."""

    def _content(self, key: str) -> bytes:
        blob = self._blobs.get(check_key(key))
        if blob is None:
            raise BlobMissing(key)
        return blob.content

    def _keep(self, key: str, content: bytes) -> bool:
        """Store it unless there is something; whether it was stored."""
        is_new = key not in self._blobs
        now = datetime.now(UTC)
        self._blobs.setdefault(key, _Blob(content, now)).modified = now
        return is_new

    def _upload(self, upload: str) -> _Open:
        going = self._open.get(upload)
        if going is None:
            raise UploadMissing(upload)
        return going


async def _collect(body: AsyncIterable[bytes], size: int | None) -> bytes:
    content = bytearray()
    async for batch in batches(body, size):
        for piece in batch:
            content += piece
    return bytes(content)


def _etag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
