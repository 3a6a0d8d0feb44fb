# SPDX-License-Identifier: Apache-2.0
"""Xorbs and shards as clients make them, for tests to send and to spoil."""

import struct
from collections.abc import Sequence
from random import Random

from hypothesis import HealthCheck, settings

from hubkeep.xet.chunks import Scheme
from hubkeep.xet.hashes import Merkle, range_hash, swapped
from hubkeep.xet.index import XorbIndex
from hubkeep.xet.shard import Term
from hubkeep.xet.xorb import encode_xorb, read_xorb

PATIENT = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
TAG = b"HFRepoMetaData\0UigEj{\x81W\x83\xa5\xbd\xd9\\\xcd\xd1J\xa9"
BOOKEND = b"\xff" * 32 + bytes(16)
CHECKS = 1 << 31
SHA256 = 1 << 30


def header(footer_size: int = 0, version: int = 2) -> bytes:
    return TAG + struct.pack("<QQ", version, footer_size)


def record(name: bytes, *numbers: int) -> bytes:
    """A record of 48 bytes: a hash and up to four numbers."""
    return struct.pack("<32s4I", name, *numbers, *[0] * (4 - len(numbers)))


def file_block(
    name: bytes,
    terms: Sequence[Term],
    checks: Sequence[bytes],
    sha256: bytes | None = None,
    flags: int = CHECKS,
) -> bytes:
    """What a shard says of a file."""
    return b"".join([
        record(name, flags | (SHA256 if sha256 else 0), len(terms)),
        *(record(term.xorb, 0, term.raw_size, term.start, term.end) for term in terms),
        *(record(check) for check in checks),
        *([record(swapped(sha256))] if sha256 else []),
    ])  # fmt: skip


def xorb_block(name: bytes, index: XorbIndex) -> bytes:
    """What a shard says of a xorb."""
    sizes = index.raw_sizes(0, index.count)
    return record(name, 0, index.count, index.raw_size, 0) + b"".join(
        record(bytes(index.hashes_of(k, k + 1)), index.raw_offset(k), size)
        for k, size in enumerate(sizes)
    )


def shard(files: Sequence[bytes], xorbs: Sequence[bytes]) -> bytes:
    """A shard of blocks, as clients of today upload it."""
    return b"".join([header(), *files, BOOKEND, *xorbs, BOOKEND])


def file_of(name: bytes, index: XorbIndex, sha256: bytes | None = None) -> bytes:
    """The block of the file that consists of all chunks of one xorb."""
    tree = Merkle()
    tree.add_chunks(index.hashes, index.raw_sizes(0, index.count))
    term = Term(name, 0, index.count, index.raw_size)
    return file_block(tree.file_hash(), [term], [range_hash(index.hashes)], sha256)


def some_chunks(seed: int = 1, count: int = 5, size: int = 4000) -> list[bytes]:
    """Chunks that compress a little, in all schemes."""
    random = Random(seed)
    return [
        b"".join(random.randbytes(2) + b"\x3d\x3e" for _ in range(size // 4)) + bytes(k % 4)
        for k in range(count)
    ]


def some_xorb(seed: int = 1, scheme: Scheme = Scheme.LZ4) -> tuple[bytes, bytes, XorbIndex]:
    """A xorb's body, name and index."""
    body = encode_xorb(some_chunks(seed), scheme)
    return body, *read_xorb(body)
