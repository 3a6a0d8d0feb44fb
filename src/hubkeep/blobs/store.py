# SPDX-License-Identifier: Apache-2.0
"""The contract of a blob store: immutable bytes under keys.

A key names one content for ever: whole files are kept under the hash of their bytes. The store
knows nothing of repositories or rights; whoever holds a key may read its bytes.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

from hubkeep.blobs.errors import BadKey

T = TypeVar("T")

PIECE = 1 << 20
"""Bytes that are moved at once, in and out; what a transfer holds in memory is a few of these."""

_KEY = re.compile(r"(?:[a-z0-9_-][a-z0-9._-]{0,199})(?:/[a-z0-9_-][a-z0-9._-]{0,199})*")
_HASH = re.compile(r"[0-9a-f]{64}")
_LONGEST_KEY = 500
_LARGEST_STAGED = 5 << 30


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A blob as `keys` lists it. `modified` is in UTC: when it was last put or finished."""

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """An open upload in parts as `uploads` lists it. `started` is in UTC."""

    upload: str
    key: str
    started: datetime


@dataclass(frozen=True, slots=True)
class SignedPut:
    """Where a client may PUT bytes that nobody sees before `publish_staged`.

    `id` names them: it cannot be guessed, is safe in addresses, and outlives the process.
    `headers` must be sent as they are, beside the Content-Length.
    """

    id: str
    url: str
    headers: dict[str, str]


Batch: TypeAlias = Sequence[bytes | memoryview]


class Check(Protocol):
    """Looks at bytes on their way in, in the thread that stores them: no hop of its own.

    For one body, in its order, by one thread at a time. What it raises refuses the body as a whole.
    """

    def take(self, batch: Batch) -> Batch:
        """Take the next bytes, and give what is to be stored of them."""
        ...

    def finish(self) -> None:
        """The body has ended."""
        ...


class BlobStore(Protocol):
    """Where large files live. Every call may raise `NoSpace` and `StoreUnavailable`.

    Calls belong to one event loop. Several processes may use one store at a time.
    """

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
        """Store exactly `size` bytes (None: all that come) with this sha256 (hex) under `key`.

        Without a sha256 nothing is hashed: `check`, or the body itself, says whether it is good.
        When it returns the bytes are durable. Until then, and if it fails or is cancelled, nothing
        is visible. A key that is there keeps its bytes; the body is read and checked all the
        same, and `modified` becomes now. With `replace` it gets these bytes at once and whole, and
        who has the old ones open may read on or fail. Gives whether these very bytes are what was
        stored. Reading stops as soon as the body is too long. Raises SizeMismatch, HashMismatch,
        and what `body` and `check` raise.
        """
        ...

    def open(self, key: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes [start, end) in pieces of at most 1 MiB; nothing where the blob has ended.

        Raises BlobMissing at the first piece. Close the generator (`aclosing`) when leaving early.
        """
        ...

    async def read(self, key: str, start: int, length: int) -> bytes:
        """The bytes [start, start + length), held in memory; fewer at the end. BlobMissing."""
        ...

    async def size(self, key: str) -> int | None:
        """Bytes under `key`, None if there is no such key."""
        ...

    async def delete(self, key: str) -> None:
        """Remove `key` if it is there. Who has it open may read on or fail."""
        ...

    def keys(self, prefix: str = "") -> AsyncGenerator[StoredKey, None]:
        """All keys in the folder `prefix` (whole names: `sha256/ab`), in no certain order.

        What is put or deleted meanwhile may be listed or not.
        """
        ...

    def local_path(self, key: str) -> Path | None:
        """The file that holds `key`, if there is one or were it put; None where there are no files.

        For servers that send files themselves. Never write to it.
        """
        ...

    async def signed_get(
        self,
        key: str,
        *,
        seconds: int,
        filename: str | None = None,
        content_type: str | None = None,
        span: tuple[int, int] | None = None,
    ) -> str | None:
        """An address where anyone may GET the blob, whole or by Range; None: send it yourself.

        With `filename` the answer is an attachment of that name. With a `span`, which is not empty,
        the address gives the bytes [start, end) alone, to who asks with `Range: bytes=a-b` for just
        these. Whether the key exists is not checked. A HEAD of the address may be refused.
        """
        ...

    async def signed_put(self, *, size: int, seconds: int) -> SignedPut | None:
        """Where a client may PUT `size` bytes, 1 to 5 GiB, without credentials; None: use `put`.

        What comes is for `publish_staged` alone to see, and swept if that never happens.
        """
        ...

    async def publish_staged(
        self, staged: str, key: str, check: Callable[[AsyncGenerator[bytes, None]], Awaitable[T]]
    ) -> tuple[T, bool]:
        """Store what came to this `signed_put` under `key` if it passes.

        Gives what `check` gives, and whether these very bytes are what was stored.
        `check` reads the bytes to their end, in pieces of at most 1 MiB, and raises what is wrong
        with them. Those very bytes become visible, whatever the client puts meanwhile; a key that
        is there keeps its own. Then the staged bytes are forgotten, as they are when `check`
        raises. They stay to be published again when the store fails or the caller is cancelled.
        Raises UploadMissing (nothing came, or it is over), SizeMismatch, what `check` raises.
        """
        ...

    async def begin_upload(self, key: str, *, size: int, part_size: int) -> str:
        """Begin an upload of `size` > 0 bytes in parts of `part_size`, the last one as it comes.

        Parts are numbered from 1. The id is opaque, safe in addresses, and outlives the process.
        At most 10,000 parts; S3 wants parts of 5 MiB and more. Raises ValueError.
        """
        ...

    async def put_part(
        self, upload: str, number: int, body: AsyncIterable[bytes], *, size: int
    ) -> str:
        """Store one part and give its etag. A part may be sent again; one broken off is not there.

        Raises UploadMissing, BadParts (no such number), SizeMismatch.
        """
        ...

    async def signed_part(self, upload: str, number: int, *, seconds: int) -> str | None:
        """An address that takes this part by PUT and answers its ETag; None: use `put_part`.

        Raises UploadMissing, BadParts (no such number).
        """
        ...

    async def parts(self, upload: str) -> dict[int, str]:
        """The parts that are there, number to etag. UploadMissing."""
        ...

    async def finish_upload(self, upload: str, etags: dict[int, str], *, sha256: str) -> None:
        """Join all parts, check size and sha256, and make the key durably visible.

        `etags` are those that the parts were answered with (quotes around them do not matter).
        Repeated after success it succeeds; calls at the same time share the work. The work goes
        on when the caller is cancelled. BadParts leaves the upload open; HashMismatch ends it.
        Raises UploadMissing also, and BlobMissing if the key has been deleted since.
        """
        ...

    async def abort_upload(self, upload: str) -> None:
        """Forget the upload and its parts, if it is there."""
        ...

    def uploads(self) -> AsyncGenerator[StoredUpload, None]:
        """The uploads that were begun and neither finished nor aborted."""
        ...

    async def sweep(self, older_than: timedelta) -> int:
        """Remove what broken writes left behind, and the memory of finished uploads.

        Only what was last touched longer ago than `older_than`: choose more than the longest
        transfer takes. Open uploads stay. Gives the number of things removed.
        """
        ...

    async def close(self) -> None:
        """Release threads and connections; finishes that still run are broken off."""
        ...


def whole_key(sha256: str) -> str:
    """The key of a file that is stored whole: `sha256/ab/cd/<hex>`. ValueError if not a sha256."""
    if not _HASH.fullmatch(sha256):
        raise ValueError(f"not a sha256: {sha256!r}")
    return f"sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def xorb_key(text_hash: str) -> str:
    """The key of a xorb, whose hash is written as Xet does: `xorbs/ab/cd/<hex>`. ValueError."""
    if not _HASH.fullmatch(text_hash):
        raise ValueError(f"not a Xet hash: {text_hash!r}")
    return f"xorbs/{text_hash[:2]}/{text_hash[2:4]}/{text_hash}"


def check_key(key: str) -> str:
    """`key` itself if no file system can be led astray by it, else BadKey.

    Lower case only, so that two keys never meet on a file system that ignores case.
    """
    if len(key) > _LONGEST_KEY or not _KEY.fullmatch(key):
        raise BadKey(key)
    return key


def check_prefix(prefix: str) -> str:
    """A folder of keys without the slash at its end; "" is all of them. BadKey."""
    folder = prefix.rstrip("/")
    return check_key(folder) if folder else ""


def check_range(start: int, end: int | None) -> None:
    """ValueError for a range that counts from behind or runs backwards."""
    if start < 0 or (end is not None and end < start):
        raise ValueError(f"not a range: [{start}, {end})")


def check_span(span: tuple[int, int] | None) -> None:
    """ValueError for a span that cannot be asked for by HTTP."""
    if span is not None and not 0 <= span[0] < span[1]:
        raise ValueError(f"not a span: [{span[0]}, {span[1]})")


def check_staged_size(size: int) -> None:
    """ValueError for a size that no single PUT takes: 5 GiB is S3's limit, kept everywhere."""
    if not 0 < size <= _LARGEST_STAGED:
        raise ValueError(f"cannot take {size} bytes in one PUT")
