# SPDX-License-Identifier: Apache-2.0
"""Pure decisions about transfers: which files are taken, and in how many pieces."""

import re

from hubkeep.blobs import MOST_PARTS
from hubkeep.transfer.wire import ObjectError, ObjectSpec

PART_SIZE = 64 << 20
"""Files up to this size are sent in one piece by clients that know `multipart`."""
MAX_SIZE = 5 << 40
"""The largest object that S3 takes, kept everywhere so that clients see one rule."""

MOST_PARTS_AT_ONCE = 100_000
"""Addresses of parts in one batch answer: each is made, kept and sent."""

_PART_STEP = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


def part_size_for(size: int) -> int:
    """Return how large the parts of a file of `size` bytes are, so that they are never too many."""
    least = -(-size // MOST_PARTS)
    return max(PART_SIZE, -(-least // _PART_STEP) * _PART_STEP)


def number_of_parts(size: int) -> int:
    """Return in how many parts a file of `size` bytes is sent."""
    return -(-size // part_size_for(size))


def is_sha256(oid: str) -> bool:
    """Whether this is a sha256 as git-lfs writes it: 64 lower-case hexadecimal digits."""
    return _SHA256.fullmatch(oid) is not None


def refused(spec: ObjectSpec) -> ObjectError | None:
    """Say what is wrong with a file that a client names; None if it can be."""
    if not is_sha256(spec.oid):
        return ObjectError(422, "The oid must be a sha256: 64 lower-case hexadecimal digits")
    if spec.size < 0:
        return ObjectError(422, "The size must not be negative")
    if spec.size > MAX_SIZE:
        return ObjectError(413, f"Files may have at most {MAX_SIZE} bytes")
    return None
