# SPDX-License-Identifier: Apache-2.0
"""Bodies on their way in: counted, and batched so that one thread hop moves a megabyte."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterator, Sequence
from typing import TypeAlias

from hubkeep.blobs.errors import SizeMismatch
from hubkeep.blobs.store import PIECE

Batch: TypeAlias = Sequence[bytes | memoryview]

# A batch is written by one writev, which takes no more than 1024 buffers on Linux.
_MOST_PIECES = 1000


async def batches(body: AsyncIterable[bytes], size: int) -> AsyncGenerator[Batch, None]:
    """The body in batches of at most 1 MiB, as it came, without joining or copying pieces.

    Raises SizeMismatch once more than `size` bytes came, without reading on, or at the end if
    fewer did. A batch that has been given out is not touched again.
    """
    batch: list[bytes | memoryview] = []
    held = total = 0
    async for piece in body:
        total += len(piece)
        if total > size:
            raise SizeMismatch(size, total)
        for part in _bounded(piece):
            if batch and (held + len(part) > PIECE or len(batch) == _MOST_PIECES):
                yield batch
                batch, held = [], 0
            batch.append(part)
            held += len(part)
    if total < size:
        raise SizeMismatch(size, total)
    if batch:
        yield batch


def _bounded(piece: bytes) -> Iterator[bytes | memoryview]:
    if 0 < len(piece) <= PIECE:
        yield piece
    elif piece:
        view = memoryview(piece)
        for start in range(0, len(piece), PIECE):
            yield view[start : start + PIECE]
