# SPDX-License-Identifier: Apache-2.0
"""Xorbs on their way in: what is taken, what is refused, and that nothing of it is left."""

import asyncio
import os
import struct
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from hubkeep.blobs import xorb_key
from hubkeep.db.tables import xorb_chunks
from hubkeep.transfer.cas import receiving
from hubkeep.xet.xorb import Scheme, check_xorb, footer, read_xorb
from tests.transfer.cas.world import Store, Xorb, make_xorb, row_of, store_of
from tests.transfer.town import Town, town_at

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ann(town: Town) -> Store:
    """Ann's way to the store, on each of the databases."""
    town.repo("ann/m")
    return await store_of(town, "ann", "ann/m")


@pytest.fixture
async def quick(quick_town: Town) -> Store:
    """Ann's, for what never reaches the database."""
    quick_town.repo("ann/m")
    return await store_of(quick_town, "ann", "ann/m")


async def stored(town: Town, xorb: Xorb) -> bytes | None:
    """The bytes under the name of a xorb."""
    key = xorb_key(xorb.name)
    size = await town.app.blobs.size(key)
    return None if size is None else await town.app.blobs.read(key, 0, size)


async def all_keys(town: Town) -> list[str]:
    return [found.key async for found in town.app.blobs.keys("")]


def is_known(town: Town, xorb: Xorb) -> bool:
    """Whether the row of a xorb says what is stored, and this is right."""
    row = row_of(town, xorb)
    if row is None or not row.ready:
        return False
    query = select(xorb_chunks).where(xorb_chunks.c.xorb_id == row.id)
    index = town.app.db.read_now(lambda conn: conn.execute(query).one())
    kept = check_xorb(xorb.body, xorb.hash)
    assert (index.ends, index.hashes) == (kept.ends, kept.hashes)
    assert (row.size, row.raw_size, row.chunks) == (len(xorb.body), kept.raw_size, kept.count)
    return True


class TestTaken:
    @pytest.mark.parametrize("scheme", list(Scheme))
    async def test_a_xorb_is_stored_and_known(self, ann: Store, scheme: Scheme):
        xorb = make_xorb([os.urandom(70_000), bytes(131_072), b"x"], scheme)

        answer = await ann.send(xorb)

        assert (answer.status_code, answer.json()) == (200, {"was_inserted": True})
        assert await stored(ann.town, xorb) == xorb.body
        assert is_known(ann.town, xorb)
        row = row_of(ann.town, xorb)
        assert (row.unlinked_at, row.damaged_at) == (ann.town.time(), None)

    async def test_whoever_sends_it_again_is_told_so(self, ann: Store):
        xorb = make_xorb()
        await ann.upload(xorb)
        assert (await ann.send(xorb)).json() == {"was_inserted": False}

    async def test_nobody_learns_what_others_have_sent(self, ann: Store):
        xorb = make_xorb()
        await ann.upload(xorb)
        ann.town.repo("bob/m")
        bob = await store_of(ann.town, "bob", "bob/m")
        assert (await bob.send(xorb)).json() == {"was_inserted": True}
        assert (await bob.send(xorb)).json() == {"was_inserted": False}

    async def test_a_hub_that_shares_all_says_what_is_there(self, sqlite_url: str, tmp_path):
        async with town_at(sqlite_url, tmp_path, xet_dedup="hub") as town:
            for user in ("ann", "bob"):
                town.repo(f"{user}/m")
            xorb = make_xorb()
            await (await store_of(town, "ann", "ann/m")).upload(xorb)
            bob = await store_of(town, "bob", "bob/m")
            assert (await bob.send(xorb)).json() == {"was_inserted": False}

    async def test_a_footer_is_checked_and_not_stored(self, ann: Store):
        xorb = make_xorb()
        with_footer = xorb.body + footer(*read_xorb(xorb.body))
        answer = await ann.send(xorb, content=with_footer)
        assert answer.status_code == 200
        assert await stored(ann.town, xorb) == xorb.body
        assert is_known(ann.town, xorb)

    @pytest.mark.parametrize("piece", [1, 7, 60_000, 200_000])
    async def test_pieces_of_any_size(self, quick: Store, piece: int, monkeypatch):
        monkeypatch.setattr(receiving, "_BATCH", 100_000)
        xorb = make_xorb([os.urandom(30_000) for _ in range(4 if piece < 100 else 20)])
        body = xorb.body + footer(*read_xorb(xorb.body))

        async def pieces() -> AsyncIterator[bytes]:
            for at in range(0, len(body), piece):
                yield body[at : at + piece]

        answer = await quick.send(xorb, content=pieces())  # without a Content-Length
        assert answer.status_code == 200, answer.text
        assert await stored(quick.town, xorb) == xorb.body

    async def test_as_many_chunks_as_there_may_be(self, quick: Store):
        xorb = make_xorb([struct.pack("<I", one) for one in range(8192)], Scheme.NONE)
        await quick.upload(xorb)
        assert row_of(quick.town, xorb).chunks == 8192

    async def test_two_at_once(self, ann: Store):
        xorb = make_xorb()
        ann.town.repo("bob/m")
        bob = await store_of(ann.town, "bob", "bob/m")
        answers = await asyncio.gather(*(who.send(xorb) for who in (ann, bob, ann, bob)))
        assert [one.status_code for one in answers] == [200] * 4
        assert is_known(ann.town, xorb)

    async def test_its_size_is_told_to_who_may_name_it(self, ann: Store):
        xorb, path = make_xorb(), "/v1/xorbs/default/"
        missing = await ann.call("HEAD", path + xorb.name)
        await ann.upload(xorb)
        ann.town.repo("bob/m")
        bob = await store_of(ann.town, "bob", "bob/m")
        other = await bob.call("HEAD", path + xorb.name)
        mine = await ann.call("HEAD", path + xorb.name)
        assert (mine.status_code, mine.headers["content-length"]) == (200, str(len(xorb.body)))
        assert (missing.status_code, other.status_code) == (404, 404)
        # What it is told of one that is there and not his, is what it is told of any.
        assert missing.headers["x-error-message"] == other.headers["x-error-message"]
        upper = await ann.call("HEAD", path + xorb.name.upper())
        assert upper.status_code == 400
