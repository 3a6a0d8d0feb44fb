# SPDX-License-Identifier: Apache-2.0
"""Whole copies that are known to be damaged: not sent, and whole again when somebody sends them."""

import pytest
from sqlalchemy import Connection, Row, select

from hubkeep.blobs import whole_key
from hubkeep.db.tables import files, repo_files
from hubkeep.kit.ids import new_id
from hubkeep.transfer.cas.checking import check_files
from hubkeep.transfer.cas.queries_scrubbing import Due
from hubkeep.transfer.cas.scrubbing import scrub_files
from hubkeep.transfer.jobs import drop_spare_copies
from hubkeep.transfer.rules import PART_SIZE
from tests.transfer.cas.parcels import made_of, parcel, post
from tests.transfer.cas.stored import put_bytes
from tests.transfer.cas.world import make_xorb, store_of
from tests.transfer.town import Town, as_user, sha

pytestmark = pytest.mark.anyio

CHUNKS = [b"weights" * 100, b"more weights" * 100]
CONTENT = b"".join(CHUNKS)
KEY = whole_key(sha(CONTENT))


@pytest.fixture
async def damaged(town: Town) -> Town:
    """A hub that has found out that what ann pushed is damaged."""
    town.repo("ann/m")
    await town.upload("ann", "ann/m", CONTENT)
    await put_bytes(town, KEY, b"?" + CONTENT[1:])
    await read_again(town)
    assert row(town).damaged_at is not None
    return town


async def read_again(town: Town) -> None:
    town.time.now += 1
    async for _ in scrub_files(town.app, Due(town.time())):
        pass


def row(town: Town) -> Row:
    query = select(files).where(files.c.sha256 == bytes.fromhex(sha(CONTENT)))
    return town.app.db.read_now(lambda conn: conn.execute(query).one())


async def download(town: Town, user: str = "ann") -> bytes | int:
    """What git-lfs gets: the bytes, or the status of an error."""
    actions = await town.actions(user, "ann/m", CONTENT, operation="download")
    answer = await town.client.get(actions["download"]["href"], headers=as_user(user))
    return answer.content if answer.status_code == 200 else answer.status_code


async def test_what_is_damaged_is_not_sent(damaged: Town):
    assert await download(damaged) == 500
    actions = await damaged.actions("ann", "ann/m", CONTENT, operation="download")
    head = await damaged.client.head(actions["download"]["href"], headers=as_user("ann"))
    assert head.headers["content-length"] == str(len(CONTENT))


async def test_it_is_asked_for_and_takes_the_place_of_what_is_damaged(damaged: Town):
    await damaged.upload("ann", "ann/m", CONTENT)
    assert await download(damaged) == CONTENT
    assert (row(damaged).damaged_at, row(damaged).checked_at) == (None, damaged.time())
    assert await damaged.actions("ann", "ann/m", CONTENT) is None
    await read_again(damaged)
    assert row(damaged).damaged_at is None


async def test_whoever_sends_it_mends_it_for_all(damaged: Town):
    damaged.repo("bob/m")
    await damaged.upload("bob", "bob/m", CONTENT)
    assert await download(damaged) == CONTENT


async def test_a_size_that_is_wrong_is_still_refused(damaged: Town):
    asked = {"oid": sha(CONTENT), "size": 5}
    [answer] = (await damaged.batch("ann", "ann/m", asked)).json()["objects"]
    assert answer["error"]["code"] == 422


async def test_it_has_to_come_in_one_piece(town: Town, monkeypatch: pytest.MonkeyPatch):
    """Joining parts would keep what is there."""
    town.repo("ann/m")
    large = {"oid": "ab" * 32, "size": PART_SIZE + 1}

    def ask() -> dict[str, object]:
        return {"transfers": ["basic", "multipart"]}

    [new] = (await town.batch("ann", "ann/m", large, **ask())).json()["objects"]
    assert "chunk_size" in new["actions"]["upload"]["header"]

    def add(conn: Connection) -> None:
        sha256 = bytes.fromhex(large["oid"])
        made = conn.execute(
            files.insert().values(sha256=sha256, size=large["size"], created_at=0, damaged_at=1)
        )
        link = {"repo_id": town.ids["ann/m"], "file_id": made.inserted_primary_key[0]}
        conn.execute(
            repo_files.insert().values(**link, public_id=new_id(), pushed_at=0, oid=sha256)
        )

    town.app.db.write_now(add)
    [again] = (await town.batch("ann", "ann/m", large, **ask())).json()["objects"]
    assert "header" not in again["actions"]["upload"]


async def test_sent_by_xet_it_is_read_from_its_chunks(damaged: Town):
    xorb = make_xorb(CHUNKS)
    store = await store_of(damaged, "ann", "ann/m")
    await store.upload(xorb)
    sent = made_of((xorb, 0, 2))
    assert (await post(store, parcel(sent))).status_code == 200
    unchecked = select(files.c.id).where(files.c.sha256.is_(None))
    ids = damaged.app.db.read_now(lambda conn: conn.execute(unchecked).scalars().all())
    await check_files(damaged.app, ids)

    found = row(damaged)
    assert (found.whole, found.damaged_at, found.xet_hash) == (False, None, sent.hash)
    assert await download(damaged) == CONTENT
    damaged.time.pass_days(4)
    await drop_spare_copies(damaged.app)
    assert await damaged.app.blobs.size(KEY) is None
    assert await download(damaged) == CONTENT
