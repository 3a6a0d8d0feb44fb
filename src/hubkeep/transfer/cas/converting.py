# SPDX-License-Identifier: Apache-2.0
"""Turning files that came by git-lfs into chunks, where `xet_convert` is on.

A whole file shares nothing with its relatives. Here it is read, and sent by hf_xet to the hub's own
chunk store, as a client would send it: to a repository that holds it, as somebody who may write
there. The hub computes the sha256 of what came (`checking`), and finds that it is the file that it
has; the two become one. Then its whole copy is spare, and deleted a few days later
(`transfer.jobs.drop_spare_copies`). It keeps its oid, and is there all the time.

All of this may be broken off anywhere, and is done again or gone on with by the next run.
"""

import asyncio
import hashlib
import logging
from contextlib import aclosing
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from hubkeep.blobs import BlobMissing, whole_key
from hubkeep.config import Config
from hubkeep.kit.time import DAY
from hubkeep.transfer.cas.access import sign_token
from hubkeep.transfer.cas.checking import check_files
from hubkeep.transfer.cas.queries_converting import (
    Progress,
    Whole,
    Writer,
    file_in_chunks,
    next_whole,
    note_progress,
    progress,
    release_whole_copies,
    writer_for,
)
from hubkeep.transfer.cas.queries_epoch import current_epoch
from hubkeep.xet.hashes import from_text

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.transfer")

CONVERT_EVERY = 60_000
"""Milliseconds from one run of the background job to the next."""
MOST_A_RUN = 1 << 30
"""Bytes after which a run begins no other file: other jobs want their turn."""

_AT_ONCE = 500
_ENGINE_ERRORS = (OSError, RuntimeError, ValueError)
_MEMORY_OF_USER = 100_000_000  # bytes; of 2,000,000 chunks, which are some 130 GB
_LEAST_SPEED = 1 << 20  # bytes a second, for how long a token is to hold


def can_convert() -> bool:
    """Say whether what converting needs is installed."""
    return find_spec("hf_xet") is not None


def own_address(config: Config) -> str | None:
    """Return where the hub is reached from this machine; None where the settings do not say."""
    if config.base_url:
        return config.base_url
    if config.port == 0:
        return None
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(config.host, config.host)  # noqa: S104
    return f"http://{f'[{host}]' if host.count(':') > 1 and host[0] != '[' else host}:{config.port}"


async def convert_some(app: "App") -> int:
    """Turn some of the files into chunks that were not tried today; return how many were."""
    address = own_address(app.config)
    if not app.config.xet_convert or not can_convert() or address is None:
        return 0
    at = await app.db.read(progress) or Progress(0, app.clock())
    converted, left = 0, MOST_A_RUN
    while (file := await app.db.read(partial(next_whole, after=at.after))) is not None:
        # Noted first, so that a file that ends the process does not do so every minute.
        at = Progress(file.id, at.begun)
        await app.db.write(partial(note_progress, now=at))
        try:
            converted += await _convert(app, address, file)
        except _ENGINE_ERRORS as error:
            # Others may fail for the same reason, each after many attempts.
            log.warning("the file %s is not turned into chunks: %s", file.sha256.hex(), error)
            return converted
        left -= file.size
        if left <= 0:
            return converted
    if app.clock() - at.begun >= DAY:
        await app.db.write(partial(note_progress, now=Progress(0, app.clock())))
    return converted


async def release_copies(app: "App") -> int:
    """Mark the whole copies of all files that are there in chunks too as spare; how many."""
    if not app.config.xet_convert:
        return 0
    released = 0
    while some := await app.db.write(
        partial(release_whole_copies, now=app.clock(), limit=_AT_ONCE)
    ):
        released += some
    return released


async def _convert(app: "App", address: str, file: Whole) -> bool:
    """Turn a file into chunks; False, with a line in the log, where it cannot be.

    Raises _ENGINE_ERRORS.
    """
    oid = file.sha256.hex()
    writer = await app.db.read(partial(writer_for, file_id=file.id))
    if writer is None:
        log.warning("the file %s is not turned into chunks: nobody may write where it is", oid)
        return False
    xet_hash = await _send(app, address, file, writer)
    if xet_hash is None:
        log.error("the file %s is not turned into chunks: its bytes are missing or others", oid)
        return False
    found = await app.db.read(partial(file_in_chunks, xet_hash=xet_hash))
    if found is not None:
        await check_files(app, [found])
    return True


async def _send(app: "App", address: str, file: Whole, writer: Writer) -> bytes | None:
    """Send a file to the chunk store; return its Xet hash, None if it is not what it should be."""
    engine = _engine()
    epoch = await app.db.read(current_epoch)
    seconds = 3600 + file.size // _LEAST_SPEED
    token = sign_token(app, writer.actor, writer.repo_id, epoch, may_write=True, seconds=seconds)
    commit = await asyncio.to_thread(
        engine.XetSession(_config(engine, writer)).new_upload_commit,
        endpoint=f"{address}/cas/{epoch}",
        token=token,
        token_expiry_unix_secs=app.clock() // 1000 + seconds,
    )
    stream = await asyncio.to_thread(commit.start_upload_stream, sha256=engine.SKIP_SHA256)
    is_good = False
    try:
        is_good = await _stream(app, file, stream)
    finally:
        if not is_good:
            await asyncio.to_thread(commit.abort)
    if not is_good:
        return None
    sent = await asyncio.to_thread(stream.finish)
    await asyncio.to_thread(commit.wait_to_finish)
    return from_text(sent.xet_info.hash)


def _config(engine: Any, writer: Writer) -> Any:  # noqa: ANN401 -- hf_xet's
    """What hf_xet remembers of chunks that it has sent, it remembers for each user apart: the hub
    refuses to build on those that others have sent and this one cannot read.
    """
    return engine.XetConfig().with_config(
        {
            "telemetry.enabled": False,
            "shard.cache_subdir": f"shards-of-{writer.actor.user_id}",
            "shard.cache_size_limit": _MEMORY_OF_USER,
        }
    )


async def _stream(app: "App", file: Whole, stream: Any) -> bool:  # noqa: ANN401 -- hf_xet's
    """Hand over the bytes of a whole copy; whether they are those of the file."""
    hashed = hashlib.sha256()

    def take(piece: bytes) -> None:
        hashed.update(piece)
        stream.write(piece)

    try:
        async with aclosing(app.blobs.open(whole_key(file.sha256.hex()))) as pieces:
            async for piece in pieces:
                await asyncio.to_thread(take, piece)
    except BlobMissing:
        return False
    return hashed.digest() == file.sha256


def _engine() -> Any:  # noqa: ANN401 -- it has no types
    return import_module("hf_xet")
