# SPDX-License-Identifier: Apache-2.0
"""Bodies as clients send them, and what tests do with stores all the time."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import hubkeep
from hubkeep.blobs import BlobStore, StoredKey, whole_key


async def body(*pieces: bytes) -> AsyncGenerator[bytes, None]:
    """A body in these pieces."""
    for piece in pieces:
        yield piece


def python(script: str, *arguments: str | Path) -> tuple[list[str | Path], dict[str, str]]:
    """The command line and the environment of another process that can import the store."""
    source = Path(hubkeep.__file__).parents[1]
    return [sys.executable, "-c", script, *arguments], {**os.environ, "PYTHONPATH": str(source)}


class Body:
    """A body of equal pieces that can break off or hang at its end, and counts what it gave."""

    def __init__(
        self, piece: bytes, times: int = 1, *, breaks: bool = False, hangs: bool = False
    ) -> None:
        self.given = 0
        self.drained = asyncio.Event()
        self._piece, self._times = piece, times
        self._breaks, self._hangs = breaks, hangs

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self.given < self._times:
            self.given += 1
            return self._piece
        self.drained.set()
        if self._hangs:
            await asyncio.Event().wait()
        if self._breaks:
            raise ConnectionResetError
        raise StopAsyncIteration


def content(size: int) -> bytes:
    """Bytes without a period, the same at each run."""
    return random.Random(size).randbytes(size)


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def put(store: BlobStore, data: bytes) -> str:
    """Store whole, as one piece; gives the key."""
    sha256 = sha256_of(data)
    await store.put(whole_key(sha256), body(data), size=len(data), sha256=sha256)
    return whole_key(sha256)


async def whole(store: BlobStore, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in store.open(key, start, end)])


async def stored_keys(store: BlobStore) -> list[StoredKey]:
    return [stored async for stored in store.keys("")]


async def put_parts(
    store: BlobStore, upload: str, data: bytes, part_size: int, numbers: list[int]
) -> dict[int, str]:
    """Send these parts of `data`, each in pieces of 64 KiB; gives their etags."""
    etags = {}
    for number in numbers:
        part = data[(number - 1) * part_size : number * part_size]
        pieces = [part[at : at + 65536] for at in range(0, len(part), 65536)]
        etags[number] = await store.put_part(upload, number, body(*pieces), size=len(part))
    return etags
