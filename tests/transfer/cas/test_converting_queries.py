# SPDX-License-Identifier: Apache-2.0
"""Which files are turned into chunks, as whom, and what becomes of the whole copies."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, select, update

from hubkeep.blobs import whole_key
from hubkeep.cli import worker
from hubkeep.config import Config
from hubkeep.db.tables import accounts, files, memberships, repo_files, repos, xorbs
from hubkeep.kit.time import DAY
from hubkeep.transfer.cas import converting
from hubkeep.transfer.cas.converting import convert_some, own_address, release_copies
from hubkeep.transfer.cas.queries_converting import next_whole, writer_for
from hubkeep.transfer.jobs import LEAST_GRACE, drop_spare_copies
from hubkeep.xet.chunks import Scheme
from tests.transfer.cas.stored import chunks_of, column, put_bytes, put_file, put_xorb
from tests.transfer.town import Town, sha, town_at

pytestmark = pytest.mark.anyio

LARGE = b"w" * 65536


@pytest.fixture
async def eager(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """A hub with converting on, and ann's model."""
    async with town_at(database_url, tmp_path / "data", xet_convert=True) as town:
        town.repo("ann/m")
        yield town


def change(town: Town, statement) -> None:
    town.app.db.write_now(lambda conn: conn.execute(statement))


def next_file(town: Town, after: int = 0) -> str | None:
    found = town.app.db.read_now(lambda conn: next_whole(conn, after))
    return found.sha256.hex() if found else None


def writer(town: Town, content: bytes) -> tuple[str, str] | None:
    """Who writes a file where, by name."""

    def work(conn: Connection) -> tuple[str, str] | None:
        sha256 = bytes.fromhex(sha(content))
        file_id = conn.execute(select(files.c.id).where(files.c.sha256 == sha256)).scalar_one()
        found = writer_for(conn, file_id)
        names = {number: name for name, number in town.ids.items() if "/" in name}
        return (found.actor.user.name, names[found.repo_id]) if found else None

    return town.app.db.read_now(work)


async def test_files_that_are_too_small_damaged_nobodys_or_in_chunks_are_left(town: Town):
    town.repo("ann/m")
    contents = [LARGE[:-1], LARGE, LARGE + b"1", LARGE + b"2", LARGE + b"3"]
    for content in contents:
        await town.upload("ann", "ann/m", content)
    for content, values in (
        (contents[1], {"damaged_at": 1}),
        (contents[2], {"unlinked_at": 1}),
        (contents[3], {"xet_hash": bytes(32)}),
    ):
        which = files.c.sha256 == bytes.fromhex(sha(content))
        change(town, update(files).where(which).values(**values))
    assert next_file(town) == sha(contents[4])
    assert next_file(town, after=10_000) is None


async def test_somebody_who_may_write_is_found(town: Town):
    town.repo("ann/m")
    await town.upload("ann", "ann/m", LARGE)
    assert writer(town, LARGE) == ("ann", "ann/m")

    # The file was pushed by somebody who may not write any more, to an organisation's repository.
    change(town, update(accounts).where(accounts.c.name == "eve").values(kind="org"))
    change(town, update(repos).values(owner_id=town.ids["eve"], creator_id=None))
    assert writer(town, LARGE) is None
    town.join("eve", "bob", "read")
    assert writer(town, LARGE) is None
    change(town, update(memberships).values(role="write"))
    assert writer(town, LARGE) == ("bob", "ann/m")
    change(town, update(accounts).where(accounts.c.name == "bob").values(disabled=True))
    assert writer(town, LARGE) is None
    change(town, delete(repo_files))
    assert writer(town, LARGE) is None


async def test_a_file_that_fails_is_tried_again_after_a_day(
    eager: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    tried: list[int] = []

    async def fail(_app, _address, file, _writer) -> bytes:
        tried.append(file.id)
        raise ConnectionError("nobody there")

    monkeypatch.setattr(converting, "_send", fail)
    for content in (LARGE, LARGE + b"2"):
        await eager.upload("ann", "ann/m", content)
    with caplog.at_level(logging.WARNING):
        for _ in range(4):
            assert await convert_some(eager.app) == 0
    first, second = tried
    assert "nobody there" in caplog.text
    eager.time.now += DAY
    for _ in range(4):
        await convert_some(eager.app)
    assert tried == [first, second, first, second]


async def test_nobody_who_may_write_does_not_stop_the_others(
    eager: Town, monkeypatch: pytest.MonkeyPatch
):
    eager.repo("bob/m")
    await eager.upload("ann", "ann/m", LARGE)
    await eager.upload("bob", "bob/m", LARGE + b"2")
    change(eager, update(accounts).where(accounts.c.name == "ann").values(disabled=True))
    sent: list[str] = []

    async def send(_app, _address, file, _writer) -> None:
        sent.append(file.sha256.hex())

    monkeypatch.setattr(converting, "_send", send)
    assert await convert_some(eager.app) == 0
    assert sent == [sha(LARGE + b"2")]


async def test_whole_copies_go_once_the_file_is_in_chunks(eager: Town):
    chunks = chunks_of(1)
    xorb = await put_xorb(eager, chunks, Scheme.LZ4)
    file_id, content = put_file(eager, "ann/m", [(xorb, chunks, 0, 4)])
    key = whole_key(sha(content))
    await put_bytes(eager, key, content)
    both = update(files).values(whole=True)
    change(eager, both)

    off = replace(eager.app, config=Config(data=eager.app.config.data))
    assert await release_copies(off) == 0
    for values in ({"damaged_at": 1}, {"sha256": None}):
        change(eager, update(files).values(**values))
        assert await release_copies(eager.app) == 0
        change(eager, update(files).values(damaged_at=None, sha256=bytes.fromhex(sha(content))))
    change(eager, update(xorbs).values(damaged_at=1))
    assert await release_copies(eager.app) == 0
    change(eager, update(xorbs).values(damaged_at=None))

    assert [await release_copies(eager.app) for _ in range(2)] == [1, 0]
    row = eager.app.db.read_now(lambda conn: conn.execute(select(files)).one())
    assert (row.id, row.whole, row.spare_since) == (file_id, False, eager.time())
    assert (await drop_spare_copies(eager.app)).count == 0
    eager.time.now += LEAST_GRACE + 1
    assert await drop_spare_copies(eager.app) == (1, len(content))
    assert await eager.app.blobs.size(key) is None
    assert column(eager, "unlinked_at", xorb) is None


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"host": "0.0.0.0", "port": 80}, "http://127.0.0.1:80"),
        ({"host": "::", "port": 80}, "http://[::1]:80"),
        ({"host": "fd00::7", "port": 80}, "http://[fd00::7]:80"),
        ({"host": "[::1]", "port": 80}, "http://[::1]:80"),
        ({"host": "hub.lan"}, "http://hub.lan:8080"),
        ({"public_url": "https://hub.example.org/"}, "https://hub.example.org"),
        ({"port": 0}, None),
    ],
)
def test_the_hubs_own_address(tmp_path: Path, settings: dict[str, object], address: str | None):
    assert own_address(Config(data=tmp_path, **settings)) == address


def test_what_is_missing_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setenv("HF_XET_CACHE", "kept")
    with caplog.at_level(logging.WARNING):
        worker._prepare_to_convert(Config(data=tmp_path, port=0))
        monkeypatch.setattr(converting, "find_spec", lambda _name: None)
        worker._prepare_to_convert(Config(data=tmp_path))
    assert [record.getMessage() for record in caplog.records] == [
        "HUBKEEP_XET_CONVERT does nothing: set HUBKEEP_PUBLIC_URL or HUBKEEP_PORT",
        "HUBKEEP_XET_CONVERT does nothing: pip install 'hubkeep[convert]' has hf_xet",
    ]


async def test_nothing_is_done_without_the_engine(eager: Town, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(converting, "find_spec", lambda _name: None)
    await eager.upload("ann", "ann/m", LARGE)
    assert await convert_some(eager.app) == 0
