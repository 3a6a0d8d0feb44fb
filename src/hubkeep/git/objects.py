# SPDX-License-Identifier: Apache-2.0
"""Git objects as bytes: their ids, their deflated form, and git-lfs pointers among the blobs."""

import hashlib
import re
import zlib
from dataclasses import dataclass, replace
from enum import IntEnum

from hubkeep.git.errors import BadObject

OID_BYTES = 20
POINTER_LIMIT = 1024
"""Bytes below which a blob may be a pointer (git-lfs's own rule)."""

_LARGE = 64 << 10
_MAX_SIZE = 2**63 - 1
_POINTER = re.compile(
    rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\n"
    rb"(?:ext-[0-9]-[^\n]+\n)*"
    rb"oid sha256:([0-9a-f]{64})\n"
    rb"size ([0-9]{1,19})\n?"
)


class Kind(IntEnum):
    """The kinds of objects, by their numbers in packs."""

    COMMIT = 1
    TREE = 2
    BLOB = 3
    TAG = 4


_WORDS = {kind: kind.name.lower().encode() for kind in Kind}


def object_id(kind: Kind, payload: bytes) -> bytes:
    """Return the 20 bytes that git names an object by.

    This is plain SHA-1, which does not notice attacks: whoever stores objects keeps the first one.
    """
    digest = hashlib.sha1(b"%b %d\0" % (_WORDS[kind], len(payload)), usedforsecurity=False)
    digest.update(payload)
    return digest.digest()


def deflate(payload: bytes) -> bytes:
    """Return the zlib stream that packs hold; large payloads are compressed less, but quickly."""
    return zlib.compress(payload, 1 if len(payload) > _LARGE else 6)


def inflate(data: bytes, size: int) -> bytes:
    """Return the payload, which must have `size` bytes: never more is unpacked. BadObject."""
    stream = zlib.decompressobj()
    try:
        payload = stream.decompress(data, size + 1)
    except zlib.error as bad:
        raise BadObject(f"An object is damaged: {bad}") from bad
    if len(payload) != size or not stream.eof:
        raise BadObject(f"An object does not have the {size} bytes that it should have")
    return payload


@dataclass(frozen=True, slots=True)
class LfsPointer:
    """What a git-lfs pointer points at: a file by its sha256 (32 bytes) and its size."""

    sha256: bytes
    size: int


def parse_pointer(content: bytes) -> LfsPointer | None:
    """Return what a blob points at, None for a blob that is no git-lfs pointer."""
    if len(content) >= POINTER_LIMIT or not content.startswith(b"version "):
        return None
    found = _POINTER.fullmatch(content)
    if found is None or int(found[2]) > _MAX_SIZE:
        return None
    return LfsPointer(bytes.fromhex(found[1].decode()), int(found[2]))


def pointer_bytes(sha256: bytes, size: int) -> bytes:
    """Return a pointer, byte for byte as git-lfs writes it."""
    return b"version https://git-lfs.github.com/spec/v1\noid sha256:%b\nsize %d\n" % (
        sha256.hex().encode(),
        size,
    )


@dataclass(frozen=True, slots=True)
class StagedBlob:
    """A blob on its way in: hashed and deflated before any transaction. `size` is the inflated
    one.
    """

    oid: bytes
    size: int
    data: bytes
    lfs: LfsPointer | None

    def without_data(self) -> "StagedBlob":
        """Return the record alone, for lists of many."""
        return replace(self, data=b"")

    def with_data(self, data: bytes) -> "StagedBlob":
        """Return the record with its deflated bytes."""
        return replace(self, data=data)


def stage_blob(content: bytes) -> StagedBlob:
    """Hash and deflate the content of a file."""
    oid = object_id(Kind.BLOB, content)
    return StagedBlob(oid, len(content), deflate(content), parse_pointer(content))
