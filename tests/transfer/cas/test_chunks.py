# SPDX-License-Identifier: Apache-2.0
"""Global deduplication: who is told of which chunks, and in what shape."""

import os
import struct
from collections.abc import Collection, Sequence

import pytest
from sqlalchemy import Connection, delete, event, update

from hubkeep.db.tables import dedup_chunks, file_xorbs, repo_files, repos, xorbs
from hubkeep.transfer.cas import api_chunks
from hubkeep.transfer.cas.queries_epoch import renew_epoch
from hubkeep.xet.hashes import keyed, to_text
from tests.transfer.cas.parcels import Sent, made_of, parcel, post, whole
from tests.transfer.cas.world import Store, Xorb, make_xorb, row_of, store_of
from tests.transfer.town import Town, town_at

pytestmark = pytest.mark.anyio

RECORD = 48
FIRST = b"\1" * 32
"""A chunk that nobody has, and that is asked about where a file begins with it alone."""
FOOTER = struct.Struct("<9Q32s2Q48s4Q")


@pytest.fixture
async def ann(town: Town) -> Store:
    town.repo("ann/m")
    return await store_of(town, "ann", "ann/m")


@pytest.fixture
async def quick(quick_town: Town) -> Store:
    quick_town.repo("ann/m")
    return await store_of(quick_town, "ann", "ann/m")


async def ask(store: Store, chunk: bytes, prefix: str = "default"):
    return await store.call("GET", f"/v1/chunks/{prefix}/{to_text(chunk)}")


async def land(store: Store, *sent: Sent, new: Collection[Xorb] = ()) -> None:
    """Upload xorbs, and a shard with files made of these and of older ones."""
    await store.upload(*new)
    answer = await post(store, parcel(*sent, xorbs=list(new)))
    assert answer.status_code == 200, answer.text


def told(body: bytes) -> dict[bytes, list[bytes]]:
    """The xorbs of an answer, each with the hashes of its chunks, as hf_xet reads it."""
    footer = FOOTER.unpack(body[-FOOTER.size :])
    place, end = footer[2], footer[3]
    found: dict[bytes, list[bytes]] = {}
    while place + RECORD < end:
        name, _, count, _, _ = struct.unpack_from("<32s4I", body, place)
        places = range(place + RECORD, place + (count + 1) * RECORD, RECORD)
        found[name] = [body[at : at + 32] for at in places]
        place += (count + 1) * RECORD
    return found


def key_of(body: bytes) -> bytes:
    return FOOTER.unpack(body[-FOOTER.size :])[9]


def times_of(body: bytes) -> tuple[int, int]:
    """When it was made and until when it holds, in seconds."""
    return FOOTER.unpack(body[-FOOTER.size :])[10:12]


def many(count: int, chunks: int = 2) -> list[Xorb]:
    return [make_xorb([os.urandom(200) for _ in range(chunks)]) for _ in range(count)]


def long_file(xorbs: Sequence[Xorb]) -> Sent:
    return made_of(*((xorb, 0, len(xorb.chunks)) for xorb in xorbs))


@pytest.mark.parametrize("prefix", ["default", "default-merkledb"])
async def test_the_first_chunk_of_a_file_leads_to_all_its_xorbs(ann: Store, prefix: str):
    first, second = make_xorb(), make_xorb()
    await land(ann, made_of((first, 1, 3), (second, 0, 2)), new=[first, second])

    answer = await ask(ann, first.hashes[1], prefix)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    found, key = told(answer.content), key_of(answer.content)
    assert found == {
        xorb.hash: [keyed(chunk, key) for chunk in xorb.hashes] for xorb in (first, second)
    }
    assert not any(chunk in answer.content for chunk in (*first.hashes, *second.hashes))


async def test_an_answer_holds_for_a_day(quick: Store):
    xorb = make_xorb()
    await land(quick, whole(xorb), new=[xorb])
    body = (await ask(quick, xorb.hashes[0])).content
    made, until = times_of(body)
    now = quick.town.time() // 1000
    assert now - 3600 < made <= now
    assert until - made == 24 * 3600
    assert quick.town.app.config.xet_grace_days > 1
    # It is written once in an hour, under the one key of this hub.
    assert (await ask(quick, xorb.hashes[0])).content == body
    quick.town.time.pass_days(1.5 / 24)
    quick = await store_of(quick.town, "ann", "ann/m")
    later = (await ask(quick, xorb.hashes[0])).content
    assert times_of(later)[0] > made
    assert key_of(later) == key_of(body)


async def test_each_hub_has_a_key_of_its_own(quick: Store, sqlite_url: str, tmp_path):
    assert quick.town.app.signer.derive_key("a") != quick.town.app.signer.derive_key("b")
    async with town_at(f"sqlite:///{tmp_path / 'other'}", tmp_path / "more") as other:
        key = other.app.signer.derive_key("a")
    assert key != quick.town.app.signer.derive_key("a")


async def test_what_the_hub_does_not_have_is_a_miss(ann: Store):
    xorb = make_xorb()
    await land(ann, whole(xorb), new=[xorb])
    reader = await store_of(ann.town, "ann", "ann/m", "read")
    # Neither a chunk that nobody has, nor one that clients do not ask about.
    for chunk in (os.urandom(32), xorb.hashes[2]):
        assert (await ask(reader, chunk)).status_code == 404


class TestOffers:
    """A file that begins with a chunk that nobody has may be a copy, with something before it."""

    async def test_an_upload_is_told_once_of_the_newest_file(self, ann: Store):
        for chunks in ([b"old" * 999], [b"new" * 999, b"er" * 999]):
            xorb = make_xorb(chunks)
            await land(ann, whole(xorb), new=[xorb])
        answer = await ask(ann, FIRST)
        assert list(told(answer.content)) == [xorb.hash]
        assert (await ask(ann, FIRST)).status_code == 404
        ann.town.time.pass_days(1 / 24 / 60)
        again = await store_of(ann.town, "ann", "ann/m")
        assert (await ask(again, FIRST)).status_code == 200

    async def test_what_is_found_is_no_miss(self, ann: Store):
        xorb = make_xorb()
        await land(ann, whole(xorb), new=[xorb])
        assert (await ask(ann, xorb.hashes[0])).status_code == 200
        assert (await ask(ann, FIRST)).status_code == 200

    async def test_of_other_chunks_a_miss_is_a_miss(self, ann: Store):
        xorb = make_xorb()
        await land(ann, whole(xorb), new=[xorb])
        eligible = os.urandom(24) + bytes(8)
        assert (await ask(ann, eligible)).status_code == 404
        assert (await ask(ann, FIRST)).status_code == 200, "that was not the one answer"

    async def test_nothing_is_told_of_other_repositories(self, town: Town):
        town.repo("ann/m", private=True)
        town.repo("eve/m")
        xorb = make_xorb()
        await land(await store_of(town, "ann", "ann/m"), whole(xorb), new=[xorb])
        assert (await ask(await store_of(town, "eve", "eve/m"), FIRST)).status_code == 404


async def test_what_was_sent_and_is_in_no_file_is_a_miss(ann: Store):
    xorb = make_xorb()
    await ann.upload(xorb)
    row_id = row_of(ann.town, xorb).id
    row = {"chunk": xorb.hashes[0], "xorb_id": row_id}
    ann.town.app.db.write_now(lambda conn: conn.execute(dedup_chunks.insert().values(row)))
    assert (await ask(ann, xorb.hashes[0])).status_code == 404


class TestWhoIsTold:
    @pytest.mark.parametrize("private", [False, True])
    @pytest.mark.parametrize("way", ["read", "write"])
    async def test_others_are_told_of_what_they_can_read(self, town: Town, private: bool, way: str):
        town.repo("ann/m", private=private)
        town.repo("eve/m")
        xorb = make_xorb()
        await land(await store_of(town, "ann", "ann/m"), whole(xorb), new=[xorb])
        eve = await store_of(town, "eve", "eve/m", way)
        missing = await ask(eve, os.urandom(32))
        answer = await ask(eve, xorb.hashes[0])
        assert answer.status_code == (404 if private else 200)
        if private:
            assert answer.content == missing.content

    async def test_who_is_told_may_build_on_it(self, town: Town):
        town.repo("ann/m")
        town.repo("eve/m")
        xorb = make_xorb()
        await land(await store_of(town, "ann", "ann/m"), whole(xorb), new=[xorb])
        eve = await store_of(town, "eve", "eve/m")
        assert (await ask(eve, xorb.hashes[0])).status_code == 200
        await land(eve, made_of((xorb, 0, 2)))

    async def test_a_member_of_the_repository_by_its_token(self, town: Town):
        """What is behind a gate is told of to who uploads to the very repository alone."""
        town.repo("ann/m")
        town.repo("eve/m")
        xorb = make_xorb()
        ann = await store_of(town, "ann", "ann/m")
        await land(ann, whole(xorb), new=[xorb])
        gate = update(repos).where(repos.c.id == town.ids["ann/m"]).values(gated="auto")
        town.app.db.write_now(lambda conn: conn.execute(gate))
        eve = await store_of(town, "eve", "eve/m")
        assert (await ask(ann, xorb.hashes[0])).status_code == 200
        assert (await ask(eve, xorb.hashes[0])).status_code == 404

    async def test_a_file_that_all_can_read_tells_of_itself_alone(self, town: Town):
        """The youngest file with a chunk is another one for each: what each can read."""
        town.repo("ann/m")
        town.repo("ann/p", private=True)
        shared, hidden = make_xorb(), make_xorb()
        await land(await store_of(town, "ann", "ann/m"), whole(shared), new=[shared])
        closed = await store_of(town, "ann", "ann/p")
        await land(closed, made_of((shared, 0, 3), (hidden, 0, 3)), new=[hidden])
        town.repo("eve/m")
        eve = await store_of(town, "eve", "eve/m")
        seen = [told((await ask(who, shared.hashes[0])).content) for who in (closed, eve)]
        assert [set(one) for one in seen] == [{shared.hash, hidden.hash}, {shared.hash}]
        assert (await ask(eve, hidden.hashes[0])).status_code == 404

    async def test_a_hub_that_shares_all(self, sqlite_url: str, tmp_path):
        async with town_at(sqlite_url, tmp_path, xet_dedup="hub") as town:
            town.repo("ann/m", private=True)
            town.repo("eve/m")
            xorb = make_xorb()
            await land(await store_of(town, "ann", "ann/m"), whole(xorb), new=[xorb])
            eve = await store_of(town, "eve", "eve/m")
            assert (await ask(eve, xorb.hashes[0])).status_code == 200

    async def test_a_repository_that_became_private(self, town: Town):
        town.repo("ann/m")
        town.repo("eve/m")
        xorb = make_xorb()
        await land(await store_of(town, "ann", "ann/m"), whole(xorb), new=[xorb])
        eve = await store_of(town, "eve", "eve/m")
        assert (await ask(eve, xorb.hashes[0])).status_code == 200
        closed = update(repos).where(repos.c.id == town.ids["ann/m"]).values(private=True)
        town.app.db.write_now(lambda conn: conn.execute(closed))
        assert (await ask(eve, xorb.hashes[0])).status_code == 404


class TestWhatIsTold:
    async def test_nothing_that_is_damaged_or_gone(self, ann: Store):
        first, second, third = many(3)
        await land(ann, long_file([first, second, third]), new=[first, second, third])
        reader = await store_of(ann.town, "ann", "ann/m", "read")
        mark(ann.town, second, damaged_at=1)
        assert set(told((await ask(reader, first.hashes[0])).content)) == {first.hash, third.hash}
        mark(ann.town, first, damaged_at=1)
        assert (await ask(reader, first.hashes[0])).status_code == 404
        mark(ann.town, first, damaged_at=None)
        assert (await ask(reader, first.hashes[0])).status_code == 200
        mark(ann.town, first, ready=False)
        assert (await ask(reader, first.hashes[0])).status_code == 404

    async def test_nothing_of_a_file_that_was_let_go(self, ann: Store):
        xorb = make_xorb()
        await land(ann, whole(xorb), new=[xorb])

        def let_go(conn: Connection) -> None:
            conn.execute(delete(repo_files))
            conn.execute(delete(file_xorbs))

        ann.town.app.db.write_now(let_go)
        assert (await ask(ann, xorb.hashes[0])).status_code == 404

    async def test_of_a_long_file_what_comes_next(self, ann: Store, monkeypatch):
        monkeypatch.setattr(api_chunks, "MOST_XORBS", 3)
        monkeypatch.setattr(api_chunks, "BEFORE", 2)
        made = many(9)
        await land(ann, long_file(made), new=made)
        row = {"chunk": made[4].hashes[1], "xorb_id": row_of(ann.town, made[4]).id}
        ann.town.app.db.write_now(lambda conn: conn.execute(dedup_chunks.insert().values(row)))
        # Two that may have been overtaken, the one with the chunk, and what follows.
        middle = told((await ask(ann, made[4].hashes[1])).content)
        start = told((await ask(ann, made[0].hashes[0])).content)
        assert list(middle) == [xorb.hash for xorb in made[2:7]]
        assert list(start) == [xorb.hash for xorb in made[:3]]

    async def test_no_more_chunks_than_an_answer_holds(self, ann: Store, monkeypatch):
        monkeypatch.setattr(api_chunks, "MOST_CHUNKS", 10)
        made = many(6, chunks=3)
        await land(ann, long_file(made), new=made)
        row = {"chunk": made[4].hashes[1], "xorb_id": row_of(ann.town, made[4]).id}
        ann.town.app.db.write_now(lambda conn: conn.execute(dedup_chunks.insert().values(row)))
        # From the hit on; what is left of the room goes to those before it.
        found = told((await ask(ann, made[4].hashes[1])).content)
        assert list(found) == [xorb.hash for xorb in made[3:6]]

    async def test_the_youngest_file(self, ann: Store):
        """Of checkpoints in a row, the last one is most like the next one."""
        base, change = make_xorb(), make_xorb()
        await land(ann, whole(base), new=[base])
        await land(ann, made_of((base, 0, 2), (change, 0, 3)), new=[change])
        assert set(told((await ask(ann, base.hashes[0])).content)) == {base.hash, change.hash}

    async def test_a_chunk_that_is_in_many(self, ann: Store):
        zeros = bytes(5000)
        made = [make_xorb([zeros, os.urandom(300)]) for _ in range(5)]
        await land(ann, *map(whole, made), new=made)
        found = told((await ask(ann, made[0].hashes[0])).content)
        assert len(found) == 1
        assert set(found) <= {xorb.hash for xorb in made}


class TestRefused:
    async def test_what_is_no_hash(self, quick: Store):
        for name in ("0", "g" * 64, "A" * 64, "0" * 63, "%2e%2e", "0" * 64 + "%0a"):
            answer = await quick.call("GET", f"/v1/chunks/default/{name}")
            assert answer.status_code == 400, name

    @pytest.mark.parametrize("prefix", ["other", "DEFAULT", "default-merkle", "%2e"])
    async def test_another_prefix(self, quick: Store, prefix: str):
        assert (await ask(quick, os.urandom(32), prefix)).status_code == 404

    async def test_without_a_token_that_holds(self, quick: Store):
        good, quick.token = quick.token, None
        assert (await ask(quick, os.urandom(32))).status_code == 401
        quick.token = f"{good}x"
        assert (await ask(quick, os.urandom(32))).status_code == 401
        quick.token = good
        quick.town.app.db.write_now(renew_epoch)
        assert (await ask(quick, os.urandom(32))).status_code == 404


async def test_a_miss_costs_one_look(quick: Store):
    """Most questions are misses."""
    await ask(quick, os.urandom(32))
    seen: list[str] = []
    engine = quick.town.app.db._read_side.engine
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    assert (await ask(quick, os.urandom(32))).status_code == 404
    assert len([one for one in seen if "dedup_chunks" in one or "xorb" in one]) == 1


def mark(town: Town, xorb: Xorb, **columns: object) -> None:
    statement = update(xorbs).where(xorbs.c.hash == xorb.hash).values(**columns)
    town.app.db.write_now(lambda conn: conn.execute(statement))
