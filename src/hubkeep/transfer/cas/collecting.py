# SPDX-License-Identifier: Apache-2.0
"""Clearing away xorbs that no file needs; `queries_collecting` says why no upload suffers.

Each may be broken off and run again at any time, and several may run at once.
"""

from functools import partial
from typing import TYPE_CHECKING

from hubkeep.kit.time import DAY
from hubkeep.transfer.cas.queries_collecting import (
    StoredXorb,
    adopt_xorbs,
    collect_xorb,
    retire_xorbs,
    unlinked_xorbs,
)
from hubkeep.transfer.jobs import NOTHING_FREED, Freed, blob_deleter, older_keys
from hubkeep.xet.hashes import BadHash, from_text

if TYPE_CHECKING:
    from hubkeep.app import App

MOST_AT_A_TIME = 10_000
"""Xorbs that the hourly job clears away, at most: some 600 GB."""

_AT_ONCE = 100


async def collect_xorbs(app: "App", most: int | None = None) -> Freed:
    """Delete xorbs that no file has needed for `xet_grace_days`, `most` of them (None: all).

    One transaction each, so that on SQLite other writers get between.
    """
    delete_blob = blob_deleter(app)
    before = app.clock() - app.config.xet_grace_days * DAY
    freed = NOTHING_FREED
    while most is None or freed.count < most:
        ids = await app.db.read(lambda conn: unlinked_xorbs(conn, before, _AT_ONCE))
        if not ids:
            break
        retire = partial(retire_xorbs, ids=ids, before=before)
        for xorb_id in await app.db.write(retire):
            collect = partial(collect_xorb, xorb_id=xorb_id, before=before, delete_blob=delete_blob)
            freed = freed.and_also(await app.db.write(collect))
    return freed


async def find_stray_xorbs(app: "App") -> int:
    """Give xorbs' bytes without a row one, so that they are collected in time; return how many.

    Walks the whole store.
    """
    adopted = 0
    some: list[StoredXorb] = []
    async for stored in older_keys(app, "xorbs"):
        try:
            some.append(StoredXorb(from_text(stored.key.rpartition("/")[2]), stored.size))
        except BadHash:
            continue
        if len(some) == _AT_ONCE:
            adopted += await _adopt(app, some)
            some = []
    return adopted + await _adopt(app, some)


async def _adopt(app: "App", some: list[StoredXorb]) -> int:
    return await app.db.write(lambda conn: adopt_xorbs(conn, some, app.clock()))
