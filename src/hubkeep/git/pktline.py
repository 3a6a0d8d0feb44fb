# SPDX-License-Identifier: Apache-2.0
"""Packet lines, in which git's protocols speak: four hexadecimal digits of length, then bytes.

https://git-scm.com/docs/gitprotocol-common
"""

import re
from collections.abc import AsyncIterator, Iterator

FLUSH = b"0000"
MAX_LINE = 65516
"""Bytes that one line may hold; with its length it has four more."""


_LENGTH = re.compile(rb"[0-9a-fA-F]{4}")


class BadPacket(ValueError):
    """Bytes that are no packet lines."""


def packet(payload: bytes) -> bytes:
    """Return one line."""
    return b"%04x%b" % (len(payload) + 4, payload)


def sideband(channel: int, payload: bytes) -> Iterator[bytes]:
    """Yield a payload in as many lines as it needs; channel 1 is data, 2 is told to the user."""
    for start in range(0, len(payload), MAX_LINE - 1):
        yield packet(bytes([channel]) + payload[start : start + MAX_LINE - 1])


class PacketReader:
    """Lines off the front of a body that comes in pieces, and then what follows them."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""
        self._at = 0  # what is before has been read: cutting it off for each line would be slow

    async def line(self) -> bytes | None:
        """Return the next line, None for a flush. BadPacket, also where the body ends."""
        head = await self._exactly(4)
        if _LENGTH.fullmatch(head) is None:
            raise BadPacket(f"{head!r} is not the length of a packet line")
        length = int(head, 16)
        if length == 0:
            return None
        if not 4 < length <= MAX_LINE + 4:
            raise BadPacket(f"a packet line cannot have {length} bytes")
        return await self._exactly(length - 4)

    async def rest(self) -> AsyncIterator[bytes]:
        """Yield what follows the lines that were read."""
        held, self._held = self._held[self._at :], b""
        self._at = 0
        if held:
            yield held
        async for piece in self._pieces:
            yield piece

    async def _exactly(self, count: int) -> bytes:
        while len(self._held) - self._at < count:
            piece = await anext(self._pieces, None)
            if piece is None:
                raise BadPacket("the request ends within a packet line")
            self._held = self._held[self._at :] + piece
            self._at = 0
        taken = self._held[self._at : self._at + count]
        self._at += count
        return taken
