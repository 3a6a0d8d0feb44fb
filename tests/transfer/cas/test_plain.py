# SPDX-License-Identifier: Apache-2.0
"""Files that are stored as chunks, as plain bytes: whole, in ranges, and where they are damaged."""

import errno
import os
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message

from hubkeep.config import Config
from hubkeep.errors import HubError
from hubkeep.transfer.cas import plans, reading
from hubkeep.transfer.cas.queries_files import readable_xorbs
from hubkeep.transfer.cas.queries_reading import mark_damaged
from hubkeep.xet.chunks import Scheme
from hubkeep.xet.hashes import to_text
from tests.harness.hub import TestHub, on_sqlite, started_hub
from tests.harness.world import seed
from tests.transfer.cas.conftest import make_repo
from tests.transfer.cas.plainly import Plain, damaged_at, plain, random_file
from tests.transfer.cas.shelf import Shelf, Xorb, shelf_of
from tests.transfer.cas.stored import key_of, spoil

PATIENT = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=40,
)


@pytest.fixture(params=["folder", "memory"])
def away(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TestHub]:
    """A hub whose bytes are in a folder, and one whose bytes come from elsewhere."""
    blobs = "memory:" if request.param == "memory" else ""
    with started_hub(Config(data=tmp_path / "hub", blobs_url=blobs)) as hub:
        hub.write(lambda conn: seed(conn, hub.clock()))
        make_repo(hub, "m")
        yield hub


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little is read at once, so that small files take many steps, and many looks."""
    monkeypatch.setattr(reading, "AT_ONCE", 2500)
    monkeypatch.setattr(plans, "MOST_XORBS", 3)


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize("number", range(4))
def test_every_range_is_exact(away: TestHub, number: int):
    file = plain(away, random_file(shelf_of(away), number, row_terms=7))
    size = len(file.content)
    assert size > 10_000
    assert file.get().content == file.content

    @PATIENT
    @given(st.integers(0, size - 1), st.one_of(st.integers(1, 5000), st.integers(1, size)))
    def check(start: int, length: int) -> None:
        end = min(start + length, size)
        answer = file.part(start, end)
        assert answer.status_code == 206
        assert answer.content == file.content[start:end]
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"

    check()


def test_megabytes(away: TestHub):
    shelf = shelf_of(away)
    chunks = [os.urandom(100_000 + 700 * number) for number in range(40)]
    zeros = shelf.xorb([bytes(131_072)] * 30, Scheme.LZ4)
    some = [shelf.xorb(chunks[:20], Scheme.NONE), shelf.xorb(chunks[20:], Scheme.BG4)]
    terms = [some[0].term(0, 20), zeros.term(0, 30), some[1].term(1, 20), some[0].term(5, 6)]
    file = plain(away, shelf.file("alice/m", terms))
    assert file.get().content == file.content
    assert file.part(1_999_999, 7_000_001).content == file.content[1_999_999:7_000_001]


def test_an_empty_file(hub: TestHub, shelf: Shelf):
    file = plain(hub, shelf.file("alice/m", []))
    for method in ("GET", "HEAD"):
        answer = file.get(method=method)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-length"] == "0"
        assert file.get({"Range": "bytes=0-"}, method).status_code == 416


CONDITIONS = [
    ({}, 200),
    ({"Range": "bytes=3-9"}, 206),
    ({"Range": "bytes=-5"}, 206),
    ({"Range": "bytes=7-"}, 206),
    ({"Range": "bytes=1-2,5-6"}, 200),
    ({"Range": "bytes=999999999-"}, 416),
    ({"If-None-Match": "*"}, 304),
    ({"If-None-Match": '"x"'}, 200),
    ({"Range": "bytes=0-3", "If-Range": '"x"'}, 200),
    ({"Range": "bytes=999999999-", "If-Range": '"x"'}, 200),
]


@on_sqlite
@pytest.mark.parametrize(("asked", "status"), CONDITIONS)
def test_head_says_what_get_does(hub: TestHub, shelf: Shelf, asked: dict[str, str], status: int):
    file = plain(hub, random_file(shelf, 1))
    whole = file.get()
    etag = whole.headers["etag"]
    for headers, expected in ((asked, status), ({**asked, "If-None-Match": etag}, 304)):
        got, head = file.get(headers), file.get(headers, "HEAD")
        same = {name: value for name, value in got.headers.items() if name != "x-request-id"}
        also = {name: value for name, value in head.headers.items() if name != "x-request-id"}
        assert (got.status_code, head.status_code, head.content) == (expected, expected, b"")
        assert same == also
    assert (whole.headers["accept-ranges"], whole.content) == ("bytes", file.content)
    resumed = file.get({"Range": "bytes=100-", "If-Range": etag})
    assert (resumed.status_code, resumed.content) == (206, file.content[100:])


# --- damage


@pytest.fixture
def three(hub: TestHub, shelf: Shelf) -> tuple[list[Xorb], Plain]:
    """A file of three xorbs, and these: each has two chunks of 2000 bytes, which are compressed."""
    stored = [
        shelf.xorb([bytes([letter, number]) * 1000 for number in (1, 2)]) for letter in b"abc"
    ]
    return stored, plain(hub, shelf.file("alice/m", [xorb.term(0, 2) for xorb in stored]))


def where(hub: TestHub, xorb: Xorb) -> Path:
    path = hub.app.blobs.local_path(key_of(xorb.name))
    assert path is not None
    return path


def is_refused(file: Plain, headers: dict[str, str] | None = None) -> bool:
    answer = file.get(headers)
    told = "The stored bytes of this file are damaged" in answer.text
    assert told == (answer.status_code == 500)
    return told


SPOILED: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "cut": lambda path: os.truncate(path, path.stat().st_size - 3),
    "flipped": lambda path: spoil(path, lambda body: body.__setitem__(4, 9)),
    "another-chunk": lambda path: spoil(path, lambda body: body.__setitem__(30, body[30] ^ 1)),
}


@on_sqlite
@pytest.mark.parametrize("spoiling", SPOILED.values(), ids=SPOILED)
def test_what_is_damaged_is_told_and_noted(hub: TestHub, shelf: Shelf, three, spoiling):
    stored, file = three
    spoiling(where(hub, stored[1]))
    assert file.part(0, 4000).content == file.content[:4000]
    assert is_refused(file)
    assert [damaged_at(shelf, xorb) for xorb in stored] == [None, hub.clock(), None]
    assert is_refused(file, {"Range": "bytes=7999-"})
    assert file.part(8000, 12_000).content == file.content[8000:]
    assert file.get(method="HEAD").status_code == 200


@on_sqlite
@pytest.mark.usefixtures("little")
def test_damage_in_the_middle_cuts_the_answer_and_is_told_from_then_on(
    hub: TestHub, shelf: Shelf, three, caplog: pytest.LogCaptureFixture
):
    stored, file = three
    SPOILED["cut"](where(hub, stored[2]))
    with pytest.raises(HubError, match="damaged"):
        file.get()
    assert f"the xorb {to_text(stored[2].name)} is damaged" in caplog.text
    assert damaged_at(shelf, stored[2]) == hub.clock()
    assert is_refused(file)


@on_sqlite
def test_who_needs_many_xorbs_hears_at_once_of_a_late_one(
    hub: TestHub, shelf: Shelf, three, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(plans, "MOST_XORBS", 1)
    stored, file = three
    assert file.get().content == file.content
    shelf.change_xorb(stored[2], damaged_at=1)
    assert is_refused(file)
    assert file.part(100, 3900).content == file.content[100:3900]


@on_sqlite
def test_a_disk_that_fails_is_no_damage(
    hub: TestHub, shelf: Shelf, three, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object) -> int:
        raise OSError(errno.EIO, "the disk fails")

    stored, file = three
    monkeypatch.setattr(os, "preadv", fail)
    assert file.get().status_code == 503
    monkeypatch.undo()
    assert [damaged_at(shelf, xorb) for xorb in stored] == [None] * 3
    assert file.get().content == file.content


def test_what_was_healed_meanwhile_is_not_marked(hub: TestHub, shelf: Shelf, three):
    stored, _ = three
    name = stored[0].name
    before = hub.read(lambda conn: readable_xorbs(conn, [name]))[name]
    shelf.change_xorb(stored[0], checked_at=5)
    hub.write(lambda conn: mark_damaged(conn, before, 7))
    assert damaged_at(shelf, stored[0]) is None
    now = hub.read(lambda conn: readable_xorbs(conn, [name]))[name]
    hub.write(lambda conn: mark_damaged(conn, now, 7))
    assert damaged_at(shelf, stored[0]) == 7


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize("version", ["2.3", "2.4"])
def test_a_client_that_leaves_ends_the_reading(
    away: TestHub, monkeypatch: pytest.MonkeyPatch, version: str
):
    file = plain(away, random_file(shelf_of(away), 3, 100))
    ended: list[bool] = []
    reading_on = reading._ahead

    async def watched(*what: Any) -> AsyncGenerator[bytes, None]:
        count = 0
        try:
            async for piece in reading_on(*what):
                count += 1
                yield piece
        finally:
            ended.append(count <= 3)

    monkeypatch.setattr(reading, "_ahead", watched)
    assert away.client.portal is not None
    away.client.portal.call(leave, away, file.path, version)
    assert ended == [True]


async def leave(hub: TestHub, path: str, version: str) -> None:
    """Take the start of the answer and two pieces, and go."""
    left = anyio.Event()
    taken: list[Message] = []

    async def send(message: Message) -> None:
        taken.append(message)
        if len(taken) == 3:
            left.set()
            if version == "2.4":
                raise OSError("the client has left")
            await anyio.sleep_forever()  # until the sender hears of it

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode()}
    scope |= {"query_string": b"", "headers": [(b"host", b"127.0.0.1")], "scheme": "http"}
    scope["asgi"] = {"version": "3.0", "spec_version": version}
    await hub.application(scope, receive, send)
