# SPDX-License-Identifier: Apache-2.0
"""Shards that lie, name what is not theirs, or break off: a message, and nothing that stays."""

import logging
import os
import struct
from typing import Any

import httpx2
import pytest
from sqlalchemy import delete, func, select, update

from hubkeep.db.tables import files, jobs, memberships, repo_files, repos, xorbs
from hubkeep.transfer.cas import api_shards
from hubkeep.xet.shard import MAX_SHARD, Term
from tests.transfer.cas.parcels import (
    Sent,
    claims,
    events,
    index_of,
    keep,
    listed,
    listen,
    made_of,
    parcel,
    post,
    whole,
)
from tests.transfer.cas.world import Store, Xorb, make_xorb, row_of, store_of
from tests.transfer.town import Town, town_at
from tests.xet.made import SHA256, shard, xorb_block

pytestmark = pytest.mark.anyio

NOTHING = bytes(32)


@pytest.fixture
async def store(town: Town) -> Store:
    """The chunk store as ann sees it, for her repository `ann/m`."""
    town.repo("ann/m")
    return await store_of(town, "ann", "ann/m")


@pytest.fixture
async def xorb(town: Town) -> Xorb:
    """A xorb that ann has sent."""
    return await kept(town)


async def kept(town: Town, user: str = "ann") -> Xorb:
    xorb = make_xorb()
    await keep(town, user, xorb)
    return xorb


def assert_untouched(town: Town, *sent: Xorb) -> None:
    """Nothing was registered, and the xorbs are as free to be collected as before."""

    def counts(conn: Any) -> list[int]:
        return [
            conn.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (files, repo_files, jobs)
        ]

    assert town.app.db.read_now(counts) == [0, 0, 0]
    assert all(row_of(town, one).unlinked_at is not None for one in sent)


def refused(answer: httpx2.Response, status: int, *words: str) -> str:
    assert answer.status_code == status, answer.text
    message = answer.json()["error"]
    assert all(word in message for word in words), message
    return message


def changed(sent: Sent, place: int = 0, **fields: Any) -> Sent:
    """The file with another term."""
    terms = list(sent.terms)
    terms[place] = terms[place]._replace(**fields)
    return Sent(sent.content, sent.hash, terms, sent.checks)


async def test_terms_that_the_xorb_does_not_have(town: Town, store: Store, xorb: Xorb):
    sent = whole(xorb)
    for fields, why in (
        ({"end": 4}, "3 chunks"),
        ({"start": 3, "end": 4, "raw_size": 9000}, "3 chunks"),
        ({"raw_size": 26_999}, "26999 bytes"),
        ({"start": 2, "end": 2}, "chunks 2 to 2"),
        ({"start": 2, "end": 1}, "chunks 2 to 1"),
        ({"end": 8193}, "chunks 0 to 8193"),
        ({"raw_size": 0}, "0 bytes"),
    ):
        refused(await post(store, parcel(changed(sent, **fields))), 400, why)
    assert_untouched(town, xorb)


async def test_what_is_wrong_is_named(town: Town, store: Store, xorb: Xorb):
    good, bad = made_of((xorb, 0, 1)), made_of((xorb, 0, 2), (xorb, 1, 3))
    answer = await post(store, parcel(good, changed(bad, 1, raw_size=1800)))
    refused(answer, 400, bad.name, "term 1", "chunks 1 to 3", xorb.name)
    assert_untouched(town, xorb)


async def test_who_does_not_have_the_chunks_cannot_name_them(town: Town, store: Store, xorb: Xorb):
    sent = whole(xorb)
    wrong = sent.block(checks=[NOTHING])
    refused(await post(store, parcel(wrong)), 400, sent.name, "verification hash")
    without = sent.block(flags=SHA256, checks=[])
    refused(await post(store, parcel(without)), 400, "verification hashes")
    assert_untouched(town, xorb)


async def test_another_file_hash(town: Town, store: Store, xorb: Xorb):
    other = made_of((xorb, 0, 1))
    wrong = whole(xorb).block(name=other.hash)
    refused(await post(store, parcel(wrong)), 400, other.name, "another hash")
    assert_untouched(town, xorb)


async def test_a_foreign_xorb_is_as_good_as_missing(town: Town, store: Store, xorb: Xorb):
    """Whatever else is wrong with it, and whether it is named by a file or listed."""
    foreign, missing, damaged = await kept(town, "bob"), make_xorb(), await kept(town)
    half = await kept(town)

    def spoil(conn: Any) -> None:
        conn.execute(update(xorbs).where(xorbs.c.hash == damaged.hash).values(damaged_at=1))
        conn.execute(update(xorbs).where(xorbs.c.hash == half.hash).values(ready=False))

    town.app.db.write_now(spoil)
    for one in (foreign, missing, damaged, half):
        sent = whole(one)
        for body in (
            parcel(sent),
            parcel(changed(sent, end=4)),
            parcel(changed(sent, raw_size=4000)),
            parcel(sent.block(checks=[NOTHING])),
            parcel(sent.block(name=missing.hash)),
            parcel(xorbs=[one]),
            shard([], [spoilt_list(one)]),
            parcel(whole(xorb), sent),
        ):
            said = refused(await post(store, body), 400, one.name, "not found")
            assert said.replace(one.name, "") == refused(
                await post(store, parcel(whole(missing))), 400
            ).replace(missing.name, "")
    assert_untouched(town, xorb, foreign)


def spoilt_list(xorb: Xorb) -> bytes:
    """What a shard says of a xorb, with the chunks of another."""
    return xorb_block(xorb.hash, index_of(make_xorb()))


async def test_a_list_of_other_chunks(town: Town, store: Store, xorb: Xorb):
    refused(await post(store, shard([], [spoilt_list(xorb)])), 400, xorb.name, "other chunks")
    size = bytearray(listed(xorb))
    struct.pack_into("<I", size, 40, 26_999)
    refused(await post(store, shard([], [bytes(size)])), 400, xorb.name, "other sizes")
    length = bytearray(listed(xorb))
    struct.pack_into("<I", length, 48 + 36, 8999)
    refused(await post(store, shard([], [bytes(length)])), 400, xorb.name, "other sizes")
    assert_untouched(town, xorb)


async def test_chunks_and_bytes_have_limits(
    town: Town, store: Store, xorb: Xorb, monkeypatch: pytest.MonkeyPatch
):
    sent = parcel(made_of(*[(xorb, 0, 3)] * 5))
    with monkeypatch.context() as patched:
        patched.setattr("hubkeep.transfer.cas.shards.MOST_CHUNKS", 14)
        refused(await post(store, sent), 413, "14 chunks")
    with monkeypatch.context() as patched:
        patched.setattr("hubkeep.transfer.cas.shards.MAX_SIZE", 5 * 27_000 - 1)
        refused(await post(store, sent), 413, "134999 bytes")
    assert_untouched(town, xorb)
    assert (await post(store, sent)).status_code == 200


@pytest.mark.parametrize("way", ["v1", "v2"])
async def test_what_is_no_shard(town: Town, store: Store, xorb: Xorb, way: str):
    good = parcel(whole(xorb), xorbs=[xorb])
    for body in (
        b"",
        b"x" * 1000,
        good[:-1],
        good[:200],
        good + b"x",
        parcel(whole(xorb), whole(xorb)),
        good[:32] + struct.pack("<Q", 1) + good[40:],
    ):
        refused(await post(store, body, way), 400, "shard")
    assert_untouched(town, xorb)


@pytest.mark.parametrize("way", ["v1", "v2"])
async def test_what_is_too_long_is_not_read(town: Town, store: Store, way: str):
    declared = {"Content-Length": str(MAX_SHARD + 1)}
    answer = await store.call("POST", f"/{way}/shards", content=b"", headers=declared)
    refused(answer, 413, str(MAX_SHARD))

    async def endless():
        while True:
            yield bytes(1 << 20)

    refused(await store.call("POST", f"/{way}/shards", content=endless()), 413, str(MAX_SHARD))
    assert_untouched(town)


async def test_a_large_shard_is_read_from_disk(town: Town, store: Store, xorb: Xorb):
    sent = made_of(*[(xorb, k % 3, k % 3 + 1) for k in range(12_000)])
    body = parcel(sent)
    assert len(body) > 1 << 20
    assert (await post(store, body)).json() == {"result": 1}
    assert claims(town, "ann/m") == {sent.name: sent.sha256}


@pytest.mark.parametrize("way", ["v1", "v2"])
async def test_who_may_not_write(town: Town, store: Store, xorb: Xorb, way: str):
    body = parcel(whole(xorb))
    reading = await store_of(town, "ann", "ann/m", "read")
    nobody = Store(town, store.url, None)
    altered = Store(town, store.url, (store.token or "")[:-2] + "xx")
    elsewhere = Store(town, store.url.replace("/cas/0", "/cas/1"), store.token)
    found = [
        (await post(one, body, way)).status_code for one in (reading, nobody, altered, elsewhere)
    ]
    assert found == [403, 401, 401, 404]
    assert_untouched(town, xorb)


async def test_a_right_that_is_gone(town: Town):
    org = town.user("org")
    town.repo("org/m")
    town.join("org", "ann", "write")
    store = await store_of(town, "ann", "org/m")
    xorb = await kept(town)
    town.app.db.write_now(
        lambda conn: conn.execute(delete(memberships).where(memberships.c.org_id == org))
    )
    assert (await post(store, parcel(whole(xorb)))).status_code == 403
    gone = update(repos).values(type="deleted")
    town.app.db.write_now(lambda conn: conn.execute(gone))
    assert (await post(store, parcel(whole(xorb)))).status_code == 404
    assert_untouched(town, xorb)


async def test_a_right_that_goes_meanwhile(
    town: Town, store: Store, xorb: Xorb, monkeypatch: pytest.MonkeyPatch
):
    landing = api_shards.land_shard

    async def late(*given: Any) -> bool:
        gone = update(repos).values(type="deleted")
        town.app.db.write_now(lambda conn: conn.execute(gone))
        return await landing(*given)

    monkeypatch.setattr(api_shards, "land_shard", late)
    assert (await post(store, parcel(whole(xorb)))).status_code == 404
    assert_untouched(town, xorb)


async def test_a_xorb_that_goes_meanwhile(
    town: Town, store: Store, xorb: Xorb, monkeypatch: pytest.MonkeyPatch
):
    landing, other = api_shards.land_shard, await kept(town)

    async def late(*given: Any) -> bool:
        gone = update(xorbs).where(xorbs.c.hash == xorb.hash).values(ready=False)
        town.app.db.write_now(lambda conn: conn.execute(gone))
        return await landing(*given)

    monkeypatch.setattr(api_shards, "land_shard", late)
    answer = await post(store, parcel(whole(other), whole(xorb)))
    refused(answer, 400, xorb.name, "not found")
    assert_untouched(town, xorb, other)


async def test_an_error_is_the_last_event(town: Town, store: Store, xorb: Xorb):
    wrong = whole(xorb).block(checks=[NOTHING])
    *_, last = events(await post(store, parcel(wrong), "v2"))
    assert (last["type"], last["retryable"]) == ("error", False)
    assert "verification hash" in str(last["message"])
    assert_untouched(town, xorb)


async def test_a_fault_of_the_hub_is_the_last_event_too(
    town: Town,
    store: Store,
    xorb: Xorb,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    async def broken(*given: Any) -> bool:
        raise RuntimeError("out of order")

    monkeypatch.setattr(api_shards, "land_shard", broken)
    with caplog.at_level(logging.ERROR, "hubkeep"):
        *_, last = events(await post(store, parcel(whole(xorb)), "v2"))
    assert last == {"type": "error", "message": "Internal error", "retryable": True}
    assert "out of order" in caplog.text


@pytest.mark.parametrize("way", ["v1", "v2"])
async def test_a_client_that_hangs_up_in_the_body(town: Town, store: Store, xorb: Xorb, way: str):
    answered = await store.hang_up("POST", f"/{way}/shards", parcel(whole(xorb))[:100])
    assert answered == []
    assert_untouched(town, xorb)


@pytest.mark.parametrize("at", ["validating", "committing", "result"])
async def test_a_client_that_hangs_up_in_the_answer(town: Town, store: Store, xorb: Xorb, at: str):
    """The files were registered or not; sending the shard again is fine."""
    sent = whole(xorb)

    def hang_up(line: bytes) -> None:
        if at.encode() in line:
            raise ConnectionError

    await listen(store, parcel(sent), hang_up)

    assert claims(town, "ann/m") in ({}, {sent.name: sent.sha256})
    assert events(await post(store, parcel(sent), "v2"))[-1]["type"] == "result"
    assert claims(town, "ann/m") == {sent.name: sent.sha256}


async def test_who_can_read_a_file_may_name_its_xorbs(town: Town, store: Store):
    """Of files in repositories that are open to him, and not of others."""
    town.repo("bob/open")
    town.repo("bob/secret", private=True)
    town.repo("bob/gate")
    gated = update(repos).where(repos.c.path == "bob/gate").values(gated="auto")
    town.app.db.write_now(lambda conn: conn.execute(gated))
    found = []
    for name in ("open", "secret", "gate"):
        xorb = await kept(town, "bob")
        theirs = await store_of(town, "bob", f"bob/{name}")
        assert (await post(theirs, parcel(made_of((xorb, 0, 1))))).status_code == 200
        found.append((await post(store, parcel(whole(xorb)))).status_code)
    assert found == [200, 400, 400]


async def test_a_writer_may_name_the_xorbs_of_the_repository(town: Town):
    """Also where he could not read its files elsewhere: it is gated."""
    town.user("org")
    for user in ("ann", "bob"):
        town.join("org", user, "write")
    town.repo("org/m", private=True)
    xorb = await kept(town, "bob")
    await post(await store_of(town, "bob", "org/m"), parcel(made_of((xorb, 0, 1))))
    gated = update(repos).values(gated="auto")
    town.app.db.write_now(lambda conn: conn.execute(gated))
    answer = await post(await store_of(town, "ann", "org/m"), parcel(whole(xorb)))
    assert answer.json() == {"result": 1}


async def test_with_dedup_for_the_hub_all_may_name_all(sqlite_url: str, tmp_path: Any):
    async with town_at(sqlite_url, tmp_path / "data", xet_dedup="hub") as town:
        town.repo("ann/m")
        xorb = await kept(town, "bob")
        answer = await post(await store_of(town, "ann", "ann/m"), parcel(whole(xorb)))
        assert answer.json() == {"result": 1}


async def test_of_one_file_only_one_sha256_is_claimed_in_a_repository(
    town: Town, store: Store, xorb: Xorb
):
    sent, lie = whole(xorb), os.urandom(32)
    await post(store, parcel(sent.block(claim=lie)))

    answer = await post(store, parcel(sent))
    *_, last = events(await post(store, parcel(sent), "v2"))

    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert (last["type"], last["retryable"]) == ("error", True)
    assert claims(town, "ann/m") == {sent.name: lie}


async def test_terms_beyond_what_a_xorb_can_be_are_refused_unread(town: Town, store: Store):
    """The form alone says it: nothing is told of the xorb."""
    sent = whole(make_xorb())
    wrong = sent.block(terms=[Term(NOTHING, 0, 1, 131_073)])
    refused(await post(store, parcel(wrong)), 400, "131073 bytes")
