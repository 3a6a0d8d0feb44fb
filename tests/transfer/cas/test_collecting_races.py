# SPDX-License-Identifier: Apache-2.0
"""Requests that come while the very xorb is being collected: on PostgreSQL they really meet."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection

from hubkeep.blobs import xorb_key
from hubkeep.kit.time import DAY
from hubkeep.transfer.cas.collecting import collect_xorbs
from hubkeep.transfer.cas.queries_collecting import collect_xorb, retire_xorbs
from tests.transfer.cas.parcels import parcel, post, whole
from tests.transfer.cas.world import Store, Xorb, make_xorb, row_of, store_of
from tests.transfer.town import Town

pytestmark = pytest.mark.anyio


@pytest.fixture
async def old(town: Town) -> Xorb:
    """A xorb that ann has sent, and that is due to be collected."""
    town.repo("ann/m")
    xorb = make_xorb()
    await (await store_of(town, "ann", "ann/m")).upload(xorb)
    town.time.pass_days(31)
    return xorb


async def stored(town: Town, xorb: Xorb) -> bool:
    return await town.app.blobs.size(xorb_key(xorb.name)) is not None


async def while_retired(town: Town, xorb: Xorb, request: Callable[[Store], Awaitable[Any]]) -> Any:
    """Send a request while the first transaction of collecting is open; what is answered."""
    row = row_of(town, xorb)
    return await _while(town, lambda conn: retire_xorbs(conn, [row.id], town.time()), request)


async def while_deleted(town: Town, xorb: Xorb, request: Callable[[Store], Awaitable[Any]]) -> Any:
    """The same with the second one, when the bytes are gone already."""
    row = row_of(town, xorb)
    path = town.app.blobs.local_path(xorb_key(xorb.name))
    town.app.db.write_now(lambda conn: retire_xorbs(conn, [row.id], town.time()))

    def delete(conn: Connection) -> None:
        assert collect_xorb(conn, row.id, town.time(), lambda _key: path.unlink()) is not None

    return await _while(town, delete, request)


async def _while(
    town: Town,
    collect: Callable[[Connection], object],
    request: Callable[[Store], Awaitable[Any]],
) -> Any:
    collected, go_on = threading.Event(), threading.Event()

    def held(conn: Connection) -> None:
        collect(conn)
        collected.set()
        go_on.wait(10)

    store = await store_of(town, "ann", "ann/m")
    collecting = asyncio.create_task(town.app.db.write(held))
    await asyncio.to_thread(collected.wait, 10)
    asking = asyncio.create_task(request(store))
    done, _ = await asyncio.wait({asking}, timeout=0.2)
    go_on.set()
    assert not done
    await collecting
    return await asking


@pytest.mark.parametrize("meanwhile", [while_retired, while_deleted])
async def test_an_upload_waits_and_stores_the_bytes_anew(
    town: Town, old: Xorb, meanwhile: Callable[..., Any]
):
    answer = await meanwhile(town, old, lambda store: store.send(old))
    assert answer.status_code == 200, answer.text
    assert (await collect_xorbs(town.app)).count == 0
    assert await stored(town, old)
    assert row_of(town, old).ready

    answer = await post(await store_of(town, "ann", "ann/m"), parcel(whole(old)))
    assert answer.status_code == 200, answer.text
    town.time.pass_days(100)
    await collect_xorbs(town.app)
    assert await stored(town, old)


@pytest.mark.parametrize("meanwhile", [while_retired, while_deleted])
async def test_a_grant_waits_and_has_the_xorb_sent(
    town: Town, old: Xorb, meanwhile: Callable[..., Any]
):
    asked = {"length": 9, "checksum": {"algo": "crc64nvme", "value": "1"}}

    async def ask(store: Store) -> Any:
        return await store.call("POST", f"/v1/xorb-grants/default/{old.name}", json=asked)

    if meanwhile is while_deleted:
        # It is seen to be missing without any waiting: the first transaction has said so.
        town.app.db.write_now(lambda conn: retire_xorbs(conn, [row_of(town, old).id], town.time()))
        answer = await ask(await store_of(town, "ann", "ann/m"))
    else:
        answer = await meanwhile(town, old, ask)
    assert answer.status_code == 404, answer.text


async def test_a_shard_waits_and_is_refused(town: Town, old: Xorb):
    answer = await while_retired(town, old, lambda store: post(store, parcel(whole(old))))
    assert answer.status_code == 400, answer.text
    assert old.name in answer.json()["error"]
    assert (await collect_xorbs(town.app)).count == 1


async def test_who_comes_first_keeps_it(town: Town, old: Xorb):
    """A shard, after 31 days without a file; its xorb is not collected any more."""
    answer = await post(await store_of(town, "ann", "ann/m"), parcel(whole(old)))
    assert answer.status_code == 200, answer.text
    assert (await collect_xorbs(town.app)).count == 0
    assert row_of(town, old).unlinked_at is None


async def test_an_upload_that_takes_longer_than_the_grace_time_is_refused(town: Town, old: Xorb):
    """Its row goes in the middle; nothing promises bytes that are not there."""
    town.time.now += DAY
    inner = town.app.blobs
    slow = make_xorb()

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(inner, name)

        async def put(self, *args: Any, **how: Any) -> Any:
            stored = await inner.put(*args, **how)
            town.time.pass_days(31)
            await collect_xorbs(town.app)
            return stored

    town.hub._app = replace(town.app, blobs=Slow())
    answer = await (await store_of(town, "ann", "ann/m")).send(slow)
    assert answer.status_code == 503, answer.text
    assert row_of(town, slow) is None
    assert not await stored(town, slow)
