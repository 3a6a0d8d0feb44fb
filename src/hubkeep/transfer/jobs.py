# SPDX-License-Identifier: Apache-2.0
"""Tidying of large files: uploads that nobody went on with, and bytes that nobody refers to.

Each may be broken off and run again at any time, and several may run at once.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from hubkeep.blobs import BlobMissing, StoredKey, StoreUnavailable, whole_key
from hubkeep.kit.time import DAY, Millis
from hubkeep.transfer.grants import UPLOAD_SECONDS
from hubkeep.transfer.queries_collecting import (
    Orphan,
    SpareCopy,
    adopt_orphans,
    collect_file,
    drop_copy,
    needed_copies,
    recall_copy,
    retire_files,
    spare_copies,
    unlinked_files,
)
from hubkeep.transfer.queries_uploads import known_store_uploads, take_stale_uploads
from hubkeep.transfer.rules import is_sha256

if TYPE_CHECKING:
    from hubkeep.app import App

log = logging.getLogger("hubkeep.transfer")

GRACE: Millis = 7 * DAY
"""How long bytes stay after the last repository let go of them."""
LEAST_GRACE: Millis = 3 * DAY
"""Longer than any upload takes whose address was given before: see `queries_collecting`."""
STALE: Millis = 2 * UPLOAD_SECONDS * 1000
"""When an upload in parts is given up, after its addresses were last asked for."""

_AT_ONCE = 100


class Freed(NamedTuple):
    """What was cleared away: how many, and how many bytes these had in the store."""

    count: int
    size: int

    def and_also(self, size: int | None) -> "Freed":
        """Return this and one more; None is one that was wanted again."""
        return self if size is None else Freed(self.count + 1, self.size + size)


NOTHING_FREED = Freed(0, 0)


async def sweep_uploads(app: "App") -> int:
    """Forget uploads in parts that nobody went on with, and what broken writes left in the store.

    Returns how many uploads went.
    """
    gone = 0
    before = app.clock() - STALE
    while stale := await app.db.write(lambda conn: take_stale_uploads(conn, before, _AT_ONCE)):
        for store_upload in stale:
            await app.blobs.abort_upload(store_upload)
        gone += len(stale)
    gone += await _sweep_unknown(app, before)
    await app.blobs.sweep(timedelta(milliseconds=STALE))
    return gone


async def _sweep_unknown(app: "App", before: Millis) -> int:
    """Abort what the store has begun and no row knows: a process died between the two."""
    limit = _moment(before)
    names = [one.upload async for one in app.blobs.uploads() if one.started < limit]
    known = await app.db.read(lambda conn: known_store_uploads(conn, names))
    for name in names:
        if name not in known:
            await app.blobs.abort_upload(name)
    return len(set(names) - known)


async def collect_files(app: "App", grace: Millis = GRACE) -> Freed:
    """Delete files that no repository has referred to for `grace`.

    One transaction each, so that on SQLite other writers get between. ValueError for a grace that
    an upload may outlast.
    """
    if grace < LEAST_GRACE:
        raise ValueError(f"the grace time must be at least {LEAST_GRACE // DAY} days")
    delete_blob = blob_deleter(app)
    before = app.clock() - grace
    freed = NOTHING_FREED
    while ids := await app.db.read(lambda conn: unlinked_files(conn, before, _AT_ONCE)):
        for file_id in await app.db.write(partial(retire_files, ids=ids, before=before)):
            collect = partial(collect_file, file_id=file_id, before=before, now=app.clock())
            freed = freed.and_also(await app.db.write(partial(collect, delete_blob=delete_blob)))
    return freed


async def drop_spare_copies(app: "App") -> Freed:
    """Delete whole copies of files that are stored as chunks, once nobody reads them any more.

    An address on S3 that was given before holds for a day.
    """
    delete_blob = blob_deleter(app)
    before = app.clock() - LEAST_GRACE
    freed = NOTHING_FREED
    while ids := await app.db.read(lambda conn: spare_copies(conn, before, _AT_ONCE)):
        for file_id in ids:
            drop = partial(drop_copy, file_id=file_id, before=before, delete_blob=delete_blob)
            freed = freed.and_also(await app.db.write(drop))
    return freed


async def recall_copies(app: "App") -> int:
    """Take whole copies that were to go for files whose chunks have been found to be damaged.

    Returns how many.
    """
    recalled, after = 0, 0
    while copies := await app.db.read(partial(needed_copies, after=after, limit=_AT_ONCE)):
        for copy in copies:
            if await _is_good(app, copy):
                recalled += await app.db.write(partial(recall_copy, copy=copy))
        after = copies[-1].file_id
    return recalled


async def _is_good(app: "App", copy: SpareCopy) -> bool:
    """Whether a copy is there and the file: some are spare because they were damaged."""
    hashed = hashlib.sha256()
    loop = asyncio.get_running_loop()
    try:
        async with aclosing(app.blobs.open(whole_key(copy.sha256.hex()))) as pieces:
            async for piece in pieces:
                await loop.run_in_executor(app.crunch, hashed.update, piece)
    except (BlobMissing, StoreUnavailable) as error:
        log.warning("the whole copy of the file %s cannot be read: %s", copy.sha256.hex(), error)
        return False
    return hashed.digest() == copy.sha256


def blob_deleter(app: "App") -> Callable[[str], None]:
    """Return a function that deletes a blob, for a transaction in another thread to call."""
    loop = asyncio.get_running_loop()

    def delete_blob(key: str) -> None:
        asyncio.run_coroutine_threadsafe(app.blobs.delete(key), loop).result()

    return delete_blob


async def find_orphans(app: "App") -> int:
    """Give bytes without a row one, so that they are collected in time; return how many.

    Walks the whole store.
    """
    adopted = 0
    some: list[Orphan] = []
    async for stored in older_keys(app, "sha256"):
        name = stored.key.rpartition("/")[2]
        if is_sha256(name):
            some.append(Orphan(bytes.fromhex(name), stored.size))
        if len(some) == _AT_ONCE:
            adopted += await _adopt(app, some)
            some = []
    return adopted + await _adopt(app, some)


async def older_keys(app: "App", folder: str) -> AsyncGenerator[StoredKey, None]:
    """Yield what the store has in a folder, but for what may just have come and get its row now."""
    limit = _moment(app.clock() - STALE)
    async for stored in app.blobs.keys(folder):
        if stored.modified < limit:
            yield stored


async def _adopt(app: "App", some: list[Orphan]) -> int:
    return await app.db.write(lambda conn: adopt_orphans(conn, some, app.clock()))


def _moment(at: Millis) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
