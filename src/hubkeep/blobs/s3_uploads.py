# SPDX-License-Identifier: Apache-2.0
"""Uploads in parts on S3. Imported by `s3` alone.

    uploads/<id>    the record of an open upload (`parted.Parted`), with S3's own id of it
    staging/<id>    what its multipart upload is joined to, before anyone has seen its hash
    finished/<id>   the memory of a success (`parted.Finished`)

Parts go to S3 itself, signed. S3 checks no sha256, so the joined object is read once, and copied
within S3 to its key if the hash is right.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from tempfile import SpooledTemporaryFile

import msgspec

from hubkeep.blobs.body import Batch, batches
from hubkeep.blobs.errors import BlobMissing, HashMismatch, UploadMissing
from hubkeep.blobs.parted import Finished, Parted, check_upload, new_parted, new_upload
from hubkeep.blobs.s3_objects import S3Objects
from hubkeep.blobs.s3_parts import S3Parts
from hubkeep.blobs.store import StoredUpload
from hubkeep.blobs.work import SharedWork, Threads

LEAST_PART = 5 << 20
"""S3 refuses smaller parts, the last one excepted, and says so only when they are joined."""

_HELD_IN_MEMORY = 8 << 20
_MOST_RECORDS = 1000


class S3Uploads:
    """The uploads of one S3 store."""

    def __init__(self, objects: S3Objects, parts: S3Parts, threads: Threads) -> None:
        self._objects = objects
        self._parts = parts
        self._threads = threads
        self._records: dict[str, Parted] = {}
        self._finishing = SharedWork()

    async def begin(self, key: str, size: int, part_size: int) -> str:
        record = new_parted(key, size, part_size)
        if part_size < LEAST_PART and size > part_size:
            raise ValueError(f"S3 takes no part smaller than {LEAST_PART} bytes")
        upload = new_upload()
        s3_id = await self._threads.run(self._parts.create, _staging(upload))
        record = msgspec.structs.replace(record, s3_id=s3_id)
        await self._objects.write(_record(upload), msgspec.json.encode(record))
        return upload

    async def put_part(
        self, upload: str, number: int, body: AsyncIterable[bytes], size: int
    ) -> str:
        """Through a temporary file: S3 wants to know the part's hash before its first byte."""
        record = await self._load(upload)
        record.check_length(number, size)
        spool = SpooledTemporaryFile(max_size=_HELD_IN_MEMORY)  # noqa: SIM115 - closed below
        try:
            async with aclosing(batches(body, size)) as bounded, self._threads.pipeline() as pipe:
                async for batch in bounded:
                    await pipe.run(_spool, spool, batch)
            return await self._threads.run(self._send, upload, record, number, spool)
        finally:
            self._threads.later(spool.close)

    def _send(
        self, upload: str, record: Parted, number: int, spool: SpooledTemporaryFile[bytes]
    ) -> str:
        spool.seek(0)
        return self._parts.send(_staging(upload), record.s3_id, number, spool, upload)

    async def signed_part(self, upload: str, number: int, seconds: int) -> str:
        record = await self._load(upload)
        size = record.length(number)
        return await self._threads.run(
            self._parts.sign_part, _staging(upload), record.s3_id, number, size, seconds
        )

    async def check_part(self, upload: str, number: int) -> None:
        """UploadMissing, BadParts."""
        (await self._load(upload)).offset(number)

    async def parts(self, upload: str) -> dict[int, str]:
        record = await self._load(upload)
        return await self._received(upload, record)

    async def _received(self, upload: str, record: Parted) -> dict[int, str]:
        found = await self._threads.run(
            self._parts.received, _staging(upload), record.s3_id, upload
        )
        return {
            number: etag
            for number, (etag, size) in found.items()
            if number <= record.count and size == record.length(number)
        }

    async def finish(self, upload: str, etags: dict[int, str], sha256: str) -> None:
        await self._finishing.run(
            (check_upload(upload), sha256), lambda: self._finish(upload, dict(etags), sha256)
        )

    async def _finish(self, upload: str, etags: dict[int, str], sha256: str) -> None:
        if await self._was_finished(upload, sha256):
            return
        try:
            record = await self._load(upload)
            await self._join(upload, record, etags)
            await self._publish(upload, record, sha256)
        except (UploadMissing, BlobMissing):
            # Another process may have been quicker.
            if not await self._was_finished(upload, sha256):
                raise UploadMissing(upload) from None

    async def _join(self, upload: str, record: Parted, etags: dict[int, str]) -> None:
        staging = _staging(upload)
        if await self._objects.size(staging) is not None:  # joined before, and then broken off
            return
        try:
            received = await self._received(upload, record)
            record.check_etags(etags, received)
            await self._threads.run(self._parts.complete, staging, record.s3_id, received, upload)
        except UploadMissing:
            if await self._objects.size(staging) is None:
                raise

    async def _publish(self, upload: str, record: Parted, sha256: str) -> None:
        staging, target = _staging(upload), self._objects.blob(record.key)
        got = await self._hash(staging)
        if got != sha256:
            await self.abort(upload)
            raise HashMismatch(sha256, got)
        there = await self._objects.size(target) is not None
        await self._threads.run(self._parts.copy, target if there else staging, target)
        finished = Finished(record.key, sha256)
        await self._objects.write(_finished(upload), msgspec.json.encode(finished))
        await self._forget(upload)

    async def _hash(self, path: str) -> str:
        hashed = hashlib.sha256()
        async with aclosing(self._objects.stream(path)) as pieces, self._threads.pipeline() as pipe:
            async for piece in pieces:
                await pipe.run(hashed.update, piece)
        return hashed.hexdigest()

    async def _was_finished(self, upload: str, sha256: str) -> bool:
        try:
            content = await self._objects.get(_finished(upload))
        except BlobMissing:
            return False
        finished = msgspec.json.decode(content, type=Finished)
        finished.check(sha256)
        if await self._objects.size(self._objects.blob(finished.key)) is None:
            raise BlobMissing(finished.key)
        return True

    async def abort(self, upload: str) -> None:
        """Forget it, if it is there; and the memory of its success."""
        with suppress(UploadMissing):
            record = await self._load(upload)
            await self._threads.run(self._parts.abort, _staging(upload), record.s3_id)
        await self._objects.delete(_finished(check_upload(upload)))
        await self._forget(upload)

    async def _forget(self, upload: str) -> None:
        self._records.pop(upload, None)
        await self._objects.delete(_record(upload))
        await self._objects.delete(_staging(upload))

    async def listed(self) -> AsyncGenerator[StoredUpload, None]:
        async for found in self._objects.listed("uploads"):
            with suppress(BlobMissing):
                content = await self._objects.get(found.key)
                record = msgspec.json.decode(content, type=Parted)
                yield StoredUpload(found.key.rpartition("/")[2], record.key, record.started)

    async def sweep(self, older_than: timedelta) -> int:
        """Remove old memories, and what belongs to no open upload."""
        limit = datetime.now(UTC) - older_than
        removed = 0
        for folder in ("finished", "staging"):
            async for found in self._objects.listed(folder):
                if found.modified < limit and not await self._is_open(found.key):
                    await self._objects.delete(found.key)
                    removed += 1
        begun = await self._threads.run(lambda: list(self._parts.begun_before(limit)))
        for path, s3_id in begun:
            if not await self._is_open(path):
                await self._threads.run(self._parts.abort, path, s3_id)
                removed += 1
        return removed

    async def _is_open(self, path: str) -> bool:
        """Whether a path of ours belongs to an open upload."""
        folder, _, upload = path.rpartition("/")
        return folder == "staging" and await self._objects.size(_record(upload)) is not None

    async def close(self) -> None:
        await self._finishing.close()

    async def _load(self, upload: str) -> Parted:
        """The record, remembered: it never changes, and a batch signs thousands of parts."""
        record = self._records.get(check_upload(upload))
        if record is None:
            try:
                content = await self._objects.get(_record(upload))
            except BlobMissing:
                raise UploadMissing(upload) from None
            if len(self._records) >= _MOST_RECORDS:
                del self._records[next(iter(self._records))]
            record = self._records[upload] = msgspec.json.decode(content, type=Parted)
        return record


def _record(upload: str) -> str:
    return f"uploads/{upload}"


def _staging(upload: str) -> str:
    return f"staging/{upload}"


def _finished(upload: str) -> str:
    return f"finished/{upload}"


def _spool(spool: SpooledTemporaryFile[bytes], batch: Batch) -> None:
    spool.writelines(batch)
