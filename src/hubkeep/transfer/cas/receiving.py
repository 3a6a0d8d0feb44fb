# SPDX-License-Identifier: Apache-2.0
"""Xorbs on their way in: checked as they come, chunk by chunk, without ever being held as a whole.

A xorb has one name, and as many encodings as there are compression schemes; the one that is stored
first stays. So what the hub knows of a xorb's chunks is always taken from the bytes that are
stored: those of this upload if they became it, else what is there is read again.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from hubkeep import errors
from hubkeep.blobs import Batch, BlobMissing, Check, xorb_key
from hubkeep.errors import HubError
from hubkeep.transfer.cas.access import CasToken, check_token
from hubkeep.transfer.cas.queries_xorbs import (
    Announced,
    KnownOtherwise,
    announce_xorb,
    record_xorb,
    replace_xorb,
)
from hubkeep.xet.hashes import to_text
from hubkeep.xet.index import XorbIndex
from hubkeep.xet.xorb import MAX_XORB, BadXorb, XorbReader

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.transfer")


class XorbCheck(Check):
    """Passes on the chunks of a body that has to be a xorb of a certain name, without a footer.

    Raises BadXorb for another body, at the latest at its end.
    """

    def __init__(self, xorb: bytes) -> None:
        self._xorb = xorb
        self._reader = XorbReader()
        self._index: XorbIndex | None = None

    @property
    def index(self) -> XorbIndex:
        """Where the chunks lie in what was passed on, once all was."""
        assert self._index is not None, "the body has not ended"
        return self._index

    @property
    def has_footer(self) -> bool:
        """Whether something followed the chunks."""
        return self._reader.footer_size > 0

    def take(self, batch: Batch) -> Batch:
        chunks: list[bytes | memoryview] = []
        for piece in batch:
            before = self._reader.footer_size
            self._reader.feed(piece)
            kept = len(piece) - (self._reader.footer_size - before)
            chunks.append(piece[:kept])
        return chunks

    def finish(self) -> None:
        found, self._index = self._reader.finish()
        if found != self._xorb:
            raise BadXorb("its chunks make another one")


async def bounded(body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The body; 413 as soon as it is too long for any xorb."""
    total = 0
    async with aclosing(body) as pieces:
        async for piece in pieces:
            total += len(piece)
            if total > MAX_XORB:
                raise too_long()
            yield piece


async def index_of(app: "App", xorb: bytes, stored: AsyncGenerator[bytes, None]) -> XorbIndex:
    """Check bytes that are stored already, and so have to be without a footer. BadXorb."""
    loop, check = asyncio.get_running_loop(), XorbCheck(xorb)
    async with aclosing(stored) as pieces:
        async for piece in pieces:
            await loop.run_in_executor(app.crunch, check.take, [piece])
    await loop.run_in_executor(app.crunch, check.finish)
    if check.has_footer:
        raise BadXorb("nothing may follow its chunks")
    return check.index


def too_long() -> HubError:
    """Return the error for a body that is longer than any xorb."""
    return errors.too_large(f"A xorb may have at most {MAX_XORB} bytes")


def not_this_xorb(xorb: bytes, bad: BadXorb) -> HubError:
    """Return the error for a body that is not the xorb that it is said to be."""
    return errors.bad_request(f"This is not the xorb {to_text(xorb)}: {bad}")


async def announce(app: "App", token: CasToken, xorb: bytes) -> Announced:
    """Check the right to send a xorb, and make the row that is there before its bytes."""

    def work(conn: Connection) -> Announced:
        check_token(conn, token)
        return announce_xorb(conn, xorb, app.clock())

    return await app.db.write(work)


async def record(
    app: "App", token: CasToken, xorb: bytes, announced: Announced, index: XorbIndex | None
) -> bool:
    """Make a xorb that is stored known, and its sender; whether that is news to the sender.

    `index` is that of the bytes that came, if they are the ones that are stored.
    """
    if index is None and not announced.is_ready:
        index = await _stored_index(app, xorb)

    work = partial(_record, app, token, xorb)
    try:
        was_sent = await app.db.write(partial(work, index, is_read_back=False))
    except KnownOtherwise:
        # Two encodings came at once and each was stored, one after the other: one of them stayed.
        index = await _stored_index(app, xorb)
        was_sent = await app.db.write(partial(work, index, is_read_back=True))
    if was_sent is None:
        raise errors.unavailable()
    was_there = announced.is_ready and not announced.is_damaged
    # What others hold is nobody's business, unless the whole hub shares its chunks.
    return not (was_there and (was_sent or app.config.xet_dedup == "hub"))


def _record(
    app: "App",
    token: CasToken,
    xorb: bytes,
    index: XorbIndex | None,
    conn: Connection,
    *,
    is_read_back: bool,
) -> bool | None:
    check_token(conn, token)
    return record_xorb(conn, xorb, index, token.user_id, app.clock(), is_read_back=is_read_back)


async def _stored_index(app: "App", xorb: bytes) -> XorbIndex:
    """Read what is stored of a xorb without being known, as after an upload that was cut off.

    Where that is damaged, 503 has the client send the xorb again, to take its place.
    """
    key = xorb_key(to_text(xorb))
    try:
        return await index_of(app, xorb, app.blobs.open(key))
    except BadXorb as bad:
        log.warning("what is stored as the xorb %s is damaged: %s", to_text(xorb), bad)
        await app.db.write(lambda conn: replace_xorb(conn, xorb, app.clock()))
        raise errors.unavailable() from bad
    except BlobMissing as missing:
        raise errors.unavailable() from missing
