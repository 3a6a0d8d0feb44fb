# SPDX-License-Identifier: Apache-2.0
"""Xorbs on their way in: what is taken, what is refused, and that nothing of it is left."""

import asyncio
import os
import struct
import tracemalloc
from collections.abc import AsyncIterator, Callable

import lz4.frame
import pytest
from sqlalchemy import Connection, delete, select, update

from hubkeep.blobs import NoSpace, StoreUnavailable, xorb_key
from hubkeep.db.tables import accounts, repos, tokens, xorb_chunks, xorbs
from hubkeep.transfer.cas import receiving
from hubkeep.transfer.cas.collecting import collect_xorbs
from hubkeep.transfer.cas.queries_epoch import renew_epoch
from hubkeep.xet.chunks import encode_chunk
from hubkeep.xet.xorb import MAX_XORB, Scheme, check_xorb, footer, read_xorb
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


async def stored_keys(town: Town) -> list[str]:
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
    async def test_pieces_of_any_size(self, quick: Store, piece: int):
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


def header(stored: int, scheme: int, raw: int, version: int = 0) -> bytes:
    """What stands before a chunk."""
    return struct.pack("<II", stored << 8 | version, raw << 8 | scheme)


def lying(xorb: Xorb, **told: int) -> bytes:
    """The xorb, but for what its first header says."""
    first, second = struct.unpack_from("<II", xorb.body)
    says = {"stored": first >> 8, "scheme": second & 255, "raw": second >> 8}
    return header(**(says | told)) + xorb.body[8:]


# What is sent as the xorb of the same name, all of it wrong.
SPOILT: dict[str, Callable[[Xorb], bytes]] = {
    "nothing": lambda _: b"",
    "half a header": lambda xorb: xorb.body[:5],
    "cut in a chunk": lambda xorb: xorb.body[:-1],
    "cut between chunks": lambda xorb: xorb.body[: len(encode_chunk(xorb.chunks[0], Scheme.LZ4))],
    "more behind it": lambda xorb: xorb.body + b"x",
    "another chunk behind it": lambda xorb: xorb.body + encode_chunk(b"more", Scheme.NONE),
    "a flipped bit": lambda xorb: xorb.body[:-9] + bytes([xorb.body[-9] ^ 4]) + xorb.body[-8:],
    "other chunks": lambda _: make_xorb().body,
    "chunks in another order": lambda xorb: make_xorb(xorb.chunks[::-1]).body,
    "noise": lambda _: os.urandom(5000),
    "a bomb": lambda xorb: bomb() + xorb.body,
    "a chunk that says to be longer": lambda xorb: lying(xorb, raw=9001),
    "a chunk that says to be shorter": lambda xorb: lying(xorb, raw=8999),
    "a chunk without bytes": lambda xorb: lying(xorb, raw=0),
    "a chunk longer than any": lambda xorb: lying(xorb, raw=131_073),
    "a chunk stored longer than any": lambda xorb: lying(xorb, stored=262_145),
    "a chunk stored in nothing": lambda xorb: lying(xorb, stored=0),
    "a scheme that there is not": lambda xorb: lying(xorb, scheme=3),
    "a version that there is not": lambda xorb: lying(xorb, version=1),
    "another scheme": lambda xorb: lying(xorb, scheme=2),
    "too many chunks": lambda _: encode_chunk(b"x", Scheme.NONE) * 8193,
    "a footer of another": lambda xorb: xorb.body + footer(*read_xorb(make_xorb().body)),
    "half a footer": lambda xorb: (xorb.body + footer(*read_xorb(xorb.body)))[:-10],
    "a footer alone": lambda xorb: footer(*read_xorb(xorb.body)),
    "more behind a footer": lambda xorb: xorb.body + footer(*read_xorb(xorb.body)) + b"x",
    "a word like a footer": lambda xorb: xorb.body + b"XETBL",
}


def bomb() -> bytes:
    """A chunk of a hundred bytes or so, that says to be one and makes sixteen megabytes."""
    payload = lz4.frame.compress(bytes(16 << 20), store_size=False)
    return header(len(payload), Scheme.LZ4, 131_072) + payload


class TestRefused:
    @pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
    async def test_what_is_not_the_xorb(self, quick: Store, spoil: Callable[[Xorb], bytes]):
        xorb = make_xorb()
        answer = await quick.send(xorb, content=spoil(xorb))
        assert answer.status_code == 400, answer.text
        assert xorb.name in answer.json()["error"]
        assert await stored_keys(quick.town) == []
        assert not is_known(quick.town, xorb)
        await quick.upload(xorb)
        assert is_known(quick.town, xorb)

    async def test_another_name(self, ann: Store):
        xorb, other = make_xorb(), make_xorb()
        assert (await ann.send(xorb, name=other.name)).status_code == 400
        assert await stored_keys(ann.town) == []
        assert not is_known(ann.town, other)

    async def test_a_body_longer_than_any_is_not_read(self, quick: Store):
        xorb = make_xorb()
        given: list[int] = []

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(100):
                given.append(1)
                yield bytes(1 << 20)

        declared = {"Content-Length": str(MAX_XORB + 1)}
        answer = await quick.send(xorb, content=pieces(), headers=declared)
        assert answer.status_code == 413
        assert row_of(quick.town, xorb) is None

    async def test_a_body_without_a_length_is_read_up_to_the_longest(
        self, quick: Store, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(receiving, "MAX_XORB", 200_000)
        xorb = make_xorb([os.urandom(100_000) for _ in range(4)], Scheme.NONE)

        async def pieces() -> AsyncIterator[bytes]:
            for at in range(0, len(xorb.body), 50_000):
                yield xorb.body[at : at + 50_000]

        assert (await quick.send(xorb, content=pieces())).status_code == 413
        assert await stored_keys(quick.town) == []

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("default/{upper}", 400),
            ("default/{short}", 400),
            ("default/zz", 400),
            ("default/{name}%0a", 400),
            ("default/..%2f..%2f{name}", 400),
            ("default-merkledb/{name}", 404),
            ("other/{name}", 404),
            ("%2e%2e/{name}", 404),
        ],
    )
    async def test_names(self, quick: Store, path: str, status: int):
        xorb = make_xorb()
        filled = path.format(upper=xorb.name.upper(), short=xorb.name[:-1], name=xorb.name)
        answer = await quick.call("POST", f"/v1/xorbs/{filled}", content=xorb.body)
        assert answer.status_code == status
        assert await stored_keys(quick.town) == []

    async def test_tokens(self, ann: Store):
        town, xorb = ann.town, make_xorb()
        reading = await store_of(town, "ann", "ann/m", "read")
        assert (await reading.send(xorb)).status_code == 403
        altered = ann.token[:-3] + ("abc" if ann.token[-3:] != "abc" else "abd")
        for token in (None, "x", "hf_ann", altered, ann.token + "A", ann.token.split(".")[0]):
            assert (await Store(town, ann.url, token).send(xorb)).status_code == 401, token
        elsewhere = Store(town, ann.url[:-1] + "9", ann.token)
        assert (await elsewhere.send(xorb)).status_code == 404
        town.time.pass_days(0.05)
        assert (await ann.send(xorb)).status_code == 401
        assert row_of(town, xorb) is None

    async def test_another_hub_s_token(self, quick: Store, tmp_path):
        async with town_at(f"sqlite:///{tmp_path / 'other'}", tmp_path / "more") as other:
            other.repo("ann/m")
            foreign = await store_of(other, "ann", "ann/m")
        quick.token = foreign.token
        assert (await quick.send(make_xorb())).status_code == 401

    async def test_a_token_from_before_a_restore(self, ann: Store):
        ann.town.app.db.write_now(renew_epoch)
        answer = await ann.send(make_xorb())
        assert answer.status_code == 404
        assert await stored_keys(ann.town) == []

    @pytest.mark.parametrize("lost", ["repo", "right", "account", "token"])
    async def test_a_right_that_is_gone(self, ann: Store, lost: str):
        town, xorb = ann.town, make_xorb()
        town.user("dan")
        town.app.db.write_now(lambda conn: take(town, conn, lost))
        assert (await ann.send(xorb)).status_code == (404 if lost == "repo" else 403)
        assert row_of(town, xorb) is None

    @pytest.mark.parametrize("lost", ["right", "account", "token"])
    async def test_a_right_that_is_lost_meanwhile(self, ann: Store, lost: str):
        """What came is there, and nobody is known to have sent it: it is collected in time."""
        town, xorb = ann.town, make_xorb()
        town.user("dan")

        async def pieces() -> AsyncIterator[bytes]:
            yield xorb.body[:100]
            town.app.db.write_now(lambda conn: take(town, conn, lost))
            yield xorb.body[100:]

        assert (await ann.send(xorb, content=pieces())).status_code == 403
        assert not row_of(town, xorb).ready
        town.time.pass_days(31)
        await collect_xorbs(town.app)
        assert row_of(town, xorb) is None
        assert await stored_keys(town) == []


def take(town: Town, conn: Connection, lost: str) -> None:
    """Take from ann what her upload needs."""
    ann, mine = town.ids["ann"], repos.c.id == town.ids["ann/m"]
    statements = {
        "repo": update(repos).where(mine).values(type="deleted"),
        "right": update(repos).where(mine).values(owner_id=town.ids["dan"], creator_id=None),
        "account": update(accounts).where(accounts.c.id == ann).values(disabled=True),
        "token": delete(tokens).where(tokens.c.user_id == ann),
    }
    conn.execute(statements[lost])


class TestBrokenOff:
    @pytest.mark.parametrize("part", [0, 5, 9010, 20_000])
    async def test_a_client_that_hangs_up_leaves_a_row_that_is_not_ready(
        self, ann: Store, part: int
    ):
        xorb, town = make_xorb(), ann.town
        answered = await ann.hang_up("POST", f"/v1/xorbs/default/{xorb.name}", xorb.body[:part])
        assert answered == []
        assert await stored_keys(town) == []
        row = row_of(town, xorb)
        assert (row.ready, row.unlinked_at) == (False, town.time())
        assert (await ann.call("HEAD", f"/v1/xorbs/default/{xorb.name}")).status_code == 404
        await ann.upload(xorb)
        assert is_known(town, xorb)

    async def test_a_row_that_stayed_behind_is_collected(self, ann: Store):
        xorb = make_xorb()
        await ann.hang_up("POST", f"/v1/xorbs/default/{xorb.name}", xorb.body[:100])
        ann.town.time.pass_days(31)
        await collect_xorbs(ann.town.app)
        assert row_of(ann.town, xorb) is None

    @pytest.mark.parametrize(
        ("error", "status"), [(NoSpace("full"), 507), (StoreUnavailable("gone"), 503)]
    )
    async def test_a_store_that_fails(
        self, quick: Store, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
    ):
        async def refuse(*_: object, **__: object) -> bool:
            raise error

        xorb = make_xorb()
        with monkeypatch.context() as patch:
            patch.setattr(type(quick.town.app.blobs), "put", refuse)
            assert (await quick.send(xorb)).status_code == status
        assert not is_known(quick.town, xorb)
        await quick.upload(xorb)


CHUNKS = [bytes(60_000), os.urandom(500), b"ab" * 20_000]


class TestEncodings:
    """One xorb, in two encodings: what is known of it is always true of the bytes that stay."""

    first, other = make_xorb(CHUNKS, Scheme.LZ4), make_xorb(CHUNKS, Scheme.NONE)

    async def test_the_first_one_stays(self, ann: Store):
        assert self.first.name == self.other.name
        await ann.upload(self.first, self.other)
        assert await stored(ann.town, self.first) == self.first.body
        assert is_known(ann.town, self.first)

    @pytest.mark.parametrize("early", [True, False])
    async def test_at_once(self, ann: Store, early: bool):
        """The second client begins before the first one is done, and is done before or after."""
        ann.town.repo("bob/m")
        bob = await store_of(ann.town, "bob", "bob/m")
        begun, done = asyncio.Event(), asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            begun.set()
            yield self.other.body[:5000]
            if not early:
                await done.wait()
            yield self.other.body[5000:]

        async def second() -> None:
            await begun.wait()
            await ann.upload(self.first)
            done.set()

        slow, _ = await asyncio.gather(bob.send(self.other, content=slowly()), second())
        assert slow.status_code == 200
        kept = await stored(ann.town, self.first)
        assert kept in (self.first.body, self.other.body)
        assert is_known(ann.town, self.first if kept == self.first.body else self.other)

    async def test_each_takes_the_place_of_what_is_damaged(self, ann: Store, monkeypatch):
        """The first client's bytes are replaced by the second's before it says what they are."""
        await ann.upload(self.first)
        mark(ann.town, self.first, damaged_at=5)
        put, is_put, second_done = ann.town.app.blobs.put, asyncio.Event(), asyncio.Event()

        async def slow_put(*key_and_body: object, **how: object) -> bool:
            is_stored = await put(*key_and_body, **how)
            if not is_put.is_set():
                is_put.set()
                await second_done.wait()
            return is_stored

        async def second() -> None:
            await is_put.wait()
            await ann.upload(self.other)
            second_done.set()

        monkeypatch.setattr(ann.town.app.blobs, "put", slow_put)
        answer, _ = await asyncio.gather(ann.send(self.first), second())

        assert answer.status_code == 200
        assert await stored(ann.town, self.other) == self.other.body
        assert is_known(ann.town, self.other)

    async def test_bytes_that_stayed_behind_an_upload_that_was_cut_off(self, ann: Store):
        await ann.upload(self.first)
        mark(ann.town, self.first, ready=False)
        await ann.upload(self.other)
        assert await stored(ann.town, self.first) == self.first.body
        assert is_known(ann.town, self.first)

    @pytest.mark.parametrize("footed", [True, False])
    async def test_such_bytes_that_are_damaged_are_replaced(self, ann: Store, footed: bool):
        wrong = self.first.body + footer(*read_xorb(self.first.body)) if footed else b"x" * 500
        await write(ann.town, self.first, wrong)
        answers = [await ann.send(self.other), await ann.send(self.other)]
        assert [one.status_code for one in answers] == [503, 200]
        assert await stored(ann.town, self.other) == self.other.body
        assert is_known(ann.town, self.other)

    async def test_what_is_damaged_is_healed(self, ann: Store):
        await ann.upload(self.first)
        checked = row_of(ann.town, self.first).checked_at
        mark(ann.town, self.first, damaged_at=5)
        ann.town.time.now += 1
        answer = await ann.send(self.other)
        assert answer.json() == {"was_inserted": True}
        row = row_of(ann.town, self.first)
        assert (row.damaged_at, row.checked_at) == (None, checked + 1)
        assert await stored(ann.town, self.other) == self.other.body
        assert is_known(ann.town, self.other)

    async def test_bytes_that_are_gone_come_back(self, ann: Store):
        await ann.upload(self.first)
        await ann.town.app.blobs.delete(xorb_key(self.first.name))
        await ann.upload(self.other)
        assert await stored(ann.town, self.other) == self.other.body
        assert is_known(ann.town, self.other)


class TestCollecting:
    async def test_an_upload_keeps_what_was_about_to_go(self, ann: Store):
        xorb, town = make_xorb(), ann.town
        await ann.upload(xorb)
        town.time.pass_days(40)
        ann = await store_of(town, "ann", "ann/m")

        async def pieces() -> AsyncIterator[bytes]:
            yield xorb.body[:100]
            await collect_xorbs(town.app)
            yield xorb.body[100:]

        assert (await ann.send(xorb, content=pieces())).status_code == 200
        await collect_xorbs(town.app)
        assert await stored(town, xorb) == xorb.body
        assert is_known(town, xorb)

    async def test_one_that_was_just_collected_comes_anew(self, ann: Store):
        xorb, town = make_xorb(), ann.town
        await ann.upload(xorb)
        town.time.pass_days(40)
        await collect_xorbs(town.app)
        assert row_of(town, xorb) is None
        ann = await store_of(town, "ann", "ann/m")
        assert (await ann.send(xorb)).json() == {"was_inserted": True}
        assert is_known(town, xorb)

    async def test_what_a_file_has_stays_linked(self, ann: Store):
        xorb = make_xorb()
        await ann.upload(xorb)
        mark(ann.town, xorb, unlinked_at=None)
        await ann.upload(xorb)
        assert row_of(ann.town, xorb).unlinked_at is None


async def test_a_large_xorb_is_never_held_as_a_whole(quick: Store):
    chunk = os.urandom(131_000)
    xorb = make_xorb([chunk[n:] for n in range(480)], Scheme.NONE)  # 62 MB
    view = memoryview(xorb.body)

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(view), 1 << 16):
            yield bytes(view[at : at + (1 << 16)])

    tracemalloc.start()
    try:
        answer = await quick.send(xorb, content=pieces())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 200
    assert peak < 12 << 20


def mark(town: Town, xorb: Xorb, **columns: object) -> None:
    statement = update(xorbs).where(xorbs.c.hash == xorb.hash).values(**columns)
    town.app.db.write_now(lambda conn: conn.execute(statement))


async def write(town: Town, xorb: Xorb, content: bytes) -> None:
    """Put bytes under the name of a xorb, behind the hub's back."""

    async def body() -> AsyncIterator[bytes]:
        yield content

    await town.app.blobs.put(xorb_key(xorb.name), body(), size=None, sha256=None)
