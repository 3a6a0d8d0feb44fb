# SPDX-License-Identifier: Apache-2.0
"""Bytes that clients put into S3 by themselves, until they are checked. Imported by `s3` alone.

    staging/<id>            what a client put; it may put again as long as its address is good
    staging/<id>.<random>   the hub's own copy, while it is checked

Only the copy, which no client can write to, is read and published. To remember the ETag of what
was read would not do: it is an MD5, of which a client can make two bodies that have the same.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from secrets import token_hex

from hubkeep.blobs.errors import BlobMissing, NoSpace, SizeMismatch, StoreUnavailable, UploadMissing
from hubkeep.blobs.s3_objects import S3Objects
from hubkeep.blobs.s3_parts import S3Parts
from hubkeep.blobs.store import SignedPut, T
from hubkeep.blobs.work import Threads

_ID = re.compile(r"[0-9a-f]{32}-([1-9][0-9]{0,9})")
"""The size is part of the name, so that it is known without a record, and nobody can change it."""


class S3Staged:
    """The staged objects of one S3 store that came whole; those in parts are not found here."""

    def __init__(self, objects: S3Objects, parts: S3Parts, threads: Threads) -> None:
        self._objects = objects
        self._parts = parts
        self._threads = threads

    async def sign(self, size: int, seconds: int) -> SignedPut:
        staged = f"{token_hex(16)}-{size}"
        url = await self._threads.run(self._parts.sign_put, _path(staged), size, seconds)
        return SignedPut(staged, url, {})

    async def publish(
        self, staged: str, target: str, check: Callable[[AsyncGenerator[bytes, None]], Awaitable[T]]
    ) -> tuple[T, bool]:
        size, copy = _size(staged), f"{_path(staged)}.{token_hex(8)}"
        try:
            await self._take(staged, size, copy)
            result = await self._check(copy, size, check)
            was_there = await self._threads.run(self._parts.renew, target)
            if not was_there:
                await self._threads.run(self._parts.copy, copy, target)
        except (NoSpace, StoreUnavailable):  # not the fault of what was staged
            raise
        except Exception:
            await self._objects.delete(_path(staged))
            raise
        finally:
            self._threads.later(partial(self._parts.delete, copy))
        await self._objects.delete(_path(staged))
        return result, not was_there

    async def _take(self, staged: str, size: int, copy: str) -> None:
        """Copy it out of the client's reach, unless it is larger than its address allowed."""
        got = await self._objects.size(_path(staged))
        if got is None:
            raise UploadMissing(staged)
        if got != size:
            raise SizeMismatch(size, got)
        try:
            await self._threads.run(self._parts.copy, _path(staged), copy)
        except BlobMissing:
            raise UploadMissing(staged) from None

    async def _check(
        self, path: str, size: int, check: Callable[[AsyncGenerator[bytes, None]], Awaitable[T]]
    ) -> T:
        """Have all bytes of the object checked: what was not read is not known to be good."""
        read = 0

        async def counted() -> AsyncGenerator[bytes, None]:
            nonlocal read
            async with aclosing(self._objects.stream(path)) as pieces:
                async for piece in pieces:
                    read += len(piece)
                    if read > size:
                        break
                    yield piece

        async with aclosing(counted()) as pieces:
            result = await check(pieces)
        if read != size:
            raise SizeMismatch(size, read)
        return result


def _path(staged: str) -> str:
    return f"staging/{staged}"


def _size(staged: str) -> int:
    """The bytes that its address was signed for. UploadMissing if it is no id of ours."""
    found = _ID.fullmatch(staged)
    if not found:
        raise UploadMissing(staged)
    return int(found[1])
