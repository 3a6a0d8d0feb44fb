# SPDX-License-Identifier: Apache-2.0
"""What can go wrong in a blob store.

BlobError
├── BlobMissing         no blob under this key
├── UploadMissing       no such upload, nothing came to it, or it is over
├── BadContent          the bytes are not what was announced; nothing became visible
│   ├── SizeMismatch    too few or too many bytes
│   ├── HashMismatch    the sha256 differs
│   └── BadParts        parts are missing, unknown or not those that were received
├── NoSpace             the disk or the quota is full; reading goes on
└── StoreUnavailable    the disk or the service does not work; worth trying again later

ValueError
└── BadKey              a key that this store does not take: the caller's mistake
"""

from __future__ import annotations

from collections.abc import Sequence


class BlobError(Exception):
    """Any failure of a blob store that a caller may want to answer."""


class BlobMissing(BlobError):
    """There is no blob under `key`."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no blob {key}")
        self.key = key


class UploadMissing(BlobError):
    """There is no open upload `upload`: never begun or sent, aborted, or already finished."""

    def __init__(self, upload: str) -> None:
        super().__init__(f"no open upload {upload}")
        self.upload = upload


class BadContent(BlobError):
    """The bytes are not those that were announced."""


class SizeMismatch(BadContent):
    """`expected` bytes were announced; `got` came (at least: a longer body is not read on)."""

    def __init__(self, expected: int, got: int) -> None:
        super().__init__(f"expected {expected} bytes, got {got}")
        self.expected = expected
        self.got = got


class HashMismatch(BadContent):
    """The sha256 of what came is `got`, not `expected` (both in hex)."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"expected sha256 {expected}, got {got}")
        self.expected = expected
        self.got = got


class BadParts(BadContent):
    """The parts `numbers` are missing, do not belong to the upload, or have another etag."""

    def __init__(self, numbers: Sequence[int], reason: str) -> None:
        shown = ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")
        super().__init__(f"parts {shown}: {reason}")
        self.numbers = tuple(numbers)


class NoSpace(BlobError):
    """The disk or the quota is full."""


class StoreUnavailable(BlobError):
    """The disk or the service fails; the message says how, for the log."""


class BadKey(ValueError):
    """`key` is not a relative path of plain lower-case names, or it is a folder of other keys."""

    def __init__(self, key: str) -> None:
        super().__init__(f"not a key: {key!r}")
        self.key = key
