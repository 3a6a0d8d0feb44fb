# SPDX-License-Identifier: Apache-2.0
"""Upload grants: what hf_xet asks before each xorb, and xorbs that go to S3 past the hub."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import update

from hubkeep.blobs import xorb_key
from hubkeep.db.tables import repos, xorbs
from hubkeep.transfer.cas.queries_epoch import renew_epoch
from hubkeep.xet.xorb import MAX_XORB, Scheme, footer, read_xorb
from tests.harness.s3 import ACCESS_KEY, SECRET_KEY
from tests.transfer.cas.parcels import parcel, post, whole
from tests.transfer.cas.world import Store, Xorb, make_xorb, row_of, store_of
from tests.transfer.town import Town, town_at

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ann(town: Town) -> Store:
    town.repo("ann/m")
    return await store_of(town, "ann", "ann/m")


@pytest.fixture
async def s3_town(
    s3_endpoint: str, s3_client: object, database_url: str, tmp_path: Path
) -> AsyncIterator[Town]:
    """A hub with S3 behind it, which clients reach by themselves."""
    place = f"s3://files/{tmp_path.name}-{os.urandom(4).hex()}?endpoint={s3_endpoint}"
    settings = {"blobs_url": place, "s3_access_key": ACCESS_KEY, "s3_secret_key": SECRET_KEY}
    async with town_at(database_url, tmp_path / "data", **settings) as town:
        town.repo("ann/m")
        yield town


@pytest.fixture
async def direct(s3_town: Town) -> Store:
    """Ann's way to a store whose clients put xorbs into S3."""
    return await store_of(s3_town, "ann", "ann/m")


async def ask(store: Store, xorb: Xorb, length: int | None = None) -> httpx2.Response:
    """Ask for a grant as hf_xet 1.8 does."""
    checksum = {"algo": "crc64nvme", "value": "12345678901234567890"}
    body = {"length": len(xorb.body) if length is None else length, "checksum": checksum}
    return await store.call("POST", f"/v1/xorb-grants/default/{xorb.name}", json=body)


async def grant(store: Store, xorb: Xorb, length: int | None = None) -> dict:
    answer = await ask(store, xorb, length)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def put(given: dict, body: bytes) -> httpx2.Response:
    async with httpx2.AsyncClient() as outside:
        return await outside.request(
            given["method"], given["url"], headers=given["headers"], content=body
        )


async def commit(store: Store, xorb: Xorb, given: dict) -> httpx2.Response:
    return await store.call("POST", f"/v1/xorb-commits/default/{xorb.name}/grant/{given['id']}")


async def sent(store: Store, xorb: Xorb, body: bytes | None = None) -> httpx2.Response:
    """Send a xorb to S3, and commit it."""
    body = xorb.body if body is None else body
    given = await grant(store, xorb, len(body))
    assert (await put(given, body)).status_code == 200
    return await commit(store, xorb, given)


def mark(town: Town, xorb: Xorb, **columns: object) -> None:
    statement = update(xorbs).where(xorbs.c.hash == xorb.hash).values(**columns)
    town.app.db.write_now(lambda conn: conn.execute(statement))


class TestWhatIsThere:
    async def test_a_xorb_that_is_not_there_goes_through_the_hub(self, ann: Store):
        xorb = make_xorb()
        assert (await ask(ann, xorb)).status_code == 404
        assert row_of(ann.town, xorb) is None

    async def test_what_one_has_sent_is_there_and_is_kept(self, ann: Store):
        """Its client sends nothing now, but a shard later: it counts as fresh from here on."""
        xorb = make_xorb()
        await ann.upload(xorb)
        ann.town.time.pass_days(10)
        ann = await store_of(ann.town, "ann", "ann/m")
        answer = await ask(ann, xorb)
        assert (answer.status_code, answer.content) == (200, b"{}")
        assert row_of(ann.town, xorb).unlinked_at == ann.town.time()

    async def test_what_is_in_a_file_stays_so(self, ann: Store):
        xorb = make_xorb()
        await ann.upload(xorb)
        assert (await post(ann, parcel(whole(xorb), xorbs=[xorb]))).status_code == 200
        assert (await ask(ann, xorb)).status_code == 200
        assert row_of(ann.town, xorb).unlinked_at is None

    @pytest.mark.parametrize("private", [False, True])
    async def test_what_others_have_only_if_one_can_read_it(self, ann: Store, private: bool):
        ann.town.repo("bob/m")
        bob = await store_of(ann.town, "bob", "bob/m")
        xorb = make_xorb()
        await ann.upload(xorb)
        assert (await ask(bob, xorb)).status_code == 404  # it is in no file
        assert (await post(ann, parcel(whole(xorb), xorbs=[xorb]))).status_code == 200
        hidden = update(repos).where(repos.c.id == ann.town.ids["ann/m"]).values(private=private)
        ann.town.app.db.write_now(lambda conn: conn.execute(hidden))
        answer = await ask(bob, xorb)
        assert answer.status_code == (404 if private else 200)
        if not private:
            assert (await post(bob, parcel(whole(xorb)))).status_code == 200

    async def test_a_hub_that_shares_all(self, sqlite_url: str, tmp_path: Path):
        async with town_at(sqlite_url, tmp_path, xet_dedup="hub") as town:
            for user in ("ann", "bob"):
                town.repo(f"{user}/m")
            xorb = make_xorb()
            await (await store_of(town, "ann", "ann/m")).upload(xorb)
            bob = await store_of(town, "bob", "bob/m")
            assert (await ask(bob, xorb)).status_code == 200
            assert (await post(bob, parcel(whole(xorb)))).status_code == 200

    async def test_what_is_damaged_or_half_there_is_not(self, ann: Store):
        xorb = make_xorb()
        await ann.upload(xorb)
        mark(ann.town, xorb, damaged_at=1)
        assert (await ask(ann, xorb)).status_code == 404
        mark(ann.town, xorb, damaged_at=None, ready=False)
        assert (await ask(ann, xorb)).status_code == 404
        await ann.upload(xorb)
        assert (await ask(ann, xorb)).status_code == 200


class TestPastTheHub:
    async def test_a_xorb_goes_to_s3_and_is_checked(self, direct: Store):
        xorb = make_xorb()
        given = await grant(direct, xorb)
        assert given.keys() == {"id", "method", "url", "headers"}
        assert not given["url"].startswith(direct.url)
        assert row_of(direct.town, xorb) is None
        assert (await put(given, xorb.body)).status_code == 200

        answer = await commit(direct, xorb, given)

        assert (answer.status_code, answer.json()) == (200, {"was_inserted": True})
        row = row_of(direct.town, xorb)
        assert (row.ready, row.size, row.chunks) == (True, len(xorb.body), 3)
        assert await stored(direct.town, xorb) == xorb.body
        assert (await ask(direct, xorb)).status_code == 200
        assert (await post(direct, parcel(whole(xorb), xorbs=[xorb]))).status_code == 200

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda xorb: xorb.body[:-1] + bytes([xorb.body[-1] ^ 1]),
            lambda _: make_xorb([os.urandom(9000)], Scheme.NONE).body,
            lambda xorb: xorb.body[:-1],
            lambda _: os.urandom(100),
            lambda xorb: xorb.body + footer(*read_xorb(xorb.body)),
        ],
        ids=["flipped", "another", "cut", "noise", "footer"],
    )
    async def test_other_bytes_than_named(self, direct: Store, spoil):
        xorb = make_xorb()
        body = spoil(xorb)
        answer = await sent(direct, xorb, body)
        assert answer.status_code == 400, answer.text
        assert await stored(direct.town, xorb) is None
        assert not row_of(direct.town, xorb).ready
        assert (await ask(direct, xorb)).status_code == 201

    async def test_putting_twice_changes_nothing(self, direct: Store):
        xorb = make_xorb()
        given = await grant(direct, xorb)
        await put(given, xorb.body)
        assert (await commit(direct, xorb, given)).status_code == 200
        await put(given, bytes(len(xorb.body)))
        assert await stored(direct.town, xorb) == xorb.body
        assert (await commit(direct, xorb, given)).status_code in (400, 404)
        assert await stored(direct.town, xorb) == xorb.body
        assert row_of(direct.town, xorb).ready

    async def test_a_commit_without_bytes_or_twice_asks_for_another_grant(self, direct: Store):
        xorb = make_xorb()
        given = await grant(direct, xorb)
        assert (await commit(direct, xorb, given)).status_code == 404
        await put(given, xorb.body)
        assert (await commit(direct, xorb, given)).status_code == 200
        assert (await commit(direct, xorb, given)).status_code == 404
        assert (await ask(direct, xorb)).status_code == 200

    async def test_another_encoding_of_what_is_there(self, direct: Store):
        """The first bytes stay, and what is known of them stays true."""
        chunks = [bytes(5000), os.urandom(3000)]
        first, other = make_xorb(chunks, Scheme.LZ4), make_xorb(chunks, Scheme.NONE)
        assert (await sent(direct, first)).status_code == 200
        bob_repo = direct.town.repo("bob/m")
        assert bob_repo
        bob = await store_of(direct.town, "bob", "bob/m")
        assert (await sent(bob, other)).json() == {"was_inserted": True}
        assert row_of(direct.town, first).size == len(first.body)
        assert await stored(direct.town, first) == first.body

    async def test_what_is_damaged_is_healed_through_the_hub(self, direct: Store):
        xorb = make_xorb()
        given = await grant(direct, xorb)
        await put(given, xorb.body)
        await direct.upload(xorb)
        await direct.town.app.blobs.delete(xorb_key(xorb.name))
        mark(direct.town, xorb, damaged_at=1)
        assert (await commit(direct, xorb, given)).status_code == 404
        assert (await ask(direct, xorb)).status_code == 404
        await direct.upload(xorb)
        assert await stored(direct.town, xorb) == xorb.body
        assert row_of(direct.town, xorb).damaged_at is None

    async def test_a_hub_between_client_and_s3(
        self, s3_endpoint: str, s3_client: object, sqlite_url: str, tmp_path: Path
    ):
        place = f"s3://files/{os.urandom(4).hex()}?endpoint={s3_endpoint}&direct=no"
        settings = {"blobs_url": place, "s3_access_key": ACCESS_KEY, "s3_secret_key": SECRET_KEY}
        async with town_at(sqlite_url, tmp_path, **settings) as town:
            town.repo("ann/m")
            ann = await store_of(town, "ann", "ann/m")
            xorb = make_xorb()
            assert (await ask(ann, xorb)).status_code == 404
            await ann.upload(xorb)
            assert await stored(town, xorb) == xorb.body


class TestGrantsThatDoNotHold:
    async def test_of_another_user_repository_or_xorb(self, direct: Store):
        town, xorb, other = direct.town, make_xorb(), make_xorb()
        for repo in ("ann/n", "bob/m"):
            town.repo(repo)
        given = await grant(direct, xorb)
        await put(given, xorb.body)
        for store, named in (
            (await store_of(town, "bob", "bob/m"), xorb),
            (await store_of(town, "ann", "ann/n"), xorb),
            (direct, other),
        ):
            assert (await commit(store, named, given)).status_code == 404
        assert row_of(town, other) is None
        assert (await commit(direct, xorb, given)).status_code == 200

    async def test_altered_or_expired(self, direct: Store):
        xorb = make_xorb()
        given = await grant(direct, xorb)
        await put(given, xorb.body)
        for spoilt in ("x", given["id"][:-2], "0" * 32 + "-5", f"{given['id']}x", direct.token):
            assert (await commit(direct, xorb, {"id": spoilt})).status_code == 404
        direct.town.time.pass_days(0.1)
        again = await store_of(direct.town, "ann", "ann/m")
        assert (await commit(again, xorb, given)).status_code == 404
        assert row_of(direct.town, xorb) is None


class TestRefused:
    async def test_tokens(self, ann: Store):
        town, xorb = ann.town, make_xorb()
        reading = await store_of(town, "ann", "ann/m", "read")
        assert (await ask(reading, xorb)).status_code == 403
        assert (await commit(reading, xorb, {"id": "x"})).status_code == 403
        for token in (None, "x", "hf_ann", f"{ann.token}x"):
            nobody = Store(town, ann.url, token)
            assert (await ask(nobody, xorb)).status_code == 401
            assert (await commit(nobody, xorb, {"id": "x"})).status_code == 401
        town.app.db.write_now(renew_epoch)
        assert (await ask(ann, xorb)).status_code == 404

    async def test_a_user_who_may_not_write_any_more(self, ann: Store):
        xorb = make_xorb()
        lost = update(repos).where(repos.c.id == ann.town.ids["ann/m"])
        ann.town.user("dan")
        lost = lost.values(owner_id=ann.town.ids["dan"], creator_id=None)
        ann.town.app.db.write_now(lambda conn: conn.execute(lost))
        assert (await ask(ann, xorb)).status_code == 403

    async def test_bodies_and_names(self, ann: Store):
        xorb = make_xorb()
        path = f"/v1/xorb-grants/default/{xorb.name}"
        for body in (b"", b"{}", b"[]", b'{"length":0}', b'{"length":-1}', b'{"length":"x"}'):
            assert (await ann.call("POST", path, content=body)).status_code == 400, body
        assert (await ask(ann, xorb, MAX_XORB)).status_code == 404
        assert (await ask(ann, xorb, MAX_XORB + 1)).status_code == 413
        upper = f"/v1/xorb-grants/default/{xorb.name.upper()}"
        assert (await ann.call("POST", upper, json={"length": 5})).status_code == 400
        other = f"/v1/xorb-grants/other/{xorb.name}"
        assert (await ann.call("POST", other, json={"length": 5})).status_code == 404


async def stored(town: Town, xorb: Xorb) -> bytes | None:
    """The bytes under the name of a xorb."""
    key = xorb_key(xorb.name)
    size = await town.app.blobs.size(key)
    return None if size is None else await town.app.blobs.read(key, 0, size)
