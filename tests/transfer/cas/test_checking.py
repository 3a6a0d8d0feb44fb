# SPDX-License-Identifier: Apache-2.0
"""The sha256 that a client claims, and what becomes of it once the hub has computed it."""

import logging
import os
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from hubkeep.blobs import whole_key, xorb_key
from hubkeep.db.tables import files, jobs, repo_files, repos, xorbs
from hubkeep.errors import HubError
from hubkeep.job_kinds import all_kinds
from hubkeep.jobs import Worker
from hubkeep.jobs.queue import any_due
from hubkeep.transfer.cas.checking import FORGOTTEN, check_forgotten
from hubkeep.transfer.cas.queries_checking import UncheckedFile, settle
from hubkeep.transfer.cas.scrubbing import scrub_xorb
from hubkeep.transfer.queries import LinkResult, WantedFile, link_for_commit, linked_files
from hubkeep.xet.xorb import Scheme
from tests.transfer.cas.parcels import (
    Sent,
    claims,
    file_row,
    keep,
    made_of,
    parcel,
    post,
    stored_terms,
    whole,
)
from tests.transfer.cas.world import Xorb, make_xorb, row_of, store_of
from tests.transfer.town import Town, sha

pytestmark = pytest.mark.anyio


async def kept(town: Town, user: str = "ann", **how: object) -> Xorb:
    xorb = make_xorb(**how)
    await keep(town, user, xorb)
    return xorb


async def push(town: Town, repo: str, *sent: Sent | bytes, private: bool = False) -> None:
    """Register files, each as it is or as a block, in a repository of the owner's."""
    if repo not in town.ids:
        town.repo(repo, private=private)
    answer = await post(await store_of(town, repo.partition("/")[0], repo), parcel(*sent))
    assert answer.status_code == 200, answer.text


async def check(town: Town) -> None:
    """Run the jobs that shards have asked for, and none that come round by the clock."""
    await Worker(town.app.db, all_kinds(), town.app, town.time).run_due()
    left = select(jobs.c.error).where(jobs.c.error.is_not(None))
    assert town.app.db.read_now(lambda conn: conn.execute(left).all()) == []


def commit(town: Town, user: str, repo: str, oid: bytes, path: str = "x.bin") -> LinkResult:
    actor, seen = town.actor(user), town.seen(user, repo)
    wanted = {oid: WantedFile(path, None, "main")}
    return town.app.db.write_now(
        lambda conn: link_for_commit(conn, seen, actor, wanted, town.time())
    )


def held(town: Town, repo: str, oid: bytes) -> object:
    """What a pointer of a repository leads to."""
    found = town.app.db.read_now(lambda conn: linked_files(conn, town.ids[repo], [oid]))
    return found.get(oid)


def storage(town: Town, repo: str) -> int:
    query = select(repos.c.used_storage).where(repos.c.id == town.ids[repo])
    return town.app.db.read_now(lambda conn: conn.execute(query).scalar_one())


async def test_a_true_claim_holds_everywhere_once_it_is_checked(town: Town):
    sent = whole(await kept(town))
    await push(town, "ann/m", sent)
    town.repo("bob/m")

    assert commit(town, "ann", "ann/m", sent.sha256).missing == []
    with pytest.raises(HubError, match="still being checked") as refused:
        commit(town, "bob", "bob/m", sent.sha256)
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "5"})

    await check(town)
    assert file_row(town, sent).sha256 == sent.sha256
    assert commit(town, "bob", "bob/m", sent.sha256).missing == []
    assert claims(town, "bob/m") == {sent.name: sent.sha256}


async def test_nobody_hears_of_claims_that_he_cannot_read(town: Town):
    sent = whole(await kept(town))
    await push(town, "ann/secret", sent, private=True)
    town.repo("bob/m")
    assert commit(town, "bob", "bob/m", sent.sha256).missing == [sent.sha256]
    await check(town)
    assert commit(town, "bob", "bob/m", sent.sha256).missing == [sent.sha256]


@pytest.mark.parametrize("scheme", list(Scheme))
async def test_files_of_any_scheme_and_size(
    town: Town, scheme: Scheme, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("hubkeep.transfer.cas.checking._READ_AT_ONCE", 300_000)
    chunks = [os.urandom(size) * 4 for size in (1, 32_768, 5, 20_000, 32_768, 7)]
    one, two = [await kept(town, chunks=chunks[k:], scheme=scheme) for k in (0, 1)]
    sent = [made_of((one, 0, 6), (two, 1, 5), (one, 2, 3)), whole(two), made_of()]
    sent.append(made_of(*((one, k % 6, k % 6 + 1) for k in range(1100))))
    await push(town, "ann/m", *(one.nameless for one in sent))
    await check(town)
    assert [file_row(town, one).sha256 for one in sent] == [one.sha256 for one in sent]
    assert claims(town, "ann/m") == {one.name: one.sha256 for one in sent}


async def test_a_lie_is_taken_away_and_said(town: Town, caplog: pytest.LogCaptureFixture):
    sent, oid = whole(await kept(town)), os.urandom(32)
    await push(town, "ann/m", sent.block(claim=oid))
    await push(town, "ann/honest", sent)
    commit(town, "ann", "ann/m", oid)
    counted = update(repos).where(repos.c.id == town.ids["ann/m"]).values(used_storage=50_000)
    town.app.db.write_now(lambda conn: conn.execute(counted))

    with caplog.at_level(logging.WARNING, "hubkeep"):
        await check(town)

    assert all(word in caplog.text for word in ("ann/m", oid.hex(), sent.name, sent.sha256.hex()))
    assert claims(town, "ann/m") == {}
    assert held(town, "ann/m", oid) is None
    assert storage(town, "ann/m") == 50_000 - len(sent.content)
    assert claims(town, "ann/honest") == {sent.name: sent.sha256}
    refused = await post(await store_of(town, "ann", "ann/m"), parcel(sent.block(claim=oid)))
    assert (refused.status_code, oid.hex() in refused.text) == (400, True)
    assert claims(town, "ann/m") == {}


async def test_a_lie_alone_leaves_the_file_to_be_collected(town: Town):
    sent = whole(await kept(town))
    await push(town, "ann/m", sent.block(claim=os.urandom(32)))
    await check(town)
    assert file_row(town, sent).unlinked_at == town.time()
    assert file_row(town, sent).sha256 == sent.sha256


async def test_what_is_claimed_of_a_file_of_git_lfs_takes_nothing_from_it(town: Town):
    """Neither before the check nor after, in this repository or another."""
    content = os.urandom(100)
    oid = bytes.fromhex(sha(content))
    town.repo("ann/m")
    await town.upload("ann", "ann/m", content)
    before = held(town, "ann/m", oid)
    xorb = await kept(town)
    await push(town, "ann/m", whole(xorb).block(claim=oid))
    await push(town, "ann/other", whole(xorb).block(claim=oid))

    assert held(town, "ann/m", oid) == before
    town.repo("bob/m")
    commit(town, "bob", "bob/m", oid)
    assert held(town, "bob/m", oid) == before
    await check(town)
    assert held(town, "ann/m", oid) == before
    assert held(town, "ann/other", oid) is None
    assert await town.app.blobs.read(whole_key(oid.hex()), 0, 100) == content


async def test_an_upload_by_git_lfs_is_asked_for_although_somebody_claims_to_have_it(town: Town):
    content = os.urandom(100)
    oid = bytes.fromhex(sha(content))
    await push(town, "ann/m", whole(await kept(town)).block(claim=oid))
    assert await town.actions("ann", "ann/m", content) is not None
    await town.upload("ann", "ann/m", content)
    commit(town, "ann", "ann/m", oid)
    await check(town)
    found = held(town, "ann/m", oid)
    assert (found.whole, found.is_checked) == (True, True)


async def test_what_a_commit_named_falls_to_who_told_the_truth(town: Town):
    lie, truth = whole(await kept(town)), whole(await kept(town))
    await push(town, "ann/m", lie.block(claim=truth.sha256))
    commit(town, "ann", "ann/m", truth.sha256, "weights.bin")
    await push(town, "ann/m", truth)
    counted = update(repos).values(used_storage=27_000)
    town.app.db.write_now(lambda conn: conn.execute(counted))

    await check(town)

    assert claims(town, "ann/m") == {truth.name: truth.sha256}
    named = select(repo_files.c.filename, repo_files.c.ref)
    rows = town.app.db.read_now(lambda conn: conn.execute(named).all())
    assert [tuple(row) for row in rows] == [("weights.bin", "main")]
    assert storage(town, "ann/m") == 27_000


async def test_a_file_that_came_both_ways_is_one(town: Town):
    xorb = await kept(town)
    sent = whole(xorb)
    for repo in ("ann/lfs", "ann/both"):
        town.repo(repo)
        await town.upload("ann", repo, sent.content)
    for repo in ("ann/both", "ann/xet"):
        await push(town, repo, sent)
    commit(town, "ann", "ann/xet", sent.sha256, "xet.bin")

    await check(town)

    rows = town.app.db.read_now(lambda conn: conn.execute(select(files)).all())
    assert [(row.sha256, row.xet_hash, row.whole) for row in rows] == [
        (sent.sha256, sent.hash, True)
    ]
    repos_with_it = ("ann/lfs", "ann/both", "ann/xet")
    assert [claims(town, repo) for repo in repos_with_it] == [{sent.name: sent.sha256}] * 3
    links = town.app.db.read_now(lambda conn: conn.execute(select(repo_files)).all())
    assert sorted(row.filename or "" for row in links) == ["", "", "xet.bin"]
    assert row_of(town, xorb).unlinked_at is None


async def test_the_name_of_a_link_that_gives_way_is_kept(town: Town):
    sent = whole(await kept(town))
    await push(town, "ann/m", sent)
    commit(town, "ann", "ann/m", sent.sha256, "weights.bin")
    await town.upload("ann", "ann/m", sent.content)
    await check(town)
    (link,) = town.app.db.read_now(lambda conn: conn.execute(select(repo_files)).all())
    assert (link.filename, link.oid) == ("weights.bin", sent.sha256)


async def test_a_twin_that_nobody_needed_is_kept_by_the_other(town: Town):
    sent = whole(await kept(town))
    town.repo("ann/lfs")
    await town.upload("ann", "ann/lfs", sent.content)

    def unlink_all(conn) -> None:
        conn.execute(delete(repo_files))
        conn.execute(update(files).values(unlinked_at=1))

    town.app.db.write_now(unlink_all)
    await push(town, "ann/m", sent)
    await check(town)
    (row,) = town.app.db.read_now(lambda conn: conn.execute(select(files)).all())
    assert (row.unlinked_at, row.whole, row.xet_hash) == (None, True, sent.hash)


async def test_files_that_were_cut_in_two_ways_are_one(town: Town):
    content = os.urandom(2000)
    one = await kept(town, chunks=[content[:700], content[700:]])
    two = await kept(town, chunks=[content[:900], content[900:]])
    await push(town, "ann/one", whole(one))
    await push(town, "ann/two", whole(two))

    await check(town)

    assert claims(town, "ann/one") == claims(town, "ann/two")
    assert [row_of(town, xorb).unlinked_at for xorb in (one, two)] == [None, town.time()]


async def test_a_way_that_can_be_read_takes_the_place_of_one_that_cannot(town: Town):
    content = os.urandom(2000)
    one = await kept(town, chunks=[content[:700], content[700:]])
    await push(town, "ann/one", whole(one))
    await check(town)
    spoil(town, one, 20)
    assert (await scrub_xorb(town.app, one.hash)).problem

    two = await kept(town, chunks=[content[:900], content[900:]])
    await push(town, "ann/two", whole(two))
    await check(town)

    told = {whole(two).name: whole(two).sha256}
    assert claims(town, "ann/one") == claims(town, "ann/two") == told
    assert [row_of(town, xorb).unlinked_at for xorb in (one, two)] == [town.time(), None]
    assert stored_terms(town, whole(two)) == [(0, 1)]


async def test_who_checked_a_file_that_is_gone_says_nothing_of_another(quick_town: Town):
    """SQLite gives the last row's id again: here to a file that came after two became one."""
    town = quick_town
    sent, other = whole(await kept(town)), whole(await kept(town))
    town.repo("ann/lfs")
    await town.upload("ann", "ann/lfs", sent.content)
    await push(town, "ann/m", sent)
    gone = file_row(town, sent)
    await check(town)
    await push(town, "ann/other", other)
    assert file_row(town, other).id == gone.id

    late = UncheckedFile(gone.id, sent.hash, gone.size)
    lies = town.app.db.write_now(lambda conn: settle(conn, late, sent.sha256, town.time()))

    assert lies == []
    assert claims(town, "ann/other") == {other.name: other.sha256}


async def test_headers_come_with_the_chunks(town: Town):
    header = b'{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}'
    model = len(header).to_bytes(8, "little") + header + bytes(12)
    sent = whole(await kept(town, chunks=[model]))
    await push(town, "ann/m", sent)
    town.repo("ann/lfs")
    await town.upload("ann", "ann/lfs", model)
    lost = update(files).where(files.c.whole).values(header=None)
    town.app.db.write_now(lambda conn: conn.execute(lost))
    await check(town)
    assert '"safetensors"' in file_row(town, sent).header


def spoil(town: Town, xorb: Xorb, at: int) -> Path:
    """Change a byte of what is stored."""
    path = town.app.blobs.local_path(xorb_key(xorb.name))
    body = bytearray(path.read_bytes())
    body[at] ^= 1
    path.unlink()  # it may be linked to elsewhere
    path.write_bytes(body)
    return path


async def test_damage_makes_no_liar(town: Town, caplog: pytest.LogCaptureFixture):
    """A flipped bit in a chunk that is not compressed decodes well, to other bytes."""
    xorb = await kept(town, scheme=Scheme.NONE)
    sent, other = whole(xorb), whole(await kept(town))
    await push(town, "ann/m", sent, other)
    spoil(town, xorb, 100)

    with caplog.at_level(logging.ERROR, "hubkeep"):
        await check(town)

    assert row_of(town, xorb).damaged_at == town.time()
    assert all(word in caplog.text for word in (sent.name, xorb.name))
    assert claims(town, "ann/m") == {one.name: one.sha256 for one in (sent, other)}
    assert file_row(town, sent).sha256 is None
    assert file_row(town, other).sha256 == other.sha256


async def test_what_is_healed_is_checked_later(town: Town):
    xorb = await kept(town)
    sent = whole(xorb)
    await push(town, "ann/m", sent)
    path = spoil(town, xorb, 20)
    await check(town)
    town.time.now += FORGOTTEN + 1
    await check_forgotten(town.app)
    assert file_row(town, sent).sha256 is None

    path.write_bytes(xorb.body)
    healed = update(xorbs).values(damaged_at=None)
    town.app.db.write_now(lambda conn: conn.execute(healed))
    await check_forgotten(town.app)

    assert file_row(town, sent).sha256 == sent.sha256


async def test_a_file_is_mended_by_sending_it_again(town: Town):
    """In other xorbs: those that a client makes depend on what else it sends."""
    xorb = await kept(town)
    sent, again = whole(xorb), await kept(town, chunks=[*xorb.chunks, b"more"])
    await push(town, "ann/m", sent)
    spoil(town, xorb, 20)
    await check(town)
    assert file_row(town, sent).sha256 is None

    await push(town, "ann/other", made_of((again, 0, 3)))
    await check(town)

    assert file_row(town, sent).sha256 == sent.sha256
    assert claims(town, "ann/m") == {sent.name: sent.sha256}
    assert stored_terms(town, sent) == [(0, 1)]
    assert row_of(town, again).unlinked_at is None
    assert row_of(town, xorb).unlinked_at == town.time()


async def test_what_cannot_be_read_keeps_nothing_else_from_being_checked(quick_town: Town):
    town = quick_town
    bad, good = await kept(town), await kept(town)
    await push(town, "ann/m", whole(bad), whole(good))
    path = town.app.blobs.local_path(xorb_key(bad.name))
    path.unlink()
    path.symlink_to(path)  # the error is another than a bad sector's; what is done is the same

    await check(town)

    assert row_of(town, bad).damaged_at == town.time()
    assert file_row(town, whole(bad)).sha256 is None
    assert file_row(town, whole(good)).sha256 == whole(good).sha256


async def test_bytes_that_are_missing(town: Town):
    xorb = await kept(town)
    sent = whole(xorb)
    await push(town, "ann/m", sent)
    await town.app.blobs.delete(xorb_key(xorb.name))
    await check(town)
    assert row_of(town, xorb).damaged_at == town.time()
    assert claims(town, "ann/m") == {sent.name: sent.sha256}


async def test_forgotten_files_are_found(town: Town, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hubkeep.transfer.cas.checking._FILES_AT_ONCE", 2)
    xorb = await kept(town)
    sent = [made_of((xorb, start, end)) for start in range(3) for end in range(start + 1, 4)]
    await push(town, "ann/m", *sent)
    town.app.db.write_now(lambda conn: conn.execute(delete(jobs)))
    await check_forgotten(town.app)
    assert file_row(town, sent[0]).sha256 is None
    town.time.now += FORGOTTEN + 1
    await check_forgotten(town.app)
    assert [file_row(town, one).sha256 for one in sent] == [one.sha256 for one in sent]


async def test_a_file_is_checked_once(town: Town):
    sent = whole(await kept(town))
    await push(town, "ann/m", sent)
    await check(town)
    await push(town, "ann/other", sent)
    assert not town.app.db.read_now(lambda conn: any_due(conn, town.time()))
    assert claims(town, "ann/other") == {sent.name: sent.sha256}


async def test_a_file_that_is_gone_is_none_to_check(town: Town):
    sent = whole(await kept(town))
    await push(town, "ann/m", sent)

    def collect(conn) -> None:
        conn.execute(delete(repo_files))
        conn.execute(delete(files))

    town.app.db.write_now(collect)
    await check(town)
