# SPDX-License-Identifier: Apache-2.0
"""Checking xorbs as they come: raw bytes per second of one processor, for each scheme."""

import struct
import time
from collections.abc import Callable
from random import Random

from bench.table import Figure
from hubkeep.xet.chunks import Scheme
from hubkeep.xet.xorb import XorbReader, encode_xorb

CHUNK = 65536
CHUNKS = 1000
PIECE = 256 * 1024
ROUNDS = 15
_VARIETY = 50

_WORDS = [b"the", b"model", b"learns", b"a", b"map", b"from", b"tokens", b"to", b"logits", b"over"]


def noise(random: Random) -> bytes:
    """What does not compress: weights that are compressed already, images, archives."""
    return random.randbytes(CHUNK)


def text(random: Random) -> bytes:
    """Lines of JSON, as in data sets."""
    lines = (
        b'{"id": %d, "text": "%b"}\n'
        % (random.randrange(10**9), b" ".join(random.choices(_WORDS, k=12)))
        for _ in range(CHUNK // 64)
    )
    return b"".join(lines)[:CHUNK]


def weights(random: Random) -> bytes:
    """A piece of a tensor of float32."""
    count = CHUNK // 4
    return struct.pack(f"<{count}f", *(random.gauss(0, 0.02) for _ in range(count)))


def rate(body: bytes) -> tuple[float, int]:
    """Megabytes of raw bytes per second of processor time, the best of the rounds; raw bytes."""
    view, best, raw_size = memoryview(body), float("inf"), 0
    for _ in range(ROUNDS):
        before = time.process_time()
        reader = XorbReader()
        for start in range(0, len(body), PIECE):
            reader.feed(view[start : start + PIECE])
        raw_size = reader.finish()[1].raw_size
        best = min(best, time.process_time() - before)
    return raw_size / best / 1e6, raw_size


def _figure(scheme: Scheme, name: str, make: Callable[[Random], bytes], limit: float) -> Figure:
    random = Random(1)
    some = [make(random) for _ in range(_VARIETY)]
    body = encode_xorb((some[k % _VARIETY] for k in range(CHUNKS)), scheme)
    value, raw_size = rate(body)
    note = f"{raw_size / 1e6:.0f} MB in chunks of 64 KiB, stored as {len(body) / 1e6:.0f} MB"
    what = f"checking a xorb, raw bytes per CPU second: {name}"
    return Figure(f"8 xet verification, {scheme.name}", what, value, ">=", limit, "MB/s", note)


def run() -> list[Figure]:
    return [
        _figure(Scheme.NONE, "uncompressed noise", noise, 2000),
        _figure(Scheme.LZ4, "JSON in LZ4", text, 800),
        _figure(Scheme.BG4, "float32 weights in BG4 and LZ4", weights, 500),
    ]
