# SPDX-License-Identifier: Apache-2.0
"""Shards on their way in: what registers the files of an upload, once all its xorbs are there."""

import asyncio
import logging
import mmap
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from hubkeep import errors
from hubkeep.blobs import NoSpace, StoreUnavailable
from hubkeep.db import DatabaseFull, DatabaseUnavailable
from hubkeep.errors import HubError
from hubkeep.http import json_answer
from hubkeep.transfer.cas.access import CasToken, cas_token, check_token
from hubkeep.transfer.cas.landing import land_shard
from hubkeep.transfer.cas.shards import check_shard
from hubkeep.transfer.cas.wire_shards import (
    Committing,
    Event,
    Failed,
    Result,
    ShardAnswer,
    Validating,
)
from hubkeep.xet.shard import MAX_SHARD, BadShard, Shard, parse_shard

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.transfer")

HEARTBEAT_SECONDS = 15.0
"""After how long without news the last event is told again: proxies cut what is silent."""

_IN_MEMORY = 1 << 20


async def post_shard(app: "App", request: Request) -> Response:
    """Register the files of a shard; `{"result": 1}`, or 0 where all of it was known."""
    token = await _writer(app, request)
    shard = await _read_shard(app, request)
    is_new = await _Work(app, token, shard).run()
    return json_answer(ShardAnswer(1 if is_new else 0))


async def post_shard_with_progress(app: "App", request: Request) -> Response:
    """Register the files of a shard, and tell meanwhile how far that is: JSON, an event a line.

    What is wrong with the token or the form of the shard is said by the status; from the first
    event on, all else by the last one.
    """
    token = await _writer(app, request)
    shard = await _read_shard(app, request)
    return _Events(_events(_Work(app, token, shard)), media_type="application/x-ndjson")


async def _writer(app: "App", request: Request) -> CasToken:
    """Who sends the shard, before anything of it is read."""
    token = cas_token(app, request, writing=True)
    await app.db.read(partial(check_token, token=token))
    return token


async def _read_shard(app: "App", request: Request) -> Shard:
    """Read the shard, which is kept on disk if it is large. too_large, bad_request."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > MAX_SHARD:
        raise errors.too_large(f"A shard may have at most {MAX_SHARD} bytes")
    loop = asyncio.get_running_loop()
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
        size, held = 0, bytearray()
        async for piece in request.stream():
            size += len(piece)
            if size > MAX_SHARD:
                raise errors.too_large(f"A shard may have at most {MAX_SHARD} bytes")
            held += piece
            if len(held) >= _IN_MEMORY:
                await loop.run_in_executor(app.crunch, spool.write, held)
                held = bytearray()
        spool.write(held)
        if size <= _IN_MEMORY:
            spool.seek(0)
            body = memoryview(spool.read())
        else:
            spool.flush()
            # The mapping outlives the file, and goes with the last look at it.
            body = memoryview(mmap.mmap(spool.fileno(), size, access=mmap.ACCESS_READ))
    try:
        async with app.shard_gate:
            return await loop.run_in_executor(app.crunch, parse_shard, body)
    except BadShard as bad:
        raise errors.bad_request(f"The shard cannot be read: {bad}") from bad


class _Work:
    """The work on one shard; `latest` is the event that tells how far it is."""

    def __init__(self, app: "App", token: CasToken, shard: Shard) -> None:
        self.latest: Event = Validating(0, 0)
        self.news = asyncio.Event()
        self._app = app
        self._token = token
        self._shard = shard

    async def run(self) -> bool:
        """Check the shard and register its files; whether anything was new."""
        checked = await check_shard(self._app, self._token, self._shard, self._validating)
        self._tell(Committing("uploading"))
        is_new = await land_shard(self._app, self._token, self._shard, checked)
        self._tell(Committing("syncing"))
        return is_new

    async def outcome(self) -> Event:
        """Run to the end, whatever happens, and return the event that says how it went."""
        try:
            return Result(1 if await self.run() else 0)
        except HubError as error:
            return Failed(error.message, error.status in (429, 503))
        except (DatabaseFull, NoSpace):
            return Failed(errors.no_space().message, retryable=False)
        except (DatabaseUnavailable, StoreUnavailable) as error:
            log.warning("storage unavailable: %s", error)
            return Failed(errors.unavailable().message, retryable=True)
        except Exception:
            # The status has been sent: nobody but this event can say that the hub is at fault.
            log.exception("registering a shard failed")
            return Failed("Internal error", retryable=True)

    def _validating(self, verified: int, total: int) -> None:
        self._tell(Validating(verified, total))

    def _tell(self, event: Event) -> None:
        self.latest = event
        self.news.set()


async def _events(work: _Work) -> AsyncGenerator[bytes]:
    """What becomes of the work, line by line; the work stops when nobody listens any more.

    Of events that come faster than they are taken, the latest counts.
    """
    task = asyncio.create_task(work.outcome())
    try:
        while not task.done():
            news = asyncio.create_task(work.news.wait())
            try:
                await asyncio.wait(
                    {task, news}, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                news.cancel()
            if not task.done():
                work.news.clear()
                yield _line(work.latest)
        yield _line(task.result())
    finally:
        task.cancel()


def _line(event: Event) -> bytes:
    return msgspec.json.encode(event) + b"\n"


class _Events(StreamingResponse):
    """The base class stops when the client leaves; so does the work, and not at some later time."""

    def __init__(self, events: AsyncGenerator[bytes], *, media_type: str) -> None:
        super().__init__(events, media_type=media_type)
        self._events = events

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._events):
            await super().stream_response(send)
