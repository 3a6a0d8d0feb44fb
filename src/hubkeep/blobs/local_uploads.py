# SPDX-License-Identifier: Apache-2.0
"""Uploads in parts into a folder: the order of the steps. The files are in `local_parts`."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing, suppress
from datetime import timedelta
from pathlib import Path

from hubkeep.blobs.body import batches
from hubkeep.blobs.errors import BlobMissing, HashMismatch, UploadMissing
from hubkeep.blobs.local_files import Folders
from hubkeep.blobs.local_journal import Journal
from hubkeep.blobs.local_parts import Hash, PartWriter, UploadFiles
from hubkeep.blobs.parted import Parted, check_upload, new_parted, new_upload
from hubkeep.blobs.store import PIECE, StoredUpload
from hubkeep.blobs.work import SharedWork, Threads

_HASHED_AT_ONCE = 8 * PIECE
_MOST_RUNNING = 1000
_SEAL_AGAIN_SECONDS = 0.02


class _Running:
    """The sha256 of the parts from 1 on, as long as they come in order through this process."""

    def __init__(self) -> None:
        self.hash: Hash = hashlib.sha256()
        self.tokens: list[str] = []

    def begin(self, number: int) -> Hash | None:
        """What to go on hashing with, if this is the part that comes next."""
        return self.hash.copy() if number == len(self.tokens) + 1 else None

    def extend(self, number: int, token: str, hashed: Hash | None) -> None:
        """Take the part in, unless another try of it came first."""
        if hashed is not None and number == len(self.tokens) + 1:
            self.hash = hashed
            self.tokens.append(token)


class LocalUploads:
    """The uploads under one folder; `blobs` is where the keys are."""

    def __init__(self, root: Path, blobs: Path, folders: Folders, threads: Threads) -> None:
        self._root = root
        self._blobs = blobs
        self._folders = folders
        self._threads = threads
        self._running: dict[str, _Running] = {}
        self._finishing = SharedWork()

    async def begin(self, key: str, size: int, part_size: int) -> str:
        upload = self._upload(new_upload())
        await self._threads.run(upload.create, new_parted(key, size, part_size))
        return upload.id

    async def put_part(
        self, upload_id: str, number: int, body: AsyncIterable[bytes], size: int
    ) -> str:
        upload = self._upload(upload_id)
        record = await self._threads.run(upload.record)
        record.check_length(number, size)
        running = self._running_hash(upload_id)
        hashed = running.begin(number)
        writer = PartWriter(upload, number, record.offset(number), hashed)
        try:
            async with aclosing(batches(body, size)) as bounded, self._threads.pipeline() as pipe:
                async for batch in bounded:
                    await pipe.run(writer.write, batch)
            await self._threads.run(writer.complete)
        finally:
            self._threads.later(writer.close)
        running.extend(number, writer.token, hashed)
        return upload.etag(number)

    async def check_part(self, upload_id: str, number: int) -> None:
        """UploadMissing, BadParts."""
        record = await self._threads.run(self._upload(upload_id).record)
        record.offset(number)

    async def parts(self, upload_id: str) -> dict[int, str]:
        return await self._threads.run(self._upload(upload_id).etags)

    async def finish(self, upload_id: str, etags: dict[int, str], sha256: str) -> None:
        upload = self._upload(upload_id)
        await self._finishing.run(
            (upload_id, sha256), lambda: self._finish(upload, dict(etags), sha256)
        )

    async def _finish(self, upload: UploadFiles, etags: dict[int, str], sha256: str) -> None:
        if await self._was_finished(upload, sha256):
            return
        try:
            record = await self._threads.run(upload.record)
            # Who is writing may be another process, which sets no event here.
            while (journal := await self._threads.run(upload.seal, record, etags)) is None:  # noqa: ASYNC110
                await asyncio.sleep(_SEAL_AGAIN_SECONDS)
            got = await self._hash(upload, record, journal)
            if got != sha256:
                await self.abort(upload.id)
                raise HashMismatch(sha256, got)
            target = self._blobs / record.key
            await self._threads.run(upload.publish, record, self._folders, target, sha256)
        except UploadMissing:
            # Another process may have been quicker.
            if not await self._was_finished(upload, sha256):
                raise
        self._running.pop(upload.id, None)

    async def _was_finished(self, upload: UploadFiles, sha256: str) -> bool:
        finished = await self._threads.run(upload.finished)
        if finished is None:
            return False
        finished.check(sha256)
        if not await self._threads.run((self._blobs / finished.key).exists):
            raise BlobMissing(finished.key)
        return True

    async def _hash(self, upload: UploadFiles, record: Parted, journal: Journal) -> str:
        """The sha256 of the sealed file, read only as far as it was not hashed on its way in."""
        running = self._running.get(upload.id)
        if running is None or not journal.undisturbed(running.tokens):
            running = _Running()
        hashed = running.hash.copy()
        start = min(len(running.tokens) * record.part_size, record.size)
        for offset in range(start, record.size, _HASHED_AT_ONCE):
            stop = min(offset + _HASHED_AT_ONCE, record.size)
            await self._threads.run(upload.hash_sealed, hashed, offset, stop)
        return hashed.hexdigest()

    async def abort(self, upload_id: str) -> None:
        self._running.pop(upload_id, None)
        await self._threads.run(self._upload(upload_id).remove)

    async def listed(self) -> AsyncGenerator[StoredUpload, None]:
        async for upload in self._all():
            with suppress(UploadMissing):
                record = await self._threads.run(upload.record)
                if await self._threads.run(upload.finished) is None:
                    yield StoredUpload(upload.id, record.key, record.started)

    async def sweep(self, older_than: timedelta) -> int:
        """Remove finished uploads, and those whose beginning was broken off."""
        removed = 0
        async for upload in self._all():
            removed += await self._threads.run(upload.sweep, older_than)
        return removed

    async def close(self) -> None:
        await self._finishing.close()

    async def _all(self) -> AsyncGenerator[UploadFiles, None]:
        for folder in await self._threads.run(lambda: list(self._root.iterdir())):
            with suppress(UploadMissing):
                yield self._upload(folder.name)

    def _upload(self, upload_id: str) -> UploadFiles:
        return UploadFiles(self._root / check_upload(upload_id))

    def _running_hash(self, upload_id: str) -> _Running:
        running = self._running.get(upload_id)
        if running is None:
            if len(self._running) >= _MOST_RUNNING:  # the oldest is read again at its finish
                del self._running[next(iter(self._running))]
            running = self._running[upload_id] = _Running()
        return running
