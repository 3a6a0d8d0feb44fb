# SPDX-License-Identifier: Apache-2.0
"""What every store remembers of an upload in parts, and how its parts are counted."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from hubkeep.blobs.errors import BadParts, HashMismatch, SizeMismatch, UploadMissing
from hubkeep.blobs.store import check_key

MOST_PARTS = 10_000
"""Parts in one upload: S3's limit, kept everywhere so that clients see one rule."""

_UPLOAD = re.compile(r"[0-9a-f]{32}")


class Parted(msgspec.Struct, frozen=True):
    """An upload in parts as it is written down. `s3_id` is S3's own id of it."""

    key: str
    size: int
    part_size: int
    started: datetime
    s3_id: str = ""

    @property
    def count(self) -> int:
        """How many parts there are."""
        return -(-self.size // self.part_size)

    def offset(self, number: int) -> int:
        """Where the part begins in the whole. BadParts if there is no such part."""
        if not 1 <= number <= self.count:
            raise BadParts([number], f"the upload has parts 1 to {self.count}")
        return (number - 1) * self.part_size

    def length(self, number: int) -> int:
        """Bytes in the part. BadParts if there is no such part."""
        return min(self.part_size, self.size - self.offset(number))

    def check_length(self, number: int, size: int) -> None:
        """SizeMismatch unless the part must have `size` bytes."""
        if size != self.length(number):
            raise SizeMismatch(self.length(number), size)

    def check_etags(self, claimed: Mapping[int, str], received: Mapping[int, str]) -> None:
        """BadParts unless both are the etags of all parts, and the same."""
        wanted = range(1, self.count + 1)
        if missing := [n for n in wanted if n not in received]:
            raise BadParts(missing, "not received")
        if odd := sorted(claimed.keys() ^ wanted):
            raise BadParts(odd, f"the upload has parts 1 to {self.count}")
        if other := [n for n in wanted if claimed[n].strip('"') != received[n]]:
            raise BadParts(other, "not the etag that was answered")


class Finished(msgspec.Struct, frozen=True):
    """What stays of an upload that succeeded, so that finishing it again succeeds."""

    key: str
    sha256: str

    def check(self, sha256: str) -> None:
        """HashMismatch unless it was finished with this hash."""
        if sha256 != self.sha256:
            raise HashMismatch(sha256, self.sha256)


def new_parted(key: str, size: int, part_size: int) -> Parted:
    """The record of a new upload. ValueError for sizes that no store takes."""
    check_key(key)
    if size <= 0 or part_size <= 0:
        raise ValueError("an upload in parts has at least one byte")
    record = Parted(key, size, part_size, datetime.now(UTC))
    if record.count > MOST_PARTS:
        raise ValueError(f"{record.count} parts; at most {MOST_PARTS}")
    return record


def new_upload() -> str:
    """An id that nobody can guess."""
    return secrets.token_hex(16)


def check_upload(upload: str) -> str:
    """`upload` itself if it can be an id of ours, else UploadMissing."""
    if not _UPLOAD.fullmatch(upload):
        raise UploadMissing(upload)
    return upload
