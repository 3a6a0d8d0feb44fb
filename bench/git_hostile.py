# SPDX-License-Identifier: Apache-2.0
"""Pushes that are out to fill the memory: small packs that unpack to a GiB."""

import hashlib
import zlib
from collections.abc import Iterator

import httpx2

from bench.git_native import MIB
from bench.hubs import TOKEN
from hubkeep.git.pktline import FLUSH, packet

_BLOB, _OFS_DELTA = 3, 6
_TIMEOUT = 600


def zip_bomb() -> bytes:
    """A pack of one file: a GiB of zeros in a MB."""
    deflate = zlib.compressobj(9)
    packed = [deflate.compress(bytes(MIB)) for _ in range(1024)]
    return _pack([_head(_BLOB, 1024 * MIB) + b"".join((*packed, deflate.flush()))])


def delta_bomb(times: int = 860) -> bytes:
    """A pack of less than 209 bytes: deltas that copy what they build on until it has `times` MiB,
    by default 900 MB.
    """
    base, copies = 4096, 256
    middle = base * copies
    entries = [_head(_BLOB, base) + zlib.compress(bytes(base), 9)]
    # A copy: which bytes of offset (none: 0) and of size follow, and these.
    for source, count, op in (
        (base, copies, b"\xa0" + bytes([base >> 8])),
        (middle, times, b"\xc0" + bytes([middle >> 16])),
    ):
        delta = _size(source) + _size(source * count) + op * count
        packed = zlib.compress(delta, 9)
        entries.append(_head(_OFS_DELTA, len(delta)) + bytes([len(entries[-1])]) + packed)
    return _pack(entries)


def push(url: str, pack: bytes) -> str:
    """Push a pack as a new branch, and return what the server said; RuntimeError if it took it."""
    new = hashlib.sha1(pack).hexdigest()
    command = f"{'0' * 40} {new} refs/heads/bomb\0report-status side-band-64k".encode()

    def body() -> Iterator[bytes]:
        yield packet(command) + FLUSH
        for at in range(0, len(pack), 1 << 16):
            yield pack[at : at + (1 << 16)]

    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": "application/x-git-receive-pack-request",
    }
    where = f"{url}/git-receive-pack"
    answer = httpx2.post(where, content=body(), headers=headers, timeout=_TIMEOUT)
    text = answer.content.decode("utf-8", "replace")
    if answer.status_code == 200 and "ok refs/heads/bomb" in text:
        raise RuntimeError("the bomb was taken in")
    return f"{answer.status_code} {text}"


def _pack(entries: list[bytes]) -> bytes:
    whole = b"PACK" + (2).to_bytes(4, "big") + len(entries).to_bytes(4, "big") + b"".join(entries)
    return whole + hashlib.sha1(whole).digest()


def _head(kind: int, size: int) -> bytes:
    first, rest = kind << 4 | size & 15, size >> 4
    return bytes([first | 0x80]) + _size(rest) if rest else bytes([first])


def _size(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the last byte is below 128."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
