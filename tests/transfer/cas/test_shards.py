# SPDX-License-Identifier: Apache-2.0
"""Registering files by shards: what is linked, stored and told."""

import asyncio
import hashlib
import os
import struct
from random import Random
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from hubkeep.blobs import xorb_key
from hubkeep.db.tables import dedup_chunks, file_xorbs
from hubkeep.transfer.cas import api_shards, shards
from hubkeep.transfer.cas.checking import check_files
from hubkeep.xet.hashes import EMPTY_FILE
from hubkeep.xet.xorb import Scheme
from tests.transfer.cas.parcels import (
    claims,
    events,
    file_row,
    keep,
    listen,
    made_of,
    parcel,
    post,
    stored_terms,
    whole,
)
from tests.transfer.cas.world import Store, Xorb, make_xorb, row_of, store_of
from tests.transfer.town import Town

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(town: Town) -> Store:
    """The chunk store as ann sees it, for her repository `ann/m`."""
    town.repo("ann/m")
    return await store_of(town, "ann", "ann/m")


async def kept(town: Town, user: str = "ann", **how: object) -> Xorb:
    """A xorb that a user has sent."""
    xorb = make_xorb(**how)
    await keep(town, user, xorb)
    return xorb


async def test_a_file_is_linked_with_its_terms_and_its_claim(town: Town, store: Store):
    one, two = await kept(town), await kept(town)
    sent = made_of((one, 1, 3), (two, 0, 2), (one, 0, 1))

    answer = await post(store, parcel(sent, xorbs=[one, two]))

    assert (answer.status_code, answer.json()) == (200, {"result": 1})
    row = file_row(town, sent)
    assert (row.size, row.sha256, row.whole) == (len(sent.content), None, False)
    assert claims(town, "ann/m") == {sent.name: sent.sha256}
    assert stored_terms(town, sent) == [(0, 3)]
    assert row_of(town, one).unlinked_at is None


async def test_what_comes_again_is_known(town: Town, store: Store):
    sent = whole(await kept(town))
    first, again = [(await post(store, parcel(sent))).json() for _ in range(2)]
    assert (first, again) == ({"result": 1}, {"result": 0})
    assert len(stored_terms(town, sent)) == 1


async def test_the_same_file_in_another_repository_is_linked_alone(town: Town, store: Store):
    xorb = await kept(town)
    town.repo("ann/other")
    other = await store_of(town, "ann", "ann/other")
    await post(store, parcel(whole(xorb)))

    answer = await post(other, parcel(whole(xorb)))

    assert answer.json() == {"result": 1}
    assert claims(town, "ann/other") == claims(town, "ann/m")


async def test_many_terms_are_stored_in_rows(town: Town, store: Store):
    xorb = await kept(town, chunks=[os.urandom(20) for _ in range(7)])
    sent = made_of(*((xorb, k % 7, k % 7 + 1) for k in range(2500)))

    assert (await post(store, parcel(sent))).status_code == 200

    assert [count for _, count in stored_terms(town, sent)] == [1024, 1024, 452]
    assert [start for start, _ in stored_terms(town, sent)] == [0, 20480, 40960]


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_looked_at_at_once(
    town: Town, store: Store, monkeypatch: pytest.MonkeyPatch, seed: int
):
    """Lots end within files, between them, and with each xorb."""
    for name, least in (("TERMS_AT_ONCE", 3), ("_XORBS_AT_ONCE", 2), ("_CHUNKS_AT_ONCE", 5)):
        monkeypatch.setattr(shards, name, least)
    monkeypatch.setattr(shards, "_INDEX_BYTES_AT_ONCE", 500)
    random = Random(seed)
    found = [
        await kept(town, chunks=[random.randbytes(random.randint(1, 90)) for _ in range(count)])
        for count in (1, 2, 7, 12, 30)
    ]
    sent = {}
    for _ in range(20):
        cuts = []
        for _ in range(random.randint(0, 8)):
            xorb = random.choice(found)
            start = random.randrange(len(xorb.chunks))
            cuts.append((xorb, start, random.randint(start + 1, len(xorb.chunks))))
        one = made_of(*cuts)
        sent[one.name] = one

    answer = await post(store, parcel(*sent.values(), xorbs=found))

    assert answer.json() == {"result": 1}
    assert claims(town, "ann/m") == {name: one.sha256 for name, one in sent.items()}
    await check_files(town.app, [file_row(town, one).id for one in sent.values()])
    known = {name: file_row(town, one).sha256 for name, one in sent.items()}
    assert known == {name: one.sha256 for name, one in sent.items()}


async def test_many_files_land_in_several_transactions(
    town: Town, store: Store, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("hubkeep.transfer.cas.landing.FILES_AT_ONCE", 3)
    xorb = await kept(town, chunks=[os.urandom(50) for _ in range(40)])
    sent = [made_of((xorb, k, k + 1)) for k in range(40)]

    answer = await post(store, parcel(*sent))

    assert answer.json() == {"result": 1}
    assert claims(town, "ann/m") == {one.name: one.sha256 for one in sent}


async def test_an_empty_shard_and_an_empty_file(town: Town, store: Store):
    assert (await post(store, parcel())).json() == {"result": 0}
    empty = made_of()
    assert empty.hash == EMPTY_FILE
    nameless, named = empty.nameless, empty.block()
    assert [(await post(store, parcel(one))).json() for one in (nameless, named)] == [
        {"result": 1},
        {"result": 0},
    ]
    assert claims(town, "ann/m") == {empty.name: hashlib.sha256(b"").digest()}


async def test_a_file_without_a_sha256_gets_the_one_that_is_claimed_later(town: Town, store: Store):
    sent = whole(await kept(town))
    await post(store, parcel(sent.nameless))
    before = claims(town, "ann/m")
    await post(store, parcel(sent))
    assert (before, claims(town, "ann/m")) == ({sent.name: None}, {sent.name: sent.sha256})


async def test_chunks_that_clients_ask_for_are_noted(town: Town, store: Store):
    chunks = [struct.pack("<I", k) * 8 for k in range(6000)]
    xorb = await kept(town, chunks=chunks, scheme=Scheme.NONE)
    rare = {one for one in xorb.hashes if int.from_bytes(one[24:], "little") % 1024 == 0}
    assert rare

    await post(store, parcel(made_of((xorb, 5, 6), (xorb, 7, 8))))

    query = select(dedup_chunks.c.chunk)
    noted = town.app.db.read_now(lambda conn: set(conn.execute(query).scalars()))
    assert noted == rare | {xorb.hashes[5]}


async def test_a_xorb_is_listed_and_needed_once(town: Town, store: Store):
    xorb = await kept(town)
    await post(store, parcel(made_of((xorb, 0, 1), (xorb, 2, 3), (xorb, 0, 1))))
    rows = town.app.db.read_now(lambda conn: conn.execute(select(file_xorbs)).all())
    assert len(rows) == 1


async def test_headers_of_model_files_are_kept(town: Town, store: Store):
    header = b'{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}'
    model = struct.pack("<Q", len(header)) + header + bytes(12)
    pieces = [model[:20], model[20:50], model[50:]]
    xorb = await kept(town, chunks=[os.urandom(30), *pieces, b"text" * 9])
    sent = made_of((xorb, 1, 4))
    text = made_of((xorb, 4, 5))

    await post(store, parcel(sent, text))

    found = msgspec.json.decode(file_row(town, sent).header)
    assert found == {"format": "safetensors", "parameters": {"F32": 3}, "total": 3}
    assert file_row(town, text).header is None


async def test_a_header_that_cannot_be_read_is_done_without(
    town: Town, store: Store, caplog: pytest.LogCaptureFixture
):
    """Whether the bytes are gone or spoilt; the check of the sha256 sees to the rest."""
    gone, spoilt = await kept(town), await kept(town)
    await town.app.blobs.delete(xorb_key(gone.name))
    path = town.app.blobs.local_path(xorb_key(spoilt.name))
    path.write_bytes(path.read_bytes()[:8] + b"x" * (len(spoilt.body) - 8))

    answer = await post(store, parcel(whole(gone), whole(spoilt)))

    assert answer.json() == {"result": 1}
    assert all(xorb.name in caplog.text for xorb in (gone, spoilt))


@pytest.mark.parametrize("scattered", [100, 3000])
async def test_a_header_scattered_over_many_terms_is_done_without(
    town: Town, store: Store, scattered: int
):
    """Each is read for itself, which takes a thousand times as long as to send it."""
    header = b'{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}'
    length = len(header) + scattered + 1
    xorb = make_xorb([length.to_bytes(8, "little") + header, b" ", b"}" + bytes(12)])
    await keep(town, "ann", xorb)
    sent = made_of((xorb, 0, 1), *[(xorb, 1, 2)] * scattered, (xorb, 2, 3))

    assert (await post(store, parcel(sent))).status_code == 200

    assert (file_row(town, sent).header is None) is (scattered > 2048)


async def test_headers_longer_than_a_chunk(town: Town, store: Store):
    """In several terms, of several xorbs."""
    tensors = {
        f"w{k}": {"dtype": "F32", "shape": [1], "data_offsets": [4 * k, 4 * k + 4]}
        for k in range(3000)
    }
    header = msgspec.json.encode(tensors)
    model = struct.pack("<Q", len(header)) + header + bytes(12_000)
    pieces = [model[k : k + 9000] for k in range(0, len(model), 9000)]
    one = await kept(town, chunks=[os.urandom(30), *pieces[:8]])
    two = await kept(town, chunks=pieces[8:])
    await post(store, parcel(made_of((one, 1, 4), (one, 4, 9), (two, 0, len(pieces) - 8))))
    found = msgspec.json.decode(
        file_row(town, made_of((one, 1, 9), (two, 0, len(pieces) - 8))).header
    )
    assert found == {"format": "safetensors", "parameters": {"F32": 3000}, "total": 3000}


async def test_progress_is_told_line_by_line(town: Town, store: Store):
    xorb = await kept(town)
    sent = parcel(whole(xorb), made_of((xorb, 0, 1)), xorbs=[xorb])

    first, again = events(await post(store, sent, "v2")), events(await post(store, sent, "v2"))

    kinds = [event["type"] for event in first]
    assert kinds[0] == "validating"
    assert kinds == sorted(kinds, key=["validating", "committing", "result"].index)
    assert (first[-1], again[-1]) == (
        {"type": "result", "result": 1},
        {"type": "result", "result": 0},
    )


async def test_silence_is_filled(town: Town, store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(api_shards, "HEARTBEAT_SECONDS", 0.001)
    landing, go_on = api_shards.land_shard, asyncio.Event()

    async def later(*given: Any) -> bool:
        await go_on.wait()
        return await landing(*given)

    monkeypatch.setattr(api_shards, "land_shard", later)
    heard: list[bytes] = []

    def hear(line: bytes) -> None:
        heard.append(line)
        if heard.count(line) == 3:
            go_on.set()

    await listen(store, parcel(whole(await kept(town))), hear)

    repeated = b'{"type":"committing","stage":"uploading"}\n'
    assert heard.count(repeated) >= 3
    assert heard[-1] == b'{"type":"result","result":1}\n'


async def test_two_shards_with_one_file_at_once(town: Town, store: Store):
    xorb = await kept(town)
    town.repo("ann/other")
    other = await store_of(town, "ann", "ann/other")
    sent = parcel(whole(xorb), made_of((xorb, 0, 2)))

    answers = await asyncio.gather(*(post(one, sent) for one in (store, other, store, other)))

    assert [answer.status_code for answer in answers] == [200] * 4
    assert sorted(claims(town, "ann/m")) == sorted(claims(town, "ann/other"))
    assert len(stored_terms(town, whole(xorb))) == 1
