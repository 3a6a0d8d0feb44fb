# SPDX-License-Identifier: Apache-2.0
"""Whole copies of files in chunks, which go a while later: not where they are all that is left."""

import pytest
from sqlalchemy import Row, select, update

from hubkeep.blobs import whole_key, xorb_key
from hubkeep.db.tables import files, xorbs
from hubkeep.transfer.cas.checking import check_files
from hubkeep.transfer.cas.queries_converting import release_whole_copies
from hubkeep.transfer.cas.scrubbing import scrub_xorb
from hubkeep.transfer.cas.spare import clear_away, count_kinds
from hubkeep.transfer.jobs import drop_spare_copies, recall_copies
from tests.transfer.cas.parcels import Sent, keep, parcel, post, whole
from tests.transfer.cas.world import Xorb, make_xorb, store_of
from tests.transfer.town import Town

pytestmark = pytest.mark.anyio


async def twofold(town: Town) -> tuple[Xorb, Sent]:
    """A file that came by git-lfs and is there in chunks too; its whole copy is spare."""
    xorb = make_xorb()
    sent = whole(xorb)
    town.repo("ann/m")
    await town.upload("ann", "ann/m", sent.content)
    store = await store_of(town, "ann", "ann/m")
    await keep(town, "ann", xorb)
    assert (await post(store, parcel(sent))).status_code == 200
    await settle_all(town)
    town.app.db.write_now(lambda conn: release_whole_copies(conn, town.time(), 10))
    row = file_row(town)
    assert (row.whole, row.spare_since) == (False, town.time())
    return xorb, sent


async def settle_all(town: Town) -> None:
    ids = town.app.db.read_now(lambda conn: conn.execute(select(files.c.id)).scalars().all())
    await check_files(town.app, ids)


def file_row(town: Town) -> Row:
    return town.app.db.read_now(lambda conn: conn.execute(select(files)).one())


async def is_stored_whole(town: Town, sent: Sent) -> bool:
    return await town.app.blobs.size(whole_key(sent.sha256.hex())) is not None


async def break_xorb(town: Town, xorb: Xorb) -> None:
    await town.app.blobs.delete(xorb_key(xorb.name))
    assert (await scrub_xorb(town.app, xorb.hash)).problem


async def test_it_goes_while_the_chunks_are_good(town: Town):
    _, sent = await twofold(town)
    town.time.pass_days(4)
    assert await recall_copies(town.app) == 0
    assert (await drop_spare_copies(town.app)).count == 1
    assert not await is_stored_whole(town, sent)


async def test_it_stays_and_is_the_file_again_where_chunks_are_damaged(town: Town):
    xorb, sent = await twofold(town)
    await break_xorb(town, xorb)
    town.time.pass_days(4)

    assert (await clear_away(town.app))["copies"] == (0, 0)
    assert await is_stored_whole(town, sent)
    counted = town.app.db.read_now(lambda conn: count_kinds(conn, 30, town.time()))
    assert {one.kind.name: one.totals.due.count for one in counted}["copies"] == 0
    assert await recall_copies(town.app) == 1

    row = file_row(town)
    assert (row.whole, row.spare_since) == (True, None)
    assert await recall_copies(town.app) == 0


@pytest.mark.parametrize("left", [None, b"other bytes"])
async def test_one_that_is_gone_or_damaged_is_not_promised(town: Town, left: bytes | None):
    xorb, sent = await twofold(town)
    await break_xorb(town, xorb)
    path = town.app.blobs.local_path(whole_key(sent.sha256.hex()))
    path.unlink()
    if left is not None:
        path.write_bytes(left)
    assert await recall_copies(town.app) == 0
    assert not file_row(town).whole


async def test_it_goes_once_the_chunks_are_healed(town: Town):
    xorb, sent = await twofold(town)
    await break_xorb(town, xorb)
    healed = update(xorbs).values(damaged_at=None)
    town.app.db.write_now(lambda conn: conn.execute(healed))
    town.time.pass_days(4)
    assert (await drop_spare_copies(town.app)).count == 1
    assert not await is_stored_whole(town, sent)
