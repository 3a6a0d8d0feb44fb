# SPDX-License-Identifier: Apache-2.0
"""Reading stored bytes again: whatever changed behind the hub's back is found."""

import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

import pytest
from msgspec import structs
from sqlalchemy import Connection, select, update

from hubkeep.blobs import StoreUnavailable, whole_key
from hubkeep.db.tables import file_terms, files, xorb_chunks, xorbs
from hubkeep.kit.time import DAY
from hubkeep.transfer.cas import scrubbing
from hubkeep.transfer.cas.queries_scrubbing import (
    Due,
    due_files,
    due_xorbs,
    how_much_is_due,
    note_file,
    note_xorb,
)
from hubkeep.transfer.cas.scrubbing import Checked, scrub_files, scrub_some, scrub_xorbs
from hubkeep.xet.chunks import Scheme, decode_chunks
from hubkeep.xet.shard import pack_terms, unpack_terms
from tests.transfer.cas.stored import (
    body_of,
    chunks_of,
    column,
    key_of,
    put_bytes,
    put_file,
    put_xorb,
)
from tests.transfer.town import Town, sha

pytestmark = pytest.mark.anyio


async def read_all(town: Town, repo_ids: tuple[int, ...] | None = None) -> list[Checked]:
    """Read everything again; return what is not as it should be."""
    town.time.now += 1
    due = Due(town.time(), repo_ids)
    wrong = []
    for checking in (scrub_xorbs(town.app, due), scrub_files(town.app, due)):
        async with aclosing(checking) as found:
            wrong += [one async for one in found if one.problem]
    assert town.app.db.read_now(lambda conn: how_much_is_due(conn, due)).count == 0
    return wrong


def names(wrong: list[Checked]) -> list[str]:
    return sorted(one.name.partition(" ")[0] for one in wrong)


async def test_what_is_good_is_noted_as_read(town: Town):
    town.repo("ann/m")
    chunks = chunks_of(1)
    xorb = await put_xorb(town, chunks, Scheme.LZ4)
    put_file(town, "ann/m", [(xorb, chunks, 1, 3), (xorb, chunks, 0, 2)])
    await town.upload("ann", "ann/m", b"whole")
    await town.upload("ann", "ann/m", b"")
    assert await read_all(town) == []
    assert column(town, "checked_at", xorb) == town.time()
    read = town.app.db.read_now(lambda conn: list(conn.execute(select(files.c.checked_at))))
    assert read == [(town.time(),)] * 3


@pytest.mark.parametrize("scheme", Scheme)
async def test_every_flipped_bit_of_a_xorb_is_found(quick_town: Town, scheme: Scheme):
    """Unless what is read from it is the same: LZ4 can say one thing in several ways."""
    name, body = body_of([b"weights " * 4, bytes(range(40))], scheme)
    await put_xorb(quick_town, [b"weights " * 4, bytes(range(40))], scheme)
    chunks = [bytes(chunk) for chunk in decode_chunks(body)]
    missed = []
    for bit in range(8 * len(body)):
        spoiled = bytearray(body)
        spoiled[bit // 8] ^= 1 << bit % 8
        await put_bytes(quick_town, key_of(name), bytes(spoiled))
        wrong = await read_all(quick_town)
        if not wrong:
            missed.append(bit)
            assert [bytes(chunk) for chunk in decode_chunks(spoiled)] == chunks
        assert (column(quick_town, "damaged_at", name) is not None) is bool(wrong)
    assert scheme is not Scheme.NONE or missed == []


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda body: body[:-1], id="a byte short"),
        pytest.param(lambda body: body[: len(body) // 2], id="half"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda body: body + b"\0", id="a byte more"),
        pytest.param(lambda body: body + body, id="twice"),
        pytest.param(lambda _: body_of(chunks_of(2))[1], id="another xorb"),
        pytest.param(None, id="missing"),
    ],
)
async def test_xorbs_that_are_others_or_gone_are_found(
    town: Town, spoil: Callable[[bytes], bytes] | None
):
    xorb = await put_xorb(town, chunks_of(1))
    if spoil is None:
        await town.app.blobs.delete(key_of(xorb))
    else:
        await put_bytes(town, key_of(xorb), spoil(body_of(chunks_of(1))[1]))
    assert names(await read_all(town)) == ["xorb"]
    since = town.time()
    assert names(await read_all(town)) == ["xorb"]
    assert column(town, "damaged_at", xorb) == since

    await put_bytes(town, key_of(xorb), body_of(chunks_of(1))[1])
    assert await read_all(town) == []
    assert column(town, "damaged_at", xorb) is None


async def test_what_is_known_wrongly_of_chunks_is_mended_from_the_bytes(town: Town):
    town.repo("ann/m")
    chunks = chunks_of(1)
    xorb = await put_xorb(town, chunks)
    file_id, _ = put_file(town, "ann/m", [(xorb, chunks, 0, 4)])
    right = town.app.db.read_now(lambda conn: conn.execute(select(xorb_chunks)).one())

    for column_, value in (
        ("ends", right.ends[:-8]),
        ("ends", b"\xff" * len(right.ends)),
        ("hashes", bytes(len(right.hashes))),
        ("hashes", b""),
    ):
        wrongly = update(xorb_chunks).values({column_: value})
        town.app.db.write_now(lambda conn, wrongly=wrongly: conn.execute(wrongly))
        [found] = await read_all(town)
        assert found.is_mended
        assert town.app.db.read_now(lambda conn: conn.execute(select(xorb_chunks)).one()) == right
        assert await read_all(town) == []
    for wrong in ({"size": 1}, {"raw_size": 1}, {"chunks": 1}):
        town.app.db.write_now(lambda conn, wrong=wrong: conn.execute(update(xorbs).values(wrong)))
        assert names(await read_all(town)) == ["xorb"]
    assert column(town, "chunks", xorb) == 4
    assert column(town, "damaged_at", xorb) is None

    # A file that seemed damaged because of it is looked at again, before its time.
    town.app.db.write_now(lambda conn: conn.execute(update(files).values(damaged_at=1)))
    town.app.db.write_now(lambda conn: conn.execute(update(xorbs).values(size=1)))
    town.time.now += 1
    async with aclosing(scrub_xorbs(town.app, Due(town.time()))) as found:
        assert [one.is_mended async for one in found] == [True]
    long_ago = town.app.db.read_now(lambda conn: due_files(conn, Due(1), 9))
    assert [file.id for file in long_ago] == [file_id]


async def test_a_xorb_of_the_same_chunks_stored_in_another_way_is_mended(town: Town):
    """As after going back to an older database, when a xorb was sent anew in between."""
    chunks = chunks_of(1)
    xorb = await put_xorb(town, chunks, Scheme.NONE)
    await put_bytes(town, key_of(xorb), body_of(chunks, Scheme.BG4)[1])
    [found] = await read_all(town)
    assert found.is_mended
    assert await read_all(town) == []


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda body: bytes([body[0] ^ 1]) + body[1:], id="a bit"),
        pytest.param(lambda body: body[:-1], id="a byte short"),
        pytest.param(lambda body: body + b"\0", id="a byte more"),
        pytest.param(None, id="missing"),
    ],
)
async def test_whole_copies_that_are_others_or_gone_are_found(
    town: Town, spoil: Callable[[bytes], bytes] | None
):
    town.repo("ann/m")
    content = b"weights" * 1000
    key = whole_key(sha(content))
    await town.upload("ann", "ann/m", content)
    if spoil is None:
        await town.app.blobs.delete(key)
    else:
        await put_bytes(town, key, spoil(content))
    assert names(await read_all(town)) == ["file"]
    damaged = select(files.c.damaged_at)
    assert town.app.db.read_now(lambda conn: conn.execute(damaged).scalar()) == town.time()
    await put_bytes(town, key, content)
    assert await read_all(town) == []
    assert town.app.db.read_now(lambda conn: conn.execute(damaged).scalar()) is None


async def test_a_bad_copy_of_a_file_in_chunks_is_given_up(town: Town):
    town.repo("ann/m")
    chunks = chunks_of(1)
    xorb = await put_xorb(town, chunks)
    _, content = put_file(town, "ann/m", [(xorb, chunks, 0, 4)])
    await put_bytes(town, whole_key(sha(content)), content[:-1])
    query = select(files.c.whole, files.c.damaged_at, files.c.spare_since)

    def look() -> tuple[bool, int | None, int | None]:
        return tuple(town.app.db.read_now(lambda conn: conn.execute(query).one()))

    for is_good in (False, True):
        change = {"whole": True, "spare_since": None}
        town.app.db.write_now(lambda conn, to=change: conn.execute(update(files).values(to)))
        if not is_good:
            await town.app.blobs.delete(key_of(xorb))
        else:
            await put_bytes(town, key_of(xorb), body_of(chunks)[1])
        wrong = await read_all(town)
        assert names(wrong) == ["file"] if is_good else ["file", "xorb"]
        assert wrong[-1].is_mended is is_good
        since = town.time()
        assert look() == ((False, None, since) if is_good else (True, since, None))


async def test_what_cannot_be_read_is_damaged_if_the_store_works(
    quick_town: Town, monkeypatch: pytest.MonkeyPatch
):
    """A bad sector, that is; where nothing can be read nothing is damaged."""
    town = quick_town
    bad, good = [await put_xorb(town, chunks_of(seed)) for seed in range(2)]
    path = town.app.blobs.local_path(key_of(bad))
    path.unlink()
    path.symlink_to(path)  # any error but that there is none
    [wrong] = await read_all(town)
    assert (wrong.row.hash, wrong.problem) == (bad, "the bytes cannot be read")
    assert column(town, "checked_at", good) == town.time()

    async def fail(*_args: object, **_how: object) -> None:
        raise StoreUnavailable("no disk")

    monkeypatch.setattr(type(town.app.blobs), "put", fail)
    path.unlink()
    path.symlink_to(path)
    change = update(xorbs).values(damaged_at=None)
    town.app.db.write_now(lambda conn: conn.execute(change))
    with pytest.raises(StoreUnavailable):
        await read_all(town)
    assert column(town, "damaged_at", bad) is None


async def test_files_whose_terms_do_not_fit_are_found(town: Town):
    town.repo("ann/m")
    one, two = chunks_of(1), chunks_of(2)
    first, second = await put_xorb(town, one), await put_xorb(town, two)
    put_file(town, "ann/m", [(first, one, 0, 3), (second, two, 1, 4), (first, one, 3, 4)])
    row = town.app.db.read_now(lambda conn: conn.execute(select(file_terms)).one())
    terms = unpack_terms(row.terms)
    wrongs = [
        pack_terms(terms[:2]),
        pack_terms([terms[1], terms[0], terms[2]]),
        pack_terms([terms[0]._replace(end=2), *terms[1:]]),
        pack_terms([terms[0]._replace(end=9), *terms[1:]]),
        pack_terms([terms[0]._replace(start=3), *terms[1:]]),
        pack_terms([terms[0]._replace(raw_size=1), *terms[1:]]),
        pack_terms([terms[0]._replace(xorb=bytes(32)), *terms[1:]]),
        pack_terms([*terms, terms[0]]),
        row.terms[:-1],
        b"",
    ]
    for wrong in wrongs:
        _set_terms(town, wrong)
        assert names(await read_all(town)) == ["file"], wrong
    _set_terms(town, row.terms)
    assert await read_all(town) == []
    town.app.db.write_now(lambda conn: conn.execute(file_terms.delete()))
    assert names(await read_all(town)) == ["file"]


def _set_terms(town: Town, packed: bytes) -> None:
    town.app.db.write_now(lambda conn: conn.execute(update(file_terms).values(terms=packed)))


async def test_a_file_of_many_xorbs_and_rows_of_terms_fits(town: Town):
    town.repo("ann/m")
    shelf = [chunks_of(seed, count=2, size=50) for seed in range(40)]
    stored = [(await put_xorb(town, chunks), chunks) for chunks in shelf]
    parts = [(name, chunks, k % 2, 2) for k in range(3) for name, chunks in stored]
    file_id, _ = put_file(town, "ann/m", parts)

    def in_rows(conn: Connection) -> None:
        row = conn.execute(select(file_terms)).one()
        terms = unpack_terms(row.terms)
        conn.execute(file_terms.delete())
        at = 0
        for first in range(0, len(terms), 50):
            some = terms[first : first + 50]
            values = {"file_id": file_id, "raw_start": at, "terms": pack_terms(some)}
            conn.execute(file_terms.insert().values(values))
            at += sum(term.raw_size for term in some)

    town.app.db.write_now(in_rows)
    assert await read_all(town) == []


async def test_what_changed_while_it_was_read_is_not_marked(town: Town):
    town.repo("ann/m")
    await put_xorb(town, chunks_of(1))
    await town.upload("ann", "ann/m", b"whole")
    due = Due(town.time() + 1)
    [xorb] = town.app.db.read_now(lambda conn: due_xorbs(conn, due, 9))
    [file] = town.app.db.read_now(lambda conn: due_files(conn, due, 9))
    for changed in ({"checked_at": 5}, {"damaged_at": 5}, {"created_at": 5}, {"size": 5}):
        other = xorb._replace(**changed)
        assert not town.app.db.write_now(
            lambda conn, row=other: note_xorb(conn, row, 9, is_damaged=True)
        )
    assert not town.app.db.write_now(
        lambda conn: note_file(conn, file._replace(whole=False), 9, is_damaged=True)
    )
    assert town.app.db.write_now(lambda conn: note_xorb(conn, xorb, 9, is_damaged=True))
    assert town.app.db.write_now(lambda conn: note_file(conn, file, 9, is_damaged=True))


async def test_only_one_repository_is_read_if_asked(town: Town):
    here, there = chunks_of(1), chunks_of(2)
    for repo, chunks in (("ann/m", here), ("bob/m", there)):
        town.repo(repo)
        xorb = await put_xorb(town, chunks)
        put_file(town, repo, [(xorb, chunks, 0, 4)])
        await town.upload(repo[:3], repo, repo.encode())
        await town.app.blobs.delete(key_of(xorb))
        await town.app.blobs.delete(whole_key(sha(repo.encode())))
    assert names(await read_all(town, (town.ids["ann/m"],))) == ["file", "xorb"]
    assert column(town, "checked_at", body_of(there)[0]) is None
    assert names(await read_all(town)) == ["file", "file", "xorb", "xorb"]


async def test_the_job_reads_all_in_time_a_bounded_part_at_a_run(
    quick_town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    town = quick_town
    sizes = [len(body_of(chunks_of(seed))[1]) for seed in range(6)]
    xorbs_ = [await put_xorb(town, chunks_of(seed)) for seed in range(6)]
    monkeypatch.setattr(scrubbing, "LEAST_A_RUN", 2 * sizes[0])
    monkeypatch.setattr(scrubbing, "_BATCH", 1)
    await town.app.blobs.delete(key_of(xorbs_[3]))
    read: list[int] = []
    assert await scrub_some(town.app) == []
    town.time.now += 30 * DAY
    with caplog.at_level(logging.ERROR):
        for _ in range(4):
            town.time.now += 60_000
            await scrub_some(town.app)
            read.append(sum(column(town, "checked_at", one) is not None for one in xorbs_))
    assert read == [2, 4, 6, 6]
    assert "bytes are missing" in caplog.text

    first = [column(town, "checked_at", one) for one in xorbs_]
    town.time.now += 30 * DAY - 60_000
    await scrub_some(town.app)
    again = [column(town, "checked_at", one) != at for one, at in zip(xorbs_, first, strict=True)]
    assert again == [at == min(first) for at in first]


async def test_the_job_does_nothing_when_it_is_off(quick_town: Town):
    await put_xorb(quick_town, chunks_of(1))
    config = structs.replace(quick_town.app.config, scrub_days=0)
    quick_town.time.now += 400 * DAY
    assert await scrub_some(replace(quick_town.app, config=config)) == []
    assert column(quick_town, "checked_at", body_of(chunks_of(1))[0]) is None
