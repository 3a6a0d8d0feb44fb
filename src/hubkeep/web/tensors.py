# SPDX-License-Identifier: Apache-2.0
"""The tensors of a file of weights, by name, from a header that is read once more."""

import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from hubkeep.cards.headers import BadHeader, Format
from hubkeep.cards.model_files import read_tensors
from hubkeep.web.apart import apart
from hubkeep.web.looks import look_turn

if TYPE_CHECKING:
    from hubkeep.app import App

Read = Callable[[int, int], Awaitable[bytes]]

KEPT = 20_000
"""Tensors that are listed of one file."""
ROWS = 500

# How much of a file is read, more each time that the header turns out to be longer.
_STARTS = (128 << 10, 2 << 20, 16 << 20)
# JSON takes many times its length when it is read, which the plain layout of GGUF does not.
_LONGEST: dict[Format, int] = {"safetensors": 4 << 20, "gguf": 16 << 20}


class TensorRow(msgspec.Struct):
    """A tensor; `parameters` is the product of its shape."""

    name: str
    dtype: str
    shape: Sequence[int]
    parameters: int

    @property
    def size(self) -> str:
        """The shape as people write it."""
        return " \N{MULTIPLICATION SIGN} ".join(map(str, self.shape)) or "a number"


class Tensors(msgspec.Struct, rename="camel"):
    """Some of the `total` tensors of a file, from number `start` (from 0) on; at most KEPT can be
    had.
    """

    rows: Sequence[TensorRow]
    total: int
    start: int = 0


class _Short(Exception):
    """The header is longer than what was read of the file."""


async def tensors_of(app: "App", key: str, kind: Format, size: int, read: Read) -> Tensors | None:
    """Return the tensors of a file whose content `key` names; None where its header is bad or too
    long to be read for a page. Busy; what `read` raises is raised.
    """
    kept = app.cache.get(("tensors", kind, key))
    if kept is None:
        async with look_turn(app):
            found = await _found(app, kind, size, read)
        kept = msgspec.msgpack.encode(found)
        app.cache.put(("tensors", kind, key), kept)
    return msgspec.msgpack.decode(kept, type=Tensors | None)


def page_of(tensors: Tensors, number: int) -> Tensors:
    """Return one page of ROWS tensors, by its number from 0."""
    start = number * ROWS
    return Tensors(tensors.rows[start : start + ROWS], tensors.total, start)


async def _found(app: "App", kind: Format, size: int, read: Read) -> Tensors | None:
    for length in _STARTS:
        start = await read(0, min(length, size))
        try:
            return await apart(app, partial(_listed, kind, start, size))
        except _Short:
            continue
        except BadHeader:
            break
    return None


def _listed(kind: Format, start: bytes, size: int) -> Tensors:
    is_short = False

    def read(offset: int, length: int) -> bytes:
        nonlocal is_short
        end = min(offset + length, size)
        is_short = is_short or end > len(start)
        return start[offset:end]

    try:
        rows, total = read_tensors(kind, read, size, keep=KEPT, max_header_bytes=_LONGEST[kind])
    except BadHeader as bad:
        raise (_Short if is_short else BadHeader) from bad
    return Tensors(
        [TensorRow(each.name, each.dtype, each.shape, math.prod(each.shape)) for each in rows],
        total,
    )
